//! Who does the engine's I/O: a thread of the application that waits anyway, else the library's own.
//!
//! There is one place (the seat). A waiting thread that takes it polls and handles events one at a time
//! until what it waits for has come; events not handled stay for whoever is next. A thread that leaves
//! events behind wakes one follower; one that leaves none wakes nobody, which is what keeps a request at
//! two system calls.
//!
//! A watchman, the library's one thread here, takes the seat when nobody has had it for a tick (the
//! application is busy). It looks every [`TICK`] while there is traffic, and sleeps when one thread has
//! sat undisturbed for [`CALM`] ticks; the first to leave the seat after that wakes it, and so does a
//! response that is held back while someone sleeps in the seat. While the application reads a body as it comes, there is a
//! report with every packet, and nobody waits for any of them: then the watchman does not stay in the seat.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use crate::net::deadlines::NEVER;
use crate::net::poller::Events;
use crate::win32::trace;
use crate::win32::wait::{Waiter, WhileWaiting};

use crate::server::engine::Engine;

const TICK: Duration = Duration::from_millis(2);
const CALM: u32 = 50;

/// The seat and those around it.
pub(crate) struct Driver {
    seat: Mutex<Events>,
    /// Grows by one when an application's thread takes the seat and when it leaves: odd while it sits.
    turns: AtomicU32,
    /// The watchman has the seat; it leaves when `wanted`.
    watchman_sits: AtomicBool,
    wanted: AtomicBool,
    watchman_sleeps: AtomicBool,
    watchman: Mutex<Option<Thread>>,
    followers: Mutex<Vec<Arc<Waiter>>>,
    follower_count: AtomicUsize,
}

impl Driver {
    pub(crate) fn new() -> Driver {
        Driver {
            seat: Mutex::new(Events::with_capacity(512)),
            turns: AtomicU32::new(0),
            watchman_sits: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            watchman_sleeps: AtomicBool::new(false),
            watchman: Mutex::new(None),
            followers: Mutex::new(Vec::new()),
            follower_count: AtomicUsize::new(0),
        }
    }

    fn follow(&self, waiter: &Arc<Waiter>) {
        let mut followers = self.followers.lock();
        if !followers.iter().any(|w| Arc::ptr_eq(w, waiter)) {
            followers.push(Arc::clone(waiter));
            self.follower_count.store(followers.len(), Ordering::SeqCst);
        }
    }

    /// Offers the seat to one who was refused it.
    fn call_follower(&self) {
        if self.follower_count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut followers = self.followers.lock();
        let next = followers.pop();
        self.follower_count.store(followers.len(), Ordering::SeqCst);
        drop(followers);
        if let Some(waiter) = next {
            waiter.nudge();
        }
    }

    fn wake_watchman(&self) {
        if self.watchman_sleeps.swap(false, Ordering::SeqCst)
            && let Some(thread) = &*self.watchman.lock()
        {
            thread.unpark();
        }
    }
}

impl WhileWaiting for Engine {
    fn drive(&self, waiter: &Arc<Waiter>, deadline: Option<Instant>) -> bool {
        let driver = &self.driver;
        let Some(mut seat) = self.take_seat(waiter) else { return false };
        // Only who has the seat writes; the watchman may see it late.
        driver.turns.store(driver.turns.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
        while !waiter.is_notified() && deadline.is_none_or(|d| Instant::now() < d) {
            self.step(&mut seat, deadline, Some(waiter));
        }
        let left_over = !seat.is_empty();
        // Before the seat is free: were the next to sit down quicker, one of the two turns could be lost, and
        // odd and even would have changed places for good.
        driver.turns.fetch_add(1, Ordering::SeqCst);
        drop(seat);
        if driver.watchman_sleeps.load(Ordering::SeqCst) {
            driver.wake_watchman();
        }
        if left_over {
            driver.call_follower();
        }
        true
    }

    fn interrupt(&self) {
        self.poller.wake();
    }

    fn leave(&self, waiter: &Arc<Waiter>) {
        let mut followers = self.driver.followers.lock();
        followers.retain(|w| !Arc::ptr_eq(w, waiter));
        self.driver.follower_count.store(followers.len(), Ordering::SeqCst);
    }
}

impl Engine {
    /// Takes the seat, or stands by for it. The watchman gives it up to an application's thread.
    fn take_seat(&self, waiter: &Arc<Waiter>) -> Option<MutexGuard<'_, Events>> {
        if let Some(seat) = self.driver.seat.try_lock() {
            return Some(seat);
        }
        self.driver.follow(waiter);
        if let Some(seat) = self.driver.seat.try_lock() {
            self.leave(waiter);
            return Some(seat);
        }
        if self.driver.watchman_sits.load(Ordering::SeqCst) {
            self.driver.wanted.store(true, Ordering::SeqCst);
            self.poller.wake();
        }
        None
    }

    /// Handles one event, and tells whether anybody waited for it; or waits for events, timers first when they are due.
    fn step(
        &self,
        seat: &mut MutexGuard<'_, Events>,
        deadline: Option<Instant>,
        driver: Option<&Arc<Waiter>>,
    ) -> Option<bool> {
        if let Some((token, readiness)) = seat.take() {
            return Some(self.handle(token, readiness, driver));
        }
        self.release_held();
        if driver.is_some_and(|waiter| waiter.is_notified()) {
            // What this thread waits for was among that, and nobody else will end its sleep.
            return None;
        }
        // Who rests until the others had their turn has it again when nothing else is there.
        let timeout = if self.holds_any() { 0 } else { self.patience(deadline) };
        if timeout == 0 {
            self.run_timers();
        }
        if let Err(error) = self.poller.wait(seat, timeout) {
            trace::error(format_args!("nothing can be polled: {error}"));
            // Nothing can be polled (which only a broken process sees): do not spin on it.
            std::thread::sleep(TICK);
        }
        None
    }

    /// Milliseconds until the next timer or the waiter's own deadline; -1 for ever.
    fn patience(&self, deadline: Option<Instant>) -> i32 {
        let next = self.deadlines.next();
        let timer = if next == NEVER { u64::MAX } else { next.saturating_sub(self.now_ms()) };
        let own = deadline.map_or(u64::MAX, |d| {
            let left = d.saturating_duration_since(Instant::now());
            left.as_millis() as u64 + 1
        });
        match timer.min(own) {
            u64::MAX => -1,
            ms => ms.min(i32::MAX as u64) as i32,
        }
    }

    /// Starts the watchman; called when a port opens.
    pub(crate) fn start_watchman(self: &Arc<Self>) {
        self.own.get_or_init(|| Arc::downgrade(self));
        let mut watchman = self.driver.watchman.lock();
        if watchman.is_none() {
            let engine = Arc::clone(self);
            let thread = std::thread::Builder::new().name("nthttp-engine".into());
            if let Ok(handle) = thread.spawn(move || engine.watch()) {
                *watchman = Some(handle.thread().clone());
            }
        }
    }

    /// The watchman's life: until no port is open and no connection lives.
    fn watch(&self) {
        let driver = &self.driver;
        let (mut last, mut calm) = (driver.turns.load(Ordering::SeqCst), 0);
        loop {
            std::thread::park_timeout(TICK);
            let turns = driver.turns.load(Ordering::SeqCst);
            let seated = turns % 2 == 1;
            calm = if turns == last { calm + 1 } else { 0 };
            last = turns;
            // Who sits may be asleep, and who held a response back may be busy.
            self.release_held();
            if seated && calm >= CALM {
                self.sleep_while(turns);
            } else if !seated && calm > 0 {
                self.stand_in();
                calm = 0;
                if self.is_idle() && self.dismiss() {
                    return;
                }
            }
        }
    }

    /// Sleeps until the thread that sits leaves the seat.
    fn sleep_while(&self, turns: u32) {
        let driver = &self.driver;
        driver.watchman_sleeps.store(true, Ordering::SeqCst);
        while driver.watchman_sleeps.load(Ordering::SeqCst) {
            if driver.turns.load(Ordering::SeqCst) != turns || self.holds_any() {
                driver.watchman_sleeps.store(false, Ordering::SeqCst);
                return;
            }
            std::thread::park();
        }
    }

    /// Sees to it that a response held back just now goes out soon, although the seat may be taken by one who
    /// sleeps until something else happens. An awake watchman looks at every tick anyway.
    pub(crate) fn look_after_held(&self) {
        if self.driver.watchman_sits.load(Ordering::SeqCst) {
            self.poller.wake();
        } else if self.driver.watchman_sleeps.load(Ordering::SeqCst) {
            self.driver.wake_watchman();
        }
    }

    /// Does the I/O until an application's thread wants the seat, nothing is left to serve, or all that was reported at
    /// once is of no use before the application looks again; then the rest has time for a tick.
    fn stand_in(&self) {
        let driver = &self.driver;
        let Some(mut seat) = driver.seat.try_lock() else { return };
        driver.watchman_sits.store(true, Ordering::SeqCst);
        let mut of_use = false;
        while !driver.wanted.swap(false, Ordering::SeqCst) && !self.is_idle() {
            match self.step(&mut seat, None, None) {
                None => of_use = false,
                Some(awaited) => {
                    of_use |= awaited;
                    if !of_use && seat.is_empty() {
                        break;
                    }
                }
            }
        }
        driver.watchman_sits.store(false, Ordering::SeqCst);
        drop(seat);
        driver.call_follower();
    }

    /// Ends the watchman, unless a port was opened in the meantime.
    fn dismiss(&self) -> bool {
        let mut watchman = self.driver.watchman.lock();
        let idle = self.is_idle();
        if idle {
            *watchman = None;
        }
        idle
    }
}

impl WhileWaiting for Arc<Engine> {
    fn drive(&self, waiter: &Arc<Waiter>, deadline: Option<Instant>) -> bool {
        (**self).drive(waiter, deadline)
    }

    fn interrupt(&self) {
        (**self).interrupt();
    }

    fn leave(&self, waiter: &Arc<Waiter>) {
        (**self).leave(waiter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::commands::Local;
    use crate::server::service::{ApiVersion, BodyPart, BodyRead, OperationId, Reply, Service, UrlOwner};
    use crate::win32::lent::LentBuffer;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::task::Poll;

    #[test]
    fn no_turn_is_lost() {
        let engine = Engine::new().unwrap();
        let sit_often = || {
            let waiter = Waiter::current();
            (0..300_000).filter(|_| engine.drive(&waiter, Some(Instant::now()))).count()
        };
        let sat: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(sit_often)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(engine.driver.turns.load(Ordering::SeqCst) as usize, 2 * sat);
    }

    /// Sends, and tells whether anybody waited for what the poller reports of it.
    fn is_awaited(engine: &Engine, client: &mut TcpStream, bytes: &[u8]) -> bool {
        client.write_all(bytes).unwrap();
        let mut seat = engine.driver.seat.lock();
        loop {
            if let Some(awaited) = engine.step(&mut seat, None, None) {
                return awaited;
            }
        }
    }

    #[test]
    fn nobody_waits_for_a_body_that_is_not_being_read() {
        let engine = Arc::new(Engine::new().unwrap());
        let local = Local(Arc::clone(&engine));
        let queue = local.create_queue(ApiVersion::V1).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url: Vec<u16> = format!("http://127.0.0.1:{port}/").encode_utf16().collect();
        engine.register(UrlOwner::Queue(queue), &url, 0).unwrap();
        let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        client.set_nodelay(true).unwrap();
        assert!(is_awaited(&engine, &mut client, b""));
        let head = format!("POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 99\r\n\r\n");
        assert!(is_awaited(&engine, &mut client, head.as_bytes()));
        let taken = local.receive(queue, &mut || unreachable!("it is there"));
        let Poll::Ready(Ok(delivery)) = taken else { panic!("no request") };
        // Somebody may have woken the poller before.
        assert!((0..5).any(|_| !is_awaited(&engine, &mut client, b"a")));
        let (tell, told) = std::sync::mpsc::channel();
        let read = || {
            let buffer = LentBuffer::owned(vec![0; 4]);
            local.read_body(queue, delivery.request, BodyRead::Some, buffer, &mut || {
                let tell = tell.clone();
                Reply::<BodyPart>::new(OperationId(1), move |part| {
                    tell.send(part.map(|part| part.len)).unwrap();
                })
            })
        };
        while read().is_ready() {}
        while told.try_recv().is_err() {
            assert!(is_awaited(&engine, &mut client, b"b"));
        }
        local.close_queue(queue).unwrap();
    }
}
