//! Addresses as `HTTP_TRANSPORT_ADDRESS` points at them: `sockaddr_in` and `sockaddr_in6` of the platform.
//!
//! Families are the platform's own numbers (`AF_INET6` is 10 on Linux, 23 on Windows), because the program was
//! compiled against this platform's socket headers.
#![expect(unsafe_code, reason = "reads addresses the caller gives")]

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV6};

use crate::abi::error::{Error, Result};

const V4_ROOM: usize = 16;

const AF_INET: u8 = 2;

const AF_INET6: u8 = if cfg!(target_os = "linux") {
    10
} else if cfg!(target_vendor = "apple") {
    30
} else {
    28
};

/// The BSDs keep the length of an address in its first byte and the family in its second.
const LENGTH_FIRST: bool = !cfg!(target_os = "linux");

/// Bytes one address takes, rounded up to 8.
#[inline]
pub(super) fn room(address: &SocketAddr) -> usize {
    match address {
        SocketAddr::V4(_) => V4_ROOM,
        SocketAddr::V6(v6) if v6.ip().to_ipv4_mapped().is_some() => V4_ROOM,
        SocketAddr::V6(_) => 32,
    }
}

/// Writes `address` at the start of `out`, which holds [`room`] bytes. An IPv4 client of a dual-stack socket
/// is told as IPv4.
#[inline]
pub(super) fn write(address: &SocketAddr, out: &mut [u8]) {
    match address {
        SocketAddr::V4(v4) => write_v4(*v4.ip(), v4.port(), out),
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(ip) => write_v4(ip, v6.port(), out),
            None => write_v6(v6, out),
        },
    }
}

#[inline]
fn write_v4(ip: Ipv4Addr, port: u16, out: &mut [u8]) {
    let mut whole = [0; V4_ROOM];
    whole[..2].copy_from_slice(&family(AF_INET, 16));
    whole[2..4].copy_from_slice(&port.to_be_bytes());
    whole[4..8].copy_from_slice(&ip.octets());
    out.copy_from_slice(&whole);
}

fn write_v6(address: &SocketAddrV6, out: &mut [u8]) {
    let mut whole = [0; 32];
    whole[..2].copy_from_slice(&family(AF_INET6, 28));
    whole[2..4].copy_from_slice(&address.port().to_be_bytes());
    whole[4..8].copy_from_slice(&address.flowinfo().to_ne_bytes());
    whole[8..24].copy_from_slice(&address.ip().octets());
    whole[24..28].copy_from_slice(&address.scope_id().to_ne_bytes());
    out.copy_from_slice(&whole);
}

/// The first two bytes of an address.
fn family(family: u8, length: u8) -> [u8; 2] {
    if LENGTH_FIRST { [length, family] } else { u16::from(family).to_ne_bytes() }
}

/// Bytes of the longest address.
pub(super) const LONGEST: usize = 28;

/// Reads a `sockaddr_in` or `sockaddr_in6` of at most `len` bytes.
///
/// # Safety
/// `start` is NULL or valid for reads of as many bytes as its family has, if `len` says there are as many.
pub(super) unsafe fn read(start: *const u8, len: usize) -> Result<SocketAddr> {
    if start.is_null() || len < V4_ROOM {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: as promised by the caller: every address has sixteen bytes.
    let v4 = unsafe { start.cast::<[u8; V4_ROOM]>().read_unaligned() };
    let port = u16::from_be_bytes([v4[2], v4[3]]);
    let family = if LENGTH_FIRST { u16::from(v4[1]) } else { u16::from_ne_bytes([v4[0], v4[1]]) };
    if family == u16::from(AF_INET) {
        return Ok(SocketAddr::from(([v4[4], v4[5], v4[6], v4[7]], port)));
    }
    if family != u16::from(AF_INET6) || len < LONGEST {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: as promised by the caller: one of this family has twenty-eight.
    let v6 = unsafe { start.cast::<[u8; LONGEST]>().read_unaligned() };
    let mut octets = [0; 16];
    octets.copy_from_slice(&v6[8..24]);
    let scope = u32::from_ne_bytes([v6[24], v6[25], v6[26], v6[27]]);
    Ok(SocketAddrV6::new(octets.into(), port, 0, scope).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_client_of_a_dual_stack_socket_is_told_as_ipv4() {
        let mapped: SocketAddr = "[::ffff:10.1.2.3]:8080".parse().unwrap();
        let mut out = [0xAA; 16];
        assert_eq!(room(&mapped), out.len());
        write(&mapped, &mut out);
        assert_eq!(out[2..8], [0x1F, 0x90, 10, 1, 2, 3]);
        assert_eq!(out[8..], [0; 8]);
    }

    #[test]
    fn what_is_written_is_read() {
        for text in ["10.1.2.3:80", "[fe80::1%7]:1", "[::]:443"] {
            let address: SocketAddr = text.parse().unwrap();
            let mut out = [0; 32];
            write(&address, &mut out[..room(&address)]);
            // SAFETY: a local as long as any address.
            assert_eq!(unsafe { read(out.as_ptr(), LONGEST) }, Ok(address));
        }
        // SAFETY: as above.
        assert_eq!(unsafe { read([9u8; 32].as_ptr(), LONGEST) }, Err(Error::INVALID_PARAMETER));
    }

    #[test]
    fn an_ipv6_address_keeps_its_scope() {
        let local: SocketAddr = "[fe80::1%7]:1".parse().unwrap();
        let mut out = [0xAA; 32];
        assert_eq!(room(&local), out.len());
        write(&local, &mut out);
        assert_eq!((out[8], out[9], out[23]), (0xFE, 0x80, 1));
        assert_eq!(out[24..28], 7u32.to_ne_bytes());
    }
}
