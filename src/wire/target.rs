//! Request targets: forms, percent-decoding, dot segments, restricted characters (digest §2.8).

use super::refusal::Refusal;
use super::request::Limits;

/// Decodes the path of a target. `Ok(None)` when the path is already in decoded form.
pub fn decode_path(raw: &[u8], limits: &Limits) -> Result<Option<String>, Refusal> {
    let _ = (raw, limits);
    todo!("wire")
}
