//! Tests of the chunked coding: examples, limits, and any split against the whole.

use super::*;
use proptest::prelude::*;

/// Decodes in one go: body, bytes used, and whether the end was reached.
fn decode(input: &[u8]) -> Result<(Vec<u8>, usize, bool), ChunkError> {
    let mut decoder = ChunkDecoder::new(true);
    let mut body = vec![0; input.len()];
    let step = decoder.decode(input, &mut body)?;
    body.truncate(step.produced);
    Ok((body, step.consumed, decoder.is_done()))
}

/// Decodes with the given sizes of input and output pieces, over and over.
fn decode_split(
    input: &[u8],
    pieces: &[(usize, usize)],
) -> Result<(Vec<u8>, usize, bool, Vec<u8>), ChunkError> {
    let mut decoder = ChunkDecoder::new(true);
    let (mut body, mut used) = (Vec::new(), 0);
    for (take, room) in pieces.iter().cycle() {
        if used == input.len() || decoder.is_done() {
            break;
        }
        let mut output = vec![0; *room];
        let step = decoder.decode(&input[used..input.len().min(used + take)], &mut output)?;
        body.extend_from_slice(&output[..step.produced]);
        used += step.consumed;
    }
    Ok((body, used, decoder.is_done(), decoder.trailers().to_vec()))
}

#[test]
fn chunks_extensions_and_trailers() {
    let input = b"4\r\nWiki\r\n6;a=b;c=\"d\"\r\npedia \r\n0E \t\r\nin \r\n\r\nchunks.\r\n0\r\nX-A: 1\r\nb:\r\n\r\nGET /";
    let (body, used, done) = decode(input).unwrap();
    assert_eq!(body, b"Wikipedia in \r\n\r\nchunks.");
    assert!(done);
    assert_eq!(&input[used..], b"GET /");
    let mut decoder = ChunkDecoder::new(true);
    decoder.decode(input, &mut [0; 64]).unwrap();
    assert_eq!(decoder.trailers(), b"X-A: 1\r\nb:\r\n");
    let mut decoder = ChunkDecoder::new(false);
    decoder.decode(input, &mut [0; 64]).unwrap();
    assert!(decoder.is_done() && decoder.trailers().is_empty());
}

#[test]
fn the_end_is_seen_without_room_for_output() {
    let mut decoder = ChunkDecoder::new(false);
    let step = decoder.decode(b"3\r\nabc\r\n0\r\n\r\n", &mut [0; 3]).unwrap();
    assert_eq!(step, Step { consumed: 13, produced: 3 });
    assert!(decoder.is_done());
}

#[test]
fn a_body_spans_its_own_bytes() {
    let decoder = ChunkDecoder::new(true);
    assert_eq!(decoder.span(b"3\r\nabc\r\n0\r\na: b\r\n\r\nGET /"), 19);
    assert_eq!(decoder.span(b"3\r\nab"), 5);
    assert_eq!(decoder.span(b"x\r\nab"), 5);
    assert_eq!(decoder.span(format!("7D0\r\n{}\r\n0\r\n\r\nGET", "x".repeat(2000)).as_bytes()), 2012);
}

#[test]
fn what_is_left_of_a_chunk() {
    let mut decoder = ChunkDecoder::new(false);
    assert_eq!(decoder.decode(b"5\r\nabcde", &mut [0; 2]), Ok(Step { consumed: 5, produced: 2 }));
    assert_eq!(decoder.left_in_chunk(), 3);
    assert_eq!(decoder.decode(b"cde", &mut [0; 9]), Ok(Step { consumed: 3, produced: 3 }));
    assert_eq!(decoder.left_in_chunk(), 0);
}

#[test]
fn framing_that_could_be_read_two_ways_is_refused() {
    for input in [
        &b"\r\n"[..],
        b" 1\r\na",
        b"+1\r\na",
        b"0x1\r\na",
        b"g\r\n",
        b";a\r\n",
        b"1\na",
        b"1;a\nb",
        b"1\rx",
        b"1 1\r\na",
        b"1;\0\r\n",
        b"1\r\nab\r\n",
        b"1\r\na\n0",
        b"1\r\na\rx",
        b"0\r\n\n",
        b"0\r\nx\r\n",
        b"0\r\n: x\r\n",
        b"0\r\nx : y\r\n",
        b"0\r\nx: y\n",
        b"0\r\nx: \0\r\n",
        b"0\r\n fold\r\n",
        b"0\r\n\rx",
    ] {
        assert_eq!(decode(input), Err(ChunkError::Syntax), "{:?}", input.escape_ascii().to_string());
    }
}

#[test]
fn sizes_lines_and_trailers_are_bounded() {
    assert_eq!(decode(b"10000000000000000\r\n"), Err(ChunkError::SizeOverflow));
    assert_eq!(decode(b"00000000000000001\r\n"), Err(ChunkError::SizeOverflow));
    assert_eq!(decode(b"ffffffffffffffff\r\nabc").unwrap().0, b"abc");
    let line = [b"1;", &[b'a'; 4096][..]].concat();
    assert_eq!(decode(&line), Err(ChunkError::SizeOverflow));
    assert!(decode(&line[..4096]).is_ok());
    let trailers = [b"0\r\n", b"a: b\r\n".repeat(2731).as_slice()].concat();
    assert_eq!(decode(&trailers), Err(ChunkError::TrailerOverflow));
}

#[test]
fn trailers_have_the_limits_given() {
    let of = |section, field| {
        let mut decoder = ChunkDecoder::with_limits(section, field);
        decoder.decode(b"0\r\nab: cd\r\nef: g\r\n\r\n", &mut []).map(|step| step.consumed)
    };
    assert_eq!(of(17, 6), Ok(20));
    assert_eq!(of(16, 6), Err(ChunkError::TrailerOverflow));
    assert_eq!(of(17, 5), Err(ChunkError::TrailerOverflow));
}

#[test]
fn an_error_stays() {
    let mut decoder = ChunkDecoder::new(false);
    assert_eq!(decoder.decode(b"x", &mut []), Err(ChunkError::Syntax));
    assert_eq!(decoder.decode(b"", &mut []), Err(ChunkError::Syntax));
    assert_eq!(decoder.decode(b"0\r\n\r\n", &mut []), Err(ChunkError::Syntax));
}

proptest! {
    #[test]
    fn any_split_gives_the_same(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..5),
        flaw in prop::option::of((0usize..200, any::<u8>())),
        mut pieces in prop::collection::vec((1usize..7, 0usize..7), 1..8),
    ) {
        pieces.push((1, 1));
        let mut input = Vec::new();
        for chunk in &chunks {
            input.extend_from_slice(format!("{:X};x=y\r\n", chunk.len()).as_bytes());
            input.extend_from_slice(chunk);
            input.extend_from_slice(b"\r\n");
        }
        input.extend_from_slice(b"0\r\nName: value\r\n\r\n");
        if let Some((at, byte)) = flaw {
            let at = at % input.len();
            input[at] = byte;
        }
        let whole = decode(&input);
        let split = decode_split(&input, &pieces);
        if flaw.is_none() {
            prop_assert_eq!(whole.clone().unwrap(), (chunks.concat(), input.len(), true));
            prop_assert_eq!(&split.as_ref().unwrap().3[..], b"Name: value\r\n");
        }
        prop_assert_eq!(whole, split.map(|(body, used, done, _)| (body, used, done)));
    }
}
