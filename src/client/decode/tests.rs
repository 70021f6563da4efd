//! Bodies in every coding, in pieces of every size, whole and broken. The bytes come from gzip, zlib and zstd; those of
//! brotli are written by hand.

use super::*;

const TEXT: &[u8] = b"hello, hello, hello, compressed world\n";

const GZIPPED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\xd7\x51\xc8\x40\xa1\x92\xf3\x73\x0b\x8a\x52\x8b\x8b\x53\x53\x14\xca\xf3\x8b\x72\x52\xb8\x00\x6d\xdc\x53\xad\x26\x00\x00\x00";

const ZLIBBED: &[u8] = b"\x78\x9c\xcb\x48\xcd\xc9\xc9\xd7\x51\xc8\x40\xa1\x92\xf3\x73\x0b\x8a\x52\x8b\x8b\x53\x53\x14\xca\xf3\x8b\x72\x52\xb8\x00\x09\xe5\x0d\xa8";

const DEFLATED: &[u8] = b"\xcb\x48\xcd\xc9\xc9\xd7\x51\xc8\x40\xa1\x92\xf3\x73\x0b\x8a\x52\x8b\x8b\x53\x53\x14\xca\xf3\x8b\x72\x52\xb8\x00";

const ZSTANDARD: &[u8] = b"\x28\xb5\x2f\xfd\x04\x68\xf5\x00\x00\xc0\x68\x65\x6c\x6c\x6f\x2c\x20\x63\x6f\x6d\x70\x72\x65\x73\x73\x65\x64\x20\x77\x6f\x72\x6c\x64\x0a\x01\x00\x92\x8b\x11\xa5\x39\x55\xcb";

/// One stored piece (RFC 7932 §9.2): window of 16 bits, not last, length - 1, stored; then an empty last piece.
fn brotlied(text: &[u8]) -> Vec<u8> {
    let head = (text.len() as u32 - 1) << 4 | 1 << 20;
    [&head.to_le_bytes()[..3], text, b"\x03"].concat()
}

const ALL: u32 = GZIP | DEFLATE | BROTLI | ZSTD;

/// A body that arrives in pieces; before each there is a moment when nothing has come.
struct Pieces<'a> {
    left: &'a [u8],
    size: usize,
    dry: bool,
}

impl Source for Pieces<'_> {
    fn take(&mut self, out: &mut [u8]) -> Result<usize> {
        self.dry = !self.dry;
        if self.dry {
            return Ok(0);
        }
        let count = self.size.min(self.left.len()).min(out.len());
        let (now, later) = self.left.split_at(count);
        out[..count].copy_from_slice(now);
        self.left = later;
        Ok(count)
    }

    fn has_ended(&self) -> bool {
        self.left.is_empty()
    }
}

fn decoded(codings: &str, body: &[u8], size: usize) -> Result<Vec<u8>> {
    let mut decoder = Decoder::new(codings, ALL).unwrap();
    let mut source = Pieces { left: body, size, dry: false };
    let mut whole = Vec::new();
    let mut out = [0; 7];
    loop {
        let ready = if whole.len() % 2 == 0 { decoder.ready(&mut source)? } else { 0 };
        let got = decoder.read(&mut source, &mut out)?;
        assert!(got >= ready.min(out.len()), "what is ready can be read");
        whole.extend_from_slice(&out[..got]);
        if got == 0 && source.has_ended() {
            // Once more: an end that has not been met may still be an error.
            return decoder.read(&mut source, &mut out).map(|_| whole);
        }
    }
}

fn samples() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("gzip", GZIPPED.to_vec()),
        ("X-GZip", GZIPPED.to_vec()),
        ("deflate", ZLIBBED.to_vec()),
        ("deflate", DEFLATED.to_vec()),
        ("zstd", ZSTANDARD.to_vec()),
        ("br", brotlied(TEXT)),
        ("gzip, br", brotlied(GZIPPED)),
        ("zstd, identity, gzip", gzip_stored(ZSTANDARD)),
    ]
}

/// A gzip member with one stored block (RFC 1951 §3.2.4).
fn gzip_stored(text: &[u8]) -> Vec<u8> {
    use flate2::write::GzEncoder;
    use std::io::Write;
    let mut out = GzEncoder::new(Vec::new(), flate2::Compression::none());
    out.write_all(text).unwrap();
    out.finish().unwrap()
}

#[test]
fn every_coding_in_pieces_of_every_size() {
    for (codings, body) in samples() {
        for size in [1, 2, 3, 5, 16, 1000] {
            assert_eq!(decoded(codings, &body, size).as_deref(), Ok(TEXT), "{codings} by {size}");
        }
    }
}

#[test]
fn what_is_cut_off_or_broken_is_an_error() {
    for (codings, body) in samples() {
        for end in 1..body.len() {
            let result = decoded(codings, &body[..end], 4);
            assert_eq!(result, Err(Error::WINHTTP_INVALID_SERVER_RESPONSE), "{codings} cut at {end}");
        }
        assert_eq!(decoded(codings, b"", 4).as_deref(), Ok(&b""[..]), "an empty body is empty");
    }
    for coding in ["gzip", "deflate", "zstd", "br"] {
        let result = decoded(coding, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 4);
        assert_eq!(result, Err(Error::WINHTTP_INVALID_SERVER_RESPONSE), "{coding}");
    }
    for (codings, body, at) in [("gzip", GZIPPED, 8), ("deflate", ZLIBBED, 4), ("zstd", ZSTANDARD, 4)] {
        let mut broken = body.to_vec();
        let at = broken.len() - at;
        broken[at] ^= 1;
        assert_eq!(
            decoded(codings, &broken, 4),
            Err(Error::WINHTTP_INVALID_SERVER_RESPONSE),
            "checksum of {codings}"
        );
    }
}

#[test]
fn members_and_frames_follow_each_other_and_rubbish_is_dropped() {
    let twice = TEXT.repeat(2);
    assert_eq!(decoded("gzip", &GZIPPED.repeat(2), 5).unwrap(), twice);
    assert_eq!(decoded("zstd", &ZSTANDARD.repeat(2), 5).unwrap(), twice);
    let skippable = [b"\x53\x2a\x4d\x18\x03\0\0\0abc", ZSTANDARD, b"\x50\x2a\x4d\x18\0\0\0\0"].concat();
    assert_eq!(decoded("zstd", &skippable, 5).unwrap(), TEXT);
    assert_eq!(decoded("gzip", &[GZIPPED, b"rubbish"].concat(), 5).unwrap(), TEXT);
    assert_eq!(decoded("deflate", &[ZLIBBED, b"rubbish"].concat(), 5).unwrap(), TEXT);
    assert_eq!(decoded("br", &[&brotlied(TEXT)[..], b"rubbish"].concat(), 5).unwrap(), TEXT);
}

#[test]
fn only_what_was_asked_for_is_undone() {
    assert!(Decoder::new("gzip", DEFLATE).is_none());
    assert!(Decoder::new("br", GZIP | DEFLATE).is_none());
    assert!(Decoder::new("gzip, compress", ALL).is_none());
    assert!(Decoder::new("identity", ALL).is_none());
    assert!(Decoder::new("", ALL).is_none());
    assert!(Decoder::new("gzip,gzip", ALL).is_some());
    assert!(Decoder::new("gzip,gzip,gzip", ALL).is_none());
    assert_eq!(names(3), "gzip, deflate");
    assert_eq!(names(BROTLI | ZSTD | GZIP), "gzip, br, zstd");
}

/// A frame of blocks that each repeat a byte 128 Ki times: four bytes on the wire.
fn zstd_bomb(blocks: usize) -> Vec<u8> {
    // Magic, a descriptor without anything, a window of 1 MiB.
    let mut body = b"\x28\xb5\x2f\xfd\0\x50".to_vec();
    for block in 1..=blocks {
        let header = (128 * 1024) << 3 | 1 << 1 | u32::from(block == blocks);
        body.extend_from_slice(&header.to_le_bytes()[..3]);
        body.push(b'x');
    }
    body
}

#[test]
fn a_huge_body_comes_out_piece_by_piece() {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    (0..4).for_each(|_| gzip.write_all(&[0; 1024 * 1024]).unwrap());
    for (coding, body, size) in
        [("gzip", gzip.finish().unwrap(), 4 * 1024 * 1024), ("zstd", zstd_bomb(64), 8 * 1024 * 1024)]
    {
        let mut decoder = Decoder::new(coding, ALL).unwrap();
        let mut source = Pieces { left: &body, size: 65536, dry: false };
        let (mut out, mut total) = (vec![0; 65536], 0);
        while total < size {
            assert!(decoder.ready(&mut source).unwrap() <= BUFFER);
            total += decoder.read(&mut source, &mut out).unwrap();
        }
        assert_eq!((total, decoder.read(&mut source, &mut out)), (size, Ok(0)), "{coding}");
    }
}
