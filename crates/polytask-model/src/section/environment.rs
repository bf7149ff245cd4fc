//! Environment variables in paths.

use std::path::{Path, PathBuf};

/// Replaces every `${NAME}` by the variable's value.
pub(crate) fn expand(text: &str) -> Result<String, String> {
    expand_with(text, |name| std::env::var(name).ok())
}

/// A path as it is written in a config in `folder`, with its variables replaced.
pub(crate) fn resolve(folder: &Path, written: &str) -> Result<PathBuf, String> {
    Ok(folder.join(expand(written)?))
}

fn expand_with(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else {
            return Err(format!("the path {text:?} has a `${{` without its `}}`"));
        };
        let name = &rest[start + 2..start + length];
        let Some(value) = value(name) else {
            return Err(format!("the path {text:?} needs the environment variable {name}, which is not set"));
        };
        out.push_str(&rest[..start]);
        out.push_str(&value);
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_and_missing_ones_named() {
        let value = |name: &str| (name == "HOME_OF_DATA").then(|| "/data/${X}".to_owned());
        assert_eq!(expand_with("a/b.csv", value), Ok("a/b.csv".into()));
        assert_eq!(expand_with("${HOME_OF_DATA}/b$.csv", value), Ok("/data/${X}/b$.csv".into()));
        assert_eq!(
            expand_with("${NOWHERE}/b.csv", value),
            Err("the path \"${NOWHERE}/b.csv\" needs the environment variable NOWHERE, which is not set".into())
        );
        assert_eq!(expand_with("${A", value), Err("the path \"${A\" has a `${` without its `}`".into()));
    }
}
