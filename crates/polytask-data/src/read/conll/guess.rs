//! Whether a text has a token a line, and what its columns are.

/// Bytes that are looked at.
const WINDOW: usize = 64 * 1024;
/// Fields of CoNLL-U.
const CONLLU: usize = 10;
/// The columns of CoNLL-2009 before those of the arguments.
const CONLL_2009: [&str; 15] =
    ["_", "tokens", "lemma", "_", "xpos", "_", "feats", "_", "head", "_", "deprel", "_", "_", "predicate", "frames..."];
/// The columns of CoNLL-2003.
const CONLL_2003: [&str; 4] = ["tokens", "xpos", "chunk", "tags"];

/// Whether a text is CoNLL-U or CoNLL-U Plus whatever its name: it names its columns, or has ten fields and counts words.
pub(crate) fn is_conllu(text: &[u8]) -> bool {
    if text.starts_with(b"# global.columns") {
        return true;
    }
    let window = window(text);
    let mut lines = window.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.next().is_some_and(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        fields.len() == CONLLU && matches!(fields.first().and_then(|id| id.split(['-', '.']).next()), Some("0" | "1"))
    })
}

/// The columns of a text with a token a line, where they can be told: CoNLL-2009, or tags `B-X`, `I-X` and `O` at the end of
/// every line and blank lines between sentences.
pub(crate) fn columns(text: &[u8]) -> Option<Vec<String>> {
    let window = window(text);
    let lines = || window.lines().filter(|line| !line.starts_with("#") && !line.starts_with("-DOCSTART-"));
    let first = lines().find(|line| !line.trim().is_empty())?;
    let split = |line: &'_ str| -> Vec<String> {
        let fields: Vec<&str> =
            if first.contains('\t') { line.split('\t').collect() } else { line.split_ascii_whitespace().collect() };
        fields.into_iter().map(str::to_owned).collect()
    };
    let rows: Vec<Vec<String>> = lines().filter(|line| !line.trim().is_empty()).map(split).collect();
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let field = |row: &Vec<String>, at: usize| row.get(at).cloned().unwrap_or_default();
    if first.contains('\t')
        && rows.iter().all(|row| row.len() + 1 >= CONLL_2009.len() && matches!(field(row, 12).as_str(), "_" | "Y"))
        && field(&split(first), 0) == "1"
    {
        return Some(owned(&CONLL_2009));
    }
    // The last sentence may be cut.
    let blank = lines().skip_while(|line| line.trim().is_empty()).any(|line| line.trim().is_empty());
    let width = rows.first().map(Vec::len).filter(|width| *width > 1)?;
    let tagged = |row: &Vec<String>| row.len() == width && row.last().is_some_and(|tag| is_tag(tag));
    let tags = rows.iter().filter_map(|row| row.last());
    let begun = tags.clone().any(|tag| ["B-", "I-", "S-", "U-"].iter().any(|begin| tag.starts_with(begin)));
    if !blank || !begun || !rows.iter().all(tagged) {
        return None;
    }
    Some(match width {
        4 => owned(&CONLL_2003),
        _ => {
            let between = (2..width).map(|column| format!("column{column}"));
            std::iter::once("tokens".to_owned()).chain(between).chain(["tags".to_owned()]).collect()
        }
    })
}

/// Whether a cell is a tag of a span.
fn is_tag(cell: &str) -> bool {
    cell == "O" || ["B-", "I-", "E-", "S-", "L-", "U-"].iter().any(|begin| cell.len() > 2 && cell.starts_with(begin))
}

/// Whole lines of the beginning of a text.
fn window(text: &[u8]) -> String {
    let part = text.get(..WINDOW).unwrap_or(text);
    let end = match part.len() < text.len() {
        true => part.iter().rposition(|byte| *byte == b'\n').unwrap_or(0),
        false => part.len(),
    };
    String::from_utf8_lossy(part.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_told_from_tags() {
        let names = |text: &str| columns(text.as_bytes()).map(|names| names.join(" "));
        assert_eq!(names("call O\nAnn B-who\n\ncall O\n").as_deref(), Some("tokens tags"));
        assert_eq!(
            names("-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\n\nyes UH O O\n").as_deref(),
            Some("tokens xpos chunk tags")
        );
        assert_eq!(names("call O\nAnn U-who\n\ncall O\n").as_deref(), Some("tokens tags"));
        assert_eq!(names("call\tVB\tO\nAnn\tNN\tB-who\n\n").as_deref(), Some("tokens column2 tags"));
        let other = ["call O\nAnn B-who\n", "word tag\ncall O\n\nAnn B-who\n", "a O\n\nb O\n", "a,b\n1,2\n\n", ""];
        assert!(other.iter().all(|text| names(text).is_none()));
        let roles = "1\tdogs\tdog\tdog\tNN\tNN\t_\t_\t2\t2\tSBJ\tSBJ\t_\t_\tA0\n";
        assert_eq!(names(roles).unwrap().split(' ').next_back(), Some("frames..."));
    }

    #[test]
    fn conllu_is_known_by_its_fields() {
        assert!(is_conllu(b"# global.columns = ID FORM\n1\tgo\n"));
        assert!(is_conllu(b"# text = go\n1\tgo\tgo\tVERB\tVB\t_\t0\troot\t_\t_\n"));
        assert!(!is_conllu(b"a\tb\tc\td\te\tf\tg\th\ti\tj\n") && !is_conllu(b"a,b\n1,2\n"));
    }
}
