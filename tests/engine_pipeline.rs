//! Pipelined requests: responses are held back for company, never for the application.

mod engine_support;
use engine_support::*;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

/// Two requests in one segment; the first is answered while `busy` says who sits in the engine's place.
fn first_answer_arrives(busy: impl FnOnce(&Server)) {
    let server = Server::new();
    let mut client = server.client();
    put(&mut client, [GET, GET].concat());
    let first = server.next();
    busy(&server);
    server.answer(first, "one");
    let second = server.next();
    assert!(read_until(&mut client, "one").starts_with("HTTP/1.1 200"));
    server.answer(second, "two");
    read_until(&mut client, "two");
}

#[test]
fn a_late_second_answer_does_not_hold_up_the_first() {
    // The library's own thread takes the place within some ticks, and sleeps in it.
    first_answer_arrives(|_| std::thread::sleep(Duration::from_millis(50)));
}

#[test]
fn nor_does_a_thread_that_sits_undisturbed() {
    let other = Arc::new(Server::new());
    let sitting = Arc::clone(&other);
    let thread = std::thread::spawn(move || sitting.service.receive_blocking(sitting.queue).unwrap());
    // Long enough for the library's own thread to go to sleep.
    first_answer_arrives(|_| std::thread::sleep(Duration::from_millis(400)));
    other.service.shutdown_queue(other.queue).unwrap();
    assert!(thread.join().unwrap().is_err());
}

#[test]
fn a_cancelled_second_request_leaves_the_first_its_answer() {
    let server = Server::new();
    let mut client = server.client();
    put(&mut client, [GET, GET].concat());
    server.answer(server.next(), "one");
    server.service.cancel_request(server.queue, server.next()).unwrap();
    let (got, _) = read_all(&mut client);
    assert!(got.ends_with(b"one"), "{}", String::from_utf8_lossy(&got));
}

#[test]
fn a_batch_before_the_clients_end_is_answered_whole() {
    let server = Server::new();
    let mut client = server.client();
    put(&mut client, GET.repeat(20));
    client.shutdown(Shutdown::Write).unwrap();
    for n in 0..20 {
        server.answer(server.next(), &format!("<{n}>"));
    }
    let (got, orderly) = read_all(&mut client);
    assert!(orderly && got.ends_with(b"<19>"));
    assert_eq!(String::from_utf8_lossy(&got).matches("HTTP/1.1 200").count(), 20);
}
