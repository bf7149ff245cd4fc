//! Words in the exported script: cut and read as the program does, in all alphabets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Noise, case, python};
use polytask_data::text::Splitter;
use polytask_export::Format;
use polytask_graph::Activation;
use std::process::{Command, Stdio};

/// First and last of characters that go together: letters, marks, digits, pictures.
const SCRIPTS: [[u32; 2]; 20] = [
    [0x20, 0x7e],
    [0xa0, 0x17f],
    [0x300, 0x33f],
    [0x370, 0x3ff],
    [0x400, 0x52f],
    [0x591, 0x5f4],
    [0x600, 0x6ff],
    [0x900, 0x97f],
    [0xb80, 0xbff],
    [0xe00, 0xe5b],
    [0x1100, 0x11ff],
    [0x1780, 0x17f9],
    [0x2000, 0x2064],
    [0x2070, 0x21ff],
    [0x3000, 0x30ff],
    [0x4e00, 0x4e7f],
    [0xac00, 0xac7f],
    [0x1d400, 0x1d47f],
    [0x1f1e6, 0x1f1ff],
    [0x1f300, 0x1f64f],
];
/// What stands between letters and digits, within words or not.
const BETWEEN: &str = "  ..,,''’::__\"-\u{ad}\u{200d}\u{feff}\u{308}\n";

fn texts() -> Vec<String> {
    let mut noise = Noise(11);
    let mut below = |n: usize| (noise.next() * n as f64) as usize;
    let between: Vec<char> = BETWEEN.chars().collect();
    let text = |_| {
        let scripts = [SCRIPTS[below(20)], SCRIPTS[below(20)]];
        let mut character = |_| match below(4) {
            0 => between[below(between.len())],
            _ => {
                let [first, last] = scripts[below(2)];
                char::from_u32(first + below((last - first + 1) as usize) as u32).unwrap()
            }
        };
        (0..24).map(&mut character).collect::<String>()
    };
    (0..3000).map(text).collect()
}

/// Asks the script how it cuts texts, without the library that its network needs.
const ASK: &str = "
import bisect, functools, json, math, pathlib, re, sys
script = pathlib.Path(sys.argv[1], 'network.py').read_text(encoding='utf-8')
own = {'MODEL': json.loads(pathlib.Path(sys.argv[1], 'model.json').read_text(encoding='utf-8'))}
own.update(bisect=bisect, functools=functools, math=math, re=re)
exec(script[script.index('def _ranges'):script.index('def part_of')], own)
for line in sys.stdin.buffer:
    words = own['words_of'](json.loads(line))
    print(json.dumps([words, [own['shape'](word) for word in words]]))
";

#[test]
fn words_are_those_of_the_program() {
    let data = "{\"t\": \"play Jazz now\", \"y\": \"a\"}\n".repeat(12) + &"{\"t\": \"x\", \"y\": \"b\"}\n".repeat(12);
    let sections = "split = { valid = 0.2, test = 0.2 }\n[inputs]\nt = { kind = \"text\", min_count = 1 }\n[tasks.y]\nkind = \"category\"\n";
    let case = case(("t.jsonl", data.as_bytes()), sections, |g, x| g.dense(x, 4, Activation::Tanh));
    let out = case.folder.path().join("out");
    polytask_export::export(&case.model, Format::Pytorch, &out).unwrap();
    let asked = Command::new(python()).args(["-c", ASK]).arg(&out).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut asked) = asked else { return eprintln!("skipped: there is no {}", python()) };
    let texts = texts();
    let lines: String = texts.iter().map(|text| serde_json::to_string(text).unwrap() + "\n").collect();
    // Written beside reading, for pipes hold little.
    let mut to = asked.stdin.take().unwrap();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut to, lines.as_bytes()));
    let said = asked.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(said.status.success());
    let said = String::from_utf8(said.stdout).unwrap();
    assert_eq!(said.lines().count(), texts.len());
    for (text, line) in texts.iter().zip(said.lines()) {
        let [words, shapes]: [Vec<String>; 2] = serde_json::from_str(line).unwrap();
        let own: Vec<&str> = Splitter::Words.split(text).into_iter().map(|place| &text[place]).collect();
        assert_eq!(words, own, "{text:?}");
        for (word, shape) in words.iter().zip(&shapes) {
            let kind = |c: char| match c {
                c if c.is_uppercase() => 'X',
                c if c.is_alphabetic() => 'x',
                c if c.is_numeric() => 'd',
                c => c,
            };
            let kinds: Vec<char> = word.chars().map(kind).collect();
            let run = |i: usize| kinds[..i].iter().rev().take_while(|kind| **kind == kinds[i]).count() < 3;
            let own: String = (0..kinds.len()).filter(|i| run(*i)).map(|i| kinds[i]).collect();
            assert_eq!(*shape, own, "{word:?}");
        }
    }
}
