//! The `nthttp` command: `netsh http` for this service, in netsh's words.
//!
//! An ordinary user of the rooms below: the service configuration is `config`'s, what runs is told by the
//! processes that serve, over their control sockets (`control`). Every answer is text for people or, with
//! `--json`, one JSON document.

mod change;
mod control;
mod netsh;
mod print;
mod running;
mod script;
mod show;
mod tags;
mod top;
mod words;

use std::process::ExitCode;

use clap::Parser;

use words::{Command, Words};

/// What went wrong, in words that say what to do next.
type Outcome = Result<(), String>;

/// Runs the command with the arguments of the process. 0 when it did what was asked, 1 when it could not, 2 when it was not
/// understood.
pub fn main() -> ExitCode {
    let words = Words::parse();
    match run(words.command, words.json) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("nthttp: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, json: bool) -> Outcome {
    match command {
        Command::Show { what } => show::run(what, json),
        Command::Add { what } => change::add(what),
        Command::Delete { what } => change::delete(what),
        Command::Update { what } => change::update(what),
        Command::Flush { what } => running::flush(what),
        Command::Dump => script::dump(json),
        Command::Apply { file, dry_run } => script::apply(&file, dry_run),
        Command::Top { process, interval } => top::run(process, interval),
    }
}
