//! Questions about the connection of a request, and what can be changed of it (`HttpQueryRequestProperty`,
//! `HttpSetRequestProperty`).

use std::sync::Arc;

use crate::abi::error::{Error, Result};

use super::connection::Active;
use crate::server::groups::policy::Policy;
use crate::server::service::{Fact, Question};

impl Active<'_> {
    /// Answers a question.
    pub(crate) fn ask(&self, question: Question) -> Result<Fact> {
        let socket = self.state.socket.as_ref().ok_or(Error::CONNECTION_INVALID)?;
        match question {
            Question::Tcp => {
                let mut facts = socket.tcp_facts().ok_or(Error::INVALID_FUNCTION)?;
                let age = (self.engine.now_ms() as u32).wrapping_sub(socket.opened());
                facts.connection_time_ms = u64::from(age);
                Ok(Fact::Tcp(facts))
            }
            Question::IdleTimeout => Ok(Fact::IdleTimeout(self.state.between_requests().0)),
            Question::Dscp => Ok(Fact::Dscp(socket.dscp())),
        }
    }

    /// Changes what can be changed.
    pub(crate) fn tell(&mut self, fact: Fact) -> Result<()> {
        match fact {
            Fact::IdleTimeout(seconds) => {
                // What holds for this connection alone, until its next request brings its group's settings again.
                let policy = self.state.policy.as_deref().ok_or(Error::CONNECTION_INVALID)?;
                let mut own = Policy::clone(policy);
                own.timeouts.idle_connection = seconds;
                self.state.policy = Some(Arc::new(own));
            }
            Fact::Dscp(code) if code <= 0x3F => {
                let socket = self.state.socket.as_ref().ok_or(Error::CONNECTION_INVALID)?;
                socket.set_dscp(code);
            }
            Fact::Dscp(_) | Fact::Tcp(_) => return Err(Error::INVALID_PARAMETER),
        }
        Ok(())
    }
}
