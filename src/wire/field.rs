//! Header fields: the numbers known names have in `HTTP_HEADER_ID`, and the grammar of names and values.

use super::Span;

/// One field line of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The number of a known name (request or response numbering, by the head it is in), else [`UNKNOWN`].
    pub id: u8,
    /// The name as sent.
    pub name: Span,
    /// The value without surrounding white space.
    pub value: Span,
}

/// [`Field::id`] of a name without a number.
pub const UNKNOWN: u8 = 255;

/// How many request fields have a number (`HttpHeaderRequestMaximum`).
pub const REQUEST_IDS: usize = 41;

/// How many response fields have a number (`HttpHeaderResponseMaximum`).
pub const RESPONSE_IDS: usize = 30;

/// The number of a request field's name, compared without regard to case, or [`UNKNOWN`].
pub fn request_id(name: &[u8]) -> u8 {
    let _ = name;
    todo!("wire")
}

/// The number of a response field's name, compared without regard to case, or [`UNKNOWN`].
pub fn response_id(name: &[u8]) -> u8 {
    let _ = name;
    todo!("wire")
}

/// The name of a numbered response field in its usual spelling, e.g. `Content-Type`.
pub fn response_name(id: u8) -> &'static str {
    let _ = id;
    todo!("wire")
}

/// The name of a numbered request field in its usual spelling.
pub fn request_name(id: u8) -> &'static str {
    let _ = id;
    todo!("wire")
}

/// Whether a value may be put on the wire: no CR, LF or NUL.
pub fn value_is_safe(value: &[u8]) -> bool {
    let _ = value;
    todo!("wire")
}

/// Whether a name is an RFC 9110 token.
pub fn is_token(name: &[u8]) -> bool {
    let _ = name;
    todo!("wire")
}
