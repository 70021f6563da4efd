//! The options of TLS, HTTP/2 and HTTP/3, none of which is spoken yet (digest §9, §11).
//!
//! What may be set is checked to the letter and has no effect, so that programs which set it are not kept from
//! plain http. What can only be read once there is a TLS or QUIC connection is not there:
//! ERROR_WINHTTP_INCORRECT_HANDLE_STATE.

use super::handle::Object;
use super::options::{Given, Value};
use crate::abi::base::GUID;
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;

const WRONG_KIND: Error = Error::WINHTTP_INCORRECT_HANDLE_TYPE;

/// `ERROR_WINHTTP_FAST_FORWARDING_NOT_SUPPORTED`
const NO_FAST_FORWARDING: Error = Error(12193);

/// The protocols before TLS 1.2, which a session with WINHTTP_FLAG_SECURE_DEFAULTS never admits.
const OLD_PROTOCOLS: u32 = WINHTTP_FLAG_SECURE_PROTOCOL_ALL | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_1;

/// What a value has to be.
#[derive(Clone, Copy)]
enum Shape {
    /// Any BOOL.
    Switch,
    /// A DWORD of at least so much.
    AtLeast(u32),
    /// A DWORD made of these bits.
    Bits(u32),
    /// A structure of so many bytes.
    Structure(usize),
}

/// Who takes an option.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Session,
    Request,
    Both,
}

const CHAIN_FLAGS: u32 = 0x4 | 0x2000 | 0x8000_0000;

const SETTABLE: [(u32, Level, Shape); 20] = [
    (WINHTTP_OPTION_DISABLE_STREAM_QUEUE, Level::Both, Shape::Switch),
    (WINHTTP_OPTION_DISABLE_SECURE_PROTOCOL_FALLBACK, Level::Session, Shape::Switch),
    (148, Level::Both, Shape::Bits(CHAIN_FLAGS)),
    (WINHTTP_OPTION_TLS_FALSE_START, Level::Session, Shape::Switch),
    (WINHTTP_OPTION_IGNORE_CERT_REVOCATION_OFFLINE, Level::Request, Shape::Switch),
    (WINHTTP_OPTION_TLS_PROTOCOL_INSECURE_FALLBACK, Level::Session, Shape::Switch),
    (WINHTTP_OPTION_REQUIRE_STREAM_END, Level::Both, Shape::Switch),
    (WINHTTP_OPTION_ENABLE_HTTP2_PLUS_CLIENT_CERT, Level::Session, Shape::Switch),
    (WINHTTP_OPTION_HTTP2_KEEPALIVE, Level::Session, Shape::AtLeast(5000)),
    (WINHTTP_OPTION_HTTP2_PLUS_TRANSFER_ENCODING, Level::Both, Shape::Switch),
    (WINHTTP_OPTION_DISABLE_CERT_CHAIN_BUILDING, Level::Session, Shape::Switch),
    (
        WINHTTP_OPTION_HTTP2_RECEIVE_WINDOW,
        Level::Session,
        Shape::Structure(size_of::<WINHTTP_HTTP2_RECEIVE_WINDOW>()),
    ),
    (WINHTTP_OPTION_HTTP3_KEEPALIVE, Level::Session, Shape::AtLeast(0)),
    (WINHTTP_OPTION_HTTP3_HANDSHAKE_TIMEOUT, Level::Session, Shape::AtLeast(0)),
    (WINHTTP_OPTION_HTTP3_INITIAL_RTT, Level::Session, Shape::AtLeast(0)),
    (WINHTTP_OPTION_REVERT_IMPERSONATION_SERVER_CERT, Level::Session, Shape::Switch),
    (WINHTTP_OPTION_USE_SESSION_SCH_CRED, Level::Session, Shape::Switch),
    (199, Level::Both, Shape::Switch),
    (211, Level::Session, Shape::AtLeast(0)),
    (212, Level::Session, Shape::Structure(size_of::<GUID>())),
];

/// Sets one of these options; `None`: not mine.
pub(super) fn set(object: &Object, option: u32, given: &Given) -> Option<Result<()>> {
    if let Some((_, level, shape)) = SETTABLE.iter().find(|(known, ..)| *known == option) {
        return Some(check_level(object, *level).and_then(|()| check(*shape, given)));
    }
    Some(match option {
        WINHTTP_OPTION_SECURE_PROTOCOLS => {
            check_level(object, Level::Both).and_then(|()| check_protocols(object, given))
        }
        205 | 206 | 209 => Err(NO_FAST_FORWARDING),
        _ if is_read_only(option) => Err(Error::WINHTTP_OPTION_NOT_SETTABLE),
        _ => return None,
    })
}

/// Reads one of these options; `None`: not mine.
pub(super) fn query(object: &Object, option: u32) -> Option<Result<Value>> {
    if matches!(option, 205 | 206 | 209) {
        return Some(Err(NO_FAST_FORWARDING));
    }
    if !is_read_only(option) {
        return None;
    }
    Some(match (check_level(object, Level::Request), option) {
        (Err(wrong), _) => Err(wrong),
        (Ok(()), WINHTTP_OPTION_SECURITY_KEY_BITNESS) => Ok(Value::Number(0)),
        (Ok(()), WINHTTP_OPTION_HTTP3_STREAM_ERROR_CODE) => Ok(Value::Long(0)),
        (Ok(()), _) => Err(Error::WINHTTP_INCORRECT_HANDLE_STATE),
    })
}

fn is_read_only(option: u32) -> bool {
    matches!(
        option,
        WINHTTP_OPTION_SECURITY_CERTIFICATE_STRUCT
            | WINHTTP_OPTION_SECURITY_KEY_BITNESS
            | WINHTTP_OPTION_SERVER_CERT_CONTEXT
            | WINHTTP_OPTION_CLIENT_CERT_ISSUER_LIST
            | WINHTTP_OPTION_SERVER_CBT
            | WINHTTP_OPTION_SERVER_CERT_CHAIN_CONTEXT
            | WINHTTP_OPTION_SECURITY_INFO
            | WINHTTP_OPTION_QUIC_STATS
            | WINHTTP_OPTION_HTTP3_STREAM_ERROR_CODE
            | WINHTTP_OPTION_QUIC_STATS_V2
            | WINHTTP_OPTION_QUIC_STREAM_STATS
    )
}

fn check_level(object: &Object, level: Level) -> Result<()> {
    match (object, level) {
        (Object::Session(_), Level::Session | Level::Both)
        | (Object::Request(_), Level::Request | Level::Both) => Ok(()),
        _ => Err(WRONG_KIND),
    }
}

fn check(shape: Shape, given: &Given) -> Result<()> {
    let fits = match shape {
        Shape::Switch => given.number().map(|_| true)?,
        Shape::AtLeast(least) => given.number()? >= least,
        Shape::Bits(known) => given.number()? & !known == 0,
        Shape::Structure(size) if given.size() == size => true,
        Shape::Structure(_) => return Err(Error::INSUFFICIENT_BUFFER),
    };
    if fits { Ok(()) } else { Err(Error::INVALID_PARAMETER) }
}

/// WINHTTP_OPTION_SECURE_PROTOCOLS.
fn check_protocols(object: &Object, given: &Given) -> Result<()> {
    let protocols = given.number()?;
    let known = OLD_PROTOCOLS | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2 | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3;
    if protocols & !known != 0 {
        return Err(Error::INVALID_PARAMETER);
    }
    let defaults = match object {
        Object::Session(session) => session.with(|state| state.secure_defaults),
        Object::Request(request) => request.connect.session.with(|state| state.secure_defaults),
        _ => return Err(WRONG_KIND),
    };
    if defaults && protocols & OLD_PROTOCOLS != 0 {
        return Err(Error::ACCESS_DENIED);
    }
    Ok(())
}
