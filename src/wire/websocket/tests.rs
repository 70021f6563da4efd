//! The vectors of RFC 6455 and RFC 7692, every rule of a header, and messages cut anywhere.

use super::close::{self, CloseFrame};
use super::frame::{self, Header, MAX_HEADER, Opcode};
use super::handshake::{Agreement, Offer, accept, has_token, key};
use super::inbound::{Event, Inbound, Piece};
use super::outbound::{Outbound, Unsendable};
use super::utf8::Utf8;
use super::{Fault, deflate};

const PLAIN: Agreement =
    Agreement { client_no_context: false, server_no_context: false, client_bits: 15, server_bits: 15 };

/// A server's frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        0..=125 => out.push(payload.len() as u8),
        126..=0xFFFF => out.extend([126, (payload.len() >> 8) as u8, payload.len() as u8]),
        long => out.extend([127].into_iter().chain((long as u64).to_be_bytes())),
    }
    out.extend_from_slice(payload);
    out
}

/// Everything a reader sees: pieces joined to messages, control frames by name.
fn read_all(
    inbound: &mut Inbound,
    bytes: &[u8],
    cut: usize,
    room: usize,
) -> Result<Vec<(String, Vec<u8>)>, Fault> {
    let (mut seen, mut message) = (Vec::new(), Vec::new());
    let (mut start, mut end, mut out) = (0, 0, vec![0; room]);
    loop {
        let (used, event) = inbound.step(&bytes[start..end], &mut out)?;
        start += used;
        match event {
            Event::Partial if end == bytes.len() => return Ok(seen),
            Event::Partial => end = (end + cut).min(bytes.len()),
            Event::Data(Piece { count, text, last }) => {
                message.extend_from_slice(&out[..count]);
                if last {
                    let name = if text { "text" } else { "binary" };
                    seen.push((name.to_owned(), std::mem::take(&mut message)));
                }
            }
            Event::Ping(payload) => seen.push(("ping".to_owned(), payload.to_vec())),
            Event::Pong => seen.push(("pong".to_owned(), Vec::new())),
            Event::Close(frame) => seen.push((format!("close {}", frame.status), frame.reason)),
        }
    }
}

fn fault(bytes: &[u8]) -> Option<Fault> {
    let whole = read_all(&mut Inbound::default(), bytes, bytes.len(), 1024).err();
    assert_eq!(whole, read_all(&mut Inbound::default(), bytes, 1, 1).err());
    whole
}

/// Not random, which is what a test wants.
fn steady(bytes: &mut [u8]) {
    bytes.iter_mut().enumerate().for_each(|(at, byte)| *byte = at as u8 ^ 0xA5);
}

/// What a server reads of what a client sent: masks taken off, headers rewritten.
fn unmask(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        assert_eq!(bytes[1] & 0x80, 0x80, "every frame is masked");
        let mut header = bytes[..2].to_vec();
        header[1] &= 0x7F;
        let more = match header[1] {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        header.extend_from_slice(&bytes[2..2 + more]);
        let (parsed, size) = frame::parse(&header, true).unwrap().unwrap();
        let key: [u8; 4] = bytes[size..size + 4].try_into().unwrap();
        let end = size + 4 + parsed.length as usize;
        let mut payload = bytes[size + 4..end].to_vec();
        frame::mask(&mut payload, key, 0);
        out.extend(header.into_iter().chain(payload));
        bytes = &bytes[end..];
    }
    out
}

fn send(outbound: &mut Outbound, text: bool, last: bool, bytes: &[u8], wire: &mut Vec<u8>) {
    let mut sending = outbound.begin(text, last, bytes).unwrap();
    while !sending.is_done() {
        outbound.fill(&mut sending, bytes);
        wire.extend_from_slice(outbound.pending());
        outbound.sent(outbound.pending().len());
    }
}

#[test]
fn keys_and_answers() {
    assert_eq!(key(*b"the sample nonce"), "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert!(has_token(b"keep-alive, UPGRADE", "upgrade"));
    assert!(!has_token(b"upgraded", "upgrade"));
}

#[test]
fn the_examples_of_the_rfc() {
    let mut wire = vec![0x81, 5];
    wire.extend(b"Hello");
    wire.extend([0x01, 3]);
    wire.extend(b"Hel");
    wire.extend(frame(0x89, b"Hello"));
    wire.extend([0x80, 2]);
    wire.extend(b"lo");
    wire.extend(frame(0x8A, b"Hello"));
    wire.extend(frame(0x82, &[7; 256]));
    wire.extend(frame(0x82, &[8; 65536]));
    wire.extend(frame(0x88, &[0x03, 0xE8, b'o', b'k']));
    for (cut, room) in [(wire.len(), 1 << 17), (1, 1), (7, 3), (1000, 100)] {
        let seen = read_all(&mut Inbound::default(), &wire, cut, room).unwrap();
        let names: Vec<&str> = seen.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["text", "ping", "text", "pong", "binary", "binary", "close 1000"]);
        assert_eq!((&seen[0].1[..], &seen[2].1[..]), (&b"Hello"[..], &b"Hello"[..]));
        assert_eq!((seen[4].1.len(), seen[5].1.len(), &seen[6].1[..]), (256, 65536, &b"ok"[..]));
    }
    let mut room = [0; MAX_HEADER];
    let header = Header { fin: true, compressed: false, opcode: Opcode::Text, length: 5 };
    let size = header.write([0x37, 0xFA, 0x21, 0x3D], &mut room);
    let mut hello = *b"Hello";
    frame::mask(&mut hello, [0x37, 0xFA, 0x21, 0x3D], 0);
    assert_eq!(room[MAX_HEADER - size..], [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D]);
    assert_eq!(hello, [0x7F, 0x9F, 0x4D, 0x51, 0x58]);
}

#[test]
fn every_rule_of_a_header() {
    let cases: [(&[u8], Fault); 20] = [
        (&[0xC1], Fault::ReservedBit),
        (&[0xA1], Fault::ReservedBit),
        (&[0x91], Fault::ReservedBit),
        (&[0x83], Fault::UnknownOpcode),
        (&[0x8B], Fault::UnknownOpcode),
        (&[0x81, 0x85], Fault::Masked),
        (&[0x09], Fault::ControlFrame),
        (&[0x89, 126], Fault::ControlFrame),
        (&[0x88, 127], Fault::ControlFrame),
        (&[0x82, 126, 0, 125], Fault::Length),
        (&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], Fault::Length),
        (&[0x82, 127, 0x80, 0, 0, 0, 0, 1, 0, 0], Fault::Length),
        (&[0x80, 0], Fault::StrayContinuation),
        (&[0x01, 0, 0x81, 0], Fault::Interrupted),
        (&[0x88, 1, 3], Fault::CloseStatus),
        (&[0x88, 2, 3, 0xED], Fault::CloseStatus),
        (&[0x88, 3, 3, 0xE8, 0xFF], Fault::NotUtf8),
        (&[0x81, 1, 0xFF], Fault::NotUtf8),
        (&[0x81, 1, 0xC3], Fault::NotUtf8),
        (&[0x01, 1, 0xF4, 0x80, 1, 0x90], Fault::NotUtf8),
    ];
    for (bytes, wanted) in cases {
        assert_eq!(fault(bytes), Some(wanted), "{bytes:02x?}");
        assert!(!wanted.words().is_empty());
    }
    assert_eq!((Fault::NotUtf8.close_status(), Fault::Masked.close_status()), (1007, 1002));
}

#[test]
fn a_piece_is_told_as_it_comes_and_ends_with_its_frame() {
    let mut inbound = Inbound::default();
    let wire = [frame(0x02, b"abcd"), frame(0x80, b"")].concat();
    let mut out = [0; 3];
    let piece = |count, last| Event::Data(Piece { count, text: false, last });
    assert_eq!(inbound.step(&wire[..3], &mut out), Ok((3, piece(1, false))));
    assert_eq!(inbound.room_for_direct(), 3);
    assert_eq!(inbound.direct(b"bc"), Ok(Some(Piece { count: 2, text: false, last: false })));
    assert_eq!(inbound.step(&wire[5..], &mut out), Ok((1, piece(1, false))));
    assert_eq!(inbound.step(&wire[6..], &mut out), Ok((2, piece(0, true))));
    assert_eq!(inbound.direct(b"x"), Ok(None));
}

#[test]
fn close_frames_say_only_what_may_be_said() {
    assert_eq!(close::parse(&[]), Ok(CloseFrame { status: 1005, reason: Vec::new() }));
    for status in [1000, 1003, 1007, 1011, 1014, 3000, 4999] {
        let payload = close::payload(status, b"why").unwrap();
        assert_eq!(close::parse(&payload), Ok(CloseFrame { status, reason: b"why".to_vec() }));
    }
    for status in [0, 999, 1004, 1006, 1015, 1016, 2999, 5000, 65535] {
        assert_eq!(close::payload(status, b""), None);
        assert_eq!(close::parse(&status.to_be_bytes()), Err(Fault::CloseStatus));
    }
    assert_eq!(close::payload(1005, b""), Some(Vec::new()));
    assert_eq!(close::payload(1005, b"x"), None);
    assert_eq!(close::payload(1000, &[b'x'; 124]), None);
    assert_eq!(close::payload(1000, b"\xFF"), None);
}

#[test]
fn text_may_be_cut_inside_a_character() {
    let text = "κόσμε \u{10FFFF} \u{FFFF}".as_bytes();
    for at in 0..=text.len() {
        let mut utf8 = Utf8::default();
        utf8.check(&text[..at]).unwrap();
        assert_eq!(utf8.is_complete(), std::str::from_utf8(&text[..at]).is_ok());
        utf8.check(&text[at..]).unwrap();
        assert!(utf8.is_complete());
    }
    for bad in [&b"\xC0\x80"[..], b"\xED\xA0\x80", b"\xF4\x90", b"\xF5", b"a\xE2\x28"] {
        let mut utf8 = Utf8::default();
        assert!(bad.iter().any(|byte| utf8.check(&[*byte]).is_err()), "{bad:02x?}");
        assert!(Utf8::default().check(bad).is_err());
    }
}

#[test]
fn masks_do_not_depend_on_how_bytes_are_grouped() {
    let plain: Vec<u8> = (0..100).collect();
    let key = [1, 20, 40, 200];
    let mut whole = plain.clone();
    frame::mask(&mut whole, key, 0);
    assert!(whole.iter().enumerate().all(|(at, byte)| *byte == plain[at] ^ key[at % 4]));
    for at in 0..plain.len() {
        let mut parts = plain.clone();
        frame::mask(&mut parts[..at], key, 0);
        frame::mask(&mut parts[at..], key, at);
        assert_eq!(parts, whole);
    }
}

#[test]
fn what_is_sent_arrives() {
    let long: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    for agreement in [None, Some(PLAIN), Some(Agreement { client_no_context: true, client_bits: 9, ..PLAIN })]
    {
        let mut outbound = Outbound::new(1000, steady, agreement.as_ref());
        let mut wire = Vec::new();
        send(&mut outbound, true, true, b"", &mut wire);
        send(&mut outbound, true, true, b"Hello", &mut wire);
        send(&mut outbound, true, false, "κόσ".as_bytes(), &mut wire);
        outbound.control(Opcode::Ping, b"?");
        assert_eq!(outbound.begin(false, true, b"").unwrap_err(), Unsendable::OtherType);
        assert_eq!(outbound.begin(true, true, b"\xC3").unwrap_err(), Unsendable::NotUtf8);
        send(&mut outbound, true, false, b"", &mut wire);
        send(&mut outbound, true, true, "με".as_bytes(), &mut wire);
        send(&mut outbound, false, true, &long, &mut wire);
        send(&mut outbound, false, false, &long[..500], &mut wire);
        send(&mut outbound, false, true, b"", &mut wire);
        send(&mut outbound, false, true, b"", &mut wire);
        let wire = unmask(&wire);
        for (cut, room) in [(wire.len(), 200_000), (1, 1), (777, 500)] {
            let answer = agreement.map(|agreed| Agreement {
                server_no_context: agreed.client_no_context,
                server_bits: agreed.client_bits,
                ..agreed
            });
            let mut inbound = Inbound::new(answer.as_ref());
            let seen = read_all(&mut inbound, &wire, cut, room).unwrap();
            let messages: Vec<&[u8]> = seen.iter().map(|(_, bytes)| &bytes[..]).collect();
            let greek = "κόσμε".as_bytes();
            assert_eq!(messages, [&b""[..], b"Hello", b"?", greek, &long, &long[..500], b""]);
        }
    }
}

#[test]
fn the_compressed_examples_of_the_rfc() {
    let hello = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
    let again = [0xF2, 0x00, 0x11, 0x00, 0x00];
    let stored = [0x00, 0x05, 0x00, 0xFA, 0xFF, b'H', b'e', b'l', b'l', b'o', 0x00];
    let last_block = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00];
    let two_blocks = [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00];
    let mut wire = [frame(0xC1, &hello), frame(0xC1, &again), frame(0xC1, &stored)].concat();
    wire.extend([frame(0x41, &hello[..3]), frame(0x80, &hello[3..])].concat());
    wire.extend([frame(0xC1, &two_blocks), frame(0xC1, &last_block), frame(0x81, b"Hello")].concat());
    for (cut, room) in [(wire.len(), 100), (1, 1), (5, 5), (3, 2)] {
        let seen = read_all(&mut Inbound::new(Some(&PLAIN)), &wire, cut, room).unwrap();
        assert_eq!(seen.len(), 7);
        assert!(seen.iter().all(|(_, text)| text == b"Hello"), "{seen:?}");
    }
    // A message as long as the buffer ends with its last byte, not with an empty piece after it.
    let mut out = [0; 5];
    let event = Inbound::new(Some(&PLAIN)).step(&wire[..9], &mut out);
    assert_eq!(event, Ok((9, Event::Data(Piece { count: 5, text: true, last: true }))));
    let bad = frame(0xC2, &[0xFF, 0xFF, 0xFF]);
    assert_eq!(read_all(&mut Inbound::new(Some(&PLAIN)), &bad, 9, 9), Err(Fault::Compression));
    for first in [0xC0, 0xC9] {
        let refused = read_all(&mut Inbound::new(Some(&PLAIN)), &frame(first, b""), 9, 9);
        assert_eq!(refused, Err(Fault::ReservedBit));
    }
}

#[test]
fn a_bomb_fills_the_buffer_and_nothing_else() {
    let mut outbound = Outbound::new(1 << 16, steady, Some(&PLAIN));
    let mut wire = Vec::new();
    send(&mut outbound, false, true, &vec![0; 10 << 20], &mut wire);
    let wire = unmask(&wire);
    assert!(wire.len() < 20_000);
    let mut inbound = Inbound::new(Some(&PLAIN));
    let (mut at, mut total, mut out) = (0, 0, [1; 64]);
    loop {
        let (used, event) = inbound.step(&wire[at..], &mut out).unwrap();
        at += used;
        let Event::Data(Piece { count, last, .. }) = event else { panic!("{event:?}") };
        total += count;
        if last {
            break;
        }
    }
    assert_eq!((at, total), (wire.len(), 10 << 20));
}

#[test]
fn what_is_agreed_on() {
    let any = Offer::default();
    assert_eq!(any.text(), "permessage-deflate; client_max_window_bits");
    assert_eq!(any.agree(b"permessage-deflate"), Some(PLAIN));
    let answer = b"permessage-deflate; client_max_window_bits=8;server_no_context_takeover; \
                   server_max_window_bits=\"10\"; client_no_context_takeover";
    let agreed = any.agree(answer).unwrap();
    let wanted =
        Agreement { client_no_context: true, server_no_context: true, client_bits: 8, server_bits: 10 };
    assert_eq!(agreed, wanted);
    assert!(deflate::Deflater::new(&agreed).is_none());
    for bad in [
        "x-webkit-deflate-frame",
        "permessage-deflate; what",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=08",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate, permessage-deflate",
        "",
    ] {
        assert_eq!(any.agree(bad.as_bytes()), None, "{bad}");
    }
    let strict = Offer { client_no_context: true, server_no_context: true, client_bits: 10, server_bits: 9 };
    assert_eq!(
        strict.text(),
        "permessage-deflate; client_no_context_takeover; server_no_context_takeover; server_max_window_bits=9; \
         client_max_window_bits=10"
    );
    assert_eq!(strict.agree(b"permessage-deflate"), None);
    assert_eq!(strict.agree(b"permessage-deflate; server_no_context_takeover"), None);
    let answer = b"permessage-deflate; server_no_context_takeover; server_max_window_bits=9";
    assert_eq!(strict.agree(answer).unwrap().client_bits, 10);
}
