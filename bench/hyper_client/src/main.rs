//! hyper's HTTP/1.1 client on one thread: so many connections, on each one request at a time.
//!
//!     hyper_client PORT REQUESTS [CONNECTIONS]
//!
//! It has no pool and no URL to take apart, which makes it the leanest that hyper can be. Prints requests and CPU
//! microseconds of this process as JSON, after a warm-up of a tenth.

use std::cell::Cell;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

const BODY: usize = "Hello, world!".len();

async fn connect(port: u16) -> SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("connect");
    stream.set_nodelay(true).expect("nodelay");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("handshake");
    tokio::task::spawn_local(connection);
    sender
}

async fn fetch(sender: &mut SendRequest<Empty<Bytes>>) {
    let request = hyper::Request::get("/plain")
        .header("User-Agent", "bench")
        .header("Host", "127.0.0.1")
        .body(Empty::new())
        .expect("request");
    sender.ready().await.expect("ready");
    let mut response = sender.send_request(request).await.expect("response");
    let mut total = 0;
    while let Some(frame) = response.frame().await {
        total += frame.expect("frame").data_ref().map_or(0, Bytes::len);
    }
    assert_eq!(total, BODY, "the body's length");
}

async fn fetch_all(senders: &mut Vec<SendRequest<Empty<Bytes>>>, count: u64) {
    let left = Rc::new(Cell::new(count));
    let tasks: Vec<_> = senders
        .drain(..)
        .map(|mut sender| {
            let left = Rc::clone(&left);
            tokio::task::spawn_local(async move {
                while left.get() > 0 {
                    left.set(left.get() - 1);
                    fetch(&mut sender).await;
                }
                sender
            })
        })
        .collect();
    for task in tasks {
        senders.push(task.await.expect("task"));
    }
}

/// CPU time of this process so far, in microseconds: nanoseconds of its one thread by the scheduler's count.
fn cpu_now() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").expect("schedstat");
    text.split(' ').next().and_then(|field| field.parse::<f64>().ok()).expect("a number") / 1000.0
}

fn main() {
    let arguments: Vec<u64> = std::env::args().skip(1).map(|text| text.parse().expect("a number")).collect();
    let (port, count) = (arguments[0] as u16, arguments[1]);
    let connections = arguments.get(2).copied().unwrap_or(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let mut senders = Vec::new();
        for _ in 0..connections {
            senders.push(connect(port).await);
        }
        fetch_all(&mut senders, count / 10).await;
        let before = cpu_now();
        fetch_all(&mut senders, count).await;
        println!("{{\"requests\": {count}, \"cpu_us\": {:.1}}}", cpu_now() - before);
    });
}
