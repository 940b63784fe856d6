//! Prints the README's tables: what every formatter makes of every situation.

use correlation_core::{Context, CorrelationId};
use formatters::{ALL, SITUATIONS, printed};

fn main() {
    for formatter in ALL {
        println!("### {}\n\n```text", formatter.name);
        for situation in SITUATIONS {
            let id: CorrelationId = "click-7".parse().expect("it is a valid ID");
            print!(
                "{}",
                printed(formatter.logger, || (situation.run)(Context::from(id)))
            );
        }
        println!("```\n");
    }
}
