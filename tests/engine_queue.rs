//! Queues: who gets a request, what counts as waiting, and what closing does.

mod engine_support;
use engine_support::*;
use nthttp::abi::error::Error;
use nthttp::server::service::*;
use nthttp::win32::wait::Waiter;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[test]
fn requests_whose_clients_left_do_not_fill_the_queue() {
    let server = Server::new();
    server.service.set_property(Holder::Queue(server.queue), Property::QueueLength(2)).unwrap();
    for _ in 0..3 {
        let mut client = server.client();
        put(&mut client, GET);
        settle();
        reset(client);
        settle();
    }
    let mut client = server.client();
    put(&mut client, GET);
    settle();
    server.answer(server.next(), "taken");
    read_until(&mut client, "taken");
}

/// Closes with a reset.
fn reset(stream: std::net::TcpStream) {
    use std::os::fd::OwnedFd;
    let socket = nthttp::net::socket::Socket::from_fd(OwnedFd::from(stream));
    socket.reset_on_close();
}

/// A round trip through the engine on a connection of its own: what came before it has been handled.
fn settle() {
    for _ in 0..3 {
        let other = Server::new();
        let mut client = other.client();
        put(&mut client, GET);
        other.answer(other.next(), "settled");
        read_until(&mut client, "settled");
    }
}

#[test]
fn a_thread_woken_for_nothing_waits_once() {
    let server = Arc::new(Server::new());
    let (tell, told) = channel();
    let receiving = Arc::clone(&server);
    let thread = std::thread::spawn(move || {
        tell.send(Waiter::current()).unwrap();
        let first = receiving.service.receive_blocking(receiving.queue).unwrap().unwrap().request;
        tell.send(Waiter::current()).unwrap();
        // Answered on this thread: a request behind it in the same connection arrives in this call.
        receiving.answer(first, "one");
        let second = receiving.service.receive_blocking(receiving.queue).unwrap().unwrap().request;
        receiving.answer(second, "two");
    });
    let waiter = told.recv().unwrap();
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(1));
        waiter.notify();
    }
    let mut client = server.client();
    put(&mut client, [GET, GET].concat());
    told.recv().unwrap();
    read_until(&mut client, "one");
    read_until(&mut client, "two");
    thread.join().unwrap();
}

#[test]
fn many_connections_many_threads() {
    let server = Arc::new(Server::new());
    let served = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (server, served) = (Arc::clone(&server), Arc::clone(&served));
            std::thread::spawn(move || {
                while let Ok(delivery) = server.service.receive_blocking(server.queue).unwrap() {
                    let request = delivery.request;
                    drop(delivery);
                    server.answer(request, "yes!");
                    served.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let server = Arc::clone(&server);
            std::thread::spawn(move || {
                let mut streams: Vec<_> = (0..40).map(|_| server.client()).collect();
                for _ in 0..20 {
                    streams.iter_mut().for_each(|s| put(s, GET));
                    streams.iter_mut().for_each(|s| drop(read_until(s, "yes!")));
                }
            })
        })
        .collect();
    clients.into_iter().for_each(|c| c.join().unwrap());
    assert_eq!(served.load(Ordering::Relaxed), 4 * 40 * 20);
    server.service.shutdown_queue(server.queue).unwrap();
    threads.into_iter().for_each(|t| t.join().unwrap());
}

/// Clients that come, ask and reset at all moments, until told to stop.
fn rude_clients(port: u16, stop: &Arc<AtomicBool>) -> Vec<std::thread::JoinHandle<()>> {
    let rude = move |seed: usize, stop: Arc<AtomicBool>| {
        let ask = [GET, GET, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbody", GET].concat();
        for round in (0..).step_by(7).map(|n| n + seed) {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) else { return };
            let _ = stream.write_all(&ask.as_bytes()[..round % ask.len()]);
            if round % 3 == 0 {
                reset(stream);
            }
        }
    };
    (0..3)
        .map(|seed| {
            let stop = Arc::clone(stop);
            std::thread::spawn(move || rude(seed, stop))
        })
        .collect()
}

#[test]
fn resets_at_all_moments_harm_nobody_else() {
    let server = Arc::new(Server::new());
    let stop = Arc::new(AtomicBool::new(false));
    let rude = rude_clients(server.port, &stop);
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let server = Arc::clone(&server);
            std::thread::spawn(move || {
                while let Ok(delivery) = server.service.receive_blocking(server.queue).unwrap() {
                    if delivery.more_body {
                        drop(server.read(delivery.request, BodyRead::Fill, 100).outcome());
                    }
                    let _ =
                        server.send(delivery.request, SendFlags::default(), 200, b"fine".to_vec()).outcome();
                }
            })
        })
        .collect();
    let mut polite = server.client();
    for _ in 0..300 {
        put(&mut polite, GET);
        read_until(&mut polite, "fine");
    }
    stop.store(true, Ordering::Relaxed);
    rude.into_iter().for_each(|c| c.join().unwrap());
    server.service.shutdown_queue(server.queue).unwrap();
    workers.into_iter().for_each(|w| w.join().unwrap());
}

#[test]
fn closing_under_load_completes_every_receive_once() {
    for _ in 0..5 {
        let server = Server::new();
        let stop = Arc::new(AtomicBool::new(false));
        let rude = rude_clients(server.port, &stop);
        let pending: Vec<_> = (0..50).map(|_| server.receive()).collect();
        let taken = Mutex::new(Vec::new());
        until("some requests arrive", || {
            taken.lock().unwrap().extend(pending.iter().filter_map(|p| p.outcome_now()));
            taken.lock().unwrap().len() > 10
        });
        server.service.close_queue(server.queue).unwrap();
        let late: Vec<_> = pending.into_iter().filter_map(|p| p.outcome_if_any()).collect();
        let all = taken.into_inner().unwrap().into_iter().chain(late);
        assert_eq!(all.filter(|o| matches!(o, Ok(_) | Err(Error::OPERATION_ABORTED))).count(), 50);
        stop.store(true, Ordering::Relaxed);
        rude.into_iter().for_each(|c| c.join().unwrap());
    }
}
