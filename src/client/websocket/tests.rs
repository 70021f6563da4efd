//! What takes an interval shorter than the option admits, and frames that meet inside the socket. The rest is tested
//! in `c-tests/winhttp_websocket*.c`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::wire::request_fields::RequestField;

use super::super::notify::{Event, Notifier};
use super::super::proxy::Proxy;
use super::super::request::Request;
use super::super::session::{Connect, Session};
use super::super::{Operation, Plan, Url};
use super::*;
use crate::win32::lent::{LentBuffer, LentBytes};

/// The RFC's own key and the answer to it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const HEAD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// What the callbacks saw, with the context they came with.
static SEEN: Mutex<Vec<(usize, String)>> = Mutex::new(Vec::new());

fn record(notifier: &Notifier, event: &Event<'_>) {
    SEEN.lock().push((notifier.context, format!("{event:?}")));
}

/// Waits until something holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A socket, and the server's end of it, which has said `also` with its 101.
fn pair(is_async: bool, context: usize, also: &'static [u8]) -> (Arc<WebSocket>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, streams): (_, Receiver<TcpStream>) = channel();
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let (mut request, mut byte) = (Vec::new(), [0]);
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        stream.write_all(&[HEAD.as_bytes(), also].concat()).unwrap();
        sender.send(stream).unwrap();
    });
    let notifier = Notifier { function: 1, mask: u32::MAX, ..Notifier::new(record) };
    let session = Session::new(false, notifier, Arc::from(&b""[..]), Proxy::default());
    let connect = Connect::new(Arc::new(session), "127.0.0.1".into(), port);
    let url = Url { secure: false, host: "127.0.0.1".into(), port, target: "/".into() };
    let mut plan = Plan::new("GET".into(), url);
    plan.fields.push(RequestField::new("Sec-WebSocket-Key", KEY).unwrap());
    let request = Arc::new(Request::new(Arc::new(connect), plan));
    request.upgrade_to_web_socket().unwrap();
    request.send(LentBytes::empty(), 0).unwrap();
    request.start(Operation::Receive).unwrap();
    let mut socket = request.complete_upgrade(context).unwrap();
    Arc::get_mut(&mut socket).unwrap().is_async = is_async;
    let stream = streams.recv().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    (socket, stream)
}

/// One frame of the client: its first byte and its payload.
fn frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let mut more = vec![0; [0, 2, 8][usize::from((head[1] & 0x7F).saturating_sub(125))]];
    stream.read_exact(&mut more).unwrap();
    let length = match more[..] {
        [] => usize::from(head[1] & 0x7F),
        _ => more.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
    };
    let (mut key, mut payload) = ([0; 4], vec![0; length]);
    stream.read_exact(&mut key).unwrap();
    stream.read_exact(&mut payload).unwrap();
    crate::wire::websocket::frame::mask(&mut payload, key, 0);
    (head[0], payload)
}

#[test]
fn silence_is_broken_by_pongs_until_the_close_frame() {
    let (socket, mut server) = pair(false, 1, b"");
    socket.start_keep_alive();
    socket.set_keep_alive(30);
    for _ in 0..3 {
        assert_eq!(frame(&mut server), (0x8A, Vec::new()));
    }
    socket.shutdown(1000, b"").unwrap();
    loop {
        match frame(&mut server) {
            (0x8A, payload) if payload.is_empty() => {}
            other => break assert_eq!(other, (0x88, vec![0x03, 0xE8])),
        }
    }
    server.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(server.read(&mut [0]).is_err(), "nothing comes after the close frame");
}

#[test]
fn a_timer_does_not_keep_a_socket() {
    let (socket, mut server) = pair(false, 2, b"");
    socket.start_keep_alive();
    let weak = Arc::downgrade(&socket);
    socket.close_handle();
    drop(socket);
    until("the socket is gone", || Weak::upgrade(&weak).is_none());
    assert_eq!(server.read(&mut [0]).unwrap(), 0);
    assert_eq!(SEEN.lock().iter().filter(|(context, _)| *context == 2).count(), 1);
}

#[test]
fn a_ping_inside_a_long_frame_is_answered_after_it() {
    let (socket, mut server) = pair(true, 3, b"\x89\x011\x89\x012\x82\x02ok");
    let large = vec![b'x'; 8 << 20];
    socket.send(BufferType::BinaryMessage, LentBytes::owned(large)).unwrap();
    let told = || {
        SEEN.lock()
            .iter()
            .filter(|(context, _)| *context == 3)
            .map(|(_, text)| text.clone())
            .collect::<Vec<_>>()
    };
    assert!(told().is_empty(), "the network does not take that much");
    // Both pings are read with the data; the last is answered.
    socket.receive(LentBuffer::owned(vec![0; 8])).unwrap();
    assert_eq!(told(), ["WebSocket(Read(2, BinaryMessage))"]);
    assert_eq!(frame(&mut server).1.len(), 8 << 20);
    assert_eq!(frame(&mut server), (0x8A, b"2".to_vec()));
    until("the send is told", || told().len() == 2);
    assert_eq!(told()[1], "WebSocket(Written(8388608, BinaryMessage))");
    socket.close_handle();
}

#[test]
fn a_pong_that_finds_no_room_goes_later() {
    let (socket, mut server) = pair(true, 4, b"");
    // The socket's buffers fill up with pongs until one has to wait, in parts.
    let mut pings = 0;
    let full = |socket: &WebSocket| !socket.writer.lock().outbound.pending().is_empty();
    while !full(&socket) {
        socket.pong(Some(&[b'p'; 125]));
        pings += 1;
    }
    socket.pong(Some(b"last"));
    let mut pongs = 0;
    while frame(&mut server).1 != b"last" {
        pongs += 1;
    }
    assert_eq!(pongs, pings);
    socket.close_handle();
}

#[test]
fn a_close_ends_in_time_however_much_the_server_says() {
    for chatter in [&b"\x89\x011"[..], b"\x82\x02ok"] {
        let (socket, mut server) = pair(false, 5, b"");
        server.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.set_close_timeout(100);
        let talker = thread::spawn(move || {
            let (flood, begin) = (chatter.repeat(4096), Instant::now());
            while begin.elapsed() < Duration::from_secs(20) && server.write_all(&flood).is_ok() {}
        });
        assert_eq!(socket.close(1000, b""), Err(Error::WINHTTP_TIMEOUT));
        socket.close_handle();
        // What it still wants to say has nowhere to go.
        drop(socket);
        talker.join().unwrap();
    }
}
