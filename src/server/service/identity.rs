//! Who asks: what the engine found out about a request's credentials (`HTTP_REQUEST_AUTH_INFO`, digest §4.6), and where it
//! looks.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::server::auth::Proof;

/// `HTTP_AUTH_STATUS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuthStatus {
    /// The credentials are right.
    Success,
    /// There are none the engine judges.
    #[default]
    NotAuthenticated,
    /// The credentials are wrong.
    Failure,
}

/// The schemes the engine judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuthScheme {
    /// RFC 7617.
    Basic,
    /// RFC 7616.
    Digest,
}

/// What is known of who asks, for every request of a group with authentication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// How it went.
    pub status: AuthStatus,
    /// `SEC_E_*`; 0 unless it failed.
    pub reason: i32,
    /// The scheme of the credentials judged.
    pub scheme: Option<AuthScheme>,
    /// The user, when the credentials are right.
    pub user: String,
    /// The server's own proof (Authentication-Info), when there is one.
    pub mutual: Option<String>,
    /// The application sends that itself (`ReceiveMutualAuth`).
    pub mutual_wanted: bool,
    /// The credentials were made with a nonce that has run out: the next challenge says so.
    pub stale: bool,
    /// What the program's own function has yet to judge.
    pub claim: Option<Box<Claim>>,
}

/// Credentials that a function of the program judges.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Names the function, in the process that set it.
    pub verifier: u64,
    /// The user, as the client wrote it.
    pub user: Vec<u8>,
    /// The realm.
    pub realm: Vec<u8>,
    /// What is to be judged.
    pub evidence: Evidence,
}

/// What speaks for the user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Evidence {
    /// Basic: the password.
    Password(Vec<u8>),
    /// Digest.
    Proof(Proof),
}

/// Without the password, because this may be logged.
impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// Where passwords come from; the extension `NthttpServerCredentialsProperty`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialSource {
    /// A password file.
    pub file: Option<String>,
    /// A function of the program, by the number its process gave it.
    pub verifier: Option<u64>,
    /// Digest algorithms offered: MD5 1, SHA-256 2; 0 leaves it to the engine.
    pub algorithms: u32,
    /// Seconds a nonce is good; 0 leaves it to the engine.
    pub nonce_seconds: u32,
}

/// `SEC_E_LOGON_DENIED`.
pub const LOGON_DENIED: i32 = 0x8009_030C_u32 as i32;
/// `SEC_E_OUT_OF_SEQUENCE`: a proof that was used before.
pub const OUT_OF_SEQUENCE: i32 = 0x8009_0310_u32 as i32;
/// `SEC_E_NO_AUTHENTICATING_AUTHORITY`: there is nowhere to look.
pub const NO_AUTHORITY: i32 = 0x8009_0311_u32 as i32;

impl Identity {
    /// The credentials are this user's.
    pub fn success(scheme: AuthScheme, user: &[u8], mutual: Option<String>) -> Identity {
        let scheme = Some(scheme);
        Identity { status: AuthStatus::Success, scheme, user: text(user), mutual, ..Identity::default() }
    }

    /// The credentials are not right.
    pub fn failure(scheme: AuthScheme, reason: i32) -> Identity {
        Identity { status: AuthStatus::Failure, scheme: Some(scheme), reason, ..Identity::default() }
    }
}

impl Claim {
    /// The scheme of the credentials.
    pub fn scheme(&self) -> AuthScheme {
        match self.evidence {
            Evidence::Password(_) => AuthScheme::Basic,
            Evidence::Proof(_) => AuthScheme::Digest,
        }
    }
}

/// A name as text: UTF-8, else Latin-1, which old clients send.
fn text(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(text) => text.to_owned(),
        Err(_) => name.iter().map(|byte| char::from(*byte)).collect(),
    }
}
