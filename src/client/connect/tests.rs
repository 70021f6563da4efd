//! Places, queues and idle connections, without a request around them.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::operation::Patience;
use crate::client::proxy::Passage;
use crate::client::workers::{Interest, Task, Watch, park, rouse};
use crate::net::client_stream::Cancel;
use crate::net::deadlines::NEVER;
use crate::net::dial::{Attempt, Course, race};
use crate::net::tuning::Tuning;
use crate::wire::Parsed;
use crate::wire::response::{ResponseHead, ResponseLimits};

use super::connection::{Connection, Origin};
use super::network::{Limits, Mark, Wish};
use super::pool::{self, POOL};
use super::waiting::{GivenUp, Grant, Slot, acquire, try_acquire};

const ANY: Wish = Wish { mark: None, only_marked: false };
const RED: Mark = [1; 16];
const BLUE: Mark = [2; 16];

/// An origin that no other test has.
fn origin(port: u16) -> Arc<Origin> {
    static PARTITION: AtomicU64 = AtomicU64::new(1 << 32);
    let partition = PARTITION.fetch_add(1, Ordering::Relaxed);
    Arc::new(Origin { host: "h".into(), port, passage: Passage::Straight, partition, path: None })
}

fn at_most(limit: u32) -> Limits {
    Limits { modern: limit, old: limit }
}

fn slot(origin: &Arc<Origin>, limit: u32) -> Slot {
    match acquire(origin, at_most(limit), &ANY, false, 1, &Cancel::new()) {
        Ok(Grant::Slot(slot)) => slot,
        _ => panic!("no place"),
    }
}

fn waiting(origin: &Arc<Origin>) -> usize {
    POOL.lock().servers.get(origin).map_or(0, |server| server.waiting.len())
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < deadline, "it never came");
        thread::yield_now();
    }
}

/// A connection to a listener of this process, and its other end.
fn connection(slot: Slot) -> (Box<Connection>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let attempts = [Attempt { address: listener.local_addr().unwrap(), limit: 5000 }];
    let (tuning, cancel) = (Tuning::default(), Cancel::new());
    let course = Course { attempts: &attempts, stagger: None, tuning: &tuning, cancel: &cancel, bell: None };
    let (stream, _) = race(&course, &mut |_| true).unwrap();
    (Connection::new(stream, slot), listener.accept().unwrap().0)
}

#[test]
fn places_go_to_those_who_waited_longest() {
    let origin = origin(1);
    let first = slot(&origin, 1);
    let (sender, order) = channel();
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let (theirs, sender) = (Arc::clone(&origin), sender.clone());
            let waiter = thread::spawn(move || {
                let grant = acquire(&theirs, at_most(1), &ANY, false, 0, &Cancel::new());
                sender.send(number).unwrap();
                drop(grant.ok());
            });
            wait_until(|| waiting(&origin) == number + 1);
            waiter
        })
        .collect();
    drop(first);
    assert_eq!((0..4).map(|_| order.recv().unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3]);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(!POOL.lock().servers.contains_key(&origin), "nothing is left to know");
}

#[test]
fn a_wait_ends_with_its_time_or_its_request() {
    let origin = origin(2);
    let held = slot(&origin, 1);
    let late = acquire(&origin, at_most(1), &ANY, false, 20, &Cancel::new());
    assert!(matches!(late, Err(GivenUp::Timeout)));
    let cancel = Arc::new(Cancel::new());
    let waiter = {
        let (origin, cancel) = (Arc::clone(&origin), Arc::clone(&cancel));
        thread::spawn(move || {
            matches!(acquire(&origin, at_most(1), &ANY, false, 0, &cancel), Err(GivenUp::Cancelled))
        })
    };
    wait_until(|| waiting(&origin) == 1);
    cancel.cancel();
    assert!(waiter.join().unwrap());
    assert_eq!(waiting(&origin), 0);
    assert!(try_acquire(&origin, at_most(1)).is_none());
    assert!(try_acquire(&origin, at_most(2)).is_some());
    drop(held);
}

#[test]
fn a_connection_is_handed_to_the_first_who_takes_it() {
    let origin = origin(3);
    let (mut connection, _peer) = connection(slot(&origin, 1));
    connection.set_mark(Some(RED));
    let ask = |wish: Wish| {
        let theirs = Arc::clone(&origin);
        let before = waiting(&origin);
        let waiter =
            thread::spawn(move || acquire(&theirs, at_most(1), &wish, false, 0, &Cancel::new()).ok());
        wait_until(|| waiting(&origin) == before + 1);
        waiter
    };
    let blue = ask(Wish { mark: Some(BLUE), only_marked: true });
    let red = ask(Wish { mark: Some(RED), only_marked: true });
    pool::give(connection);
    let Some(Grant::Connection(connection)) = red.join().unwrap() else { panic!("red did not get it") };
    assert_eq!(waiting(&origin), 1);
    // Nobody but blue is left, who wants another: it makes room for that.
    pool::give(connection);
    assert!(matches!(blue.join().unwrap(), Some(Grant::Slot(_))));
}

#[test]
fn an_idle_connection_that_will_not_do_makes_room() {
    let origin = origin(4);
    let (connection, peer) = connection(slot(&origin, 1));
    pool::give(connection);
    let wish = Wish { mark: Some(RED), only_marked: true };
    assert!(pool::take(&origin, &wish, false).is_none());
    let grant = acquire(&origin, at_most(1), &wish, false, 5000, &Cancel::new());
    assert!(matches!(grant, Ok(Grant::Slot(_))));
    drop(grant.ok());
    let mut byte = [0; 1];
    assert_eq!(peer.peek(&mut byte).unwrap(), 0, "the idle one was closed");
}

#[test]
fn the_pool_prefers_the_mark_and_then_the_latest() {
    let origin = origin(5);
    let mut peers = Vec::new();
    // All at once, or the second would be the first.
    let slots: Vec<_> = (0..4).map(|_| slot(&origin, 9)).collect();
    for (mark, slot) in [Some(RED), None, Some(BLUE), None].into_iter().zip(slots) {
        let (mut connection, peer) = connection(slot);
        connection.set_mark(mark);
        pool::give(connection);
        peers.push(peer);
    }
    let marks = |wish: Wish| pool::take(&origin, &wish, true).map(|connection| connection.mark());
    assert_eq!(marks(Wish { mark: Some(RED), only_marked: false }), Some(Some(RED)));
    assert_eq!(marks(Wish { mark: Some(RED), only_marked: true }), None);
    assert_eq!(marks(Wish { mark: Some(RED), only_marked: false }), Some(None));
    assert_eq!(marks(ANY), Some(Some(BLUE)));
    pool::discard(origin.partition);
    assert_eq!(marks(ANY), None);
}

#[test]
fn a_server_that_closed_is_noticed_and_one_that_says_0_is_not_kept() {
    let origin = origin(6);
    let (connection, peer) = connection(slot(&origin, 9));
    pool::give(connection);
    drop(peer);
    assert!(pool::take(&origin, &ANY, true).is_none());
    let (mut connection, _peer) = self::connection(slot(&origin, 9));
    connection.keep_for = Some(0);
    pool::give(connection);
    assert!(pool::take(&origin, &ANY, false).is_none());
    assert!(!POOL.lock().servers.contains_key(&origin));
}

/// A connection that has carried a request with this answer.
fn answered(origin: &Arc<Origin>, text: &str, to_head: bool) -> (Box<Connection>, TcpStream) {
    let (mut connection, peer) = connection(slot(origin, 9));
    let mut head = ResponseHead::new();
    let parsed = head.parse(text.as_bytes(), &ResponseLimits { head: 1000, fields: 10 }).unwrap();
    assert!(matches!(parsed, Parsed::Complete(_)));
    let framing = head.framing(to_head, false).unwrap();
    connection.learn(&head, framing, false);
    (connection, peer)
}

/// Whether the connection is given away again at once, the server having said something that nobody asked for.
fn is_believed(origin: &Arc<Origin>, (connection, mut peer): (Box<Connection>, TcpStream)) -> bool {
    peer.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    wait_until(|| !connection.stream.is_quiet());
    pool::give(connection);
    pool::take(origin, &ANY, false).is_some()
}

#[test]
fn a_connection_is_looked_at_when_more_may_come() {
    let origin = origin(7);
    let plain = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert!(is_believed(&origin, answered(&origin, plain, false)), "a look costs a system call");
    assert!(!is_believed(&origin, answered(&origin, plain, true)));
    assert!(!is_believed(&origin, connection(slot(&origin, 9))), "nothing has been asked on it");
    for start in ["1.1 204 No", "1.1 304 Same", "1.1 408 Late", "1.1 500 Oh", "1.0 200 OK"] {
        let text = format!("HTTP/{start}\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
        assert!(!is_believed(&origin, answered(&origin, &text, false)), "{start}");
    }
    let (mut direct, mut peer) = answered(&origin, plain, false);
    peer.write_all(b"body").unwrap();
    assert_eq!(direct.receive(&mut [0; 4], Patience::Wait).unwrap(), 4);
    assert!(!is_believed(&origin, (direct, peer)));
    // Quiet, it goes on being used.
    let (connection, _peer) = answered(&origin, plain, true);
    pool::give(connection);
    assert!(pool::take(&origin, &ANY, false).is_some());
}

struct Nothing;

impl Task for Nothing {
    fn run(self: Arc<Self>) {}
}

#[test]
fn what_a_worker_has_heard_of_an_idle_connection_counts() {
    let origin = origin(8);
    let (mut connection, mut peer) = answered(&origin, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false);
    connection.watched().unwrap();
    // A worker watches for as long as somebody waits.
    let other = Watch::timer();
    assert!(park(Arc::new(Nothing), other.id(), Interest::Read, NEVER).is_ok());
    peer.write_all(b"HTTP/1.1 408 Late\r\n\r\n").unwrap();
    wait_until(|| connection.watch.as_ref().is_some_and(Watch::has_reported));
    pool::give(connection);
    assert!(pool::take(&origin, &ANY, false).is_none());
    rouse(other.id(), Interest::Read);
}

#[test]
fn who_waited_for_a_connection_gets_none_that_is_not_sound() {
    let origin = origin(9);
    let (connection, peer) = answered(&origin, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true);
    let (theirs, before) = (Arc::clone(&origin), waiting(&origin));
    let waiter = thread::spawn(move || acquire(&theirs, at_most(1), &ANY, false, 0, &Cancel::new()).ok());
    wait_until(|| waiting(&origin) == before + 1);
    drop(peer);
    wait_until(|| !connection.stream.is_quiet());
    pool::give(connection);
    assert!(matches!(waiter.join().unwrap(), Some(Grant::Slot(_))));
}
