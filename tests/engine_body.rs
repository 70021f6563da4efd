//! Request bodies, ends of streams, slow clients, refusals.

mod engine_support;
use engine_support::*;
use nthttp::abi::error::Error;
use nthttp::server::service::*;
use std::net::Shutdown;
use std::time::{Duration, Instant};

const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";

/// Sends all that is given and the end of the stream before the engine looks.
fn put_and_end(server: &Server, bytes: &str) -> std::net::TcpStream {
    let mut client = server.client();
    put(&mut client, bytes);
    client.shutdown(Shutdown::Write).unwrap();
    client
}

#[test]
fn the_end_of_the_stream_with_the_head() {
    let server = Server::new();
    for round in 0..50 {
        let mut client = put_and_end(&server, GET);
        server.answer(server.next(), &format!("<{round}>"));
        let (got, orderly) = read_all(&mut client);
        assert!(orderly && got.ends_with(format!("<{round}>").as_bytes()));
    }
}

#[test]
fn the_end_of_the_stream_with_the_last_bytes_of_the_body() {
    let server = Server::new();
    for mode in [BodyRead::Some, BodyRead::Fill] {
        let mut client = put_and_end(&server, &format!("{POST}0123456789"));
        let request = server.next();
        let mut body = Vec::new();
        loop {
            match server.read(request, mode, 4).outcome() {
                Ok(part) => body.extend(text(part)),
                Err(error) => break assert_eq!(error, Error::HANDLE_EOF),
            }
        }
        assert_eq!(body, b"0123456789");
        server.answer(request, "thanks");
        assert!(read_all(&mut client).0.ends_with(b"thanks"));
    }
}

#[test]
fn the_end_of_the_stream_while_a_read_waits() {
    let server = Server::new();
    let mut client = server.client();
    put(&mut client, POST);
    let request = server.next();
    let read = server.read(request, BodyRead::Fill, 100);
    put(&mut client, "01234");
    put(&mut client, "56789");
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(text(read.outcome().unwrap()), b"0123456789");
    server.answer(request, "thanks");
    assert!(read_all(&mut client).0.ends_with(b"thanks"));
}

#[test]
fn a_body_cut_short_ends_read_and_request() {
    let server = Server::new();
    let _client = put_and_end(&server, &format!("{POST}01234"));
    let request = server.next();
    assert_eq!(server.read(request, BodyRead::Fill, 100).outcome().err(), Some(Error::NETNAME_DELETED));
    assert!(is_over(server.send(request, SendFlags::default(), 200, Vec::new()).outcome()));
}

#[test]
fn a_read_of_what_has_arrived_never_waits() {
    let server = Server::new();
    let mut client = server.client();
    put(&mut client, POST);
    let request = server.next();
    let waiting = server.read(request, BodyRead::Some, 4);
    // Behind a read that waits nothing has arrived; were it to wait, it would fill a buffer long given back.
    let arrived = server.read(request, BodyRead::Arrived, 4).outcome_now().expect("done at once");
    assert_eq!(arrived.unwrap().len, 0);
    put(&mut client, "0123456789");
    assert_eq!(text(waiting.outcome().unwrap()), b"0123");
}

#[test]
fn a_probe_sees_the_end_behind_chunk_framing() {
    let server = Server::new();
    let mut client = server.client();
    put(&mut client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    let request = server.next();
    assert_eq!(server.read(request, BodyRead::Some, 0).outcome().err(), Some(Error::HANDLE_EOF));
    server.answer(request, "done");
    read_until(&mut client, "done");
    put(&mut client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n");
    let request = server.next();
    let probe = server.read(request, BodyRead::Some, 0);
    assert!(probe.outcome_now().is_none(), "a size line is no data");
    put(&mut client, "abc\r\n0\r\n\r\n");
    assert_eq!(probe.outcome().err(), Some(Error::MORE_DATA));
    assert_eq!(text(server.read(request, BodyRead::Fill, 9).outcome().unwrap()), b"abc");
}

#[test]
fn each_waiting_read_has_its_time() {
    let server = Server::new();
    server.timeouts(Timeouts { entity_body: 1, ..Timeouts::default() });
    let mut client = server.client();
    put(&mut client, POST);
    let request = server.next();
    let (first, second) = (server.read(request, BodyRead::Fill, 3), server.read(request, BodyRead::Fill, 3));
    put(&mut client, "012");
    assert_eq!(text(first.outcome().unwrap()), b"012");
    assert_eq!(second.outcome().err(), Some(Error::NETNAME_DELETED));
}

#[test]
fn a_response_that_waits_for_room_does_not_stop_the_clock_of_a_read() {
    let server = Server::new();
    server.timeouts(Timeouts { entity_body: 1, ..Timeouts::default() });
    let mut client = server.client();
    put(&mut client, POST);
    let request = server.next();
    let read = server.read(request, BodyRead::Fill, 10);
    let flags = SendFlags { more_data: true, ..SendFlags::default() };
    let send = server.send(request, flags, 200, vec![b'x'; 32 << 20]);
    assert!(read.outcome().is_err());
    assert!(send.outcome().is_err());
}

#[test]
fn trickled_heads_have_one_time_for_all_their_bytes() {
    let server = Server::new();
    server.timeouts(Timeouts { header_wait: 1, ..Timeouts::default() });
    let mut client = server.client();
    put(&mut client, GET);
    server.answer(server.next(), "one");
    read_until(&mut client, "one");
    let start = Instant::now();
    client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    loop {
        use std::io::{Read, Write};
        let _ = client.write_all(b"G");
        match client.read(&mut [0; 1]) {
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => assert!(start.elapsed() < LONG),
            _ => break,
        }
    }
    assert!(start.elapsed() >= Duration::from_millis(900));
}

#[test]
fn what_follows_an_ambiguous_request_is_dropped() {
    let server = Server::new();
    let mut client = server.client();
    let head =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    put(&mut client, [head, GET].concat());
    server.answer(server.next(), "only");
    let (got, _) = read_all(&mut client);
    assert!(got.ends_with(b"only"));
    let next = server.receive();
    assert!(next.outcome_now().is_none());
    assert!(server.service.abort(server.queue, next.id));
}

#[test]
fn a_long_unread_body_does_not_cost_the_client_its_answer() {
    let server = Server::new();
    let mut client = server.client();
    put(&mut client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    server.answer(server.next(), "early");
    let chunk = format!("bb8\r\n{}\r\n", "x".repeat(3000));
    for _ in 0..40 {
        // Past what is drained; the engine has ended its side by then, but does not reset.
        if std::io::Write::write_all(&mut client, chunk.as_bytes()).is_err() {
            break;
        }
    }
    client.shutdown(Shutdown::Write).unwrap();
    let (got, orderly) = read_all(&mut client);
    assert!(got.ends_with(b"early") && orderly, "{}", String::from_utf8_lossy(&got));
}

#[test]
fn switching_without_raw_bytes_ends_the_connection() {
    let server = Server::new();
    let mut client = server.client();
    put(&mut client, [GET, GET].concat());
    server.send(server.next(), SendFlags::default(), 101, Vec::new()).outcome().unwrap();
    let (got, _) = read_all(&mut client);
    assert!(got.starts_with(b"HTTP/1.1 101"));
    let next = server.receive();
    assert!(next.outcome_now().is_none(), "bytes of another protocol are no request");
    assert!(server.service.abort(server.queue, next.id));
}

#[test]
fn leave_to_send_the_body_comes_behind_what_waits() {
    let server = Server::new();
    let mut client = server.client();
    put(&mut client, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    let request = server.next();
    // Early hints larger than any socket's buffers: most of them wait.
    let mut head = ResponseHead { status: 103, text: vec![b'x'; 32 << 20], ..ResponseHead::default() };
    head.reason_len = head.text.len() as u32;
    let (service, queue) = (&server.service, server.queue);
    let hints = start(|pend| {
        service.send_response(queue, request, SendFlags::default(), &head, &mut Body::new(), pend)
    });
    assert!(hints.outcome_now().is_none());
    let read = server.read(request, BodyRead::Fill, 4);
    let mut got = Vec::new();
    let leave = b"x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
    while !got.ends_with(leave) {
        let mut part = vec![0; 1 << 16];
        let n = std::io::Read::read(&mut client, &mut part).unwrap();
        assert!(n > 0);
        got.extend_from_slice(&part[..n]);
    }
    assert_eq!(got.iter().filter(|b| **b == b'x').count(), 32 << 20);
    hints.outcome().unwrap();
    put(&mut client, "body");
    assert_eq!(text(read.outcome().unwrap()), b"body");
}
