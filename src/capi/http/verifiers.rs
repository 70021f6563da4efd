//! Functions of the program that judge credentials (`NTHTTP_CREDENTIALS_INFO.Verify`), by the numbers the engine knows them
//! by. Called in one place, without a lock.
#![expect(unsafe_code, reason = "calls a function of the program")]
#![expect(non_snake_case, reason = "spelled as in the header")]

use std::ffi::{CString, c_char};

use parking_lot::Mutex;

use crate::abi::base::{BOOLEAN, CHAR, PCSTR, PVOID, SECURITY_STATUS, ULONG};
use crate::abi::http::*;
use crate::server::auth::ha1;
use crate::server::service::{
    AuthScheme, Claim, Evidence, Holder, Identity, LOGON_DENIED, PropertyKind, Service,
};

/// Bytes of `NTHTTP_CREDENTIALS.Secret`.
const SECRET: usize = 256;

/// `NTHTTP_CREDENTIALS`.
#[repr(C)]
pub(super) struct Credentials {
    AuthType: HTTP_REQUEST_AUTH_TYPE,
    DigestAlgorithm: ULONG,
    UserName: PCSTR,
    Realm: PCSTR,
    Password: PCSTR,
    SecretIsHash: BOOLEAN,
    Secret: [CHAR; SECRET],
}

/// `NTHTTP_VERIFY_CALLBACK`.
pub(super) type Verify = unsafe extern "C" fn(PVOID, *mut Credentials) -> SECURITY_STATUS;

/// A function and what it is called with.
#[derive(Clone, Copy)]
pub(super) struct Verifier {
    pub(super) function: Verify,
    pub(super) context: PVOID,
}

// SAFETY: C program, per NTHTTP_CREDENTIALS_INFO: function and context may be used from any thread.
unsafe impl Send for Verifier {}

struct Entry {
    number: u64,
    holder: Holder,
    verifier: Verifier,
}

struct Table {
    last: u64,
    entries: Vec<Entry>,
}

static TABLE: Mutex<Table> = Mutex::new(Table { last: 0, entries: Vec::new() });

/// Enters a function and gives it a number no other process gives.
pub(super) fn enter(holder: Holder, verifier: Verifier) -> u64 {
    let mut table = TABLE.lock();
    table.last += 1;
    let number = u64::from(std::process::id()) << 32 | table.last;
    table.entries.push(Entry { number, holder, verifier });
    number
}

/// The holder has this function now, or none: it is not asked for others any more.
pub(super) fn keep_only(holder: Holder, number: Option<u64>) {
    TABLE.lock().entries.retain(|entry| entry.holder != holder || Some(entry.number) == number);
}

/// Takes one out that was not used after all.
pub(super) fn remove(number: u64) {
    TABLE.lock().entries.retain(|entry| entry.number != number);
}

/// Forgets the functions of sessions and groups that are gone.
pub(super) fn sweep(service: &dyn Service) {
    let holders: Vec<Holder> = TABLE.lock().entries.iter().map(|entry| entry.holder).collect();
    for holder in holders {
        if service.property(holder, PropertyKind::Credentials).is_err() {
            keep_only(holder, None);
        }
    }
}

/// What the program says of a claim. A function that was taken back meanwhile leaves it as if nothing had been claimed.
pub(super) fn judge(claim: &Claim) -> Identity {
    let table = TABLE.lock();
    let found = table.entries.iter().find(|entry| entry.number == claim.verifier).map(|entry| entry.verifier);
    drop(table);
    match found {
        Some(verifier) => ask(verifier, claim),
        None => Identity::default(),
    }
}

fn ask(verifier: Verifier, claim: &Claim) -> Identity {
    let scheme = claim.scheme();
    let denied = Identity::failure(scheme, LOGON_DENIED);
    let (password, algorithm) = match &claim.evidence {
        Evidence::Password(password) => (Some(password.clone()), 0),
        Evidence::Proof(proof) => (None, if proof.sha256 { 2 } else { 1 }),
    };
    // Control characters were refused by the engine, NUL among them.
    let text = |bytes: &[u8]| CString::new(bytes).ok();
    let (Some(user), Some(realm)) = (text(&claim.user), text(&claim.realm)) else { return denied };
    let password = password.map(|password| CString::new(password).unwrap_or_default());
    let mut told = Credentials {
        AuthType: match scheme {
            AuthScheme::Basic => HttpRequestAuthTypeBasic,
            AuthScheme::Digest => HttpRequestAuthTypeDigest,
        },
        DigestAlgorithm: algorithm,
        UserName: user.as_ptr(),
        Realm: realm.as_ptr(),
        Password: password.as_ref().map_or(std::ptr::null(), |password| password.as_ptr()),
        SecretIsHash: 0,
        Secret: [0; SECRET],
    };
    // SAFETY: C program, per NTHTTP_CREDENTIALS_INFO: such a function, to be called with this context on any thread.
    let status = unsafe { (verifier.function)(verifier.context, &raw mut told) };
    if status != 0 {
        return Identity::failure(scheme, status);
    }
    match &claim.evidence {
        Evidence::Password(_) => Identity::success(scheme, &claim.user, None),
        Evidence::Proof(proof) => {
            let secret: Vec<u8> =
                told.Secret.iter().map(|c: &c_char| *c as u8).take_while(|b| *b != 0).collect();
            let ha1 = match told.SecretIsHash {
                0 => ha1(proof.sha256, &claim.user, &claim.realm, &secret),
                _ => String::from_utf8(secret).unwrap_or_default(),
            };
            match proof.check(&ha1) {
                Some(mutual) => Identity::success(scheme, &claim.user, Some(mutual)),
                None => denied,
            }
        }
    }
}
