//! What the tests of `nthttp get` share: a scripted server in this process, and the command as one types it.
#![allow(dead_code, reason = "each test program uses a part")]

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Answers one request a connection, each with the next of its answers. Requests come out of the channel.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) requests: Receiver<String>,
}

impl Server {
    pub(crate) fn new(answers: &[&str]) -> Server {
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = channel();
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read_request(&mut stream);
                stream.write_all(answer.replace("{port}", &port.to_string()).as_bytes()).unwrap();
                drop(stream);
                sender.send(request).unwrap();
            }
        });
        Server { port, requests }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn request(&self) -> String {
        self.requests.recv().unwrap()
    }
}

/// A head, and the body that its length or chunks announce.
pub(crate) fn read_request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut block = [0; 65536];
    loop {
        let whole = String::from_utf8_lossy(&text);
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            let chunked = head.contains("Transfer-Encoding: chunked");
            let complete = if chunked { body.ends_with("0\r\n\r\n") } else { true };
            if complete && length.is_none_or(|length| body.len() >= length.parse().unwrap()) {
                return whole.into_owned();
            }
        }
        match stream.read(&mut block).unwrap() {
            0 => return String::from_utf8_lossy(&text).into_owned(),
            got => text.extend_from_slice(&block[..got]),
        }
    }
}

pub(crate) const HELLO: &str =
    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\nX-A: b\r\n\r\nhello\n";

thread_local! {
    static ASYNC: Cell<bool> = const { Cell::new(false) };
}

/// Runs a test with synchronous requests, and once more with asynchronous ones.
pub(crate) fn in_both_modes(test: impl Fn()) {
    test();
    ASYNC.set(true);
    test();
    ASYNC.set(false);
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nthttp"));
    command.args(arguments).stdin(Stdio::null());
    if ASYNC.get() {
        command.arg("--async");
    }
    command.env("NTHTTP_CONFIG", "/nonexistent/nthttp.json");
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a command that fails says; the code must be this one.
pub(crate) fn complaint(arguments: &[&str], code: i32) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stderr)
}

pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("nthttp-get-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
