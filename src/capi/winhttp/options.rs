//! Reading and setting options (digest §3.17). Which options there are is in `option_get` and `option_set`.
#![expect(unsafe_code, reason = "exports, and memory of C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use std::sync::atomic::{AtomicBool, Ordering};

use super::handle;
use super::option_facts;
use super::option_get::{query, write_feature};
use super::option_proxy::write_proxy;
use super::option_set::set;
use super::text::Answer;
use crate::abi::base::{BOOL, DWORD, LPDWORD, LPVOID, TRUE};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::guard::winhttp_returning;

/// WINHTTP_OPTION_HTTP_VERSION of the process is 1.0.
static VERSION_1_0: AtomicBool = AtomicBool::new(false);

/// Whether requests opened without a version ask with HTTP/1.0.
pub(super) fn default_version_is_1_0() -> bool {
    VERSION_1_0.load(Ordering::Relaxed)
}

/// Sets WINHTTP_OPTION_HTTP_VERSION.
pub(super) fn set_default_version_1_0(is: bool) {
    VERSION_1_0.store(is, Ordering::Relaxed);
}

/// Whether an option can be read without a handle.
fn is_of_process(option: u32) -> bool {
    matches!(
        option,
        WINHTTP_OPTION_EXTENDED_ERROR
            | WINHTTP_OPTION_PROXY
            | WINHTTP_OPTION_HTTP_VERSION
            | WINHTTP_OPTION_WORKER_THREAD_COUNT
            | WINHTTP_OPTION_ENABLETRACING
            | WINHTTP_OPTION_FEATURE_SUPPORTED
    )
}

/// The value of an option.
pub(super) enum Value {
    Number(u32),
    /// A pointer or a number of its size.
    Word(usize),
    Text(Vec<u16>),
    Version(HTTP_VERSION_INFO),
    Long(u64),
}

/// Reads an option of a handle, or (NULL) of the process.
///
/// `*lpdwBufferLength` counts bytes: the room, then the size used (text: without NUL) or, with
/// ERROR_INSUFFICIENT_BUFFER, the size needed (text: with NUL). Strings of WINHTTP_OPTION_PROXY are freed with GlobalFree.
/// Errors: ERROR_INVALID_PARAMETER for an option that cannot be read, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE,
/// ERROR_WINHTTP_INCORRECT_HANDLE_STATE, ERROR_INVALID_HANDLE.
///
/// MSDN: WinHttpQueryOption.
///
/// # Safety
/// The buffer is writable for its length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpQueryOption(
    hInternet: HINTERNET,
    dwOption: DWORD,
    lpBuffer: LPVOID,
    lpdwBufferLength: LPDWORD,
) -> BOOL {
    winhttp_returning(|| {
        let object = if hInternet.is_null() { None } else { Some(handle::find(hInternet)?) };
        // A handle that is missing goes before all other faults.
        if object.is_none() && !is_of_process(dwOption) {
            return Err(Error::INVALID_HANDLE);
        }
        // SAFETY: C caller, per WinHttpQueryOption: the buffer is writable for the length given.
        let answer = unsafe { Answer::new(lpBuffer, lpdwBufferLength) }?;
        if let Some(done) = option_facts::answer(object.as_ref(), dwOption, &answer) {
            return done.map(|()| TRUE);
        }
        match dwOption {
            WINHTTP_OPTION_PROXY => write_proxy(object.as_ref(), &answer)?,
            WINHTTP_OPTION_FEATURE_SUPPORTED => write_feature(&answer)?,
            _ => match query(object.as_ref(), dwOption)? {
                Value::Number(number) => answer.plain(number)?,
                Value::Word(word) => answer.plain(word)?,
                Value::Version(version) => answer.plain(version)?,
                Value::Long(long) => answer.plain(long)?,
                Value::Text(text) => answer.text(text.into_iter())?,
            },
        }
        Ok(TRUE)
    })
}

/// Sets an option of a handle, or (NULL) of the process.
///
/// `dwBufferLength` counts bytes, for strings characters; options of fixed size want exactly that. Errors:
/// ERROR_WINHTTP_INVALID_OPTION for an option that is not known or not built in, ERROR_WINHTTP_OPTION_NOT_SETTABLE,
/// ERROR_INSUFFICIENT_BUFFER for another size, ERROR_INVALID_PARAMETER for an impossible value,
/// ERROR_WINHTTP_INCORRECT_HANDLE_TYPE, ERROR_WINHTTP_INCORRECT_HANDLE_STATE, ERROR_INVALID_HANDLE.
///
/// NTHTTP_OPTION_HOST_OVERRIDE (of this library; a session, or a request before it is sent) takes a string of items
/// `name[:port]=host[:port]` between blanks, commas or semicolons, such as `example.com:80=127.0.0.1:8080`: where
/// connections for a name really go. `*` is any name; a port left out on the left is any port, on the right the same
/// port. The first item that fits decides; items with the same left side add addresses to try. What is sent stays
/// the same. An empty string takes it back. The environment variable NTHTTP_HOSTS has the same form and counts after it.
///
/// Without WINHTTP_DISABLE_COOKIES (of WINHTTP_OPTION_DISABLE_FEATURE) the session's cookies are sent and kept. None is taken
/// for a domain whose names have different owners (`co.uk`, `github.io`): that is read once from the list of
/// publicsuffix.org in the file that the environment variable NTHTTP_PUBLIC_SUFFIX_LIST names, else in
/// /usr/share/publicsuffix/public_suffix_list.dat; without a list, a short rule for names like `com` and `co.uk` holds.
///
/// MSDN: WinHttpSetOption. Differs from Windows: how long an address holds is not known here, so
/// WINHTTP_OPTION_RESOLVER_CACHE_CONFIG takes 30 seconds for it (ages in seconds, 0 is the default) and its two flags
/// about that have no effect. Without WINHTTP_OPTION_IPV6_FAST_FALLBACK the families race (RFC 8305). A session with
/// WINHTTP_OPTION_MAX_CONNS_PER_SERVER shares no connections with others.
///
/// # Safety
/// The buffer is readable for its length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpSetOption(
    hInternet: HINTERNET,
    dwOption: DWORD,
    lpBuffer: LPVOID,
    dwBufferLength: DWORD,
) -> BOOL {
    winhttp_returning(|| {
        let object = if hInternet.is_null() { None } else { Some(handle::find(hInternet)?) };
        if lpBuffer.is_null() && dwBufferLength != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        // SAFETY: C caller, per WinHttpSetOption: the buffer is readable for its length.
        let given = unsafe { Given::new(lpBuffer, dwBufferLength) };
        set(object.as_ref(), dwOption, &given)?;
        Ok(TRUE)
    })
}

/// The value a caller sets.
pub(super) struct Given {
    start: *const u8,
    len: usize,
}

impl Given {
    /// # Safety
    /// `start` is valid for reads of `len` bytes, or of `len` characters if it is a string, while the value lives.
    unsafe fn new(start: LPVOID, len: u32) -> Given {
        Given { start: start.cast(), len: len as usize }
    }

    /// A value of fixed size. `INSUFFICIENT_BUFFER` for any other size.
    pub(super) fn plain<T: Copy>(&self) -> Result<T> {
        if self.len != size_of::<T>() || self.start.is_null() {
            return Err(Error::INSUFFICIENT_BUFFER);
        }
        // SAFETY: the creator promised `len` bytes; every `T` used is made of plain numbers and pointers.
        Ok(unsafe { self.start.cast::<T>().read_unaligned() })
    }

    /// A DWORD.
    pub(super) fn number(&self) -> Result<u32> {
        self.plain::<u32>()
    }

    /// A string of `len` characters.
    pub(super) fn text(&self) -> Vec<u16> {
        if self.start.is_null() {
            return Vec::new();
        }
        // SAFETY: for a string the creator promised `len` characters; C strings may lie at odd addresses.
        let unit = |index: usize| unsafe { self.start.cast::<u16>().add(index).read_unaligned() };
        (0..self.len).map(unit).take_while(|unit| *unit != 0).collect()
    }

    /// Bytes, or characters of a string; 0 without a value.
    pub(super) fn size(&self) -> usize {
        if self.start.is_null() { 0 } else { self.len }
    }

    /// Whether there is no value.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }
}
