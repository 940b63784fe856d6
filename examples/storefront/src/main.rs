//! One purchase through four services, and its story from four log files.

mod args;
mod demo;
mod failure;
mod logs;
mod purchase;
mod services;
mod supervisor;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use args::Command;
use failure::Failure;

fn main() -> ExitCode {
    let (speaker, outcome) = match args::parse(env::args_os().skip(1)) {
        Ok(Command::Demo(options)) => ("storefront: ", demo::run(&options)),
        // The supervisor reads what a service prints, and adds its name.
        Ok(Command::Serve(service)) => ("", services::serve(service)),
        Ok(Command::Help) => {
            let _ = write!(io::stdout(), "{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            let _ = writeln!(io::stderr(), "storefront: {problem}; see --help");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{speaker}{error}");
            ExitCode::FAILURE
        }
    }
}
