//! `get`, `head`, `post`, `put`: a small HTTP client over `client`, and the worked example of its use.
//!
//! | file | what |
//! |---|---|
//! | `words` | the command line |
//! | `order` | what the words ask for, made ready: URLs, session, files |
//! | `transfer` | one URL: request, response, body |
//! | `upload` | the request's body |
//! | `sink` | where the response's body goes; resuming |
//! | `watch` | notifications: shown with `-v`, timed for `--timing` |
//! | `progress` | bars on a terminal |
//! | `report` | what is told afterwards, for people and as JSON |
//! | `fault` | what can go wrong: exit codes, and words that say what to do next |

mod fault;
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
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use fault::Fault;
use order::Order;
use progress::Progress;
use report::Report;
use transfer::Transfer;
pub(super) use words::Words;

/// The most URLs that `--async` asks for at a time.
const AT_ONCE: usize = 64;

/// Fetches every URL. The exit code is that of the first that failed.
pub(super) fn run(verb: &str, words: Words, as_json: bool) -> ExitCode {
    let code = match Order::new(verb, words, as_json) {
        Ok(order) => fetch_all(Arc::new(order)),
        Err(fault) => fault.tell(""),
    };
    ExitCode::from(code)
}

fn fetch_all(order: Arc<Order>) -> u8 {
    let progress = Progress::new(&order);
    let transfers: Vec<Arc<Transfer>> =
        (0..order.urls.len()).map(|at| Arc::new(Transfer::new(Arc::clone(&order), at))).collect();
    watch_the_clock(&order, &transfers);
    let results: Vec<Mutex<Option<Result<Report, Fault>>>> =
        transfers.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(transfer) = transfers.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = transfer.run(&progress);
            *results[transfer.number].lock() = Some(result);
        }
    };
    let threads = if order.words.at_once { transfers.len().min(AT_ONCE) } else { 1 };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let results = results.into_iter().filter_map(Mutex::into_inner);
    report::tell(&order, results.collect())
}

/// Ends what is not done when `--max-time` is over.
fn watch_the_clock(order: &Order, transfers: &[Arc<Transfer>]) {
    let Some(seconds) = order.words.max_time else { return };
    let transfers = transfers.to_vec();
    thread::spawn(move || {
        thread::sleep(Duration::from_secs_f64(seconds));
        transfers.iter().for_each(|transfer| transfer.give_up());
    });
}
