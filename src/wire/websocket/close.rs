//! Close frames: a status, a reason, or neither (RFC 6455 §5.5.1, §7.4).

use super::Fault;

/// The peer's frame breaks the protocol.
pub const PROTOCOL_ERROR: u16 = 1002;
/// Stands for "no status"; never on the wire.
pub const EMPTY: u16 = 1005;
/// A message does not fit its type.
pub const INVALID_PAYLOAD: u16 = 1007;
/// The longest reason, in bytes.
pub const MAX_REASON: usize = 123;

/// What a close frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    /// [`EMPTY`] when there is none.
    pub status: u16,
    /// UTF-8.
    pub reason: Vec<u8>,
}

/// Whether a status may stand in a close frame.
pub fn may_be_sent(status: u16) -> bool {
    matches!(status, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Reads the payload of a close frame.
pub fn parse(payload: &[u8]) -> Result<CloseFrame, Fault> {
    match payload {
        [] => Ok(CloseFrame { status: EMPTY, reason: Vec::new() }),
        [_] => Err(Fault::CloseStatus),
        [high, low, reason @ ..] => {
            let status = u16::from_be_bytes([*high, *low]);
            if !may_be_sent(status) {
                return Err(Fault::CloseStatus);
            }
            std::str::from_utf8(reason).map_err(|_| Fault::NotUtf8)?;
            Ok(CloseFrame { status, reason: reason.to_vec() })
        }
    }
}

/// The payload that says this; `None` when no frame can: a status that must not be sent, a reason that is too long,
/// not UTF-8, or without a status.
pub fn payload(status: u16, reason: &[u8]) -> Option<Vec<u8>> {
    if status == EMPTY {
        return reason.is_empty().then(Vec::new);
    }
    if !may_be_sent(status) || reason.len() > MAX_REASON || std::str::from_utf8(reason).is_err() {
        return None;
    }
    let mut payload = status.to_be_bytes().to_vec();
    payload.extend_from_slice(reason);
    Some(payload)
}
