//! What a client's socket is told before it connects: keep-alive, interface, marks, priority.
//!
//! Connections that were told different things never stand for each other, so this is part of what the pool goes by.
use std::io;
use std::os::fd::RawFd;

use super::client_stream::set_option;

/// Numbers of Linux that `libc` does not name everywhere.
const SO_BINDTOIFINDEX: libc::c_int = 62;
const TC_PRIO_BESTEFFORT: libc::c_int = 0;
const TC_PRIO_FILLER: libc::c_int = 1;
const TC_PRIO_BULK: libc::c_int = 2;

/// What to tell a socket; the default is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tuning {
    /// Probes on a silent connection: milliseconds before the first and between them.
    pub keep_alive: Option<(u32, u32)>,
    /// The first bytes may travel with the connection request, if the server has allowed it before.
    pub fast_open: bool,
    /// The index of the network interface to use; 0 for whichever leads there.
    pub interface: u32,
    /// The code point its packets are marked with, below 64.
    pub dscp: Option<u8>,
    /// How it ranks among this machine's own traffic.
    pub priority: Option<Priority>,
}

/// `SOCKET_PRIORITY_HINT`; the discriminants are its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Priority {
    /// Only what nobody else wants.
    VeryLow = 0,
    /// Below normal.
    Low = 1,
    /// What everybody gets.
    Normal = 2,
}

impl Priority {
    /// The kernel's number for it, which the queueing disciplines of the interface go by.
    fn number(self) -> libc::c_int {
        match self {
            Priority::VeryLow => TC_PRIO_FILLER,
            Priority::Low => TC_PRIO_BULK,
            Priority::Normal => TC_PRIO_BESTEFFORT,
        }
    }
}

impl Tuning {
    /// Tells a socket that has not connected yet.
    pub(super) fn apply(&self, fd: RawFd, is_v4: bool) -> io::Result<()> {
        if *self == Tuning::default() {
            return Ok(());
        }
        if let Some((time, interval)) = self.keep_alive {
            set_option(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, &1_i32)?;
            set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, &seconds(time))?;
            set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, &seconds(interval))?;
        }
        if self.interface != 0 {
            set_option(fd, libc::SOL_SOCKET, SO_BINDTOIFINDEX, &self.interface)?;
        }
        if let Some(code) = self.dscp {
            let class = i32::from(code) << 2;
            match is_v4 {
                true => set_option(fd, libc::IPPROTO_IP, libc::IP_TOS, &class)?,
                false => set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, &class)?,
            }
        }
        // After the mark, which sets a priority of its own.
        if let Some(priority) = self.priority {
            set_option(fd, libc::SOL_SOCKET, libc::SO_PRIORITY, &priority.number())?;
        }
        if self.fast_open {
            // A hint: a kernel that does not do it connects as ever.
            let _ = set_option(fd, libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, &1_i32);
        }
        Ok(())
    }
}

/// The kernel counts whole seconds, up to 32767.
fn seconds(milliseconds: u32) -> libc::c_int {
    milliseconds.div_ceil(1000).clamp(1, 32767) as libc::c_int
}
