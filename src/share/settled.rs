//! What a guest's calls return, read from the outcomes the host sent.

use super::calls::Settled;
use super::message::Outcome;
use crate::abi::error::{Error, Result};
use crate::server::service::{BodyPart, Delivery, FragmentPart, GroupId, Property, QueueId, SessionId};

/// What a call returns, from its settled form. An outcome of another kind is the host's fault.
pub(super) trait FromSettled: Sized {
    fn from_settled(settled: Settled) -> Result<Self>;
}

macro_rules! from_outcome {
    ($($type:ty: $pattern:pat => $value:expr;)*) => { $(
        impl FromSettled for $type {
            fn from_settled(settled: Settled) -> Result<$type> {
                match settled.outcome? {
                    $pattern => Ok($value),
                    _ => Err(Error::INTERNAL_ERROR),
                }
            }
        }
    )* };
}

from_outcome! {
    (): Outcome::Nothing => ();
    bool: Outcome::Aborted(was_pending) => was_pending;
    u64: Outcome::Sent(bytes) => bytes;
    SessionId: Outcome::Created(id) => SessionId(id);
    GroupId: Outcome::Created(id) => GroupId(id);
    QueueId: Outcome::Created(id) => QueueId(id);
    Property: Outcome::Property(property) => property;
    Delivery: Outcome::Delivery(delivery) => delivery;
    String: Outcome::Text(text) => text;
    FragmentPart: Outcome::Fragment(part) => part;
}

impl FromSettled for BodyPart {
    fn from_settled(settled: Settled) -> Result<BodyPart> {
        match (settled.outcome?, settled.read) {
            (Outcome::Read(_, more_body), Some((buffer, len))) => Ok(BodyPart { buffer, len, more_body }),
            _ => Err(Error::INTERNAL_ERROR),
        }
    }
}
