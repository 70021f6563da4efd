//! Channels that break, strangers that talk nonsense: no wait hangs, nothing is left behind.

use std::io::IoSlice;
use std::sync::Arc;

use super::engine::{Fake, Manner, patterned};
use super::{fake, start};
use crate::abi::error::Error;
use crate::net::fd_channel::FdChannel;
use crate::server::service::{
    ApiVersion, Body, BodyRead, Chunk, ConnectionId, OperationId, QueueId, RequestId, ResponseHead,
    SendFlags, Service,
};
use crate::share::body::{PART_BYTES, Part};
use crate::share::codec::{Encoder, Wire};
use crate::share::frames::{FrameReceiver, FrameSender};
use crate::share::guest::Guest;
use crate::share::host::Host;
use crate::share::message::{Answer, Ask, Command, Hello, Manage, Outcome, Traffic, VERSION};
use crate::win32::lent::{LentBuffer, LentBytes};

/// One side of a channel, driven by hand.
struct Hand {
    channel: Arc<FdChannel>,
    sender: FrameSender,
    receiver: FrameReceiver,
}

impl Hand {
    fn new(channel: FdChannel) -> Hand {
        let channel = Arc::new(channel);
        let sender = FrameSender::new(Arc::clone(&channel));
        let receiver = FrameReceiver::new(Arc::clone(&channel));
        Hand { channel, sender, receiver }
    }

    fn say(&self, message: impl Wire) {
        let mut encoder = Encoder::default();
        message.encode(&mut encoder);
        // The other side may be gone by design of the test.
        let _ = self.sender.send(&encoder.bytes, &encoder.files);
    }

    fn hear<T: Wire>(&mut self) -> (u64, T) {
        let (bytes, files) = self.receiver.receive().unwrap().expect("a message");
        crate::share::codec::Decoder::whole(bytes, files).unwrap()
    }

    fn is_ended(&mut self) -> bool {
        loop {
            match self.receiver.receive() {
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return true,
            }
        }
    }
}

/// A host of a fake engine, and the guest's end by hand, greeted.
fn host() -> (Arc<Fake>, Host, Hand) {
    let (near, far) = FdChannel::pair().unwrap();
    let engine = Arc::new(Fake::default());
    let host = Host::start(far, Arc::clone(&engine) as Arc<dyn Service>).unwrap();
    let mut hand = Hand::new(near);
    assert_eq!(hand.hear(), (0, Hello::OURS));
    hand.say((0_u64, Hello::OURS));
    (engine, host, hand)
}

/// A guest, and its host's end by hand, greeted.
fn guest() -> (Guest, Hand) {
    let (near, far) = FdChannel::pair().unwrap();
    let guest = Guest::new(near).unwrap();
    let mut hand = Hand::new(far);
    assert_eq!(hand.hear(), (0, Hello::OURS));
    hand.say((0_u64, Hello::OURS));
    (guest, hand)
}

#[test]
fn a_guest_that_goes_leaves_nothing_behind() {
    let (engine, guest) = fake();
    let session = guest.create_session().unwrap();
    guest.create_group(session).unwrap();
    let kept = guest.create_queue(ApiVersion::V2).unwrap();
    let closed = guest.create_queue(ApiVersion::V1).unwrap();
    guest.close_queue(closed).unwrap();
    *engine.manner.lock() = Manner::Held;
    let later = start(1, |pend| guest.receive(kept, pend)).later();
    // The guest hears that it pends before the engine has noted it.
    engine.wait_for("receive");
    engine.commands();
    drop(guest);
    assert_eq!(later.recv().unwrap().unwrap_err(), Error::OPERATION_ABORTED);
    assert_eq!(engine.commands(), [format!("close_queue {kept:?}"), format!("close_session {session:?}")]);
    // The host's threads have ended; the last of what they held may go a moment later.
    while Arc::strong_count(&engine) > 1 {
        std::thread::yield_now();
    }
}

#[test]
fn calls_on_a_broken_channel_fail_as_fits() {
    let (guest, hand) = guest();
    hand.channel.shutdown();
    let queue = QueueId(1);
    assert_eq!(guest.create_session(), Err(Error::INVALID_HANDLE));
    assert_eq!(guest.close_queue(queue), Err(Error::INVALID_HANDLE));
    let receive = start(1, |pend| guest.receive(queue, pend));
    assert_eq!(receive.outcome().unwrap_err(), Error::INVALID_HANDLE);
    let flags = SendFlags::default();
    let send = |pend: &mut dyn FnMut() -> _| {
        guest.send_response(queue, RequestId(1), flags, &ResponseHead::default(), &mut Body::new(), pend)
    };
    assert_eq!(start(2, send).outcome(), Err(Error::CONNECTION_INVALID));
    assert_eq!(guest.cancel_request(queue, RequestId(1)), Err(Error::CONNECTION_INVALID));
    let wait = start(3, |pend| guest.wait_for_disconnect(queue, ConnectionId(1), pend));
    assert_eq!(wait.outcome(), Err(Error::CONNECTION_INVALID));
    assert!(!guest.abort(queue, OperationId(1)));
}

#[test]
fn a_break_ends_calls_in_every_stage() {
    let (guest, mut hand) = guest();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| guest.create_session());
        let (tag, _) = hand.hear::<Command>();
        let pending = scope.spawn(|| start(1, |pend| guest.receive(QueueId(1), pend)).later());
        let (other, _) = hand.hear::<Command>();
        assert_ne!(tag, other);
        hand.say((other, Answer::Pending));
        let pending = pending.join().unwrap();
        hand.channel.shutdown();
        assert_eq!(asked.join().unwrap(), Err(Error::INVALID_HANDLE));
        assert_eq!(pending.recv().unwrap().unwrap_err(), Error::OPERATION_ABORTED);
    });
}

#[test]
fn a_break_in_a_full_channel_frees_the_writers() {
    let (guest, hand) = guest();
    std::thread::scope(|scope| {
        let sends: Vec<_> = (0..4)
            .map(|_| {
                let mut body = Body::from_iter([Chunk::Memory(LentBytes::owned(patterned(0, PART_BYTES)))]);
                let flags = SendFlags::default();
                let guest = &guest;
                scope.spawn(move || {
                    start(1, |pend| guest.send_body(QueueId(1), RequestId(1), flags, &mut body, pend))
                        .outcome()
                })
            })
            .collect();
        hand.channel.shutdown();
        for send in sends {
            assert_eq!(send.join().unwrap(), Err(Error::CONNECTION_INVALID));
        }
    });
}

#[test]
fn another_version_is_not_spoken_to() {
    let (near, far) = FdChannel::pair().unwrap();
    let engine: Arc<dyn Service> = Arc::new(Fake::default());
    let _host = Host::start(near, engine).unwrap();
    let mut hand = Hand::new(far);
    hand.say((0_u64, Hello { version: VERSION + 1, ..Hello::OURS }));
    assert!(hand.is_ended());

    let (near, far) = FdChannel::pair().unwrap();
    let guest = Guest::new(near).unwrap();
    Hand::new(far).say((0_u64, Hello { magic: 0, ..Hello::OURS }));
    assert_eq!(guest.create_session(), Err(Error::INVALID_HANDLE));
}

#[test]
fn nonsense_ends_the_channel_and_closes_everything() {
    let nonsense: [&[u8]; 4] =
        [b"\xFF\xFF\xFF\xFF\0\0\0\0", b"\x02\0\0\0\0\0\0\0\x01\xEE", &[0; 8], b"GET / HTTP/1.1\r\n"];
    for bytes in nonsense {
        let (engine, _host, mut hand) = host();
        hand.say((1_u64, Command::Manage(Manage::CreateSession)));
        assert!(matches!(hand.hear(), (1, Answer::Done(Ok(Outcome::Created(1))))));
        hand.channel.send(&[IoSlice::new(bytes)], &[]).unwrap();
        assert!(hand.is_ended(), "{bytes:?}");
        engine.wait_for("close_session SessionId(1)");
    }
}

#[test]
fn a_guest_that_breaks_the_rules_is_cut_off() {
    let receive = || Command::Traffic(Traffic { queue: QueueId(1), ask: Ask::Receive });
    let body = |last| Part { chunks: Vec::new(), last };
    let send = |last| {
        Command::Traffic(Traffic {
            queue: QueueId(1),
            ask: Ask::SendBody(RequestId(1), SendFlags::default(), body(last)),
        })
    };
    let faults: [[Command; 2]; 3] = [
        [receive(), receive()],
        [receive(), Command::More(body(true))],
        [send(false), Command::More(body(true))],
    ];
    for [first, second] in faults {
        let (engine, _host, mut hand) = host();
        *engine.manner.lock() = Manner::Held;
        hand.say((1_u64, Command::Manage(Manage::CreateQueue(ApiVersion::V2))));
        hand.hear::<Answer>();
        hand.say((2_u64, first));
        assert!(matches!(hand.hear(), (2, Answer::Pending)));
        hand.say((2_u64, second));
        assert!(hand.is_ended());
        engine.wait_for("close_queue QueueId(1)");
    }
}

#[test]
fn a_host_that_breaks_the_rules_is_left() {
    let read = |count: usize| Answer::Data(crate::share::codec::Bytes(vec![7; count]));
    for answer in [read(5), Answer::Pull, Answer::Done(Ok(Outcome::Nothing))] {
        let (guest, mut hand) = guest();
        let wrong_kind = matches!(answer, Answer::Done(_));
        std::thread::scope(|scope| {
            let read = scope.spawn(|| {
                let buffer = LentBuffer::owned(vec![0; 4]);
                start(1, |pend| guest.read_body(QueueId(1), RequestId(1), BodyRead::Some, buffer, pend))
                    .outcome()
            });
            let (tag, _) = hand.hear::<Command>();
            hand.say((tag, answer));
            let error = if wrong_kind { Error::INTERNAL_ERROR } else { Error::CONNECTION_INVALID };
            assert_eq!(read.join().unwrap().unwrap_err(), error);
        });
        if !wrong_kind {
            assert!(hand.is_ended());
        }
    }
}

#[test]
fn a_head_too_long_for_a_message_is_refused_and_the_guest_lives() {
    let (_engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    let head =
        ResponseHead { text: vec![b'x'; crate::share::frames::MAX_MESSAGE], ..ResponseHead::default() };
    let flags = SendFlags::default();
    let send =
        start(1, |pend| guest.send_response(queue, RequestId(1), flags, &head, &mut Body::new(), pend))
            .outcome();
    assert_eq!(send, Err(Error::NOT_ENOUGH_MEMORY));
    assert!(guest.create_session().is_ok());
}

#[test]
fn a_guest_that_does_not_listen_does_not_hold_up_the_engine() {
    let (engine, host, hand) = host();
    *engine.upload.lock() = (u64::MAX, 0);
    *engine.manner.lock() = Manner::Held;
    hand.say((1_u64, Command::Manage(Manage::CreateQueue(ApiVersion::V2))));
    let count = 100;
    for tag in 2_u64..2 + count {
        let ask = Ask::ReadBody(RequestId(1), BodyRead::Some, PART_BYTES as u64);
        hand.say((tag, Command::Traffic(Traffic { queue: QueueId(1), ask })));
    }
    hand.say((1_u64, Command::Manage(Manage::CreateSession)));
    engine.wait_for("create_session");
    engine.wait_held(count as usize);
    // Returns though nobody takes the 50 MiB that are answered.
    engine.release();
    hand.channel.shutdown();
    drop(host);
    engine.wait_for("close_queue");
}
