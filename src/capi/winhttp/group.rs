//! WinHttpQueryConnectionGroup: what connections there are to a server.
#![expect(unsafe_code, reason = "exports, and structures for C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use super::handle::{self, Object};
use super::option_network::{guid_of, mark_of};
use super::text::put;
use crate::abi::base::{DWORD, GUID, ULONGLONG};
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::capi::guard::{returning, returning_status};
use crate::client::connect::network::Mark;
use crate::win32::text::to_wide;

/// A result and what it points at, in one piece.
#[repr(C)]
struct Answer {
    result: WINHTTP_QUERY_CONNECTION_GROUP_RESULT,
    host: WINHTTP_HOST_CONNECTION_GROUP,
    groups: Vec<WINHTTP_CONNECTION_GROUP>,
    name: Vec<u16>,
}

/// Tells how many connections there are to a server, idle and in use, by the GUIDs they were marked with
/// (WINHTTP_OPTION_CONNECTION_GUID).
///
/// `hInternet` is a connect or a request handle, which names the server. For a connect handle the connections are
/// those of HTTPS, unless `ullFlags` is WINHTTP_QUERY_CONNECTION_GROUP_FLAG_INSECURE; a request handle knows itself.
/// With `pGuidConnection` only connections with that mark are told of. `*ppResult` is to be freed with
/// WinHttpFreeQueryConnectionGroupResult; it has one host, or none when there is no connection. The group of those
/// without a mark has a GUID of zeros. Returns 0, ERROR_INVALID_PARAMETER (NULL, other flags), ERROR_INVALID_HANDLE or
/// ERROR_WINHTTP_INCORRECT_HANDLE_TYPE. Connections through a proxy lead to the proxy and are not told of.
///
/// MSDN: WinHttpQueryConnectionGroup.
///
/// # Safety
/// `pGuidConnection` is NULL or readable, `ppResult` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpQueryConnectionGroup(
    hInternet: HINTERNET,
    pGuidConnection: *const GUID,
    ullFlags: ULONGLONG,
    ppResult: *mut PWINHTTP_QUERY_CONNECTION_GROUP_RESULT,
) -> DWORD {
    returning_status(|| {
        if ppResult.is_null() || ullFlags & !WINHTTP_QUERY_CONNECTION_GROUP_FLAG_INSECURE != 0 {
            return Err(Error::INVALID_PARAMETER);
        }
        let object = handle::find(hInternet)?;
        // SAFETY: C caller, per WinHttpQueryConnectionGroup: NULL or readable.
        let only = (!pGuidConnection.is_null()).then(|| mark_of(unsafe { pGuidConnection.read_unaligned() }));
        let (host, groups) = groups_of(&object, ullFlags == 0, only)?;
        let answer = Box::into_raw(Answer::new(&host, &groups));
        // SAFETY: the place was checked; the result is the first member of the answer.
        unsafe { put(ppResult, answer.cast()) };
        Ok(())
    })
}

type Groups = Vec<(Option<Mark>, u32)>;

fn groups_of(object: &Object, secure: bool, only: Option<Mark>) -> Result<(String, Groups)> {
    let (connect, host, port, secure) = match object {
        Object::Connect(connect) => {
            let port = match connect.port {
                0 if secure => 443,
                0 => 80,
                port => port,
            };
            (connect, connect.host.clone(), port, secure)
        }
        Object::Request(request) => {
            let (host, port, secure) =
                request.with_plan(|plan| (plan.url.host.clone(), plan.url.port, plan.url.secure));
            (&request.connect, host, port, secure)
        }
        _ => return Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
    };
    // There are no connections with TLS yet.
    let groups = if secure { Vec::new() } else { connect.groups(&host, port, only) };
    Ok((host, groups))
}

impl Answer {
    fn new(host: &str, groups: &Groups) -> Box<Answer> {
        let groups: Vec<_> = groups
            .iter()
            .map(|(mark, count)| WINHTTP_CONNECTION_GROUP { cConnections: *count, guidGroup: guid_of(*mark) })
            .collect();
        let name: Vec<u16> = to_wide(host).into_iter().chain([0]).collect();
        let mut answer = Box::new(Answer {
            result: WINHTTP_QUERY_CONNECTION_GROUP_RESULT {
                cHosts: 0,
                pHostConnectionGroups: std::ptr::null_mut(),
            },
            host: WINHTTP_HOST_CONNECTION_GROUP {
                pwszHost: std::ptr::null(),
                cConnectionGroups: groups.len() as u32,
                pConnectionGroups: std::ptr::null_mut(),
            },
            groups,
            name,
        });
        if !answer.groups.is_empty() {
            answer.host.pwszHost = answer.name.as_ptr().cast();
            answer.host.pConnectionGroups = answer.groups.as_mut_ptr();
            answer.result.cHosts = 1;
            answer.result.pHostConnectionGroups = &raw mut answer.host;
        }
        answer
    }
}

/// Frees a result of WinHttpQueryConnectionGroup and all it points at. NULL is allowed.
///
/// MSDN: WinHttpFreeQueryConnectionGroupResult.
///
/// # Safety
/// The result came from WinHttpQueryConnectionGroup and has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WinHttpFreeQueryConnectionGroupResult(
    pResult: PWINHTTP_QUERY_CONNECTION_GROUP_RESULT,
) {
    returning((), || {
        if !pResult.is_null() {
            // SAFETY: C caller: the result is the first member of an answer that was boxed here.
            drop(unsafe { Box::from_raw(pResult.cast::<Answer>()) });
        }
    });
}
