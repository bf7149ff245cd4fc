//! `polytask data multimnist`: what it writes can be learnt from as it is.

use super::common::Folder;
use super::pictures::{gzip, idx};

/// Items of 28 x 28: item i is a bright square at a place of its own, labelled i % 10.
fn items(folder: &Folder, name: &str, train: usize, test: usize) {
    std::fs::create_dir_all(folder.path(name)).unwrap();
    for (part, count) in [("train", train), ("t10k", test)] {
        let image = |i: usize| (0..784).map(move |at| if at / 28 / 5 * 5 + at % 28 / 5 == i % 10 { 200 } else { 0u8 });
        let pixels: Vec<u8> = (0..count).flat_map(image).collect();
        let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
        folder.write(&format!("{name}/{part}-images-idx3-ubyte.gz"), gzip(&idx(&[count, 28, 28], &pixels)));
        folder.write(&format!("{name}/{part}-labels-idx1-ubyte.gz"), gzip(&idx(&[count], &labels)));
    }
}

const CONFIG: &str = "[data]\npath = \"multi/train-images-idx3-ubyte.gz\"\n\
    split = { valid = 0, test = \"multi/test-images-idx3-ubyte.gz\" }\n[tasks.left]\n[tasks.right]\n\
    [model]\ntrunk = [64]\n[train]\nepochs = 20\n";

#[test]
fn two_items_an_image() {
    let folder = Folder::new();
    items(&folder, "mnist", 600, 100);
    folder.works("data multimnist --mnist mnist --out multi");
    folder.write("config.toml", CONFIG);
    folder.works("train config.toml");
    let metrics = folder.json("model/metrics.json")["tasks"].clone();
    for task in ["left", "right"] {
        assert_eq!(metrics[task]["n"], 100);
        assert!(metrics[task]["accuracy"].as_f64().unwrap() > 0.95, "{metrics}");
    }
    // The left item is the image of its place; the right one was drawn.
    let before = folder.everything();
    folder.works("data multimnist --mnist mnist --out multi");
    assert!(folder.everything() == before, "the same seed gives the same files");
    folder.works("data multimnist --mnist mnist --out multi --seed 1");
    let file = |name: &str| before.iter().find(|(path, _)| path.ends_with(name)).unwrap().1.clone();
    for (name, same) in [("train-left", true), ("train-right", false), ("test-right", false), ("test-images", false)] {
        let end = if name.ends_with("images") { "idx3" } else { "idx1" };
        let name = format!("multi/{name}-{end}-ubyte.gz");
        assert_eq!(folder.bytes(&name) == file(&name), same, "{name}");
    }
}

#[test]
fn items_of_two_kinds() {
    let folder = Folder::new();
    items(&folder, "mnist", 40, 20);
    items(&folder, "fashion", 30, 10);
    // All that is drawn from the other folder is labelled 7.
    for (part, count) in [("train", 30), ("t10k", 10)] {
        folder.write(&format!("fashion/{part}-labels-idx1-ubyte.gz"), gzip(&idx(&[count], &vec![7; count])));
    }
    folder.works("data multimnist --mnist mnist --right fashion --out multi");
    let made = polytask_data::read(&folder.path("multi/train-images-idx3-ubyte.gz"), &Default::default()).unwrap();
    let labels = |name: &str| (0..40).map(|row| made.column(name).unwrap().shown(row).unwrap()).collect::<Vec<_>>();
    assert_eq!(labels("left"), (0..40).map(|i| (i % 10).to_string()).collect::<Vec<_>>());
    assert_eq!(labels("right"), vec!["7"; 40]);
    folder.write("fashion/t10k-labels-idx1-ubyte.gz", gzip(&idx(&[10], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])));
    folder.write("fashion/train-labels-idx1-ubyte.gz", gzip(&idx(&[30], &[0, 1, 2].repeat(10))));
    folder.works("data multimnist --mnist mnist --right fashion --out multi");
    folder.write("config.toml", CONFIG.replace("20", "1"));
    folder.works("train config.toml");
}

#[test]
fn folders_that_are_no_mnist() {
    let folder = Folder::new();
    let fails = |message: &str| {
        let done = folder.run("data multimnist --mnist mnist --out multi");
        assert_eq!((done.code, done.message()), (Some(1), message));
        assert!(!folder.path("multi").exists());
    };
    fails("no such file: mnist/train-images-idx3-ubyte.gz");
    items(&folder, "mnist", 20, 10);
    std::fs::remove_file(folder.path("mnist/t10k-labels-idx1-ubyte.gz")).unwrap();
    fails("mnist/t10k-images-idx3-ubyte.gz: there is no t10k-labels-idx1-ubyte beside it");
    folder.write("mnist/train-images-idx3-ubyte.gz", idx(&[20, 8, 8], &[0; 1280]));
    fails("mnist/train-images-idx3-ubyte.gz: its images are 8x8x1, those of MNIST are 28x28x1");
}
