//! Limits on how fast responses leave: of a session, of a group, of one response (`HttpServerQosProperty`, digest §6.8).
//!
//! A throttle is a bucket that fills at its rate up to its burst; a send takes what is in it and no more. A response whose
//! bucket is empty rests until there is enough again, and nobody else waits for it.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::net::deadlines::NEVER;

use crate::server::connections::connection::{Active, Exchange};
use crate::server::service::{Extras, FlowRate};

/// The least that is sent at once, so that a slow response does not go out byte by byte.
const PIECE: u64 = 512;

/// A bucket.
#[derive(Debug)]
pub(crate) struct Throttle {
    /// Bytes a second.
    rate: u64,
    /// Bytes it holds when it is full.
    burst: u64,
    level: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    bytes: u64,
    at_ms: u64,
}

impl Throttle {
    /// So many bytes a second, evenly.
    pub(crate) fn of_bandwidth(rate: u32, now_ms: u64) -> Throttle {
        // A quarter of a second's worth at once keeps the number of sends small.
        Throttle::new(rate.into(), u64::from(rate) / 4, now_ms)
    }

    /// The same with a burst.
    pub(crate) fn of_flow(flow: FlowRate, now_ms: u64) -> Throttle {
        Throttle::new(flow.bandwidth.into(), u64::from(flow.burst).max(u64::from(flow.bandwidth) / 4), now_ms)
    }

    fn new(rate: u64, burst: u64, now_ms: u64) -> Throttle {
        let burst = burst.max(PIECE);
        Throttle { rate: rate.max(1), burst, level: Mutex::new(Level { bytes: burst, at_ms: now_ms }) }
    }

    /// What may be sent now.
    fn available(&self, now_ms: u64) -> u64 {
        let mut level = self.level.lock();
        let passed = now_ms.saturating_sub(level.at_ms);
        let gained = passed.saturating_mul(self.rate) / 1000;
        if gained > 0 {
            level.bytes = level.bytes.saturating_add(gained).min(self.burst);
            level.at_ms = now_ms;
        }
        level.bytes
    }

    /// So much was sent.
    fn took(&self, bytes: u64) {
        let mut level = self.level.lock();
        level.bytes = level.bytes.saturating_sub(bytes);
    }

    /// Milliseconds until a piece worth sending is there.
    fn wait_ms(&self) -> u64 {
        let missing = (self.burst / 2).max(PIECE).saturating_sub(self.level.lock().bytes);
        (missing * 1000).div_ceil(self.rate).max(1)
    }
}

impl Exchange {
    /// The throttles of its response.
    fn throttles(&self) -> impl Iterator<Item = &Arc<Throttle>> {
        self.policy.throttles.iter().chain(&self.throttle)
    }

    /// Takes over the limits of this response alone.
    pub(crate) fn limit(&mut self, extras: &Extras, now_ms: u64) {
        let bandwidth = extras.bandwidth.map(|rate| Throttle::of_bandwidth(rate, now_ms));
        let flow = extras.flow_rate.map(|flow| Throttle::of_flow(flow, now_ms));
        if let Some(throttle) = bandwidth.or(flow) {
            self.throttle = Some(Arc::new(throttle));
        }
    }
}

impl Active<'_> {
    /// What the response may send now.
    #[inline]
    pub(crate) fn allowance(&self) -> u64 {
        let exchange = self.state.work.as_ref().and_then(|work| work.exchange.as_ref());
        match exchange {
            Some(exchange) if !exchange.policy.throttles.is_empty() || exchange.throttle.is_some() => {
                let now = self.engine.now_ms();
                let least = exchange.throttles().map(|throttle| throttle.available(now)).min();
                // Less than a piece is nothing yet.
                least.map_or(
                    self.engine.turn,
                    |bytes| if bytes < PIECE { 0 } else { bytes.min(self.engine.turn) },
                )
            }
            _ => self.engine.turn,
        }
    }

    /// Counts what was sent against the limits.
    #[inline]
    pub(crate) fn spend(&self, bytes: u64) {
        let exchange = self.state.work.as_ref().and_then(|work| work.exchange.as_ref());
        if let Some(exchange) = exchange {
            exchange.throttles().for_each(|throttle| throttle.took(bytes));
        }
    }

    /// Rests, with more to send: until the others had their turn, or until the limits allow more.
    pub(crate) fn pause(&mut self) {
        let exchange = self.state.work.as_ref().and_then(|work| work.exchange.as_ref());
        let wait =
            exchange.and_then(|exchange| exchange.throttles().map(|throttle| throttle.wait_ms()).max());
        match wait {
            None => self.engine.hold(self.state.slot()),
            Some(ms) => {
                let at = self.engine.now_ms() + ms;
                if let Some(work) = self.state.work.as_mut() {
                    work.paused_until = at;
                }
                let due = self.state.read_due.min(self.state.send_due).min(at);
                self.set_deadline(due);
            }
        }
    }

    /// Goes on with a response that rested, if its time has come. False if there is none.
    pub(crate) fn resume(&mut self, now_ms: u64) -> bool {
        let Some(work) = self.state.work.as_mut() else { return false };
        if work.paused_until > now_ms {
            return false;
        }
        work.paused_until = NEVER;
        let due = self.state.read_due.min(self.state.send_due);
        self.set_deadline(due);
        self.pump();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_rate_in_the_long_run() {
        let throttle = Throttle::of_bandwidth(10_000, 0);
        let (mut sent, mut now) = (0, 0);
        while now < 10_000 {
            let bytes = throttle.available(now);
            throttle.took(bytes);
            sent += bytes;
            now += throttle.wait_ms();
        }
        // The burst at the start comes on top.
        assert!((100_000..=105_000).contains(&sent), "{sent}");
    }

    #[test]
    fn a_burst_is_gone_when_it_is_used() {
        let throttle = Throttle::of_flow(FlowRate { bandwidth: 2048, peak: 4096, burst: 100_000 }, 0);
        assert_eq!(throttle.available(0), 100_000);
        throttle.took(100_000);
        assert_eq!((throttle.available(0), throttle.available(1000)), (0, 2048));
        assert!(throttle.wait_ms() > 1000);
    }
}
