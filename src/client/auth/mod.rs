//! Authentication to servers and proxies: Basic (RFC 7617) and Digest (RFC 7616) (digest of WinHTTP §7).
//!
//! ```text
//! credentials   whom the application logs in as, and the texts kept secret
//! digest        a Digest challenge, and the answer to it
//! passport      the one part of Passport that is left
//! identity      whom a proxy takes somebody for, as far as connections must not be lent to others
//! space         whom credentials are for: a server, or by `domain` a part of it
//! nonces        the Digest challenges a session has met, so that later requests answer them at once
//! info          what a server says of the nonce to use next (Authentication-Info)
//! handshake     which challenge is answered when; what a request sends of its own accord
//! offer         what the application sees and says of it
//! ```
//!
//! Negotiate, NTLM and Passport are known by name only: credentials for them are kept, and never used.

mod credentials;
mod digest;
mod handshake;
mod identity;
mod info;
mod nonces;
mod offer;
mod passport;
mod space;

pub(crate) use credentials::Credentials;
pub use credentials::{Login, Scheme, Target};
pub(crate) use handshake::{Dress, Tried, Verdict};
pub(crate) use identity::Identity;
pub(crate) use nonces::Nonces;
pub(crate) use space::Server;

#[cfg(test)]
mod tests;
