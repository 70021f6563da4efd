//! Win32 error codes as a Rust error type, and the NTSTATUS each one travels as inside an `OVERLAPPED`.
//!
//! Rooms below `capi` speak [`Result`]; `capi` turns an [`Error`] into a return value or a last error.

use core::fmt;

/// A Win32 error code other than `NO_ERROR`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Error(pub u32);

/// What every room below `capi` returns.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// The status of an operation that has been accepted and has not finished (`STATUS_PENDING`).
pub const STATUS_PENDING: u32 = 0x0000_0103;

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal;)*) => {
        impl Error {
            $($(#[$doc])* #[doc = concat!("Win32 error ", stringify!($code), ".")] pub const $name: Error = Error($code);)*

            /// The NTSTATUS that `OVERLAPPED.Internal` holds for this error.
            pub fn ntstatus(self) -> u32 {
                match self.0 { $($code => $status,)* other => 0xC007_0000 | (other & 0xFFFF) }
            }

            /// The Win32 error for an NTSTATUS, as `RtlNtStatusToDosError` gives it; `Ok` for success codes.
            pub fn from_ntstatus(status: u32) -> Result<()> {
                match status {
                    0 | STATUS_PENDING => Ok(()),
                    $($status => Err(Error($code)),)*
                    other if other & 0xFFFF_0000 == 0xC007_0000 => Err(Error(other & 0xFFFF)),
                    _ => Err(Error(317)),
                }
            }

            fn name(self) -> Option<&'static str> {
                match self.0 { $($code => Some(stringify!($name)),)* _ => None }
            }
        }
    };
}

errors! {
    INVALID_FUNCTION = 1, 0xC000_0010;
    FILE_NOT_FOUND = 2, 0xC000_0034;
    PATH_NOT_FOUND = 3, 0xC000_003A;
    TOO_MANY_OPEN_FILES = 4, 0xC000_011F;
    ACCESS_DENIED = 5, 0xC000_0022;
    INVALID_HANDLE = 6, 0xC000_0008;
    NOT_ENOUGH_MEMORY = 8, 0xC000_0017;
    NOT_READY = 21, 0xC000_00A3;
    BAD_COMMAND = 22, 0xC000_0184;
    SHARING_VIOLATION = 32, 0xC000_0043;
    HANDLE_EOF = 38, 0xC000_0011;
    NOT_SUPPORTED = 50, 0xC000_00BB;
    FILE_EXISTS = 80, 0xC000_0199;
    INVALID_PARAMETER = 87, 0xC000_000D;
    BROKEN_PIPE = 109, 0xC000_014B;
    DISK_FULL = 112, 0xC000_007F;
    CALL_NOT_IMPLEMENTED = 120, 0xC000_0002;
    INSUFFICIENT_BUFFER = 122, 0xC000_0023;
    INVALID_NAME = 123, 0xC000_0033;
    MOD_NOT_FOUND = 126, 0xC000_0135;
    PROC_NOT_FOUND = 127, 0xC000_0139;
    NEGATIVE_SEEK = 131, 0xC000_0147;
    DIR_NOT_EMPTY = 145, 0xC000_0101;
    ALREADY_EXISTS = 183, 0xC000_0035;
    MORE_DATA = 234, 0x8000_0005;
    WAIT_TIMEOUT = 258, 0x0000_0102;
    NO_MORE_ITEMS = 259, 0x8000_001A;
    ABANDONED_WAIT_0 = 735, 0x0000_0080;
    OPERATION_ABORTED = 995, 0xC000_0120;
    IO_INCOMPLETE = 996, 0xC000_0365;
    IO_PENDING = 997, 0xC000_0366;
    NOACCESS = 998, 0xC000_0005;
    IO_DEVICE = 1117, 0xC000_0185;
    DLL_INIT_FAILED = 1114, 0xC000_0142;
    NO_UNICODE_TRANSLATION = 1113, 0xC000_0161;
    BADDB = 1009, 0xC000_014C;
    REGISTRY_IO_FAILED = 1016, 0xC000_014D;
    NOT_FOUND = 1168, 0xC000_0225;
    CONNECTION_REFUSED = 1225, 0xC000_0236;
    CONNECTION_INVALID = 1229, 0xC000_023A;
    CONNECTION_ABORTED = 1236, 0xC000_0241;
    NETNAME_DELETED = 64, 0xC000_020D;
    REVISION_MISMATCH = 1306, 0xC000_0059;
    NO_SUCH_LOGON_SESSION = 1312, 0xC000_005F;
    INVALID_ID_AUTHORITY = 1343, 0xC000_0084;
    INTERNAL_ERROR = 1359, 0xC000_00E5;
    NO_SYSTEM_RESOURCES = 1450, 0xC000_009A;
    INVALID_OPERATION = 4317, 0xC000_022D;
    WINHTTP_TIMEOUT = 12002, 0xC007_2EE2;
    WINHTTP_INTERNAL_ERROR = 12004, 0xC007_2EE4;
    WINHTTP_INVALID_URL = 12005, 0xC007_2EE5;
    WINHTTP_UNRECOGNIZED_SCHEME = 12006, 0xC007_2EE6;
    WINHTTP_NAME_NOT_RESOLVED = 12007, 0xC007_2EE7;
    WINHTTP_INVALID_OPTION = 12009, 0xC007_2EE9;
    WINHTTP_OPTION_NOT_SETTABLE = 12011, 0xC007_2EEB;
    WINHTTP_LOGIN_FAILURE = 12015, 0xC007_2EEF;
    WINHTTP_OPERATION_CANCELLED = 12017, 0xC007_2EF1;
    WINHTTP_INCORRECT_HANDLE_TYPE = 12018, 0xC007_2EF2;
    WINHTTP_INCORRECT_HANDLE_STATE = 12019, 0xC007_2EF3;
    WINHTTP_CANNOT_CONNECT = 12029, 0xC007_2EFD;
    WINHTTP_CONNECTION_ERROR = 12030, 0xC007_2EFE;
    WINHTTP_RESEND_REQUEST = 12032, 0xC007_2F00;
    WINHTTP_HEADER_NOT_FOUND = 12150, 0xC007_2F76;
    WINHTTP_INVALID_SERVER_RESPONSE = 12152, 0xC007_2F78;
    WINHTTP_INVALID_HEADER = 12153, 0xC007_2F79;
    WINHTTP_HEADER_ALREADY_EXISTS = 12155, 0xC007_2F7B;
    WINHTTP_REDIRECT_FAILED = 12156, 0xC007_2F7C;
    WINHTTP_SECURE_FAILURE = 12175, 0xC007_2F8F;
    WINHTTP_HEADER_COUNT_EXCEEDED = 12181, 0xC007_2F95;
    WINHTTP_HEADER_SIZE_OVERFLOW = 12182, 0xC007_2F96;
    WINHTTP_CHUNKED_ENCODING_HEADER_SIZE_OVERFLOW = 12183, 0xC007_2F97;
    WINHTTP_RESPONSE_DRAIN_OVERFLOW = 12184, 0xC007_2F98;
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "Win32 error {}", self.0),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_survives_the_journey_through_an_overlapped() {
        for error in [
            Error::MORE_DATA,
            Error::HANDLE_EOF,
            Error::OPERATION_ABORTED,
            Error::NETNAME_DELETED,
            Error(4242),
        ] {
            assert_eq!(Error::from_ntstatus(error.ntstatus()), Err(error));
        }
        assert_eq!(Error::from_ntstatus(0), Ok(()));
    }
}
