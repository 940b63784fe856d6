//! The files that the arguments name.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

/// A file to read, or `None` for standard input.
pub(crate) type Source = Option<PathBuf>;

/// Returns the files of the operands, each once, under the first of its names.
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
    // A file that is named twice would show every record twice. Without a path, as behind
    // `/dev/fd/63`, its name counts.
    let mut seen = HashSet::new();
    let path = |file: &PathBuf| file.canonicalize().unwrap_or_else(|_| file.clone());
    sources.retain(|source| match source {
        Ok(source) => seen.insert(source.as_ref().map(path)),
        Err(_) => true,
    });
    sources
}

fn matches(pattern: &str) -> Vec<Result<Source, String>> {
    let parts = Path::new(pattern).components();
    let parts = parts.map(|part| Pattern::new(&part.as_os_str().to_string_lossy()));
    let mut sources = Vec::new();
    match parts.collect::<Result<Vec<_>, _>>() {
        Ok(parts) => walk(Path::new(""), &parts, &mut sources),
        Err(error) => return vec![Err(format!("cannot read the pattern {pattern}: {error}"))],
    }
    sources.sort_unstable();
    if sources.is_empty() {
        sources.push(Err(format!("no file matches {pattern}")));
    }
    sources
}

/// Adds the files below `folder` that match the parts of a pattern. `glob::glob` does the same, but
/// it skips names that are not UTF-8, or panics at them.
fn walk(folder: &Path, parts: &[Pattern], sources: &mut Vec<Result<Source, String>>) {
    let Some((part, rest)) = parts.split_first() else {
        // A matching folder is skipped.
        return sources.extend((!folder.is_dir()).then(|| Ok(Some(folder.to_owned()))));
    };
    if !part.as_str().contains(['*', '?', '[']) {
        let path = folder.join(part.as_str());
        if path.symlink_metadata().is_ok() {
            walk(&path, rest, sources);
        }
        return;
    }
    let is_deep = part.as_str() == "**";
    if is_deep {
        walk(folder, rest, sources);
    }
    let is_here = folder.as_os_str().is_empty();
    let listed = if is_here { Path::new(".") } else { folder };
    let entries = match fs::read_dir(listed) {
        Ok(entries) => entries.flatten(),
        // A path that cannot be read may have been meant.
        Err(error) if listed.is_dir() => {
            return sources.push(Err(format!("cannot open {}: {error}", listed.display())));
        }
        Err(_) => return,
    };
    let matches = |name: &OsStr| part.matches_with(&name.to_string_lossy(), AS_SHELLS_DO);
    for entry in entries.filter(|entry| matches(&entry.file_name())) {
        let path = folder.join(entry.file_name());
        if !is_deep {
            walk(&path, rest, sources);
        } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // A link to a folder above would have no end.
            walk(&path, parts, sources);
        }
    }
}

/// As in a shell, a pattern matches hidden files only if it has their dot.
const AS_SHELLS_DO: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};
