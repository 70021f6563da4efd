//! `HTTP_REQUEST_AUTH_INFO`: who asks, as the application is told; and asking the program's own function when the engine has
//! left that to it.
//!
//! The function is called on the thread that receives. A receive that pended is brought by a thread which does the engine's
//! I/O, so it is finished on one of the pool's.
#![expect(unsafe_code, reason = "lays a C structure over the caller's buffer")]

use std::mem::offset_of;
use std::ptr;

use crate::abi::base::SECURITY_STATUS;
use crate::abi::error::Result;
use crate::abi::http::*;
use crate::server::service::{AuthScheme, AuthStatus, Delivery, Identity, QueueId, RequestInfo, Service};
use crate::win32::handles::Handle;
use crate::win32::object::{self, Object, Token};
use crate::win32::soon::run_soon;

use super::layout::Plan;
use super::token::User;
use super::verifiers;

/// Bytes of what stands behind the structure: the server's own proof, with a NUL.
pub(super) fn text_room(identity: &Identity) -> usize {
    proof(identity).map_or(0, |proof| proof.len() + 1)
}

fn proof(identity: &Identity) -> Option<&str> {
    identity.mutual.as_deref().filter(|_| identity.mutual_wanted)
}

/// Writes the structure without its token, and what stands behind it.
///
/// # Safety
/// `place` is aligned to 8 and valid for writes of the structure and [`text_room`] bytes.
pub(super) unsafe fn write(identity: &Identity, place: *mut u8) {
    let text = place.wrapping_add(size_of::<HTTP_REQUEST_AUTH_INFO>());
    let proof = proof(identity);
    let info = HTTP_REQUEST_AUTH_INFO {
        AuthStatus: match identity.status {
            AuthStatus::Success => HttpAuthStatusSuccess,
            AuthStatus::NotAuthenticated => HttpAuthStatusNotAuthenticated,
            AuthStatus::Failure => HttpAuthStatusFailure,
        },
        SecStatus: identity.reason as SECURITY_STATUS,
        Flags: 0,
        AuthType: match identity.scheme {
            Some(AuthScheme::Basic) => HttpRequestAuthTypeBasic,
            Some(AuthScheme::Digest) => HttpRequestAuthTypeDigest,
            None => HttpRequestAuthTypeNone,
        },
        AccessToken: ptr::null_mut(),
        ContextAttributes: 0,
        PackedContextLength: 0,
        PackedContextType: 0,
        PackedContext: ptr::null_mut(),
        MutualAuthDataLength: proof.map_or(0, |proof| proof.len() as u32),
        pMutualAuthData: if proof.is_some() { text.cast() } else { ptr::null_mut() },
        PackageNameLength: 0,
        pPackageName: ptr::null_mut(),
    };
    // SAFETY: as promised by the caller.
    unsafe {
        place.cast::<HTTP_REQUEST_AUTH_INFO>().write(info);
        if let Some(proof) = proof {
            text.copy_from_nonoverlapping(proof.as_ptr(), proof.len());
            text.add(proof.len()).write(0);
        }
    }
}

/// Puts a token of the user into a request that was written, for the application to close.
#[inline]
pub(super) fn give_token(plan: &Plan<'_>, buffer: &mut [u8]) -> Option<Handle> {
    let infos = plan.extra.as_ref()?.infos;
    match infos {
        [RequestInfo::Auth(identity), ..] if identity.status == AuthStatus::Success => {
            let array = plan.fixed + plan.unknown * size_of::<HTTP_UNKNOWN_HEADER>();
            write_token(identity, &mut buffer[array + size_of::<HTTP_REQUEST_INFO>() * infos.len()..])
        }
        _ => None,
    }
}

#[cold]
fn write_token(identity: &Identity, info: &mut [u8]) -> Option<Handle> {
    let token = object::open(Object::Token(Token::new(User(identity.user.clone())))).ok()?;
    let place = offset_of!(HTTP_REQUEST_AUTH_INFO, AccessToken);
    info[place..place + size_of::<usize>()].copy_from_slice(&token.to_ne_bytes());
    Some(token)
}

fn claimed(delivery: &Delivery) -> Option<&Identity> {
    match delivery.extras.as_ref()?.infos.first()? {
        RequestInfo::Auth(identity) if identity.claim.is_some() => Some(identity),
        _ => None,
    }
}

/// Asks the program about a claim the engine has left to it, and tells the engine.
#[inline]
pub(super) fn judge(service: &dyn Service, queue: QueueId, delivery: &mut Delivery) {
    if claimed(delivery).is_some() {
        judge_claim(service, queue, delivery);
    }
}

#[cold]
fn judge_claim(service: &dyn Service, queue: QueueId, delivery: &mut Delivery) {
    let request = delivery.request;
    let info = delivery.extras.as_mut().and_then(|extras| extras.infos.first_mut());
    let Some(RequestInfo::Auth(identity)) = info else { return };
    let Some(claim) = identity.claim.take() else { return };
    let judged = verifiers::judge(&claim);
    **identity = Identity { mutual_wanted: identity.mutual_wanted, ..judged };
    // A client that has left meanwhile is found out by the next call.
    let _ = service.tell_identity(queue, request, identity.clone());
}

/// Goes on with what a pending receive brought, elsewhere if the program has yet to judge it.
pub(super) fn judged_elsewhere(
    result: Result<Delivery>,
    go_on: impl FnOnce(Result<Delivery>) + Send + 'static,
) {
    if result.as_ref().is_ok_and(|delivery| claimed(delivery).is_some()) {
        run_soon(move || go_on(result));
    } else {
        go_on(result);
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Buffer, get_with_repeats};
    use super::super::write_request::write_http_request_v2;
    use super::*;
    use crate::server::service::{ApiVersion, DeliveryExtras};

    #[test]
    fn a_success_has_a_token_and_the_proof_if_it_is_wanted() {
        let mut identity =
            Identity::success(AuthScheme::Digest, "ann".as_bytes(), Some("rspauth=\"x\"".into()));
        identity.mutual_wanted = true;
        let mut delivery = get_with_repeats();
        let infos = vec![RequestInfo::Auth(Box::new(identity))];
        delivery.extras = Some(Box::new(DeliveryExtras { infos, trailers: Vec::new() }));
        let plan = Plan::new(ApiVersion::V2, &delivery);
        let mut buffer = Buffer::new(plan.size);
        // SAFETY: the buffer holds `size` bytes, rounded up to 8.
        let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.start(), plan.size) };
        write_http_request_v2(&plan, bytes);
        let token = give_token(&plan, bytes).unwrap();
        // SAFETY: just written there.
        let (count, entry, info) = unsafe {
            let request = &*bytes.as_ptr().cast::<HTTP_REQUEST_V2>();
            let entry = *request.pRequestInfo;
            (request.RequestInfoCount, entry, *entry.pInfo.cast::<HTTP_REQUEST_AUTH_INFO>())
        };
        assert_eq!((count, entry.InfoType, entry.InfoLength), (1, HttpRequestInfoTypeAuth, 80));
        assert_eq!((info.AuthStatus, info.AuthType), (HttpAuthStatusSuccess, HttpRequestAuthTypeDigest));
        assert_eq!((info.AccessToken.addr(), info.MutualAuthDataLength), (token, 11));
        // SAFETY: the text and its NUL stand in the buffer.
        let text = unsafe { std::ffi::CStr::from_ptr(info.pMutualAuthData) };
        assert_eq!(text, c"rspauth=\"x\"");
        assert!(object::token(token).unwrap().user.is::<User>());
        object::close(token).unwrap();
    }
}
