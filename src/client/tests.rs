//! Whole exchanges against servers in this process.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use parking_lot::Mutex;

use crate::abi::error::Error;
use crate::win32::lent::{LentBuffer, LentBytes};

use super::notify::{Event, Notifier};
use super::proxy::Proxy;
use super::request::Request;
use super::session::{Connect, Session};
use super::{Operation, Outcome, Plan, Url};

/// A server that answers each connection's requests with the scripted pieces, one piece a request; it closes the
/// connection after the last. The requests come out of the channel.
struct Server {
    port: u16,
    requests: Receiver<String>,
}

impl Server {
    fn new(connections: &'static [&'static [&'static str]]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = channel();
        thread::spawn(move || {
            for pieces in connections {
                let (stream, _) = listener.accept().unwrap();
                serve(stream, pieces, &sender);
            }
        });
        Server { port, requests }
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

/// What the callback saw, by request context.
static SEEN: Mutex<Vec<(usize, String)>> = Mutex::new(Vec::new());

fn record(notifier: &Notifier, event: &Event<'_>) {
    SEEN.lock().push((notifier.context, format!("{event:?}")));
}

fn seen(context: usize) -> Vec<String> {
    let seen = SEEN.lock();
    let own = seen.iter().filter(|(of, _)| *of == context);
    own.map(|(_, text)| text.split('(').next().unwrap().to_owned()).collect()
}

fn request(port: u16, verb: &str, target: &str, context: usize, is_async: bool) -> Arc<Request> {
    let notifier = Notifier { function: 1, mask: u32::MAX, context, ..Notifier::new(record) };
    let session = Session::new(is_async, notifier, Arc::from(&b"agent"[..]), Proxy::default());
    let connect = Connect::new(Arc::new(session), "127.0.0.1".into(), port);
    let url = Url { secure: false, host: "127.0.0.1".into(), port, target: target.into() };
    Arc::new(Request::new(Arc::new(connect), Plan::new(verb.into(), url)))
}

fn lent(bytes: &'static [u8]) -> LentBytes {
    LentBytes::from_static(bytes)
}

fn get(request: &Arc<Request>) -> Result<String, Error> {
    request.send(LentBytes::empty(), 0)?;
    request.start(Operation::Receive)?;
    read_all(request)
}

fn read_all(request: &Arc<Request>) -> Result<String, Error> {
    let mut text = String::new();
    loop {
        let buffer = Box::leak(Box::new([0_u8; 10]));
        let shown = std::ptr::from_ref(buffer).cast::<u8>().addr();
        assert_ne!(shown, 0);
        let mut copy = Vec::new();
        let count = read_some(request, buffer.len(), &mut copy)?;
        if count == 0 {
            return Ok(text);
        }
        text.push_str(std::str::from_utf8(&copy).unwrap());
    }
}

fn read_some(request: &Arc<Request>, len: usize, out: &mut Vec<u8>) -> Result<u32, Error> {
    let (buffer, bytes) = LentBuffer::leaked(len);
    match request.start(Operation::Read { buffer, fill: true })? {
        Outcome::Done(count) => {
            out.extend_from_slice(&bytes()[..count as usize]);
            Ok(count)
        }
        other => panic!("a synchronous read gave {other:?}"),
    }
}
