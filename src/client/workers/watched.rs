//! Which descriptors are watched, what is known of each, and who waits for it until when.
//!
//! A descriptor is registered with epoll once, edge-triggered, for the rest of its life; what it has reported is
//! remembered in [`Flags`] until a receive falls short, so that waiting costs no system call but the wait itself.
//! Closing the descriptor takes it out of epoll; an event that was on its way is told by its generation.
//!
//! This is bookkeeping under the lock of `crew`: nothing here waits, and nothing runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::net::deadlines::NEVER;
use crate::net::poller::Readiness;

use super::Task;

/// What a task waits for beside its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Bytes, the end of the stream, or a fault.
    Read = 0,
    /// Room to send, or a fault.
    Write = 1,
}

impl Interest {
    fn flag(self) -> u8 {
        match self {
            Interest::Read => Flags::READABLE,
            Interest::Write => Flags::WRITABLE,
        }
    }

    /// What ends the wait for good. A server that says nothing more may still listen.
    fn end(self) -> u8 {
        match self {
            Interest::Read => Flags::ENDED,
            Interest::Write => Flags::GONE,
        }
    }
}

/// What a descriptor has reported and nobody has used up.
#[derive(Debug, Default)]
pub(super) struct Flags(AtomicU8);

impl Flags {
    const READABLE: u8 = 1;
    const WRITABLE: u8 = 2;
    /// The other side has ended the stream, or it has failed: there is nothing more to wait for than what has come.
    const ENDED: u8 = 4;
    /// Both sides have ended it, or it has failed.
    const GONE: u8 = 8;
    /// There were urgent data once: a receive that falls short says nothing any more.
    const URGENT: u8 = 16;

    /// Whether the descriptor has reported; from then on it has not, until it does so again.
    pub(super) fn take(&self, interest: Interest) -> bool {
        let flag = interest.flag();
        if self.0.load(Ordering::Acquire) & (flag | interest.end()) == 0 {
            return false;
        }
        self.0.fetch_and(!flag, Ordering::AcqRel);
        true
    }

    /// So much was received of what there was room for: there may be more if that was all, or if it ended at a mark.
    pub(super) fn received(&self, got: usize, room: usize) {
        if got == room || self.0.load(Ordering::Relaxed) & Flags::URGENT != 0 {
            self.0.fetch_or(Flags::READABLE, Ordering::AcqRel);
        }
    }

    /// Whether the descriptor has reported, and still has.
    pub(super) fn has(&self, interest: Interest) -> bool {
        self.0.load(Ordering::Acquire) & (interest.flag() | interest.end()) != 0
    }

    fn note(&self, readiness: Readiness) {
        let mut flags = 0;
        if readiness.readable() {
            flags |= Flags::READABLE;
        }
        if readiness.writable() {
            flags |= Flags::WRITABLE;
        }
        if readiness.urgent() {
            flags |= Flags::URGENT;
        }
        if readiness.ended() {
            flags |= Flags::ENDED;
        }
        if readiness.gone() {
            flags |= Flags::ENDED | Flags::GONE;
        }
        self.0.fetch_or(flags, Ordering::AcqRel);
    }
}

/// A place in the table. A stale one names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WatchId {
    slot: u32,
    generation: u32,
}

impl WatchId {
    /// The number epoll knows it by; never that of the poller's own wake-up.
    pub(super) fn token(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    /// What the deadlines know it by.
    pub(super) fn slot(self) -> u32 {
        self.slot
    }

    fn from_token(token: u64) -> WatchId {
        WatchId { slot: token as u32, generation: (token >> 32) as u32 }
    }
}

struct Parked {
    task: Arc<dyn Task>,
    until: u64,
}

struct Slot {
    generation: u32,
    flags: Option<Arc<Flags>>,
    /// By interest.
    parked: [Option<Parked>; 2],
    /// When the deadlines will look here next.
    looked_at: u64,
}

/// The table.
pub(super) struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
    parked: usize,
}

/// What came of parking.
pub(super) enum Parking {
    /// There is nothing to wait for: the task can run.
    Ready(Arc<dyn Task>),
    /// It waits, perhaps in place of another, which can run. The slot has to be looked at by this time, if one is
    /// given.
    Waits(Option<u64>, Option<Arc<dyn Task>>),
}

impl Slots {
    pub(super) const fn new() -> Slots {
        Slots { slots: Vec::new(), free: Vec::new(), parked: 0 }
    }

    /// How many tasks wait.
    pub(super) fn parked(&self) -> usize {
        self.parked
    }

    pub(super) fn add(&mut self, flags: Arc<Flags>) -> WatchId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, flags: None, parked: [None, None], looked_at: NEVER });
            (self.slots.len() - 1) as u32
        });
        let entry = &mut self.slots[slot as usize];
        entry.flags = Some(flags);
        WatchId { slot, generation: entry.generation }
    }

    /// Forgets a descriptor. Whoever waited for it has to run.
    pub(super) fn remove(&mut self, id: WatchId) -> [Option<Arc<dyn Task>>; 2] {
        let Some(slot) = self.find(id) else { return [None, None] };
        slot.generation = (slot.generation + 1) & (u32::MAX >> 1);
        slot.flags = None;
        let waiting = std::mem::take(&mut slot.parked).map(|parked| parked.map(|parked| parked.task));
        self.free.push(id.slot);
        self.parked -= waiting.iter().flatten().count();
        waiting
    }

    /// Has a task wait until the descriptor reports or the time (NEVER: none) has come.
    pub(super) fn park(
        &mut self,
        id: WatchId,
        interest: Interest,
        task: Arc<dyn Task>,
        until: u64,
    ) -> Parking {
        let Some(slot) = self.find(id) else { return Parking::Ready(task) };
        if slot.flags.as_ref().is_none_or(|flags| flags.has(interest)) {
            return Parking::Ready(task);
        }
        let look = (until < slot.looked_at).then_some(until);
        // Two cannot wait for one thing: the first goes on.
        let before = slot.parked[interest as usize].replace(Parked { task, until });
        self.parked += usize::from(before.is_none());
        Parking::Waits(look, before.map(|before| before.task))
    }

    /// Ends a wait early.
    pub(super) fn rouse(&mut self, id: WatchId, interest: Interest) -> Option<Arc<dyn Task>> {
        let parked = self.find(id)?.parked[interest as usize].take()?;
        self.parked -= 1;
        Some(parked.task)
    }

    /// A descriptor has reported: remembers that, and hands out who waited for it.
    pub(super) fn report(&mut self, token: u64, readiness: Readiness, mut run: impl FnMut(Arc<dyn Task>)) {
        let mut woken = 0;
        let Some(slot) = self.find(WatchId::from_token(token)) else { return };
        let Some(flags) = &slot.flags else { return };
        flags.note(readiness);
        for interest in [Interest::Read, Interest::Write] {
            if flags.has(interest)
                && let Some(parked) = slot.parked[interest as usize].take()
            {
                woken += 1;
                run(parked.task);
            }
        }
        self.parked -= woken;
    }

    /// The deadlines have been told to look at a slot at this time.
    pub(super) fn will_look(&mut self, slot: u32, at: u64) {
        self.slots[slot as usize].looked_at = at;
    }

    /// Looks at a slot whose time may have come. Gives when to look again.
    pub(super) fn expire(&mut self, slot: u32, now: u64, mut run: impl FnMut(Arc<dyn Task>)) -> Option<u64> {
        let entry = &mut self.slots[slot as usize];
        if now < entry.looked_at {
            return None;
        }
        entry.looked_at = NEVER;
        let mut next = NEVER;
        for place in &mut entry.parked {
            match place.take() {
                Some(parked) if parked.until <= now => {
                    self.parked -= 1;
                    run(parked.task);
                }
                Some(parked) => {
                    next = next.min(parked.until);
                    *place = Some(parked);
                }
                None => {}
            }
        }
        (next != NEVER).then_some(next)
    }

    fn find(&mut self, id: WatchId) -> Option<&mut Slot> {
        self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::poller::{Events, Poller};
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    struct Nothing;

    impl Task for Nothing {
        fn run(self: Arc<Self>) {}
    }

    /// How many tasks a descriptor's report lets run.
    fn report(poller: &Poller, slots: &mut Slots) -> usize {
        let (mut events, mut woken) = (Events::with_capacity(4), 0);
        poller.wait(&mut events, 5000).unwrap();
        while let Some((token, readiness)) = events.take() {
            slots.report(token, readiness, |_| woken += 1);
        }
        woken
    }

    #[test]
    fn a_report_is_kept_until_somebody_uses_it() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let (poller, mut slots, flags) = (Poller::new().unwrap(), Slots::new(), Arc::new(Flags::default()));
        let id = slots.add(Arc::clone(&flags));
        poller.add(near.as_fd(), id.token()).unwrap();
        assert!(!flags.take(Interest::Read));
        let parking = slots.park(id, Interest::Read, Arc::new(Nothing), NEVER);
        assert!(matches!(parking, Parking::Waits(None, None)) && slots.parked() == 1);
        far.write_all(b"x").unwrap();
        assert_eq!((report(&poller, &mut slots), slots.parked()), (1, 0));
        // Nobody has received, so the next does not wait.
        assert!(matches!(slots.park(id, Interest::Read, Arc::new(Nothing), 7), Parking::Ready(_)));
        assert!(flags.take(Interest::Read) && !flags.take(Interest::Read));
        drop(far);
        assert_eq!(report(&poller, &mut slots), 0);
        // The end stays the end.
        assert!(flags.take(Interest::Read) && flags.take(Interest::Read));
    }

    #[test]
    fn deadlines_that_moved_are_looked_at_again() {
        let mut slots = Slots::new();
        let id = slots.add(Arc::new(Flags::default()));
        assert!(matches!(
            slots.park(id, Interest::Read, Arc::new(Nothing), 100),
            Parking::Waits(Some(100), None)
        ));
        slots.will_look(id.slot(), 128);
        assert!(slots.rouse(id, Interest::Read).is_some());
        assert!(matches!(slots.park(id, Interest::Read, Arc::new(Nothing), 300), Parking::Waits(None, None)));
        // Another takes its place, and is looked at in its own time.
        let parking = slots.park(id, Interest::Read, Arc::new(Nothing), 200);
        assert!(matches!(parking, Parking::Waits(None, Some(_))) && slots.parked() == 1);
        slots.will_look(id.slot(), NEVER);
        let parking = slots.park(id, Interest::Read, Arc::new(Nothing), 300);
        assert!(matches!(parking, Parking::Waits(Some(300), Some(_))));
        slots.will_look(id.slot(), 128);
        let mut woken = 0;
        assert_eq!(slots.expire(id.slot(), 128, |_| woken += 1), Some(300));
        slots.will_look(id.slot(), 320);
        assert_eq!((slots.expire(id.slot(), 320, |_| woken += 1), woken, slots.parked()), (None, 1, 0));
    }

    #[test]
    fn a_descriptor_that_is_gone_is_told_from_the_one_after_it() {
        let mut slots = Slots::new();
        let old = slots.add(Arc::new(Flags::default()));
        assert!(matches!(
            slots.park(old, Interest::Write, Arc::new(Nothing), NEVER),
            Parking::Waits(None, None)
        ));
        assert_eq!(slots.remove(old).iter().flatten().count(), 1);
        let new = slots.add(Arc::new(Flags::default()));
        assert_eq!((new.slot(), new == old), (old.slot(), false));
        assert!(matches!(slots.park(old, Interest::Read, Arc::new(Nothing), NEVER), Parking::Ready(_)));
        assert!(slots.rouse(old, Interest::Read).is_none() && slots.parked() == 0);
    }
}
