//! The PROXY protocol (haproxy's proxy-protocol.txt, versions 1 and 2): what a proxy says about a client before the
//! client's own bytes. Whose word is taken, and what is done with it, is `server::connections::introduction`'s.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest header of version 1, CRLF included.
const LONGEST_V1: usize = 107;

/// The longest rest of a version 2 header that is taken: addresses and what stands behind them.
const LONGEST_V2: usize = 4096;

/// How version 2 begins. No request does, and no proxy of version 1.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Signature, version and command, family and protocol, length.
const FIXED_V2: usize = 16;

/// The type of a CRC32C over the whole header.
const TYPE_CRC32C: u8 = 3;

/// What stands at the start of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introduction {
    /// No PROXY header: the bytes are the client's.
    Absent,
    /// More bytes are needed.
    Partial,
    /// A header of so many bytes.
    Complete(usize, Option<Ends>),
}

/// The two ends of the connection that the proxy took. None are told of the proxy's own connections and of clients it
/// knows no address of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The client.
    pub source: SocketAddr,
    /// Where the client connected to.
    pub destination: SocketAddr,
}

/// A header, but not one that the protocol knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Looks for a PROXY header at the start of what a connection sent.
pub fn parse(bytes: &[u8]) -> Result<Introduction, Malformed> {
    if begins(bytes, &SIGNATURE) {
        parse_v2(bytes)
    } else if begins(bytes, b"PROXY ") {
        parse_v1(bytes)
    } else {
        Ok(Introduction::Absent)
    }
}

/// Whether the bytes begin so, or may once there are more.
fn begins(bytes: &[u8], wanted: &[u8]) -> bool {
    let common = bytes.len().min(wanted.len());
    bytes[..common] == wanted[..common]
}

fn parse_v1(bytes: &[u8]) -> Result<Introduction, Malformed> {
    let seen = &bytes[..bytes.len().min(LONGEST_V1)];
    let Some(end) = seen.windows(2).position(|pair| pair == b"\r\n") else {
        return if seen.len() < LONGEST_V1 { Ok(Introduction::Partial) } else { Err(Malformed) };
    };
    let line = std::str::from_utf8(&seen[..end]).map_err(|_| Malformed)?;
    let mut words = line.split(' ').skip(1);
    let ends = match words.next() {
        Some("UNKNOWN") => return Ok(Introduction::Complete(end + 2, None)),
        Some("TCP4") => ends_v1::<Ipv4Addr>(words)?,
        Some("TCP6") => ends_v1::<Ipv6Addr>(words)?,
        _ => return Err(Malformed),
    };
    Ok(Introduction::Complete(end + 2, Some(ends)))
}

/// Two addresses and two ports, and nothing else.
fn ends_v1<'a, A>(mut words: impl Iterator<Item = &'a str>) -> Result<Ends, Malformed>
where
    A: std::str::FromStr + Into<IpAddr>,
{
    let mut next = || words.next().ok_or(Malformed);
    let (source, destination) = (next()?, next()?);
    let (source_port, destination_port) = (port(next()?)?, port(next()?)?);
    if words.next().is_some() {
        return Err(Malformed);
    }
    let address = |text: &str| text.parse::<A>().map(Into::into).map_err(|_| Malformed);
    Ok(Ends {
        source: SocketAddr::new(address(source)?, source_port),
        destination: SocketAddr::new(address(destination)?, destination_port),
    })
}

/// Decimal digits, no more of them than needed.
fn port(text: &str) -> Result<u16, Malformed> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().map_err(|_| Malformed) } else { Err(Malformed) }
}

fn parse_v2(bytes: &[u8]) -> Result<Introduction, Malformed> {
    // What is wrong in what is there will not get better with more.
    let local = match bytes.get(12) {
        None => return Ok(Introduction::Partial),
        Some(0x20) => true,
        Some(0x21) => false,
        Some(_) => return Err(Malformed),
    };
    let Some([family, high, low]) = bytes.get(13..FIXED_V2) else { return Ok(Introduction::Partial) };
    let len = usize::from(u16::from_be_bytes([*high, *low]));
    if len > LONGEST_V2 {
        return Err(Malformed);
    }
    let Some(header) = bytes.get(..FIXED_V2 + len) else { return Ok(Introduction::Partial) };
    if local {
        // The family is to be ignored, and with it all that its size would tell.
        return Ok(Introduction::Complete(header.len(), None));
    }
    let (ends, size) = ends_v2(*family, &header[FIXED_V2..])?;
    check_tlvs(header, FIXED_V2 + size)?;
    Ok(Introduction::Complete(header.len(), ends))
}

/// The addresses, and how many bytes they take. The transport (stream or datagram) is the proxy's affair.
fn ends_v2(family: u8, rest: &[u8]) -> Result<(Option<Ends>, usize), Malformed> {
    let ends = |len: usize, address: fn(&[u8]) -> Option<IpAddr>| {
        let at = |from: usize, size: usize| rest.get(from..from + size).ok_or(Malformed);
        let end = |ip: &[u8], port: &[u8]| {
            let ip = address(ip).ok_or(Malformed)?;
            Ok(SocketAddr::new(ip, u16::from(port[0]) << 8 | u16::from(port[1])))
        };
        let source = end(at(0, len)?, at(2 * len, 2)?)?;
        let destination = end(at(len, len)?, at(2 * len + 2, 2)?)?;
        Ok((Some(Ends { source, destination }), 2 * len + 4))
    };
    match (family >> 4, family & 0xF) {
        // Unspecified, or a Unix socket: nothing that could be told.
        (0, 0..=2) => Ok((None, 0)),
        (1, 1..=2) => ends(4, |ip| <[u8; 4]>::try_from(ip).ok().map(IpAddr::from)),
        (2, 1..=2) => ends(16, |ip| <[u8; 16]>::try_from(ip).ok().map(IpAddr::from)),
        (3, 1..=2) if rest.len() >= 216 => Ok((None, 216)),
        _ => Err(Malformed),
    }
}

/// Looks at the type-length-value entries behind the addresses: they fill the header, and a checksum is right. What
/// else they tell is not used.
fn check_tlvs(header: &[u8], mut at: usize) -> Result<(), Malformed> {
    while at < header.len() {
        let Some([kind, high, low]) = header.get(at..at + 3) else { return Err(Malformed) };
        let value = at + 3;
        let end = value + usize::from(u16::from_be_bytes([*high, *low]));
        if end > header.len() {
            return Err(Malformed);
        }
        if *kind == TYPE_CRC32C && !checksum_fits(header, value, end) {
            return Err(Malformed);
        }
        at = end;
    }
    Ok(())
}

/// Whether the four bytes there are the CRC32C of the header with zeros in their place.
fn checksum_fits(header: &[u8], start: usize, end: usize) -> bool {
    let Ok(told) = <[u8; 4]>::try_from(&header[start..end]) else { return false };
    let crc = [&header[..start], &[0; 4], &header[end..]].into_iter().fold(!0, crc32c);
    u32::from_be_bytes(told) == !crc
}

/// CRC32C (RFC 3720, B.4), bit by bit: headers are short.
fn crc32c(crc: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(crc, |crc, byte| {
        let mut crc = crc ^ u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0x82F6_3B78 & (crc & 1).wrapping_neg());
        }
        crc
    })
}

#[cfg(test)]
mod tests;
