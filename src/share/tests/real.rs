//! The engine itself behind a guest: one exchange over TCP, large both ways.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::engine::patterned;
use super::start;
use crate::abi::error::Error;
use crate::server::service::{
    ApiVersion, Body, BodyRead, Chunk, Property, ResponseHead, SendFlags, UrlOwner,
};
use crate::win32::lent::{LentBuffer, LentBytes};

const LARGE: usize = 5_000_000;

#[test]
fn an_exchange_through_the_socket_pair() {
    let service = crate::share::pair(crate::server::local().unwrap()).unwrap();
    let session = service.create_session().unwrap();
    let group = service.create_group(session).unwrap();
    let queue = service.create_queue(ApiVersion::V2).unwrap();
    service.bind_group(group, Some(queue)).unwrap();
    let holder = crate::server::service::Holder::Group(group);
    service.set_property(holder, Property::State(Some(true))).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url: Vec<u16> = format!("http://localhost:{port}/").encode_utf16().collect();
    service.add_url(UrlOwner::Group(group), &url, 42).unwrap();

    let receive = start(1, |pend| service.receive(queue, pend));
    let client = std::thread::spawn(move || {
        let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(client, "POST /x HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: {LARGE}\r\n\r\n")
            .unwrap();
        client.write_all(&patterned(0, LARGE)).unwrap();
        let mut response = Vec::new();
        client.read_to_end(&mut response).unwrap();
        response
    });
    let delivery = receive.outcome().unwrap();
    assert_eq!((delivery.url_context, delivery.head.path()), (42, &b"/x"[..]));
    let request = delivery.request;
    drop(delivery);

    let read = |operation| {
        let buffer = LentBuffer::owned(vec![0; LARGE + 1]);
        start(operation, |pend| service.read_body(queue, request, BodyRead::Fill, buffer, pend)).outcome()
    };
    let mut part = read(2).unwrap();
    assert_eq!((part.len, part.more_body), (LARGE, false));
    assert!(part.buffer.as_mut_slice()[..LARGE] == patterned(0, LARGE), "body differs");
    assert_eq!(read(3).unwrap_err(), Error::HANDLE_EOF);

    let head = ResponseHead { status: 200, text: b"Fine".to_vec(), reason_len: 4, ..ResponseHead::default() };
    let flags = SendFlags { disconnect: true, ..SendFlags::default() };
    let mut body = Body::from_iter([Chunk::Memory(LentBytes::owned(patterned(0, LARGE)))]);
    let sent = start(4, |pend| service.send_response(queue, request, flags, &head, &mut body, pend));
    let response = client.join().unwrap();
    assert_eq!(sent.outcome(), Ok(response.len() as u64));
    let (head, body) = response.split_at(response.len() - LARGE);
    let head = String::from_utf8_lossy(head);
    assert!(head.starts_with("HTTP/1.1 200 Fine\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nContent-Length: {LARGE}\r\n")), "{head}");
    assert!(body == patterned(0, LARGE), "body differs");

    drop(service);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the guest's URL is gone");
}
