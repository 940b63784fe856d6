//! Runs one case a number of times, for `benches/count`. A program of its own, since the other one
//! counts allocations, which is itself a hundred instructions for each.

use correlation_benches::cases;

fn main() {
    let mut cases = cases();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--list"] => cases.iter().for_each(|case| println!("{}", case.name)),
        [name, times] => {
            let case = cases.iter_mut().find(|case| case.name == name);
            let case = case.expect("there is a case of that name");
            for _ in 0..times.parse::<u64>().expect("a number of times") {
                (case.run)();
            }
        }
        _ => {
            eprintln!("usage: instructions --list | CASE N");
            std::process::exit(2);
        }
    }
}
