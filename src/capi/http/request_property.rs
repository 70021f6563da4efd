//! `HttpQueryRequestProperty` and `HttpSetRequestProperty` (digest §3.7).
#![expect(unsafe_code, reason = "functions called from C; read and write its buffers")]
#![expect(non_snake_case, non_upper_case_globals, reason = "Windows spelling, as in the header")]

use std::ptr;
use std::task::Poll;

use crate::abi::base::{HANDLE, LPOVERLAPPED, PULONG, PVOID, UCHAR, ULONG, ULONGLONG, USHORT};
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::capi::guard::returning_code;
use crate::capi::tcp_info::{tcp_info_v0, tcp_info_v1};
use crate::server::service::{Fact, Question, RequestId};

use super::calls::run;
use super::init::ensure_server;
use super::property_buffers::{Given, Wanted};
use super::queue::{device, queue_of};

/// Tells a property of a request's connection, while the request is not fully answered: `HttpRequestPropertyIsb`
/// (`ULONG64`: bytes that may usefully wait to be sent), `..TcpInfoV0` (`TCP_INFO_v0`), `..TcpInfoV1` (`TCP_INFO_v1`),
/// `..StreamError` (`HTTP_REQUEST_PROPERTY_STREAM_ERROR`), `..TransportIdleConnectionTimeout` (`USHORT`: seconds) and
/// `..DscpTag` (`BYTE`).
///
/// `Qualifier` is NULL, `QualifierSize` 0. `*BytesReturned`, unless NULL, is the size in bytes, also with `ERROR_MORE_DATA`
/// (`Output` too small). Done when the call returns; an OVERLAPPED is completed as for any call that succeeds at once.
/// Errors: `ERROR_INVALID_PARAMETER` (unknown property, qualifier, `Output` NULL), `ERROR_INVALID_FUNCTION` (a property of
/// TLS, QUIC or of timings, which this connection has not), `ERROR_CONNECTION_INVALID` (no such request, or answered),
/// `ERROR_INVALID_HANDLE`, `ERROR_DLL_INIT_FAILED`.
///
/// Differs from Windows: the figures are Linux's; those it does not keep are 0.
///
/// MSDN: HttpQueryRequestProperty function.
///
/// # Safety
/// `Output` is NULL or valid for writes of `OutputBufferSize` bytes; `BytesReturned` is NULL or valid for writes;
/// `Overlapped` is NULL or valid until completion.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpQueryRequestProperty(
    RequestQueueHandle: HANDLE,
    Id: HTTP_OPAQUE_ID,
    PropertyId: HTTP_REQUEST_PROPERTY,
    Qualifier: PVOID,
    QualifierSize: ULONG,
    Output: PVOID,
    OutputBufferSize: ULONG,
    BytesReturned: PULONG,
    Overlapped: LPOVERLAPPED,
) -> ULONG {
    returning_code(|| {
        ensure_server()?;
        let device = device(RequestQueueHandle)?;
        let queue = queue_of(&device)?;
        if !Qualifier.is_null() || QualifierSize != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        let question = question(PropertyId)?;
        let fact = queue.service.ask_request(queue.id, RequestId(Id), question)?;
        let wanted = Wanted { start: Output, len: OutputBufferSize, size: BytesReturned };
        // SAFETY: C caller, per HttpQueryRequestProperty: a buffer of that length; the OVERLAPPED is ours until completion.
        unsafe {
            let bytes = answer(PropertyId, fact, wanted)?;
            run(&device, ptr::null_mut(), Overlapped, |_| Poll::Ready(Ok(bytes)))
        }
    })
}

fn question(property: HTTP_REQUEST_PROPERTY) -> Result<Question> {
    match property {
        HttpRequestPropertyIsb | HttpRequestPropertyTcpInfoV0 | HttpRequestPropertyTcpInfoV1 => {
            Ok(Question::Tcp)
        }
        // There is nothing to reset but the connection; asked for all the same, so that the request must live.
        HttpRequestPropertyStreamError => Ok(Question::Dscp),
        HttpRequestPropertyTransportIdleConnectionTimeout => Ok(Question::IdleTimeout),
        HttpRequestPropertyDscpTag => Ok(Question::Dscp),
        HttpRequestPropertyQuicStats
        | HttpRequestPropertySni
        | HttpRequestPropertyWskApiTimings
        | HttpRequestPropertyQuicApiTimings
        | HttpRequestPropertyQuicStatsV2
        | HttpRequestPropertyQuicStreamStats
        | HttpRequestPropertyTcpInfoV2
        | HttpRequestPropertyTlsClientHello
        | HttpRequestPropertyTlsCipherInfo => Err(Error::INVALID_FUNCTION),
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// # Safety
/// `wanted` holds places of the caller, valid for writes.
unsafe fn answer(property: HTTP_REQUEST_PROPERTY, fact: Fact, wanted: Wanted) -> Result<u64> {
    // SAFETY: as promised by the caller.
    unsafe {
        match (property, fact) {
            (HttpRequestPropertyIsb, Fact::Tcp(facts)) => written(wanted, facts.ideal_backlog as ULONGLONG),
            (HttpRequestPropertyTcpInfoV0, Fact::Tcp(facts)) => written(wanted, tcp_info_v0(&facts)),
            (HttpRequestPropertyTcpInfoV1, Fact::Tcp(facts)) => written(wanted, tcp_info_v1(&facts)),
            (HttpRequestPropertyStreamError, _) => {
                written(wanted, HTTP_REQUEST_PROPERTY_STREAM_ERROR { ErrorCode: 0 })
            }
            (_, Fact::IdleTimeout(seconds)) => written(wanted, seconds as USHORT),
            (_, Fact::Dscp(code)) => written(wanted, code as UCHAR),
            (_, Fact::Tcp(_)) => Err(Error::INTERNAL_ERROR),
        }
    }
}

/// # Safety
/// As [`answer`].
unsafe fn written<T: Copy>(wanted: Wanted, value: T) -> Result<u64> {
    // SAFETY: as promised by the caller.
    unsafe { wanted.write(value)? };
    Ok(size_of::<T>() as u64)
}

/// Sets a property of a request's connection: `HttpRequestPropertyStreamError` (`HTTP_REQUEST_PROPERTY_STREAM_ERROR`: the
/// code a cancelled HTTP/2 stream is reset with; without effect on HTTP/1.1), `..TransportIdleConnectionTimeout` (`USHORT`:
/// seconds the connection may idle after this request) or `..DscpTag` (`BYTE`, 0 to 63: the code point its packets carry).
///
/// `InputPropertySize` is in bytes; a longer buffer is accepted. Done when the call returns; an OVERLAPPED is completed as
/// for any call that succeeds at once. Errors: `ERROR_INVALID_PARAMETER` (another property, `Input` NULL or short, value out
/// of range), `ERROR_CONNECTION_INVALID` (no such request, or answered), `ERROR_INVALID_HANDLE`, `ERROR_DLL_INIT_FAILED`.
///
/// MSDN: HttpSetRequestProperty function.
///
/// # Safety
/// `Input` is NULL or valid for reads of `InputPropertySize` bytes; `Overlapped` is NULL or valid until completion.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpSetRequestProperty(
    RequestQueueHandle: HANDLE,
    Id: HTTP_OPAQUE_ID,
    PropertyId: HTTP_REQUEST_PROPERTY,
    Input: PVOID,
    InputPropertySize: ULONG,
    Overlapped: LPOVERLAPPED,
) -> ULONG {
    returning_code(|| {
        ensure_server()?;
        let device = device(RequestQueueHandle)?;
        let queue = queue_of(&device)?;
        let given = Given { start: Input, len: InputPropertySize };
        // SAFETY: C caller, per HttpSetRequestProperty: a buffer of that length.
        let fact = unsafe {
            match PropertyId {
                HttpRequestPropertyStreamError => {
                    given.read::<HTTP_REQUEST_PROPERTY_STREAM_ERROR>().map(|_| None)?
                }
                HttpRequestPropertyTransportIdleConnectionTimeout => Some(Fact::IdleTimeout(given.read()?)),
                HttpRequestPropertyDscpTag => Some(Fact::Dscp(given.read()?)),
                _ => return Err(Error::INVALID_PARAMETER),
            }
        };
        let request = RequestId(Id);
        match fact {
            Some(fact) => queue.service.tell_request(queue.id, request, fact)?,
            None => drop(queue.service.ask_request(queue.id, request, Question::Dscp)?),
        }
        // SAFETY: C caller, as above: the OVERLAPPED is ours until completion.
        unsafe { run(&device, ptr::null_mut(), Overlapped, |_| Poll::Ready(Ok(()))) }
    })
}
