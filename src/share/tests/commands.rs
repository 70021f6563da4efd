//! Every command reaches the engine with its arguments, and its result or error comes back.

use super::engine::{delivery, pattern, patterned};
use super::{fake, start};
use crate::abi::error::Error;
use crate::server::service::{
    ApiVersion, AuthScheme, Body, BodyRead, CachePolicy, Chunk, ConnectionId, Extras, FragmentPart, Holder,
    Identity, Property, PropertyKind, QueueId, Range, RequestId, ResponseField, ResponseHead, SendFlags,
    SessionId, Timeouts, UrlOwner, Verbosity,
};
use crate::win32::lent::{LentBuffer, LentBytes};

#[test]
fn sessions_groups_and_urls() {
    let (engine, guest) = fake();
    let session = guest.create_session().unwrap();
    let group = guest.create_group(session).unwrap();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    guest.bind_group(group, Some(queue)).unwrap();
    guest.bind_group(group, None).unwrap();
    let url = [0x68, 0xD800, 0xFFFF];
    guest.add_url(UrlOwner::Group(group), &url, u64::MAX).unwrap();
    guest.add_url(UrlOwner::Queue(queue), &[], 0).unwrap();
    guest.remove_url(UrlOwner::Group(group), Some(&url)).unwrap();
    guest.remove_url(UrlOwner::Queue(queue), None).unwrap();
    guest.shutdown_queue(queue).unwrap();
    guest.close_queue(queue).unwrap();
    guest.close_group(group).unwrap();
    guest.close_session(session).unwrap();
    assert_eq!(
        engine.commands(),
        [
            "create_session",
            "create_group SessionId(1)",
            "create_queue V2",
            "bind_group GroupId(2) Some(QueueId(3))",
            "bind_group GroupId(2) None",
            "add_url Group(GroupId(2)) [104, 55296, 65535] 18446744073709551615",
            "add_url Queue(QueueId(3)) [] 0",
            "remove_url Group(GroupId(2)) Some([104, 55296, 65535])",
            "remove_url Queue(QueueId(3)) None",
            "shutdown_queue QueueId(3)",
            "close_queue QueueId(3)",
            "close_group GroupId(2)",
            "close_session SessionId(1)",
        ]
    );
}

#[test]
fn properties_of_every_kind() {
    let (engine, guest) = fake();
    let session = Holder::Session(guest.create_session().unwrap());
    let queue = Holder::Queue(guest.create_queue(ApiVersion::V1).unwrap());
    engine.commands();
    let timeouts = Timeouts { idle_connection: 0xFFFF, min_send_rate: 7, ..Timeouts::default() };
    let set = [
        Property::State(None),
        Property::Timeouts(Some(timeouts)),
        Property::QueueLength(u32::MAX),
        Property::Verbosity(Verbosity::Limited),
    ];
    for property in set {
        guest.set_property(session, property.clone()).unwrap();
        assert_eq!(engine.commands(), [format!("set_property {session:?} {property:?}")]);
    }
    let kinds =
        [PropertyKind::State, PropertyKind::Timeouts, PropertyKind::QueueLength, PropertyKind::Verbosity];
    for kind in kinds {
        use crate::server::service::Service;
        assert_eq!(guest.property(queue, kind), engine.property(queue, kind));
    }
}

#[test]
fn a_request_is_told_whole() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    let taken = start(1, |pend| guest.receive(queue, pend)).outcome().unwrap();
    assert_eq!(format!("{taken:?}"), format!("{:?}", delivery(queue.0)));
    let again = guest.receive_again(queue, RequestId(9)).unwrap();
    assert_eq!(format!("{again:?}"), format!("{:?}", delivery(9)));
    // The words for people leave the password out.
    assert_eq!(again.extras, delivery(9).extras);
    guest.cancel_request(queue, RequestId(9)).unwrap();
    start(2, |pend| guest.wait_for_disconnect(queue, ConnectionId(4), pend)).outcome().unwrap();
    assert_eq!(
        engine.commands()[3..],
        ["cancel_request QueueId(1) RequestId(9)", "wait_for_disconnect QueueId(1) ConnectionId(4)"]
    );
}

#[test]
fn a_verdict_is_told_whole() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    engine.commands();
    let identity = Identity::success(AuthScheme::Digest, b"ann", Some("rspauth".into()));
    guest.tell_identity(queue, RequestId(9), Box::new(identity.clone())).unwrap();
    assert_eq!(engine.commands(), [format!("tell_identity QueueId(1) RequestId(9) {identity:?}")]);
}

#[test]
fn a_response_is_told_whole() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    engine.commands();
    let chunk = Chunk::Memory(LentBytes::owned(b"abc".to_vec()));
    guest.add_fragment(queue, &[47], Body::from_iter([chunk]), CachePolicy::UserInvalidates).unwrap();
    let range = Range { offset: 2, length: Some(3) };
    assert_eq!(guest.read_fragment(queue, &[47], range, 9).unwrap().bytes, b"234");
    assert_eq!(
        guest.read_fragment(queue, &[47], range, 2).unwrap(),
        FragmentPart { length: 3, bytes: Vec::new() }
    );
    guest.flush_cache(queue, &[47], true).unwrap();
    assert_eq!(
        engine.commands(),
        [
            "add_fragment QueueId(1) [47] [[97, 98, 99]] UserInvalidates",
            "read_fragment QueueId(1) [47] Range { offset: 2, length: Some(3) } 9",
            "read_fragment QueueId(1) [47] Range { offset: 2, length: Some(3) } 2",
            "flush_cache QueueId(1) [47] true",
        ]
    );
    let head = ResponseHead {
        status: 999,
        text: b"ReasonX-Fieldvalue".to_vec(),
        reason_len: 6,
        fields: vec![ResponseField { id: 255, name: (6, 7), value: (13, 5) }],
        suppress_server: true,
        extras: Some(Box::new(Extras { cache: CachePolicy::TimeToLive(9), ..Extras::default() })),
    };
    let flags = SendFlags { disconnect: true, buffer_data: true, ..SendFlags::default() };
    let chunk = |at, len| Chunk::Memory(LentBytes::owned(patterned(at, len)));
    let mut body = Body::from_iter([chunk(0, 5), chunk(5, 0), chunk(5, 3)]);
    let sent = start(1, |pend| guest.send_response(queue, RequestId(7), flags, &head, &mut body, pend));
    assert_eq!(sent.outcome(), Ok(8));
    let flags = SendFlags { more_data: true, nagling: true, opaque: true, ..SendFlags::default() };
    let mut body = Body::from_iter([chunk(8, 2)]);
    assert_eq!(
        start(2, |pend| guest.send_body(queue, RequestId(7), flags, &mut body, pend)).outcome(),
        Ok(2)
    );
    let first = SendFlags { disconnect: true, buffer_data: true, ..SendFlags::default() };
    assert_eq!(
        engine.commands(),
        [
            format!("send_response QueueId(1) RequestId(7) {first:?} {head:?}"),
            format!("send_body QueueId(1) RequestId(7) {flags:?}"),
        ]
    );
}

#[test]
fn reads_fill_the_buffer_that_was_lent() {
    let (engine, guest) = fake();
    let queue = guest.create_queue(ApiVersion::V2).unwrap();
    *engine.upload.lock() = (10, 0);
    let read = |mode, len| {
        let buffer = LentBuffer::owned(vec![0xEE; len]);
        start(1, |pend| guest.read_body(queue, RequestId(7), mode, buffer, pend)).outcome()
    };
    assert_eq!(read(BodyRead::Some, 0).unwrap_err(), Error::MORE_DATA);
    let mut part = read(BodyRead::Arrived, 6).unwrap();
    assert_eq!((part.buffer.len(), part.len, part.more_body), (6, 6, true));
    assert_eq!(part.buffer.as_mut_slice(), patterned(0, 6));
    let mut part = read(BodyRead::Fill, 6).unwrap();
    assert_eq!((part.buffer.len(), part.len, part.more_body), (6, 4, false));
    assert_eq!(part.buffer.as_mut_slice()[3..], [pattern(9), 0xEE, 0xEE]);
    assert_eq!(read(BodyRead::Some, 6).unwrap_err(), Error::HANDLE_EOF);
    assert_eq!(read(BodyRead::Some, 0).unwrap_err(), Error::HANDLE_EOF);
}

#[test]
fn errors_come_back_as_they_are() {
    let (engine, guest) = fake();
    let fails = |error| *engine.fail.lock() = Some(error);
    fails(Error::NO_SYSTEM_RESOURCES);
    assert_eq!(guest.create_session(), Err(Error::NO_SYSTEM_RESOURCES));
    let queue = guest.create_queue(ApiVersion::V1).unwrap();
    fails(Error::SHARING_VIOLATION);
    assert_eq!(guest.add_url(UrlOwner::Queue(queue), &[1], 0), Err(Error::SHARING_VIOLATION));
    fails(Error(4242));
    assert_eq!(start(1, |pend| guest.receive(queue, pend)).outcome().unwrap_err(), Error(4242));
    fails(Error::CONNECTION_INVALID);
    assert_eq!(guest.cancel_request(queue, RequestId(1)), Err(Error::CONNECTION_INVALID));
}

#[test]
fn what_belongs_to_others_is_unknown() {
    let (engine, guest) = fake();
    guest.close_session(SessionId(5)).unwrap();
    guest.close_queue(QueueId(5)).unwrap();
    let session = guest.create_session().unwrap();
    let group = guest.create_group(session).unwrap();
    guest.close_session(session).unwrap();
    guest.close_group(group).unwrap();
    let nobody = u64::MAX;
    let commands = engine.commands();
    assert_eq!(commands[0], format!("close_session SessionId({nobody})"));
    assert_eq!(commands[1], format!("close_queue QueueId({nobody})"));
    assert_eq!(commands[5], format!("close_group GroupId({nobody})"));
}
