//! The command line: arguments, files, stdout, exit codes. No logic of its own.

mod args;
mod check;
mod commands;
mod explain;
mod journal;
mod merge;
mod progress;
mod run;
mod shrink;
mod sweep;
mod test;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use stormglass::files;

/// A run makes and drops millions of small things; the system's allocator takes an eighth of the time for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bad scenario, history or usage.
const BAD_INPUT: u8 = 2;
/// Nondeterminism detected.
const NONDETERMINISM: u8 = 4;
/// Interrupted, partial results kept.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is a mistake.
            let asked = !error.use_stderr();
            if asked {
                files::print(&error.to_string());
            } else {
                files::note(&error.to_string());
            }
            return ExitCode::from(if asked { 0 } else { BAD_INPUT });
        }
    };
    let result = match &cli.command {
        Command::Run(args) => run::run(args),
        Command::Sweep(args) => sweep::sweep(args),
        Command::Merge(args) => merge::merge(args),
        Command::Test(args) => test::test(args),
        Command::Shrink(args) => shrink::shrink(args),
        Command::Explain(args) => explain::explain(args),
        Command::Check(args) => check::check(args),
        Command::List { paths, format } => commands::list(paths, *format),
        Command::Schema => Ok(commands::schema()),
        Command::Graph { scenario, variant, out } => commands::graph(scenario, variant.clone(), out),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            files::note(&format!("{}\n", message.trim_end()));
            ExitCode::from(BAD_INPUT)
        }
    }
}
