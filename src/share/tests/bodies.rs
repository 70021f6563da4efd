//! Bodies both ways: large ones in steps, files by range, aborts on the way.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::engine::{Manner, patterned};
use super::{fake, start};
use crate::abi::error::Error;
use crate::server::service::{
    ApiVersion, Body, BodyRead, Chunk, OperationId, RequestId, ResponseField, ResponseHead, SendFlags,
};
use crate::share::body::PART_BYTES;
use crate::share::frames::MAX_FILES;
use crate::win32::lent::{LentBuffer, LentBytes};

const LARGE: usize = 100 << 20;

fn memory(at: u64, len: usize) -> Chunk {
    Chunk::Memory(LentBytes::owned(patterned(at, len)))
}

fn head(status: u16, fields: &[ResponseField]) -> ResponseHead {
    let text = b"OKTransfer-Encoding".to_vec();
    ResponseHead {
        status,
        text,
        reason_len: 2,
        fields: fields.to_vec(),
        suppress_server: false,
        extras: None,
    }
}

/// A file without a name that holds `bytes`.
fn file(bytes: &[u8]) -> Arc<File> {
    let name = format!("nthttp-share-{}-{:?}", std::process::id(), std::thread::current().id());
    let path = std::env::temp_dir().join(name);
    let mut file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    file.write_all(bytes).unwrap();
    Arc::new(file)
}

#[test]
fn a_large_response_never_lies_whole_in_the_host() {
    for manner in [Manner::AtOnce, Manner::Later] {
        let (engine, guest) = fake();
        let queue = guest.create_queue(ApiVersion::V2).unwrap();
        *engine.manner.lock() = manner;
        let mut body = Body::from_iter([memory(0, LARGE), memory(LARGE as u64, 3)]);
        let flags = SendFlags { disconnect: true, ..SendFlags::default() };
        let head = head(200, &[ResponseField { id: 12, name: (0, 0), value: (0, 2) }]);
        let sent = start(1, |pend| guest.send_response(queue, RequestId(7), flags, &head, &mut body, pend));
        assert_eq!(sent.outcome(), Ok(LARGE as u64 + 3));
        assert_eq!(engine.sent.load(Ordering::Relaxed), LARGE as u64 + 3);
        assert_eq!(engine.most_lent.load(Ordering::Relaxed), PART_BYTES as u64);

        let commands = engine.commands();
        assert_eq!(commands.len(), 2 + LARGE / PART_BYTES);
        assert!(commands[1].contains("disconnect: false, more_data: true"));
        assert!(commands[1].contains("[ResponseField { id: 11, name: (0, 0), value: (19, 9) }, "));
        assert!(commands[commands.len() - 1].contains("disconnect: true, more_data: false"));
    }
}

#[test]
fn the_engine_hears_of_a_long_body_what_it_would_have_counted() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    let own = |id, name| ResponseField { id, name, value: (0, 2) };
    let announced = |status, more_data, fields: &[ResponseField]| {
        engine.sent.store(0, Ordering::Relaxed);
        engine.commands();
        let flags = SendFlags { more_data, ..SendFlags::default() };
        let mut body = Body::from_iter([memory(0, PART_BYTES + 1)]);
        let head = head(status, fields);
        let sent = start(1, |pend| guest.send_response(queue, RequestId(7), flags, &head, &mut body, pend));
        assert_eq!(sent.outcome(), Ok(PART_BYTES as u64 + 1));
        engine.commands()[0].contains("value: (19, 6)")
    };
    assert!(announced(200, false, &[]));
    assert!(announced(404, false, &[own(10, (0, 0))]));
    assert!(!announced(200, true, &[]));
    assert!(!announced(204, false, &[]) && !announced(304, false, &[]));
    assert!(!announced(200, false, &[own(11, (0, 0))]));
    assert!(!announced(200, false, &[own(6, (0, 0))]));
    assert!(!announced(200, false, &[own(255, (2, 17))]));
    assert!(announced(200, false, &[own(255, (2, 8))]));
}

#[test]
fn a_large_read_fills_the_whole_buffer() {
    for manner in [Manner::AtOnce, Manner::Early, Manner::Later] {
        let (engine, guest) = fake();
        let queue = guest.create_queue(ApiVersion::V2).unwrap();
        *engine.manner.lock() = manner;
        *engine.upload.lock() = (LARGE as u64 + 9, 0);
        let buffer = LentBuffer::owned(vec![0; LARGE]);
        let read = start(1, |pend| guest.read_body(queue, RequestId(7), BodyRead::Fill, buffer, pend));
        let mut part = read.outcome().unwrap();
        assert_eq!((part.len, part.more_body), (LARGE, true));
        assert!(part.buffer.as_mut_slice() == patterned(0, LARGE), "body differs");

        let buffer = LentBuffer::owned(vec![0; LARGE]);
        let read = start(2, |pend| guest.read_body(queue, RequestId(7), BodyRead::Fill, buffer, pend));
        let part = read.outcome().unwrap();
        assert_eq!((part.len, part.more_body), (9, false));
    }
}

#[test]
fn a_read_that_waits_for_some_does_not_wait_for_more() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    *engine.upload.lock() = (3 * PART_BYTES as u64, 0);
    let buffer = LentBuffer::owned(vec![0; 2 * PART_BYTES]);
    let read = start(1, |pend| guest.read_body(queue, RequestId(7), BodyRead::Some, buffer, pend));
    let part = read.outcome().unwrap();
    assert_eq!((part.buffer.len(), part.len, part.more_body), (2 * PART_BYTES, PART_BYTES, true));
    assert_eq!(engine.commands().len(), 2);
}

#[test]
fn files_travel_with_their_ranges() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    *engine.kept.lock() = Some(Vec::new());
    let file = file(b"0123456789");
    let range = |offset, length| Chunk::File { file: Arc::clone(&file), offset, length };
    let text = Chunk::Memory(LentBytes::owned(b"-".to_vec()));
    let mut body = Body::from_iter([range(2, Some(3)), text, range(7, None), range(4, Some(0))]);
    let flags = SendFlags::default();
    let sent =
        start(1, |pend| guest.send_response(queue, RequestId(7), flags, &head(200, &[]), &mut body, pend));
    assert_eq!(sent.outcome(), Ok(7));
    assert_eq!(engine.kept.lock().as_deref(), Some(&b"234-789"[..]));
}

#[test]
fn more_files_than_fit_one_message() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    *engine.kept.lock() = Some(Vec::new());
    let file = file(b"0123456789");
    let count = 3 * MAX_FILES + 5;
    let digit = |at| Chunk::File { file: Arc::clone(&file), offset: at as u64 % 10, length: Some(1) };
    let mut body: Body = (0..count).map(digit).collect();
    let sent = start(1, |pend| guest.send_body(queue, RequestId(7), SendFlags::default(), &mut body, pend));
    assert_eq!(sent.outcome(), Ok(count as u64));
    let expected: Vec<u8> = (0..count).map(|at| b'0' + (at % 10) as u8).collect();
    assert_eq!(engine.kept.lock().as_deref(), Some(&expected[..]));
}

#[test]
fn a_file_that_is_no_file_comes_back_as_the_engines_business() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    *engine.fail.lock() = Some(Error::INVALID_PARAMETER);
    let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    let file = Arc::new(File::from(OwnedFd::from(socket)));
    let mut body = Body::from_iter([Chunk::File { file, offset: 0, length: None }]);
    let flags = SendFlags::default();
    let sent =
        start(1, |pend| guest.send_response(queue, RequestId(7), flags, &head(200, &[]), &mut body, pend));
    assert_eq!(sent.outcome(), Err(Error::INVALID_PARAMETER));
}

#[test]
fn an_error_between_two_parts_ends_the_send() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    *engine.manner.lock() = Manner::Held;
    let mut body = Body::from_iter([memory(0, 4 * PART_BYTES)]);
    let later =
        start(1, |pend| guest.send_body(queue, RequestId(7), SendFlags::default(), &mut body, pend)).later();
    engine.wait_for("send_body");
    *engine.fail.lock() = Some(Error::NETNAME_DELETED);
    *engine.manner.lock() = Manner::AtOnce;
    engine.release();
    assert_eq!(later.recv().unwrap(), Err(Error::NETNAME_DELETED));
    assert!(guest.create_session().is_ok());
}

#[test]
fn an_abort_ends_a_long_send_wherever_it_is() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    for round in 0..50 {
        engine.sent.store(0, Ordering::Relaxed);
        *engine.manner.lock() = if round % 2 == 0 { Manner::Held } else { Manner::Later };
        let mut body = Body::from_iter([memory(0, 16 * PART_BYTES)]);
        let send =
            start(round, |pend| guest.send_body(queue, RequestId(7), SendFlags::default(), &mut body, pend));
        let later = send.later();
        engine.wait_for("send_body");
        let found = guest.abort(queue, OperationId(round));
        let outcome = later.recv().unwrap();
        assert!(found || outcome == Ok(16 * PART_BYTES as u64), "{outcome:?}");
        assert!(round % 2 == 1 || outcome == Err(Error::OPERATION_ABORTED), "{outcome:?}");
        engine.commands();
    }
}

#[test]
fn an_abort_ends_a_long_read_wherever_it_is() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    for round in 0..50 {
        *engine.manner.lock() = if round % 2 == 0 { Manner::Held } else { Manner::Later };
        *engine.upload.lock() = (16 * PART_BYTES as u64, 0);
        let buffer = LentBuffer::owned(vec![0; 16 * PART_BYTES]);
        let read = start(round, |pend| guest.read_body(queue, RequestId(7), BodyRead::Fill, buffer, pend));
        let later = read.later();
        let found = guest.abort(queue, OperationId(round));
        let outcome = later.recv().unwrap().map(|part| part.len);
        assert!(found || outcome == Ok(16 * PART_BYTES), "{outcome:?}");
        assert!(round % 2 == 1 || outcome == Err(Error::OPERATION_ABORTED), "{outcome:?}");
    }
}
