//! The files that the arguments name.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use glob::MatchOptions;

/// A file to read, or `None` for standard input.
pub(crate) type Source = Option<PathBuf>;

/// Returns the files of the operands, each once.
///
/// Patterns are expanded here, for shells that do not expand them and for patterns in quotes. If a
/// file has exactly the name of a pattern, that file is meant. The errors are for the user.
pub(crate) fn expand(operands: &[OsString]) -> Vec<Result<Source, String>> {
    let mut sources = Vec::new();
    for operand in operands {
        let pattern = operand.to_str();
        let pattern = pattern.filter(|text| text.contains(['*', '?', '[']));
        match pattern {
            _ if operand == "-" => sources.push(Ok(None)),
            Some(pattern) if !Path::new(operand).exists() => sources.extend(matches(pattern)),
            _ => sources.push(Ok(Some(operand.into()))),
        }
    }
    // A file that is named twice would show every record twice.
    let mut seen = HashSet::new();
    sources.retain(|source| {
        source
            .as_ref()
            .map_or(true, |file| seen.insert(file.clone()))
    });
    sources
}

fn matches(pattern: &str) -> Vec<Result<Source, String>> {
    let paths = match glob::glob_with(pattern, AS_SHELLS_DO) {
        Ok(paths) => paths,
        Err(error) => return vec![Err(format!("cannot read the pattern {pattern}: {error}"))],
    };
    // A matching folder is skipped, but a path that cannot be read may have been meant.
    let mut sources: Vec<_> = paths
        .filter(|path| !path.as_ref().is_ok_and(|path| path.is_dir()))
        .map(|path| {
            path.map(Some)
                .map_err(|error| format!("cannot open {error}"))
        })
        .collect();
    if sources.is_empty() {
        sources.push(Err(format!("no file matches {pattern}")));
    }
    sources
}

/// As in a shell, a pattern matches hidden files only if it has their dot.
const AS_SHELLS_DO: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};
