//! Any bytes as what a WebSocket server sends: the same messages in one piece and byte by byte, compressed ones too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nthttp_fuzz::wire::websocket::Fault;
use nthttp_fuzz::wire::websocket::handshake::{Agreement, Offer};
use nthttp_fuzz::wire::websocket::inbound::{Event, Inbound, Piece};

/// More of one message than this is not looked at.
const MOST: usize = 1 << 20;

/// Messages and control frames, and how it ended.
type Outcome = (Vec<(u16, Vec<u8>)>, Option<Fault>);

fn read(agreement: Option<&Agreement>, data: &[u8], piece: usize, room: usize) -> Outcome {
    let mut inbound = Inbound::new(agreement);
    let (mut seen, mut message, mut total) = (Vec::new(), Vec::new(), 0);
    let (mut start, mut end, mut out) = (0, 0, vec![0; room]);
    while total < MOST {
        let (used, event) = match inbound.step(&data[start..end], &mut out) {
            Ok(step) => step,
            Err(fault) => return (seen, Some(fault)),
        };
        start += used;
        assert!(start <= end);
        match event {
            Event::Partial if end == data.len() => break,
            Event::Partial => end = data.len().min(end.saturating_add(piece)),
            Event::Data(Piece { count, text, last }) => {
                total += count;
                message.extend_from_slice(&out[..count]);
                if last {
                    seen.push((u16::from(text), std::mem::take(&mut message)));
                }
            }
            Event::Ping(payload) => seen.push((9, payload.to_vec())),
            Event::Pong => seen.push((10, Vec::new())),
            Event::Close(frame) => seen.push((frame.status, frame.reason)),
        }
    }
    (seen, None)
}

fuzz_target!(|data: &[u8]| {
    let agreement = Offer::default().agree(data.split(|byte| *byte == b'\n').next().unwrap_or_default());
    let plain = Offer::default().agree(b"permessage-deflate");
    for agreement in [None, agreement, plain] {
        let (whole, fault) = read(agreement.as_ref(), data, usize::MAX >> 1, 4096);
        let (cut, cut_fault) = read(agreement.as_ref(), data, 1, 1);
        // What was read may stop at the limit in the middle of a message.
        let same = whole.len().min(cut.len());
        assert_eq!(whole[..same], cut[..same]);
        if let (Some(fault), Some(cut_fault)) = (fault, cut_fault) {
            assert_eq!(whole, cut);
            // Of compressed text that is wrong in two ways, the one seen first depends on the pieces.
            let alike = |fault| if fault == Fault::Compression { Fault::NotUtf8 } else { fault };
            assert_eq!(alike(fault), alike(cut_fault));
        }
    }
});
