//! Every link leads somewhere, as far as this repository can tell.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use guide::PAGES;

/// A link into this repository, from a page of the book.
const REPOSITORY: &str = "https://github.com/correlation-rs/correlation/";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(format!("docs/guide/src/{name}.md"))).unwrap()
}

/// Where `](..)` and `[name]: ..` of a page lead to, without what is in code.
fn links(text: &str) -> Vec<String> {
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    let prose = prose.join("");
    let inline = prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    let defined = prose.lines().filter(|line| line.starts_with('['));
    let defined = defined.filter_map(|line| line.split_once("]: "));
    inline
        .map(|(target, _)| target.to_owned())
        .chain(defined.map(|(_, target)| target.to_owned()))
        .collect()
}

/// The anchors of a Markdown file, as GitHub and mdBook make them.
fn anchors(text: &str) -> HashSet<String> {
    let mut code = false;
    let mut found = HashSet::new();
    for line in text.lines() {
        code ^= line.starts_with("```");
        if let Some(heading) = line.strip_prefix('#').filter(|_| !code) {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter_map(|letter| match letter {
                ' ' | '-' => Some('-'),
                '_' => Some('_'),
                letter => letter.is_alphanumeric().then_some(letter),
            });
            found.insert(kept.collect());
        }
    }
    found
}

/// Follows a link of a page.
fn check(page: &str, link: &str) -> Result<(), String> {
    let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
    let file = if let Some(path) = target.strip_prefix(REPOSITORY) {
        let path = path
            .strip_prefix("blob/main/")
            .or(path.strip_prefix("tree/main/"));
        root().join(path.ok_or("neither blob/main nor tree/main")?)
    } else if target.starts_with("https://") {
        return Ok(());
    } else {
        let page = format!("{page}.md");
        root()
            .join("docs/guide/src")
            .join(if target.is_empty() { &page } else { target })
    };
    if !file.exists() {
        return Err("no such file".to_owned());
    }
    if anchor.is_empty() {
        return Ok(());
    }
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    if anchors(&text).contains(anchor) {
        Ok(())
    } else {
        Err("no such heading".to_owned())
    }
}

#[test]
fn each_link_leads_to_a_file_and_a_heading() {
    let mut broken = Vec::new();
    let mut count = 0;
    for name in PAGES {
        for link in links(&page(name)) {
            count += 1;
            if let Err(why) = check(name, &link) {
                broken.push(format!("{name}.md: {link}: {why}"));
            }
        }
    }
    assert!(count > 100, "only {count} links found");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_broken_link_is_noticed() {
    let text = "see [this](start.md#nowhere), ```[code](x.md)``` and [that]\n\n[that]: gone.md\n";
    let found = links(text);
    assert_eq!(found, ["start.md#nowhere", "gone.md"]);
    assert!(found.iter().all(|link| check("start", link).is_err()));
}

#[test]
fn each_page_is_in_the_table_of_contents_and_its_code_is_tested() {
    let tested: HashSet<String> = PAGES.iter().map(|name| format!("{name}.md")).collect();
    let listed: HashSet<String> = links(&page("SUMMARY")).into_iter().collect();
    let written = fs::read_dir(root().join("docs/guide/src")).unwrap();
    let written = written.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let written: HashSet<String> = written.filter(|name| name != "SUMMARY.md").collect();
    assert_eq!(listed, written);
    assert_eq!(tested, written);
}
