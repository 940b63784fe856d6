//! What the library costs, beside its peers, in one run.

mod check;
mod count;
mod gates;
mod print;
mod table;

use std::error::Error;
use std::process::ExitCode;
use std::{env, fs};

use correlation_bench::cases::groups;
use correlation_bench::run::{counted_runs, in_task, times};
use table::{Table, Want};

const USAGE: &str = "\
usage: correlation-bench [OPTION]... [GROUP]...

Prints instructions (with valgrind), allocations and nanoseconds of each case beside its peers.
A GROUP is how the name of a group begins, as in `axum` or `log`; without one, all are measured.

  --instructions  also count instructions: takes some minutes, and valgrind
  --quick         fewer rounds, for a look
  --json          print JSON
  --markdown      print Markdown
  --doc           write docs/PERFORMANCE.md, below its marker
  --list          print the names of all groups and cases
  --check         compare instructions and allocations of the main rows with benches/expected.txt
  --update        write that file
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        // What this program runs itself as, for a group or a case in a process by itself.
        ["times", group, rounds] => {
            return child_times(group.to_owned(), rounds.parse().unwrap_or(1));
        }
        ["run", group, case, times] => return child_run(group, case, times.parse().unwrap_or(1)),
        ["--check"] => return check::check(),
        ["--update"] => return check::update(),
        ["--list"] => {
            for group in groups() {
                println!("{}", group.name);
                group
                    .cases
                    .iter()
                    .for_each(|case| println!("    {}", case.name));
            }
            return ExitCode::SUCCESS;
        }
        _ => {}
    }

    let (options, names): (Vec<&str>, Vec<&str>) = words.iter().partition(|it| it.starts_with('-'));
    let (mut print, mut doc, mut want) =
        (print::text as fn(&Table) -> String, false, Want::default());
    for option in options {
        match option {
            "--instructions" if !count::has_valgrind() => {
                eprintln!("--instructions needs valgrind, which is not installed");
                return ExitCode::FAILURE;
            }
            "--instructions" => want.instructions = true,
            "--quick" => want.quick = true,
            "--json" => print = print::json,
            "--markdown" => print = print::markdown,
            "--doc" => (print, doc) = (print::markdown, true),
            _ => {
                eprint!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    let done = Table::measure(&names, want).and_then(|table| {
        let printed = print(&table);
        if doc {
            return write(&printed);
        }
        print!("{printed}");
        Ok(())
    });
    if let Err(error) = done {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Puts what was measured in place of what was there.
fn write(measured: &str) -> Result<(), Box<dyn Error>> {
    const DOC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/PERFORMANCE.md");
    const MARKER: &str = "<!-- What follows is written by the program. -->\n";

    let doc = fs::read_to_string(DOC)?;
    let (by_hand, _) = doc
        .split_once(MARKER)
        .ok_or("docs/PERFORMANCE.md has no marker")?;
    Ok(fs::write(DOC, format!("{by_hand}{MARKER}\n{measured}"))?)
}

/// `CASE NS RATIO LOW HIGH` of each case, apart by tabs.
fn child_times(name: String, rounds: usize) -> ExitCode {
    in_task(move || {
        let Some(group) = groups().into_iter().find(|group| group.name == name) else {
            return ExitCode::FAILURE;
        };
        let names: Vec<_> = group.cases.iter().map(|case| case.name).collect();
        for (name, it) in names.into_iter().zip(times(group, rounds)) {
            println!(
                "{name}\t{}\t{}\t{}\t{}",
                it.ns, it.ratio, it.range.0, it.range.1
            );
        }
        ExitCode::SUCCESS
    })
}

/// Runs one case so many times.
fn child_run(group: &str, case: &str, times: u64) -> ExitCode {
    let names = (group.to_owned(), case.to_owned());
    in_task(move || {
        let groups = groups().into_iter().filter(|group| group.name == names.0);
        let Some(case) = groups
            .flat_map(|group| group.cases)
            .find(|case| case.name == names.1)
        else {
            return ExitCode::FAILURE;
        };
        let mut run = case.make();
        // What happens once does not count.
        (0..times).for_each(|_| run());
        counted_runs(&mut run, times);
        ExitCode::SUCCESS
    })
}
