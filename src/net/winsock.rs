//! Socket errors in the numbers that Windows has for them.

use std::io;

/// Nobody answered in time.
pub const TIMED_OUT: u32 = 10060;

/// No such host.
pub const HOST_NOT_FOUND: u32 = 11001;

/// The Winsock number of a system error; 0 when there is none.
pub fn code_of(error: &io::Error) -> u32 {
    let Some(code) = error.raw_os_error() else { return 0 };
    match code {
        libc::EINTR => 10004,
        libc::EBADF => 10009,
        libc::EACCES | libc::EPERM => 10013,
        libc::EFAULT => 10014,
        libc::EINVAL => 10022,
        libc::EMFILE | libc::ENFILE => 10024,
        // A time limit of the kernel's own that passed.
        libc::EAGAIN => TIMED_OUT,
        libc::ENOTSOCK => 10038,
        libc::EPROTONOSUPPORT => 10043,
        libc::EOPNOTSUPP => 10045,
        libc::EAFNOSUPPORT => 10047,
        libc::EADDRINUSE => 10048,
        libc::EADDRNOTAVAIL => 10049,
        libc::ENETDOWN | libc::ENODEV => 10050,
        libc::ENETUNREACH => 10051,
        libc::ENETRESET => 10052,
        libc::ECONNABORTED => 10053,
        libc::ECONNRESET | libc::EPIPE => 10054,
        libc::ENOBUFS | libc::ENOMEM => 10055,
        libc::ENOTCONN => 10057,
        libc::ESHUTDOWN => 10058,
        libc::ETIMEDOUT => TIMED_OUT,
        libc::ECONNREFUSED => 10061,
        libc::EHOSTDOWN => 10064,
        libc::EHOSTUNREACH => 10065,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_happen_to_a_connection_has_a_number() {
        for (code, wanted) in [
            (libc::ECONNREFUSED, 10061),
            (libc::ECONNRESET, 10054),
            (libc::EPIPE, 10054),
            (libc::EAGAIN, 10060),
            (libc::EHOSTUNREACH, 10065),
            (libc::ENOENT, 0),
        ] {
            assert_eq!(code_of(&io::Error::from_raw_os_error(code)), wanted);
        }
        assert_eq!(code_of(&io::Error::other("no number")), 0);
    }
}
