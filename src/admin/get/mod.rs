//! `get`, `head`, `post`, `put`: a small HTTP client over `client`, and the worked example of its use.
//!
//! ```text
//! words ──► order ──► one_by_one ─┐  each drives   ┌─ upload: the request's body
//!                     at_once ────┴──► transfer ───┤
//!                        │                         └─ answer, sink: the response's
//!                        └──► report (tells), progress (draws): on the main thread only
//! ```
//!
//! | file | what |
//! |---|---|
//! | `words` | the command line |
//! | `order` | what the words ask for, made ready: URLs, session |
//! | `files` | which file each body goes to |
//! | `transfer` | one URL, step by step: which operation comes next, and what the last one brought |
//! | `one_by_one` | drives transfers with synchronous requests: a loop |
//! | `at_once` | drives them with asynchronous requests, whose notifications start what comes next (`--async`) |
//! | `callback` | which transfer a notification is for |
//! | `upload` | the request's body |
//! | `answer` | the response's head, and what becomes of its body |
//! | `sink` | where that goes; resuming |
//! | `watch` | notifications: shown with `-v`, timed for `--timing` |
//! | `progress` | bars on a terminal |
//! | `report` | what is told afterwards, for people and as JSON |
//! | `fault` | what can go wrong: exit codes, and words that say what to do next |

mod answer;
mod at_once;
mod callback;
mod fault;
mod files;
mod one_by_one;
mod order;
mod progress;
mod report;
mod sink;
mod transfer;
mod upload;
mod watch;
mod words;

use std::process::ExitCode;
use std::sync::Arc;

use order::Order;
use progress::Progress;
use report::Teller;
pub(super) use words::Words;

/// Fetches every URL. The exit code is that of the first that failed.
pub(super) fn run(verb: &str, words: Words, as_json: bool) -> ExitCode {
    let code = match Order::new(verb, words, as_json) {
        Ok(order) => fetch_all(&Arc::new(order)),
        Err(fault) => report::refuse(&fault, as_json),
    };
    ExitCode::from(code)
}

fn fetch_all(order: &Arc<Order>) -> u8 {
    let progress = Progress::new(order);
    let teller = Teller::new(order);
    if order.words.at_once {
        at_once::fetch_all(order, progress, teller)
    } else {
        one_by_one::fetch_all(order, progress, teller)
    }
}
