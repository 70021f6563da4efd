//! What comes of work on a connection and is done once its lock is let go: operations that complete.

use crate::abi::error::Result;

use crate::server::service::{BodyPart, Delivery, Reply};

/// What is done after the connection's lock is let go.
pub(crate) enum Effect {
    Deliver(Reply<Delivery>, Delivery),
    Read(Reply<BodyPart>, Result<BodyPart>),
    Sent(Reply<u64>, Result<u64>),
    Gone(Reply<()>, Result<()>),
}

impl Effect {
    fn perform(self) {
        match self {
            Effect::Deliver(reply, delivery) => reply.send(Ok(delivery)),
            Effect::Read(reply, outcome) => reply.send(outcome),
            Effect::Sent(reply, outcome) => reply.send(outcome),
            Effect::Gone(reply, outcome) => reply.send(outcome),
        }
    }
}

/// Effects in order; there is rarely more than one.
#[derive(Default)]
pub(crate) struct Effects {
    first: Option<Effect>,
    more: Vec<Effect>,
}

impl Effects {
    pub(crate) fn push(&mut self, effect: Effect) {
        match self.first {
            None => self.first = Some(effect),
            Some(_) => self.more.push(effect),
        }
    }

    /// Does what was collected; no lock is held.
    #[inline]
    pub(crate) fn perform(self) {
        if let Some(first) = self.first {
            first.perform();
            self.more.into_iter().for_each(Effect::perform);
        }
    }
}
