//! `nthttp get --async`: many URLs side by side, told of in their order, and no thread for each.

mod get_support;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use get_support::{Folder, HELLO, Server, command, complaint, read_request, run, text};

/// So many URLs, of which so many are asked for at a time.
const MANY: usize = 200;
const AT_ONCE: usize = 64;

/// Threads while nothing comes: the main thread, a worker that watches, and who sees to the workers.
const IDLE: usize = 3;

/// Threads at any time: workers that wait for a connect are replaced, so that there may be some more for a moment.
const FEW: usize = 32;

/// A server that holds its answers. Who has asked comes out of the channel: the number in the path, and the connection.
struct Holder {
    url: String,
    asked: Receiver<(usize, TcpStream)>,
}

impl Holder {
    fn new() -> Holder {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, asked) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let sender: Sender<(usize, TcpStream)> = sender.clone();
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let request = read_request(&mut stream);
                    let number = request.split(['/', ' ']).nth(2).unwrap().parse().unwrap();
                    // The test may be over.
                    let _ = sender.send((number, stream));
                });
            }
        });
        Holder { url, asked }
    }

    fn next(&self) -> (usize, TcpStream) {
        self.asked.recv_timeout(Duration::from_secs(60)).expect("a request")
    }
}

fn body(number: usize) -> String {
    format!("{number}:{}\n", "x".repeat(number * 7))
}

fn answer(number: usize, stream: &mut TcpStream) {
    let body = body(number);
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
}

fn threads_of(child: &Child) -> usize {
    std::fs::read_dir(format!("/proc/{}/task", child.id())).unwrap().count()
}

#[test]
fn two_hundred_urls_take_few_threads() {
    let server = Holder::new();
    let urls: Vec<String> = (0..MANY).map(|number| format!("{}/{number}", server.url)).collect();
    let mut words = vec!["get", "--async", "--fail"];
    words.extend(urls.iter().map(String::as_str));
    let child = command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut held: Vec<(usize, TcpStream)> = (0..AT_ONCE).map(|_| server.next()).collect();
    let mut most = threads_of(&child);
    let start = Instant::now();
    while threads_of(&child) > IDLE {
        assert!(start.elapsed() < Duration::from_secs(30), "{} threads", threads_of(&child));
        assert!(server.asked.recv_timeout(Duration::from_millis(20)).is_err(), "more than {AT_ONCE} at once");
        most = most.max(threads_of(&child));
    }
    for left in (0..MANY).rev() {
        // The last to ask is answered first.
        let (number, mut stream) = held.pop().unwrap();
        match number {
            120 => {
                write!(stream, "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap()
            }
            170 => {}
            _ => answer(number, &mut stream),
        }
        drop(stream);
        if left >= AT_ONCE {
            held.push(server.next());
        }
        most = most.max(threads_of(&child));
    }
    let output = child.wait_with_output().unwrap();
    println!("{most} threads at most for {MANY} URLs");
    assert!(most <= FEW, "{most} threads");
    let wanted: String = (0..MANY).filter(|number| ![120, 170].contains(number)).map(body).collect();
    assert!(text(&output.stdout) == wanted, "bodies in the order of their URLs");
    let said = text(&output.stderr);
    assert!(said.contains("/120: the server answered 404 No") && said.contains("/170: "), "{said}");
    assert_eq!((said.lines().count(), output.status.code()), (2, Some(22)), "{said}");
}

#[test]
fn as_many_at_once_as_is_said() {
    let server = Holder::new();
    let urls: Vec<String> = (0..6).map(|number| format!("{}/{number}", server.url)).collect();
    let mut words = vec!["get", "--async", "--parallel-max", "2"];
    words.extend(urls.iter().map(String::as_str));
    let child = command(&words).stdout(Stdio::piped()).spawn().unwrap();
    for _ in 0..3 {
        let mut held = [server.next(), server.next()];
        assert!(server.asked.recv_timeout(Duration::from_millis(50)).is_err());
        held.iter_mut().for_each(|(number, stream)| answer(*number, stream));
    }
    assert_eq!(text(&child.wait_with_output().unwrap().stdout), (0..6).map(body).collect::<String>());
    complaint(&["get", "--parallel-max", "2", &urls[0]], 2);
    complaint(&["get", "--async", "--parallel-max", "0", &urls[0]], 2);
}

#[test]
fn large_bodies_go_to_their_files() {
    const MEGABYTES: usize = 5;
    let folder = Folder::new("large");
    let letters = ["a", "b", "c", "d"];
    let answers = letters.map(|letter| {
        let body = letter.repeat(MEGABYTES << 20);
        let length = body.len();
        match letter {
            "b" => format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
            ),
            "c" => format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}"),
            _ => format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"),
        }
    });
    let servers = answers.map(|answer| Server::new(&[&answer]));
    let (urls, files) = (servers.each_ref().map(|s| s.url("/")), letters.map(|letter| folder.path(letter)));
    let mut words = vec!["get", "--async", "--timing"];
    for (url, file) in urls.iter().zip(&files) {
        words.extend([url.as_str(), "-o", file.as_str()]);
    }
    let output = run(&words);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for (letter, file) in letters.iter().zip(&files) {
        assert!(std::fs::read_to_string(file).unwrap() == letter.repeat(MEGABYTES << 20), "{letter}");
    }
    assert_eq!(text(&output.stderr).matches("body 5.0 MiB, ").count(), 4, "{}", text(&output.stderr));
    words[1] = "--resume";
    assert!(complaint(&[&words[..], &["-o", "x"]].concat(), 2).contains("-o once for each"));
}

#[test]
fn data_goes_to_every_url() {
    let folder = Folder::new("every");
    let large = "x".repeat(3 << 20);
    std::fs::write(folder.path("large"), &large).unwrap();
    let servers = [(); 2].map(|()| Server::new(&[HELLO, HELLO]));
    let urls = servers.each_ref().map(|server| server.url("/"));
    let words = ["put", "--async", &urls[0], &urls[1], "-d"];
    assert!(run(&[&words[..], &[&format!("@{}", folder.path("large"))]].concat()).status.success());
    for server in &servers {
        let request = server.request();
        assert!(request.contains("Content-Length: 3145728\r\n") && request.ends_with(&large));
    }
    // Of the standard input, each gets a copy.
    let mut child = command(&[&words[..], &["@-"]].concat());
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"from the input").unwrap();
    assert!(child.wait().unwrap().success());
    servers.iter().for_each(|server| assert!(server.request().ends_with("\r\n\r\nfrom the input")));
}

#[test]
fn time_is_up_for_what_is_pending() {
    let (server, start) = (Holder::new(), Instant::now());
    let urls: Vec<String> = (0..10).map(|number| format!("{}/{number}", server.url)).collect();
    let mut words = vec!["get", "--async", "--parallel-max", "8", "--max-time", "0.7"];
    words.extend(urls.iter().map(String::as_str));
    let child = command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut held: Vec<(usize, TcpStream)> = (0..8).map(|_| server.next()).collect();
    held.iter_mut().filter(|(number, _)| *number == 3).for_each(|(_, stream)| answer(3, stream));
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(28), body(3)), "{said}");
    assert_eq!(said.matches("time is up; a larger --max-time").count(), 9, "{said}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn one_document_for_all() {
    let server = Server::new(&[HELLO]);
    let urls = ["http://127.0.0.1:1/", &server.url("/")];
    let output = run(&["get", "--async", "--json", urls[0], urls[1]]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &told[0]["error"]["code"]), (Some(7), &12029.into()));
    assert_eq!((&told[1]["body"], &told[1]["url"]), (&"hello\n".into(), &urls[1].into()));
}
