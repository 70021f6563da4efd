//! Headers as proxies send them, and as they must not.

use super::*;

fn told(source: &str, destination: &str) -> Option<Ends> {
    Some(Ends { source: source.parse().unwrap(), destination: destination.parse().unwrap() })
}

/// A version 2 header: version and command, family, what follows the length.
fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let len = (rest.len() as u16).to_be_bytes();
    [&SIGNATURE[..], &[command, family], &len, rest].concat()
}

const V4: [u8; 12] = [192, 0, 2, 1, 198, 51, 100, 2, 0xDC, 0x04, 0x01, 0xBB];

/// The header with its checksum behind it.
fn with_checksum(rest: &[u8]) -> Vec<u8> {
    let mut header = v2(0x21, 0x11, &[rest, &[TYPE_CRC32C, 0, 4, 0, 0, 0, 0]].concat());
    let crc = !crc32c(!0, &header);
    let at = header.len() - 4;
    header[at..].copy_from_slice(&crc.to_be_bytes());
    header
}

#[test]
fn version_1() {
    let line = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET / HTTP/1.1\r\n";
    assert_eq!(parse(line), Ok(Introduction::Complete(45, told("192.0.2.1:56324", "198.51.100.2:443"))));
    let line = b"PROXY TCP6 2001:db8::1 ::1 0 65535\r\n";
    assert_eq!(parse(line), Ok(Introduction::Complete(36, told("[2001:db8::1]:0", "[::1]:65535"))));
    assert_eq!(parse(b"PROXY UNKNOWN\r\n"), Ok(Introduction::Complete(15, None)));
    assert_eq!(parse(b"PROXY UNKNOWN ff::1 whatever\r\nGET"), Ok(Introduction::Complete(30, None)));
}

#[test]
fn the_longest_line_is_taken_and_no_longer_one() {
    let ip = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    let line = format!("PROXY TCP6 {ip} {ip} 65535 65535\r\n");
    assert!(matches!(parse(line.as_bytes()), Ok(Introduction::Complete(104, Some(_)))));
    let unknown = format!("PROXY UNKNOWN {ip} {ip} 65535 65535\r\n");
    assert_eq!(parse(unknown.as_bytes()), Ok(Introduction::Complete(107, None)));
    let longer = format!("PROXY UNKNOWN {ip} {ip} 65535 655350\r\n");
    assert_eq!(parse(longer.as_bytes()), Err(Malformed));
    assert_eq!(parse(&longer.as_bytes()[..106]), Ok(Introduction::Partial));
}

#[test]
fn version_1_is_strict() {
    for bad in [
        "PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n",
        "PROXY TCP4  192.0.2.1 198.51.100.2 56324 443\r\n",
        "PROXY TCP4 192.0.2.01 198.51.100.2 56324 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 056324 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 +1 443\r\n",
        "PROXY TCP4 ::1 ::1 1 443\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.2 1 443\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.2 1 443\r\n",
        "PROXY \r\n",
    ] {
        assert_eq!(parse(bad.as_bytes()), Err(Malformed), "{bad}");
    }
    assert_eq!(parse(b"PROXY TCP4 \xFF\r\n"), Err(Malformed));
}

#[test]
fn version_2() {
    assert_eq!(
        parse(&v2(0x21, 0x11, &V4)),
        Ok(Introduction::Complete(28, told("192.0.2.1:56324", "198.51.100.2:443")))
    );
    let mut v6 = [0; 36];
    (v6[15], v6[31], v6[33], v6[35]) = (1, 2, 7, 80);
    assert_eq!(parse(&v2(0x21, 0x21, &v6)), Ok(Introduction::Complete(52, told("[::1]:7", "[::2]:80"))));
    assert_eq!(parse(&v2(0x21, 0x31, &[0; 216])), Ok(Introduction::Complete(232, None)));
    assert_eq!(parse(&v2(0x21, 0, &[])), Ok(Introduction::Complete(16, None)));
}

#[test]
fn a_proxys_own_connections_tell_nothing() {
    assert_eq!(parse(&v2(0x20, 0, &[])), Ok(Introduction::Complete(16, None)));
    assert_eq!(parse(&v2(0x20, 0xFF, &[9; 5])), Ok(Introduction::Complete(21, None)));
}

#[test]
fn version_2_is_strict() {
    for bad in [
        v2(0x11, 0x11, &V4),
        v2(0x22, 0x11, &V4),
        v2(0x21, 0x13, &V4),
        v2(0x21, 0x41, &V4),
        v2(0x21, 0x11, &V4[..11]),
        v2(0x21, 0x21, &V4),
        v2(0x21, 0x31, &V4),
        v2(0x21, 0x11, &[&V4[..], &[4, 0]].concat()),
        v2(0x21, 0x11, &[&V4[..], &[4, 0, 2, 0]].concat()),
        v2(0x21, 0, &[0; 4097]),
    ] {
        assert_eq!(parse(&bad), Err(Malformed), "{bad:?}");
    }
    let tlv = [&V4[..], &[4, 0x0F, 0xF1], &[0; 0x0FF1]].concat();
    assert_eq!(tlv.len(), LONGEST_V2);
    assert!(matches!(parse(&v2(0x21, 0x11, &tlv)), Ok(Introduction::Complete(4112, Some(_)))));
}

#[test]
fn a_checksum_is_checked() {
    // RFC 3720, B.4: 32 bytes of zeros.
    assert_eq!(!crc32c(!0, &[0; 32]), 0x8A91_36AA);
    let whole = with_checksum(&[&V4[..], &[4, 0, 1, 9]].concat());
    assert!(matches!(parse(&whole), Ok(Introduction::Complete(_, Some(_)))));
    for at in FIXED_V2..whole.len() - 7 {
        let mut bad = whole.clone();
        bad[at] ^= 1;
        assert_eq!(parse(&bad), Err(Malformed), "{at}");
    }
    let short = v2(0x21, 0x11, &[&V4[..], &[TYPE_CRC32C, 0, 3, 0, 0, 0]].concat());
    assert_eq!(parse(&short), Err(Malformed));
}

#[test]
fn a_header_in_pieces_is_waited_for() {
    let v1 = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n".to_vec();
    for header in [v1, v2(0x21, 0x11, &V4), v2(0x20, 0, &[]), with_checksum(&V4)] {
        for cut in 0..header.len() {
            assert_eq!(parse(&header[..cut]), Ok(Introduction::Partial), "{cut}");
        }
    }
}

#[test]
fn what_a_client_sends_is_no_header() {
    for request in ["GET / HTTP/1.1\r\n", "\r\nGET / HTTP/1.1\r\n", "PROXYING / HTTP/1.1\r\n", "PROPFIND /"] {
        assert_eq!(parse(request.as_bytes()), Ok(Introduction::Absent));
    }
    assert_eq!(parse(b"\r\n\r\n\0\r\nQUIT\r"), Ok(Introduction::Absent));
}
