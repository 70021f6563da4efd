//! Any bytes as a chunked body: the same result in one piece and byte by byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nthttp_fuzz::wire::chunked::{ChunkDecoder, ChunkError};
use nthttp_fuzz::wire::trailers::{allowed, fields, may_send};

/// Body, bytes used, whether the end was reached, trailers.
type Outcome = Result<(Vec<u8>, usize, bool, Vec<u8>), ChunkError>;

fn decode(data: &[u8], piece: usize, room: usize) -> Outcome {
    let mut decoder = ChunkDecoder::new(true);
    let (mut body, mut used, mut output) = (Vec::new(), 0, vec![0; room]);
    while used < data.len() && !decoder.is_done() {
        let step = decoder.decode(&data[used..data.len().min(used + piece)], &mut output)?;
        body.extend_from_slice(&output[..step.produced]);
        used += step.consumed;
        assert!(step.consumed > 0);
    }
    Ok((body, used, decoder.is_done(), decoder.trailers().to_vec()))
}

/// Trailers that may be told are fields, and none of those that must not be.
fn check_trailers(section: &[u8]) {
    for (name, value) in fields(&allowed(section)) {
        assert!(may_send(name, value));
    }
}

fuzz_target!(|data: &[u8]| {
    let whole = decode(data, usize::MAX >> 1, data.len().max(1));
    assert_eq!(whole, decode(data, 1, 1));
    assert_eq!(whole, decode(data, 3, 2));
    if let Ok((_, used, true, trailers)) = &whole {
        check_trailers(trailers);
        assert_eq!(ChunkDecoder::new(true).span(data), *used);
    }
});
