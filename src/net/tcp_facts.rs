//! What the kernel measures of a TCP connection.
#![cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "getsockopt of TCP_INFO and of the type of service")
)]

use serde::{Deserialize, Serialize};

use std::os::fd::{AsFd, BorrowedFd};

use super::client_stream::Glimpse;
use super::socket::Socket;

/// The kernel's figures, under the names Windows has for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the member of TCP_INFO_v0, v1 or v2 of that name")]
pub struct TcpFacts {
    /// `TCPSTATE`: 4 is established.
    pub state: i32,
    pub mss: u32,
    pub connection_time_ms: u64,
    pub timestamps_enabled: bool,
    pub rtt_us: u32,
    pub min_rtt_us: u32,
    pub bytes_in_flight: u32,
    pub cwnd: u32,
    pub snd_wnd: u32,
    pub rcv_wnd: u32,
    pub rcv_buf: u32,
    pub bytes_out: u64,
    pub bytes_in: u64,
    pub bytes_reordered: u32,
    pub bytes_retrans: u32,
    pub timeout_episodes: u32,
    pub dup_acks_in: u32,
    /// What may usefully wait to be sent: the window not yet filled.
    pub ideal_backlog: u64,
    /// Milliseconds that sending was held up by the receiver's window.
    pub snd_lim_time_rwin: u32,
    /// Milliseconds that sending was held up by the window of the network.
    pub snd_lim_time_cwnd: u32,
    /// Milliseconds that sending was held up by this end's buffer.
    pub snd_lim_time_snd: u32,
    pub out_of_order_pkts_in: u32,
    pub ecn_negotiated: bool,
    pub ece_acks_in: u32,
    /// The first bytes travelled with the connection request.
    pub fast_open: bool,
}

/// Linux's states by number, as Windows numbers them.
#[cfg(target_os = "linux")]
const STATES: [i32; 12] = [0, 4, 2, 3, 5, 6, 10, 0, 7, 9, 1, 8];

impl Socket {
    /// What the kernel measures; `None` if this is no TCP connection, or not asked for here.
    pub fn tcp_facts(&self) -> Option<TcpFacts> {
        facts_of(self.as_fd())
    }
}

impl Glimpse {
    /// What the kernel measures; `None` once the connection is closed.
    pub fn tcp_facts(&self) -> Option<TcpFacts> {
        self.0.upgrade().and_then(|fd| facts_of(fd.as_fd()))
    }
}

#[cfg(target_os = "linux")]
fn facts_of(fd: BorrowedFd<'_>) -> Option<TcpFacts> {
    // SAFETY: numbers, for which zero is a value; an older kernel fills in fewer of them.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    option(fd, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info)?;
    let mut rcv_buf = 0u32;
    option(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, &mut rcv_buf);
    let mss = info.tcpi_snd_mss;
    let window = u64::from(info.tcpi_snd_cwnd) * u64::from(mss);
    let ms = |us: u64| u32::try_from(us / 1000).unwrap_or(u32::MAX);
    let held_up = info.tcpi_rwnd_limited.saturating_add(info.tcpi_sndbuf_limited);
    Some(TcpFacts {
        state: STATES.get(usize::from(info.tcpi_state)).copied().unwrap_or(0),
        mss,
        connection_time_ms: 0,
        timestamps_enabled: info.tcpi_options & 1 != 0,
        rtt_us: info.tcpi_rtt,
        min_rtt_us: info.tcpi_min_rtt,
        bytes_in_flight: info.tcpi_unacked.saturating_mul(mss),
        cwnd: u32::try_from(window).unwrap_or(u32::MAX),
        snd_wnd: info.tcpi_snd_wnd,
        rcv_wnd: info.tcpi_rcv_space,
        rcv_buf,
        bytes_out: info.tcpi_bytes_sent,
        bytes_in: info.tcpi_bytes_received,
        bytes_reordered: info.tcpi_reord_seen.saturating_mul(mss),
        bytes_retrans: u32::try_from(info.tcpi_bytes_retrans).unwrap_or(u32::MAX),
        timeout_episodes: info.tcpi_retransmits.into(),
        dup_acks_in: info.tcpi_dsack_dups,
        ideal_backlog: window.max(u64::from(mss) * 10),
        snd_lim_time_rwin: ms(info.tcpi_rwnd_limited),
        snd_lim_time_cwnd: ms(info.tcpi_busy_time.saturating_sub(held_up)),
        snd_lim_time_snd: ms(info.tcpi_sndbuf_limited),
        out_of_order_pkts_in: info.tcpi_rcv_ooopack,
        ecn_negotiated: info.tcpi_options & ECN != 0,
        ece_acks_in: info.tcpi_delivered_ce,
        fast_open: info.tcpi_options & SYN_DATA != 0,
    })
}

/// `TCPI_OPT_ECN`: both ends mark congestion instead of dropping.
#[cfg(target_os = "linux")]
const ECN: u8 = 8;

/// `TCPI_OPT_SYN_DATA`: the peer has acknowledged bytes that came with the connection request.
#[cfg(target_os = "linux")]
const SYN_DATA: u8 = 32;

#[cfg(not(target_os = "linux"))]
fn facts_of(_: BorrowedFd<'_>) -> Option<TcpFacts> {
    None
}

#[cfg(target_os = "linux")]
fn option<T>(fd: BorrowedFd<'_>, level: libc::c_int, name: libc::c_int, value: &mut T) -> Option<()> {
    use std::os::fd::AsRawFd;
    let mut len = size_of::<T>() as libc::socklen_t;
    let (fd, place) = (fd.as_raw_fd(), std::ptr::from_mut(value).cast());
    // SAFETY: the kernel writes at most `len` bytes into a value of that size, made of numbers.
    let got = unsafe { libc::getsockopt(fd, level, name, place, &mut len) };
    (got == 0).then_some(())
}

#[cfg(target_os = "linux")]
impl Socket {
    /// The code point its packets are marked with.
    pub fn dscp(&self) -> u8 {
        let mut class: libc::c_int = 0;
        let v6 = option(self.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_TCLASS, &mut class);
        if v6.is_none() {
            option(self.as_fd(), libc::IPPROTO_IP, libc::IP_TOS, &mut class);
        }
        (class >> 2) as u8 & 0x3F
    }
}

#[cfg(not(target_os = "linux"))]
impl Socket {
    /// The code point its packets are marked with.
    pub fn dscp(&self) -> u8 {
        0
    }
}
