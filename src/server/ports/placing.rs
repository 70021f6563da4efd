//! Where a request goes: its queue and what holds for it, by the port's routes; or by what the last request of the
//! same words found, as long as nobody registered, bound or set anything since.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::wire::refusal::Refusal;

use super::endpoint::Endpoint;
use super::routing::Target;
use crate::server::connections::connection::Active;
use crate::server::groups::policy::Policy;
use crate::server::requests::queue::{Offer, Queue, Refused};
use crate::server::service::RequestId;

/// Counts the changes of all routes and bindings of the process.
static CHANGES: AtomicU64 = AtomicU64::new(0);

/// Routes, a binding or what holds for a group changes, while its lock is held or after that: nobody goes by what
/// was found before.
pub(crate) fn changed() {
    CHANGES.fetch_add(1, Ordering::Release);
}

/// Where the head that a connection read last goes. Forgotten with the next other head, and when the connection rests.
pub(crate) struct Place {
    /// [`CHANGES`] from before the routes were read.
    changes: u64,
    pub(crate) queue: Arc<Queue>,
    /// Lent to the exchange while there is one.
    pub(crate) policy: Option<Arc<Policy>>,
    pub(crate) url_context: u64,
    pub(crate) ip_routed: bool,
}

impl Active<'_> {
    /// Finds the request's queue, and offers it to that unless the cache answers it.
    pub(crate) fn place(
        &mut self,
        endpoint: &Endpoint,
        head_len: usize,
    ) -> Result<(RequestId, Offer), Refusal> {
        let mut place = match self.state.work.as_mut().and_then(|work| work.place.take()) {
            Some(last) if last.policy.is_some() && last.changes == CHANGES.load(Ordering::Acquire) => last,
            _ => self.find_place(endpoint)?,
        };
        let offer = self.offer_at(&mut place, endpoint.port, head_len);
        if let Some(work) = self.state.work.as_mut() {
            work.place = Some(place);
        }
        offer
    }

    fn find_place(&self, endpoint: &Endpoint) -> Result<Place, Refusal> {
        let changes = CHANGES.load(Ordering::Acquire);
        let Some(work) = self.state.work.as_ref() else { return Err(Refusal::Internal) };
        let host = work.head.host.map(|span| work.head.text(span));
        let routes = endpoint.routes.read();
        let route = routes.find(host, self.state.local.ip(), work.head.path())?;
        let (queue, policy) = match &route.registration.target {
            Target::Reserved => return Err(Refusal::Unavailable),
            Target::Queue(queue) => (Arc::clone(queue), Arc::clone(&self.engine.policy)),
            Target::Group(group) => {
                let binding = group.binding.lock();
                if !binding.policy.active {
                    return Err(Refusal::Disabled);
                }
                if let Some(refusal) = binding.policy.refuses(&work.head) {
                    return Err(refusal);
                }
                let queue = binding.queue.as_ref().ok_or(Refusal::Unavailable)?;
                (Arc::clone(queue), Arc::clone(&binding.policy))
            }
        };
        let (url_context, ip_routed) = (route.registration.context, route.ip_routed);
        Ok(Place { changes, queue, policy: Some(policy), url_context, ip_routed })
    }

    fn offer_at(
        &mut self,
        place: &mut Place,
        port: u16,
        head_len: usize,
    ) -> Result<(RequestId, Offer), Refusal> {
        let (Some(work), Some(policy)) = (self.state.work.as_ref(), &place.policy) else {
            return Err(Refusal::Internal);
        };
        let queue = &*place.queue;
        if self.state.is_one_too_many(policy) {
            return Ok((RequestId(0), Offer::Refused(Refused::Connections(queue.verbosity()))));
        }
        if policy.guard.is_some() {
            return self.offer_guarded(place, head_len);
        }
        if let Some(hit) = self.engine.cache.look_up(port, &work.head, queue.id, policy) {
            return Ok((RequestId(0), queue.spared(hit)));
        }
        self.state.belong(policy);
        let Some(policy) = place.policy.take() else { return Err(Refusal::Internal) };
        Ok(self.offer(queue, policy, (place.url_context, place.ip_routed), head_len))
    }
}
