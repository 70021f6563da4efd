//! Whole exchanges against servers in this process. What C sees of them is tested in `c-tests/winhttp_*.c`.
#![expect(unsafe_code, reason = "lends static memory to reads")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use parking_lot::{Condvar, Mutex};

use crate::abi::error::{Error, Result};
use crate::win32::lent::{LentBuffer, LentBytes};

use super::notify::{Event, Notifier};
use super::proxy::Proxy;
use super::request::Request;
use super::session::{Connect, Session};
use super::{Operation, Outcome, Plan, Url};

/// A server that answers each connection's requests with the scripted pieces, one piece a request, and closes
/// the connection after the last. The requests come out of the channel.
struct Server {
    port: u16,
    requests: Receiver<String>,
}

impl Server {
    fn new(connections: &[&[&'static str]]) -> Server {
        let connections: Vec<Vec<&'static str>> = connections.iter().map(|pieces| pieces.to_vec()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = channel();
        thread::spawn(move || {
            for pieces in connections {
                serve(listener.accept().unwrap().0, &pieces, &sender);
            }
        });
        Server { port, requests }
    }

    fn next(&self) -> String {
        self.requests.recv().unwrap()
    }
}

fn serve(mut stream: TcpStream, pieces: &[&str], requests: &Sender<String>) {
    for piece in pieces {
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        while !is_complete(&request) {
            match stream.read(&mut buffer) {
                Ok(got @ 1..) => request.extend_from_slice(&buffer[..got]),
                _ => return,
            }
        }
        let _ = requests.send(String::from_utf8(request).unwrap());
        stream.write_all(piece.as_bytes()).unwrap();
    }
}

fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}

/// What the callbacks saw, with the context they came with.
static SEEN: Mutex<Vec<(usize, String)>> = Mutex::new(Vec::new());
static MORE: Condvar = Condvar::new();

fn record(notifier: &Notifier, event: &Event<'_>) {
    let text = format!("{event:?}");
    SEEN.lock().push((notifier.context, text));
    MORE.notify_all();
}

/// The names of the events seen with a context, once `last` is among them.
fn seen(context: usize, last: &str) -> Vec<String> {
    let mut seen = SEEN.lock();
    loop {
        let own = seen.iter().filter(|(of, _)| *of == context);
        let names: Vec<_> = own.map(|(_, text)| text.split('(').next().unwrap().to_owned()).collect();
        if names.iter().any(|name| name == last) {
            return names;
        }
        MORE.wait(&mut seen);
    }
}

fn request(port: u16, verb: &str, target: &str, context: usize, is_async: bool) -> Arc<Request> {
    let notifier = Notifier { function: 1, mask: u32::MAX, context, ..Notifier::new(record) };
    let session = Session::new(is_async, notifier, Arc::from(&b"agent"[..]), Proxy::default());
    let connect = Connect::new(Arc::new(session), "127.0.0.1".into(), port);
    let url = Url { secure: false, host: "127.0.0.1".into(), port, target: target.into() };
    Arc::new(Request::new(Arc::new(connect), Plan::new(verb.into(), url)))
}

fn get(request: &Arc<Request>) -> Result<String> {
    request.send(LentBytes::empty(), 0)?;
    request.start(Operation::Receive)?;
    read_all(request)
}

fn read_all(request: &Arc<Request>) -> Result<String> {
    let mut text = String::new();
    loop {
        let mut bytes = vec![0; 10];
        // SAFETY: the request is synchronous, so the buffer outlives the operation.
        let buffer = unsafe { LentBuffer::new(bytes.as_mut_ptr(), bytes.len()) };
        match request.start(Operation::Read { buffer, fill: true })? {
            Outcome::Done(0) => return Ok(text),
            Outcome::Done(count) => text.push_str(std::str::from_utf8(&bytes[..count as usize]).unwrap()),
            other => panic!("a synchronous read gave {other:?}"),
        }
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

#[test]
fn a_warm_connection_is_used_again_and_says_so() {
    let server = Server::new(&[&[OK, OK]]);
    let first = request(server.port, "GET", "/a", 1001, false);
    assert_eq!(get(&first).unwrap(), "hello");
    let host = format!("Host: 127.0.0.1:{}", server.port);
    assert_eq!(
        server.next(),
        format!("GET /a HTTP/1.1\r\nUser-Agent: agent\r\n{host}\r\nConnection: Keep-Alive\r\n\r\n")
    );
    let second = request(server.port, "GET", "/b", 1002, false);
    assert_eq!(get(&second).unwrap(), "hello");
    first.close();
    let cold = ["ResolvingName", "NameResolved", "Connecting", "Connected"];
    let warm = ["SendingRequest", "RequestSent", "ReceivingResponse", "ResponseReceived"];
    assert_eq!(seen(1001, "HandleClosing"), [&cold[..], &warm[..], &["HandleClosing"]].concat());
    assert_eq!(seen(1002, "ResponseReceived"), warm);
}

#[test]
fn a_connection_given_up_by_the_server_is_replaced_without_a_word() {
    let server = Server::new(&[&[OK], &[OK]]);
    assert_eq!(get(&request(server.port, "GET", "/", 0, false)).unwrap(), "hello");
    let post = request(server.port, "POST", "/again", 1003, false);
    post.send(LentBytes::from_static(b"body"), 4).unwrap();
    post.start(Operation::Receive).unwrap();
    assert_eq!(read_all(&post).unwrap(), "hello");
    server.next();
    assert!(server.next().ends_with("Content-Length: 4\r\nConnection: Keep-Alive\r\n\r\nbody"));
    assert!(!seen(1003, "ResponseReceived").contains(&"Connecting".to_owned()));
}

#[test]
fn redirects_are_followed_and_turn_a_post_into_a_get() {
    let moved = "HTTP/1.1 302 Found\r\nLocation: ../c?d\r\nContent-Length: 4\r\n\r\ngone";
    let server = Server::new(&[&[moved, OK]]);
    let post = request(server.port, "POST", "/a/b", 1004, false);
    post.send(LentBytes::from_static(b"body"), 4).unwrap();
    post.start(Operation::Receive).unwrap();
    assert_eq!(read_all(&post).unwrap(), "hello");
    server.next();
    let second = server.next();
    assert!(second.starts_with("GET /c?d HTTP/1.1\r\n") && !second.contains("Content-Length"), "{second}");
    let url = post.with_plan(|plan| plan.url.text());
    assert_eq!(url, format!("http://127.0.0.1:{}/c?d", server.port));
    assert!(seen(1004, "Redirect").contains(&"Redirect".to_owned()));
}

#[test]
fn the_eleventh_redirect_fails() {
    const AGAIN: &str = "HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n";
    let server = Server::new(&[&[AGAIN; 11]]);
    assert_eq!(get(&request(server.port, "GET", "/", 0, false)), Err(Error::WINHTTP_REDIRECT_FAILED));
    assert_eq!(server.requests.iter().count(), 11);
}

#[test]
fn chunks_and_trailers() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = "b\r\nhello world\r\n1;x=y\r\n!\r\n0\r\nDigest: d\r\n\r\n";
    let whole: &str = Box::leak(format!("{chunked}{body}").into_boxed_str());
    let server = Server::new(&[&[whole, OK]]);
    let first = request(server.port, "GET", "/", 0, false);
    assert_eq!(get(&first).unwrap(), "hello world!");
    assert_eq!(first.with_trailers(<[u8]>::to_vec).unwrap(), b"Digest: d\r\n");
    // The same handle again, on the same connection.
    assert_eq!(get(&first).unwrap(), "hello");
}

#[test]
fn bodies_cut_short() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel";
    for (response, result) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", Ok("hello".to_owned())),
        ("HTTP/1.0 200 OK\r\n\r\nhello", Ok("hello".to_owned())),
        (chunked, Err(Error::WINHTTP_CONNECTION_ERROR)),
        ("HTTP/1.1 200 OK\r\nContent-Le", Err(Error::WINHTTP_CONNECTION_ERROR)),
        ("FTP/1.1 200 OK\r\n\r\n", Err(Error::WINHTTP_INVALID_SERVER_RESPONSE)),
        ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Err(Error::WINHTTP_INVALID_SERVER_RESPONSE)),
    ] {
        let server = Server::new(&[&[response]]);
        assert_eq!(get(&request(server.port, "GET", "/", 0, false)), result, "{response}");
    }
}

#[test]
fn an_asynchronous_get_completes_through_the_callback() {
    let server = Server::new(&[&[OK]]);
    let request = request(server.port, "GET", "/", 1005, true);
    assert_eq!(request.send(LentBytes::empty(), 0), Ok(Outcome::Pending));
    seen(1005, "SendRequestComplete");
    request.start(Operation::Receive).unwrap();
    seen(1005, "HeadersAvailable");
    // The body came with the head, so this needs no waiting, unless the last callback has yet to return.
    let outcome = request.start(Operation::Query).unwrap();
    assert!(matches!(outcome, Outcome::Done(5) | Outcome::Pending), "{outcome:?}");
    seen(1005, "DataAvailable");
    request.close();
    let events = seen(1005, "HandleClosing");
    assert_eq!(events[6..9], ["SendRequestComplete", "ReceivingResponse", "ResponseReceived"]);
    assert_eq!(events[9..], ["HeadersAvailable", "DataAvailable", "HandleClosing"]);
}

#[test]
fn closing_ends_a_receive_that_waits() {
    let server = Server::new(&[&["", ""]]);
    let request = request(server.port, "GET", "/", 1006, true);
    request.send(LentBytes::empty(), 0).unwrap();
    seen(1006, "SendRequestComplete");
    request.start(Operation::Receive).unwrap();
    request.close();
    let events = seen(1006, "HandleClosing");
    assert_eq!(events[events.len() - 2..], ["RequestError", "HandleClosing"]);
    assert_eq!(request.start(Operation::Receive), Err(Error::INVALID_HANDLE));
}

#[test]
fn a_receive_queued_behind_a_failed_send_fails_too() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let request = request(port, "GET", "/", 1007, true);
    request.send(LentBytes::empty(), 0).unwrap();
    let receive = request.start(Operation::Receive).unwrap();
    request.close();
    let errors = seen(1007, "HandleClosing").iter().filter(|name| *name == "RequestError").count();
    assert_eq!(errors, 2, "{receive:?}");
}

#[test]
fn operations_at_the_wrong_time() {
    let state = Error::WINHTTP_INCORRECT_HANDLE_STATE;
    let early = request(1, "GET", "/", 0, false);
    assert_eq!(early.start(Operation::Receive), Err(state));
    assert_eq!(early.start(Operation::Query), Err(state));
    assert_eq!(early.start(Operation::Write { bytes: LentBytes::empty(), sent: 0 }), Err(state));
    let early = request(1, "GET", "/", 1008, true);
    assert_eq!(early.start(Operation::Receive), Ok(Outcome::Reported));
    assert_eq!(seen(1008, "RequestError"), ["RequestError"]);
    assert_eq!(early.start(Operation::Query), Err(state));
    assert_eq!(early.send(LentBytes::from_static(b"12"), 1), Err(Error::INVALID_PARAMETER));
}

#[test]
fn https_is_refused_until_there_is_tls() {
    let request = request(1, "GET", "/", 0, false);
    request.with_plan(|plan| plan.url.secure = true);
    assert_eq!(request.send(LentBytes::empty(), 0), Err(Error::WINHTTP_SECURE_FAILURE));
}
