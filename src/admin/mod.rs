//! The `nthttp` command: `netsh http` for this service, in netsh's words, and a small HTTP client (`get`).
//!
//! An ordinary user of the rooms below: the service configuration is `config`'s, what runs is told by the
//! processes that serve, over their control sockets (`control`). Every answer is text for people or, with
//! `--json`, one JSON document.

mod change;
mod control;
mod get;
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
/// understood; `get` tells more.
pub fn main() -> ExitCode {
    let words = Words::parse();
    let json = words.json;
    match words.command {
        Command::Get(words) => get::run("GET", words, json),
        Command::Head(words) => get::run("HEAD", words, json),
        Command::Post(words) => get::run("POST", words, json),
        Command::Put(words) => get::run("PUT", words, json),
        command => to_code(run(command, json)),
    }
}

fn to_code(outcome: Outcome) -> ExitCode {
    match outcome {
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
        Command::Get(_) | Command::Head(_) | Command::Post(_) | Command::Put(_) => Ok(()),
    }
}
