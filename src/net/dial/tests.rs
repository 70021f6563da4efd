//! Races against listeners of this process, one of them silent because its queue is full.

use super::*;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

fn dial(
    attempts: &[(SocketAddr, u32)],
    stagger: Option<u64>,
    cancel: &Cancel,
) -> Result<(ClientStream, Vec<u16>), DialError> {
    let attempts: Vec<_> =
        attempts.iter().map(|(address, limit)| Attempt { address: *address, limit: *limit }).collect();
    let tuning = Tuning::default();
    let stagger = stagger.map(Duration::from_millis);
    let course = Course { attempts: &attempts, stagger, tuning: &tuning, cancel, bell: None };
    let mut begun = Vec::new();
    let (stream, _) = race(&course, &mut |address| {
        begun.push(address.port());
        true
    })?;
    Ok((stream, begun))
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn closed_port() -> SocketAddr {
    listener().1
}

/// A port that answers nothing: its queue is full.
fn black_hole() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
    let (listener, address) = listener();
    // SAFETY: listen takes no pointers.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
    let mut held = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
        held.push(stream);
    }
    (listener, held, address)
}

#[test]
fn a_closed_port_refuses() {
    let Err(DialError::Failed(answers)) = dial(&[(closed_port(), 5000)], Some(250), &Cancel::new()) else {
        panic!("connected to a closed port");
    };
    let [(_, Answer::Error(error))] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn a_silent_address_is_overtaken_by_the_next() {
    let (_hole, _held, silent) = black_hole();
    let (_listener, open) = listener();
    let since = Instant::now();
    let (stream, begun) = dial(&[(silent, 20_000), (open, 20_000)], Some(50), &Cancel::new()).unwrap();
    assert_eq!(begun, [silent.port(), open.port()]);
    assert_eq!(stream.addresses().1, open);
    assert!((50..10_000).contains(&since.elapsed().as_millis()), "{:?}", since.elapsed());
}

#[test]
fn a_failure_starts_the_next_at_once() {
    let (_listener, open) = listener();
    let (stream, begun) = dial(&[(closed_port(), 5000), (open, 5000)], Some(60_000), &Cancel::new()).unwrap();
    assert_eq!(begun.len(), 2);
    assert_eq!(stream.addresses().1, open);
}

#[test]
fn without_a_stagger_each_has_its_time_alone() {
    let (_hole, _held, silent) = black_hole();
    let (_listener, open) = listener();
    let since = Instant::now();
    let (_, begun) = dial(&[(silent, 30), (silent, 30), (open, 5000)], None, &Cancel::new()).unwrap();
    assert_eq!(begun.len(), 3);
    assert!(since.elapsed() >= Duration::from_millis(60));
}

#[test]
fn silence_is_told_from_refusal() {
    let (_hole, _held, silent) = black_hole();
    let Err(DialError::Failed(answers)) =
        dial(&[(silent, 50), (closed_port(), 5000)], Some(1), &Cancel::new())
    else {
        panic!("connected to nobody");
    };
    assert!(matches!(answers[0].1, Answer::Error(_)), "{answers:?}");
    assert!(matches!(answers[1].1, Answer::Silence), "{answers:?}");
}

#[test]
fn cancelling_ends_a_race() {
    let (_hole, _held, silent) = black_hole();
    let cancel = Arc::new(Cancel::new());
    let racer = {
        let cancel = Arc::clone(&cancel);
        thread::spawn(move || dial(&[(silent, 0), (silent, 0)], Some(10), &cancel).map(|_| ()))
    };
    thread::sleep(Duration::from_millis(100));
    cancel.cancel();
    assert!(matches!(racer.join().unwrap(), Err(DialError::Cancelled)));
}

#[test]
fn a_bell_ends_a_race() {
    let (_hole, _held, silent) = black_hole();
    let (bell, cancel, tuning) = (Bell::new().unwrap(), Cancel::new(), Tuning::default());
    bell.ring();
    let attempts = [Attempt { address: silent, limit: 0 }];
    let course =
        Course { attempts: &attempts, stagger: None, tuning: &tuning, cancel: &cancel, bell: Some(&bell) };
    assert!(matches!(race(&course, &mut |_| true), Err(DialError::Rung)));
}

#[test]
fn nothing_is_dialled_after_cancelling() {
    let (_listener, open) = listener();
    let cancel = Cancel::new();
    cancel.cancel();
    assert!(matches!(dial(&[(open, 0)], Some(250), &cancel), Err(DialError::Cancelled)));
}

#[test]
fn cancelling_ends_a_receive() {
    let (_listener, open) = listener();
    let cancel = Arc::new(Cancel::new());
    let (stream, _) = dial(&[(open, 5000)], Some(250), &cancel).unwrap();
    let other = Arc::clone(&cancel);
    let canceller = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        other.cancel();
    });
    assert_eq!(stream.receive(&mut [0; 16]).unwrap(), 0);
    canceller.join().unwrap();
}

#[test]
fn a_receive_ends_when_its_time_has_passed() {
    let (_listener, open) = listener();
    let (mut stream, _) = dial(&[(open, 5000)], Some(250), &Cancel::new()).unwrap();
    stream.set_limits(1000, 20).unwrap();
    assert_eq!(stream.receive(&mut [0; 16]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert!(stream.is_quiet());
}
