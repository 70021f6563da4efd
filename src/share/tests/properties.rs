//! The encoding: what is written is read back the same, and nothing that is read can do harm.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::LazyJust;

use super::engine::delivery;
use crate::abi::error::Error;
use crate::server::service::{
    BodyRead, ConnectionId, GroupId, Holder, Property, PropertyKind, QueueId, RequestId, ResponseField,
    ResponseHead, SendFlags, SessionId, Timeouts, UrlOwner,
};
use crate::share::body::{Part, PartChunk};
use crate::share::codec::{Bytes, Decoder, Encoder, Malformed, Utf16, Wire};
use crate::share::message::{Answer, Ask, Command, Manage, Outcome, Response, Traffic};
use crate::wire::Span;
use crate::wire::field::Field;
use crate::wire::request::Framing;

fn encoded(value: &impl Wire) -> Vec<u8> {
    let mut encoder = Encoder::default();
    value.encode(&mut encoder);
    assert!(encoder.files.is_empty());
    encoder.bytes
}

/// A stretch of a text of `len` bytes.
fn stretch(len: u32) -> impl Strategy<Value = (u32, u32)> {
    (0..=len).prop_flat_map(move |start| (Just(start), 0..=len - start))
}

fn part() -> impl Strategy<Value = Part> {
    let chunk = vec(any::<u8>(), 0..40).prop_map(|bytes| PartChunk::Memory(Bytes(bytes)));
    (vec(chunk, 0..4), any::<bool>()).prop_map(|(chunks, last)| Part { chunks, last })
}

fn flags() -> impl Strategy<Value = SendFlags> {
    any::<[bool; 6]>().prop_map(|[disconnect, more_data, buffer_data, nagling, opaque, process_ranges]| {
        SendFlags { process_ranges, disconnect, more_data, buffer_data, nagling, opaque }
    })
}

fn response_head() -> impl Strategy<Value = ResponseHead> {
    let text = vec(any::<u8>(), 0..60);
    text.prop_flat_map(|text| {
        let len = text.len() as u32;
        let field = (any::<u8>(), stretch(len), stretch(len));
        let field = field.prop_map(|(id, name, value)| ResponseField { id, name, value });
        (any::<u16>(), Just(text), 0..=len, vec(field, 0..5), any::<bool>())
    })
    .prop_map(|(status, text, reason_len, fields, suppress_server)| ResponseHead {
        status,
        text,
        reason_len,
        fields,
        suppress_server,
        extras: None,
    })
}

fn manage() -> impl Strategy<Value = Manage> {
    let id = any::<u64>;
    let owner = prop_oneof![
        id().prop_map(|id| UrlOwner::Group(GroupId(id))),
        id().prop_map(|id| UrlOwner::Queue(QueueId(id)))
    ];
    let url = vec(any::<u16>(), 0..20).prop_map(Utf16);
    let property = prop_oneof![
        option::of(any::<bool>()).prop_map(Property::State),
        option::of(any::<(u16, u32)>()).prop_map(|numbers| Property::Timeouts(numbers.map(
            |(header_wait, min_send_rate)| Timeouts { header_wait, min_send_rate, ..Timeouts::default() }
        ))),
        any::<u32>().prop_map(Property::QueueLength),
    ];
    prop_oneof![
        LazyJust::new(|| Manage::CreateSession),
        id().prop_map(|id| Manage::CloseSession(SessionId(id))),
        (id(), option::of(id()))
            .prop_map(|(group, queue)| Manage::BindGroup(GroupId(group), queue.map(QueueId))),
        (owner.clone(), url.clone(), id())
            .prop_map(|(owner, url, context)| Manage::AddUrl(owner, url, context)),
        (owner, option::of(url)).prop_map(|(owner, url)| Manage::RemoveUrl(owner, url)),
        (id(), property).prop_map(|(id, property)| Manage::SetProperty(Holder::Group(GroupId(id)), property)),
        id().prop_map(|id| Manage::Property(Holder::Session(SessionId(id)), PropertyKind::Timeouts)),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let request = || any::<u64>().prop_map(RequestId);
    let mode = prop_oneof![Just(BodyRead::Arrived), Just(BodyRead::Some), Just(BodyRead::Fill)];
    let response = (request(), flags(), response_head(), part(), option::of(any::<u64>()));
    prop_oneof![
        LazyJust::new(|| Ask::Receive),
        request().prop_map(Ask::ReceiveAgain),
        (request(), mode, any::<u64>()).prop_map(|(request, mode, len)| Ask::ReadBody(request, mode, len)),
        response.prop_map(|(request, flags, head, part, total)| {
            Ask::SendResponse(Response { request, flags, head, part, total })
        }),
        (request(), flags(), part()).prop_map(|(request, flags, part)| Ask::SendBody(request, flags, part)),
        any::<u64>().prop_map(|id| Ask::WaitForDisconnect(ConnectionId(id))),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    let traffic = (any::<u64>(), ask());
    prop_oneof![
        manage().prop_map(Command::Manage),
        traffic.prop_map(|(queue, ask)| Command::Traffic(Traffic { queue: QueueId(queue), ask })),
        part().prop_map(Command::More),
        any::<u64>().prop_map(Command::Abort),
    ]
}

prop_compose! {
    fn a_delivery()(
        request in any::<u64>(),
        bytes in vec(any::<u8>(), 0..80),
        path in option::of(any::<String>()),
        port in any::<u16>(),
        framing in prop_oneof![Just(Framing::None), any::<u64>().prop_map(Framing::Length), Just(Framing::Chunked)],
    )(
        spans in vec(stretch(bytes.len() as u32).prop_map(|(start, len)| Span { start, len }), 7),
        bytes in Just(bytes), request in Just(request), path in Just(path), port in Just(port),
        framing in Just(framing),
    ) -> Outcome {
        let mut delivery = delivery(request);
        let head = std::sync::Arc::make_mut(&mut delivery.head);
        (head.verb_text, head.target, head.raw_path) = (spans[0], spans[1], spans[2]);
        (head.raw_query, head.host) = (spans[3], Some(spans[4]));
        head.fields = vec![Field { id: 255, name: spans[5], value: spans[6] }];
        (head.bytes, head.decoded_path, head.framing) = (bytes, path, framing);
        delivery.remote.set_port(port);
        Outcome::Delivery(delivery)
    }
}

fn answer() -> impl Strategy<Value = Answer> {
    let bytes = || vec(any::<u8>(), 0..50).prop_map(Bytes);
    let outcome = prop_oneof![
        LazyJust::new(|| Outcome::Nothing),
        any::<u64>().prop_map(Outcome::Created),
        any::<bool>().prop_map(Outcome::Aborted),
        any::<u32>().prop_map(|requests| Outcome::Property(Property::QueueLength(requests))),
        a_delivery(),
        (bytes(), any::<bool>()).prop_map(|(bytes, more)| Outcome::Read(bytes, more)),
        any::<u64>().prop_map(Outcome::Sent),
    ];
    prop_oneof![
        LazyJust::new(|| Answer::Pending),
        bytes().prop_map(Answer::Data),
        LazyJust::new(|| Answer::Pull),
        ".{0,40}".prop_map(Answer::Because),
        outcome.prop_map(|outcome| Answer::Done(Ok(outcome))),
        any::<u32>().prop_map(|code| Answer::Done(Err(Error(code)))),
    ]
}

/// Slices by all that a decoded answer lets one slice by.
fn touch(answer: &Answer) {
    if let Answer::Done(Ok(Outcome::Delivery(delivery))) = answer {
        let head = &delivery.head;
        head.path();
        [head.verb_text, head.target, head.raw_query].into_iter().chain(head.host).for_each(|span| {
            head.text(span);
        });
        head.fields.iter().for_each(|field| {
            head.text(field.name);
            head.text(field.value);
        });
    }
}

proptest! {
    #[test]
    fn commands_come_back_the_same(message in (any::<u64>(), command())) {
        let bytes = encoded(&message);
        let back: (u64, Command) = Decoder::whole(&bytes, Vec::new()).unwrap();
        prop_assert_eq!(format!("{back:?}"), format!("{message:?}"));
    }

    #[test]
    fn answers_come_back_the_same(message in (any::<u64>(), answer())) {
        let bytes = encoded(&message);
        let back: (u64, Answer) = Decoder::whole(&bytes, Vec::new()).unwrap();
        prop_assert_eq!(format!("{back:?}"), format!("{message:?}"));
    }

    #[test]
    fn any_bytes_can_be_read(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Decoder::whole::<(u64, Command)>(&bytes, Vec::new());
        if let Ok((_, answer)) = Decoder::whole::<(u64, Answer)>(&bytes, Vec::new()) {
            touch(&answer);
        }
    }

    #[test]
    fn damaged_messages_can_be_read(
        command in command(), answer in answer(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = encoded(&command);
        let place = at.index(bytes.len());
        prop_assert!(Decoder::whole::<Command>(&bytes[..place], Vec::new()).is_err());
        bytes[place] = byte;
        let _ = Decoder::whole::<Command>(&bytes, Vec::new());
        let mut bytes = encoded(&answer);
        let place = at.index(bytes.len());
        prop_assert!(Decoder::whole::<Answer>(&bytes[..place], Vec::new()).is_err());
        bytes[place] = byte;
        if let Ok(answer) = Decoder::whole::<Answer>(&bytes, Vec::new()) {
            touch(&answer);
        }
    }
}

#[test]
fn integers_at_their_limits() {
    for value in [0, 127, 128, u64::from(u32::MAX), u64::MAX] {
        assert_eq!(Decoder::whole(&encoded(&value), Vec::new()), Ok(value));
    }
    assert_eq!(Decoder::whole::<u16>(&encoded(&65536_u64), Vec::new()), Err(Malformed));
    assert_eq!(Decoder::whole::<u64>(&[0xFF; 10], Vec::new()), Err(Malformed));
    assert_eq!(Decoder::whole::<u64>(&[0x80; 11], Vec::new()), Err(Malformed));
    assert_eq!(Decoder::whole::<bool>(&[2], Vec::new()), Err(Malformed));
    assert_eq!(Decoder::whole::<bool>(&[1, 0], Vec::new()), Err(Malformed));
}

#[test]
fn lengths_that_are_not_there_allocate_nothing() {
    let huge = encoded(&u64::MAX);
    assert_eq!(Decoder::whole::<Bytes>(&huge, Vec::new()), Err(Malformed));
    assert_eq!(Decoder::whole::<Utf16>(&huge, Vec::new()), Err(Malformed));
    assert!(Decoder::whole::<Vec<Field>>(&huge, Vec::new()).is_err());
}

#[test]
fn stretches_beyond_the_text_are_malformed() {
    let mut head = ResponseHead { text: b"OK".to_vec(), reason_len: 2, ..ResponseHead::default() };
    assert!(Decoder::whole::<ResponseHead>(&encoded(&head), Vec::new()).is_ok());
    head.reason_len = 3;
    assert!(Decoder::whole::<ResponseHead>(&encoded(&head), Vec::new()).is_err());
    head.reason_len = 0;
    head.fields = vec![ResponseField { id: 1, name: (0, 0), value: (u32::MAX, u32::MAX) }];
    assert!(Decoder::whole::<ResponseHead>(&encoded(&head), Vec::new()).is_err());
}

#[test]
fn files_must_be_those_that_came() {
    let chunk = encoded(&PartChunk::Memory(Bytes(vec![1])));
    let null = std::fs::File::open("/dev/null").unwrap();
    assert!(Decoder::whole::<PartChunk>(&chunk, vec![null]).is_err());
    assert!(Decoder::whole::<PartChunk>(&[1, 0, 0], Vec::new()).is_err());
}
