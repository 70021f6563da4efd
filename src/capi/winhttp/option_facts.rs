//! What can be read of a request's course and connection: CONNECTION_INFO, REQUEST_TIMES, REQUEST_STATS,
//! CONNECTION_STATS_V0 to _V2, CONNECTION_GUID, EXTENDED_ERROR (digest §11).
#![expect(unsafe_code, reason = "addresses for C")]

use std::net::SocketAddr;

use super::handle::Object;
use super::option_network::guid_of;
use super::options::Given;
use super::text::Answer;
use crate::abi::base::SOCKADDR_STORAGE;
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::tcp_info::{tcp_info_v0, tcp_info_v1, tcp_info_v2};
use crate::client::connect::extended_error;
use crate::client::request::Request;
use crate::net::client_stream::{ADDRESS_SIZE, socket_address};

const WRONG_KIND: Error = Error::WINHTTP_INCORRECT_HANDLE_TYPE;

/// None of these can be set, but for CONNECTION_GUID, which is `option_network`'s; `None` for others.
pub(super) fn set(_: &Object, option: u32, _: &Given) -> Option<Result<()>> {
    matches!(
        option,
        WINHTTP_OPTION_CONNECTION_INFO
            | WINHTTP_OPTION_REQUEST_TIMES
            | WINHTTP_OPTION_REQUEST_STATS
            | WINHTTP_OPTION_CONNECTION_STATS_V0
            | WINHTTP_OPTION_CONNECTION_STATS_V1
            | WINHTTP_OPTION_CONNECTION_STATS_V2
            | WINHTTP_OPTION_TCP_PRIORITY_STATUS
            | WINHTTP_OPTION_EXTENDED_ERROR
    )
    .then_some(Err(Error::WINHTTP_OPTION_NOT_SETTABLE))
}

/// Answers one of these options; `None` for others. `object` `None` is the process.
pub(super) fn answer(object: Option<&Object>, option: u32, answer: &Answer) -> Option<Result<()>> {
    let write: fn(&Request, &Answer) -> Result<()> = match option {
        WINHTTP_OPTION_EXTENDED_ERROR => {
            return Some(match object {
                Some(Object::Request(request)) => answer.plain(request.extended_error()),
                None | Some(Object::Session(_)) => answer.plain(extended_error::last()),
                Some(_) => Err(WRONG_KIND),
            });
        }
        WINHTTP_OPTION_CONNECTION_INFO => write_connection_info,
        WINHTTP_OPTION_REQUEST_TIMES => write_times,
        WINHTTP_OPTION_REQUEST_STATS => write_stats,
        WINHTTP_OPTION_CONNECTION_STATS_V0 => |request, answer| {
            answer.reserve(size_of::<crate::abi::base::TCP_INFO_v0>())?;
            answer.plain(tcp_info_v0(&request.tcp_facts()?))
        },
        WINHTTP_OPTION_CONNECTION_STATS_V1 => |request, answer| {
            answer.reserve(size_of::<crate::abi::base::TCP_INFO_v1>())?;
            answer.plain(tcp_info_v1(&request.tcp_facts()?))
        },
        WINHTTP_OPTION_CONNECTION_STATS_V2 => |request, answer| {
            answer.reserve(size_of::<crate::abi::base::TCP_INFO_v2>())?;
            answer.plain(tcp_info_v2(&request.tcp_facts()?))
        },
        WINHTTP_OPTION_CONNECTION_GUID => |request, answer| answer.plain(guid_of(request.mark())),
        _ => return None,
    };
    Some(match object {
        Some(Object::Request(request)) => write(request, answer),
        Some(_) => Err(WRONG_KIND),
        None => Err(Error::INVALID_HANDLE),
    })
}

/// The number that the caller has put at an offset of the buffer.
fn asked(answer: &Answer, offset: usize) -> Option<u32> {
    let bytes = answer.question(offset + 4)?;
    <[u8; 4]>::try_from(&bytes[offset..]).ok().map(u32::from_ne_bytes)
}

/// WINHTTP_OPTION_CONNECTION_INFO. Its addresses are this platform's own `sockaddr`s.
fn write_connection_info(request: &Request, answer: &Answer) -> Result<()> {
    let whole = size_of::<WINHTTP_CONNECTION_INFO>();
    answer.reserve(whole)?;
    // Windows 7 takes a size that is short of the padding.
    if !asked(answer, 0).is_some_and(|size| size as usize == whole || size as usize + 4 == whole) {
        return Err(Error::INVALID_PARAMETER);
    }
    let (local, remote) = request.addresses()?;
    answer.plain(WINHTTP_CONNECTION_INFO {
        cbSize: whole as u32,
        LocalAddress: storage(local),
        RemoteAddress: storage(remote),
    })
}

fn storage(address: SocketAddr) -> SOCKADDR_STORAGE {
    let bytes = socket_address(address);
    const { assert!(size_of::<SOCKADDR_STORAGE>() == ADDRESS_SIZE) };
    // SAFETY: the bytes are as many as the structure has, and any bytes make one.
    unsafe { std::ptr::read_unaligned(bytes.as_ptr().cast()) }
}

/// How many of `there` the caller wants: as many as it says, all when it says 0. `INVALID_PARAMETER` when that is more
/// than the structure can hold.
fn wanted(asked: Option<u32>, there: usize, room: usize) -> Result<usize> {
    match asked.unwrap_or(0) as usize {
        0 => Ok(there),
        count if count <= room => Ok(count.min(there)),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// WINHTTP_OPTION_REQUEST_TIMES. The number of times comes in the buffer, and goes out in it.
fn write_times(request: &Request, answer: &Answer) -> Result<()> {
    answer.reserve(size_of::<WINHTTP_REQUEST_TIMES>())?;
    let times = request.times();
    let count = wanted(asked(answer, 0), times.len(), WinHttpRequestTimeMax as usize)?;
    if request.is_unsent() {
        return Err(Error::WINHTTP_INCORRECT_HANDLE_STATE);
    }
    let mut info =
        WINHTTP_REQUEST_TIMES { cTimes: count as u32, rgullTimes: [0; WinHttpRequestTimeMax as usize] };
    info.rgullTimes[..count].copy_from_slice(&times[..count]);
    answer.plain(info)
}

/// WINHTTP_OPTION_REQUEST_STATS. The number of statistics comes in the buffer, and goes out in it.
fn write_stats(request: &Request, answer: &Answer) -> Result<()> {
    answer.reserve(size_of::<WINHTTP_REQUEST_STATS>())?;
    let (stats, index) = request.stats();
    let place = std::mem::offset_of!(WINHTTP_REQUEST_STATS, cStats);
    let count = wanted(asked(answer, place), stats.len(), WinHttpRequestStatMax as usize)?;
    if request.is_unsent() {
        return Err(Error::WINHTTP_INCORRECT_HANDLE_STATE);
    }
    let fast_open = request.tcp_facts().is_ok_and(|facts| facts.fast_open);
    let flag = |is: bool, flag: u32| if is { u64::from(flag) } else { 0 };
    let mut info = WINHTTP_REQUEST_STATS {
        ullFlags: flag(index == 0, WINHTTP_REQUEST_STAT_FLAG_FIRST_REQUEST)
            | flag(fast_open, WINHTTP_REQUEST_STAT_FLAG_TCP_FAST_OPEN),
        ulIndex: index,
        cStats: count as u32,
        rgullStats: [0; WinHttpRequestStatMax as usize],
    };
    info.rgullStats[..count].copy_from_slice(&stats[..count]);
    answer.plain(info)
}
