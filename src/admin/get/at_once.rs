//! Transfers side by side, with asynchronous requests and no thread for any of them.
//!
//! ```text
//! main thread                          a worker of the library, in the callback
//! ───────────                          ────────────────────────────────────────
//! launch: listen, start(Send) ───────► SENDREQUEST_COMPLETE ─► start(Write) or start(Receive)
//! wait on the channel,                 WRITE_COMPLETE ───────► start(Write) or start(Receive)
//!   draw the bars                      HEADERS_AVAILABLE ────► start(Read)
//!                                      READ_COMPLETE ────────► start(Read), or at the end of the body: close
//!                                      REQUEST_ERROR ────────► close
//! tell, launch the next ◄──── channel ─ HANDLE_CLOSING
//! ```
//!
//! Every request that was started ends with HANDLE_CLOSING, however it went: that is where its result is handed over.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::client::notify::Event;
use crate::client::request::Request;

use super::callback::{self, Listener};
use super::fault::Fault;
use super::order::Order;
use super::progress::{self, Progress};
use super::report::{Report, Teller};
use super::transfer::{Next, Transfer};
use super::watch::Watch;

/// How long transfers may take to end after they have been ended. One that reads a terminal would take for ever.
const GRACE: Duration = Duration::from_secs(1);

/// The number of a URL, and what came of it.
type Landing = (usize, Result<Report, Fault>);

/// Fetches the URLs, so many at a time; tells of them in their order; gives the exit code.
pub(super) fn fetch_all(order: &Arc<Order>, progress: Progress, teller: Teller<'_>) -> u8 {
    let (landing, landings) = channel();
    let tower = Tower {
        order,
        progress,
        teller,
        waiting: 0..order.urls.len(),
        flights: HashMap::new(),
        landed: HashMap::new(),
        told: 0,
        deadline: order.deadline,
        landing,
        landings,
    };
    tower.run()
}

/// What the main thread keeps.
struct Tower<'a> {
    order: &'a Arc<Order>,
    progress: Progress,
    teller: Teller<'a>,
    /// Not launched yet.
    waiting: Range<usize>,
    flights: HashMap<usize, Arc<Flight>>,
    /// Over, and not told because an earlier one is not.
    landed: HashMap<usize, Result<Report, Fault>>,
    /// How many have been told.
    told: usize,
    deadline: Option<Instant>,
    landing: Sender<Landing>,
    landings: Receiver<Landing>,
}

impl Tower<'_> {
    fn run(mut self) -> u8 {
        while self.told < self.order.urls.len() {
            self.launch();
            if let Ok((number, result)) = self.landings.recv_timeout(self.patience()) {
                self.flights.remove(&number);
                self.landed.insert(number, result);
            } else if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                self.give_up();
            }
            while let Some(result) = self.landed.remove(&self.told) {
                self.progress.pause(|| self.teller.tell(result));
                self.told += 1;
            }
            self.progress.draw();
        }
        self.teller.end()
    }

    fn launch(&mut self) {
        while self.flights.len() < self.order.words.parallel_max {
            let Some(number) = self.waiting.next() else { return };
            match Transfer::new(Arc::clone(self.order), number, self.progress.gauge(number)) {
                Ok(transfer) => {
                    let flight = Flight::launch(transfer, number, self.landing.clone());
                    self.flights.insert(number, flight);
                }
                Err(fault) => drop(self.landing.send((number, Err(fault)))),
            }
        }
    }

    /// How long to wait for the next landing: until there is something else to do.
    fn patience(&self) -> Duration {
        let left = self.deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
        if self.progress.is_shown() { left.min(progress::TICK) } else { left }
    }

    /// The time is up: nothing more is launched, and what is in the air comes down; at the second call, has.
    fn give_up(&mut self) {
        self.deadline = Some(Instant::now() + GRACE);
        let too_late = self.order.time_is_up.swap(true, Ordering::SeqCst);
        for number in std::mem::take(&mut self.waiting) {
            self.landed.insert(number, Err(Fault::late()));
        }
        if too_late {
            let lost = self.flights.drain().map(|(number, _)| (number, Err(Fault::late())));
            self.landed.extend(lost);
        } else {
            self.flights.values().for_each(|flight| flight.request.close());
        }
    }
}

/// A transfer under way.
struct Flight {
    number: usize,
    request: Arc<Request>,
    watch: Arc<Watch>,
    /// One callback at a time has it, and never while it starts an operation: that may call back before it returns.
    transfer: Mutex<Transfer>,
    result: Mutex<Option<Result<Report, Fault>>>,
    landing: Sender<Landing>,
}

impl Flight {
    fn launch(transfer: Transfer, number: usize, landing: Sender<Landing>) -> Arc<Flight> {
        let (request, watch) = (Arc::clone(transfer.request()), Arc::clone(transfer.watch()));
        let (transfer, result) = (Mutex::new(transfer), Mutex::new(None));
        let flight = Arc::new(Flight { number, request, watch, transfer, result, landing });
        callback::listen(&flight.request, Arc::clone(&flight));
        let first = flight.transfer.lock().begin();
        flight.go(first);
        flight
    }

    /// Starts what comes next. What has been started reports to `hear`, perhaps before `start` returns; what cannot
    /// be started does not.
    fn go(&self, mut next: Next) {
        loop {
            match next {
                Next::Start(operation) => match self.request.start(operation) {
                    Ok(_) => return,
                    Err(error) => next = self.transfer.lock().after(Err(Fault::of(error))),
                },
                Next::Over(result) => {
                    *self.result.lock() = Some(result);
                    return self.request.close();
                }
            }
        }
    }

    fn go_on(&self, done: Result<u32, Fault>) {
        let next = self.transfer.lock().after(done);
        self.go(next);
    }
}

impl Listener for Flight {
    fn hear(&self, event: &Event<'_>) {
        self.watch.hear(event);
        match *event {
            Event::SendRequestComplete | Event::HeadersAvailable => self.go_on(Ok(0)),
            Event::WriteComplete(count) | Event::ReadComplete(_, count) => self.go_on(Ok(count)),
            Event::RequestError(_, error) => self.go_on(Err(Fault::told(error))),
            Event::HandleClosing => {
                let result = self.result.lock().take().unwrap_or_else(|| Err(Fault::late()));
                // The main thread may have stopped waiting.
                let _ = self.landing.send((self.number, result));
            }
            _ => {}
        }
    }
}
