//! Requests of groups with authentication on their way to the queue, and their responses on the way out. What credentials
//! are worth is found out in `auth`.

use std::sync::Arc;

use crate::abi::error::Result;
use crate::wire::refusal::Refusal;

use super::inbound::exchange_timeouts;
use super::queue::{Offer, Refused};
use crate::server::auth::{Examined, Guard, dress};
use crate::server::connections::connection::{Active, Effect, Stage};
use crate::server::engine::Engine;
use crate::server::ports::placing::Place;
use crate::server::service::{Identity, RequestId, ResponseHead};

impl Active<'_> {
    /// Examines the request whose head was read last, sets up its exchange and offers it to its queue, unless its password
    /// has yet to be compared. The cache is not asked: what it holds is for nobody in particular (digest §5.8).
    pub(crate) fn offer_guarded(
        &mut self,
        place: &Place,
        head_len: usize,
    ) -> std::result::Result<(RequestId, Offer), Refusal> {
        let (Some(work), Some(policy)) = (self.state.work.as_ref(), &place.policy) else {
            return Err(Refusal::Internal);
        };
        let Some(guard) = &policy.guard else { return Err(Refusal::Internal) };
        let (queue, context) = (&*place.queue, (place.url_context, place.ip_routed));
        let examined = guard.examine(&work.head);
        if matches!(examined, Examined::Malformed) {
            return Err(Refusal::Header);
        }
        self.state.belong(policy);
        let request = self.open_exchange(queue, Arc::clone(policy), context, head_len);
        match examined {
            Examined::Slow(password) => {
                let asked = |own| self.engine.judges.ask(own, request, password);
                if self.engine.own.get().is_some_and(asked) {
                    // It waits as if it were on the queue, and for as long at most.
                    return Ok((request, Offer::Queued));
                }
                if let Some(work) = self.state.work.as_mut() {
                    work.exchange = None;
                }
                Err(Refusal::Unavailable)
            }
            Examined::Known(identity) => {
                self.set_identity(request, identity);
                Ok((request, queue.offer(request, self.driver)))
            }
            Examined::Malformed => Err(Refusal::Header),
        }
    }

    /// Keeps what is known of who asks. False if the request no longer stands.
    fn set_identity(&mut self, request: RequestId, identity: Identity) -> bool {
        let exchange = self.state.work.as_mut().and_then(|work| work.exchange.as_mut());
        match exchange.filter(|exchange| exchange.request == request && exchange.stage == Stage::Queued) {
            Some(exchange) => {
                exchange.identity = Some(Box::new(identity));
                true
            }
            None => false,
        }
    }

    /// Offers a request to its queue whose credentials were judged elsewhere.
    fn enqueue(&mut self, request: RequestId) {
        let exchange = self.state.work.as_ref().and_then(|work| work.exchange.as_ref());
        let Some(id) = exchange.map(|exchange| exchange.queue) else { return };
        let offer = match self.engine.queue(id) {
            Ok(queue) => queue.offer(request, None),
            Err(_) => Offer::Refused(Refused::Closed),
        };
        match offer {
            Offer::Taken(reply) => {
                if let Some(delivery) = self.claim(request) {
                    self.effects.push(Effect::Deliver(reply, delivery));
                }
            }
            Offer::Refused(refused) => {
                if let Some(work) = self.state.work.as_mut() {
                    work.exchange = None;
                }
                self.refuse_by(refused);
                self.advance();
            }
            // Without a driver nobody finds a request for itself, and what came so far is not in the cache.
            Offer::Queued | Offer::Mine | Offer::Cached(_) => {
                self.note_queued();
                self.set_timeout(exchange_timeouts(self).request_queue);
            }
        }
    }

    /// Takes what the program's own function said of a request found alive.
    pub(crate) fn take_identity(&mut self, identity: Identity) -> Result<()> {
        let exchange = self.state.work.as_mut().and_then(|work| work.exchange.as_mut());
        // Only a claim is judged from outside, and once.
        let known = exchange.and_then(|exchange| exchange.identity.as_mut());
        if let Some(known) = known.filter(|known| known.claim.is_some()) {
            **known = Identity { claim: None, ..identity };
        }
        Ok(())
    }

    /// What authentication adds to a response.
    #[inline]
    pub(crate) fn dress(&self, head: &ResponseHead) -> Option<Box<ResponseHead>> {
        let exchange = self.state.work.as_ref()?.exchange.as_ref()?;
        let own = head.extras.as_ref().and_then(|extras| extras.authentication.as_ref());
        if exchange.identity.is_none() && own.is_none() {
            return None;
        }
        let guard = exchange.policy.guard.as_deref();
        let instead = own.and_then(|own| Guard::for_response(own, guard));
        dress(head, instead.as_ref().or(guard), exchange.identity.as_deref(), self.engine.now_ms())
    }
}

impl Engine {
    /// A request's password was compared: it goes on to its queue.
    pub(crate) fn told_identity(&self, request: RequestId, identity: Identity) {
        let Some(connection) = self.connection_of(request.0) else { return };
        let mut active = Active::new(self, connection);
        if active.set_identity(request, identity) {
            active.enqueue(request);
        }
        active.finish();
    }
}
