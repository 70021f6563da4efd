//! Transfers one after the other, with synchronous requests: each operation is over when `start` returns.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::client::Outcome;
use crate::client::request::Request;

use super::callback;
use super::fault::Fault;
use super::order::Order;
use super::progress::Progress;
use super::report::{Report, Teller};
use super::transfer::{Next, Transfer};

/// How long a transfer may take to end after it has been ended.
const GRACE: Duration = Duration::from_secs(1);

/// The request that is under way, for who ends it from another thread.
type Current = Arc<Mutex<Option<Arc<Request>>>>;

/// Fetches the URLs in their order; gives the exit code.
pub(super) fn fetch_all(order: &Arc<Order>, mut progress: Progress, mut teller: Teller<'_>) -> u8 {
    let current = Current::default();
    if let Some(deadline) = order.deadline {
        watch_the_clock(Arc::clone(order), deadline, Arc::clone(&current));
    }
    for number in 0..order.urls.len() {
        let transfer = Transfer::new(Arc::clone(order), number, progress.gauge(number));
        let result = transfer.and_then(|transfer| fetch(transfer, order, &current, &mut progress));
        progress.pause(|| teller.tell(result));
    }
    teller.end()
}

fn fetch(
    mut transfer: Transfer,
    order: &Order,
    current: &Current,
    progress: &mut Progress,
) -> Result<Report, Fault> {
    let request = Arc::clone(transfer.request());
    callback::listen(&request, Arc::clone(transfer.watch()));
    *current.lock() = Some(Arc::clone(&request));
    // Asked after the request has been shown to the clock, so that one of the two ends it.
    let mut next = if order.time_is_up.load(Ordering::SeqCst) {
        Next::Over(Err(Fault::late()))
    } else {
        transfer.begin()
    };
    let result = loop {
        match next {
            Next::Start(operation) => {
                let done = match request.start(operation) {
                    Ok(Outcome::Done(count)) => Ok(count),
                    Ok(Outcome::Pending | Outcome::Reported) => Ok(0),
                    Err(error) => Err(Fault::of(error)),
                };
                next = transfer.after(done);
                progress.draw();
            }
            Next::Over(result) => break result,
        }
    };
    request.close();
    *current.lock() = None;
    result
}

/// Ends what is under way when the time is up; what has not begun then does not begin. A transfer that waits for
/// something else than the server, such as a terminal, cannot be ended: then the command does.
fn watch_the_clock(order: Arc<Order>, deadline: Instant, current: Current) {
    thread::spawn(move || {
        thread::sleep(deadline.saturating_duration_since(Instant::now()));
        order.time_is_up.store(true, Ordering::SeqCst);
        if let Some(request) = &*current.lock() {
            request.close();
        }
        thread::sleep(GRACE);
        if current.lock().is_some() {
            std::process::exit(Fault::late().tell("").into());
        }
    });
}
