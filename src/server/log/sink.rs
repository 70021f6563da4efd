//! The way of records to a file: a buffer many threads append to, emptied by the writer thread.
//!
//! Appending takes one lock and no system call, except that the first record into an empty buffer wakes the
//! writer. A file that cannot be written costs records, which are counted, and nothing else.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::net::clock;
use crate::win32::trace;

use super::files::Files;
use super::moment::Moment;
use super::rollover::{Period, Rollover};
use super::writer;

/// Bytes at which the writer comes at once.
const URGENT: usize = 64 * 1024;

/// Bytes a buffer may hold while its file is not written; what comes then is lost.
const MOST: usize = 4 << 20;

/// Records of all logs, and those lost.
static RECORDS: AtomicU64 = AtomicU64::new(0);
static LOST: AtomicU64 = AtomicU64::new(0);

/// Records of all logs of the process, and those of them or besides them that were lost.
pub(crate) fn counts() -> (u64, u64) {
    (RECORDS.load(Ordering::Relaxed), LOST.load(Ordering::Relaxed))
}

/// A buffer and the files behind it.
pub(super) struct Sink {
    pending: Mutex<Pending>,
    files: Mutex<Files>,
    /// Nobody will append any more.
    closed: AtomicBool,
    /// It stays for as long as the process, and keeps no writer waiting.
    pub(super) lasting: bool,
    records: AtomicU64,
    lost: AtomicU64,
}

struct Pending {
    bytes: Vec<u8>,
    /// Where records end.
    ends: Vec<usize>,
    /// The periods of the records, and how many records each has.
    periods: Vec<(Period, usize)>,
    moment: Moment,
    rollover: Rollover,
    /// Files end by the machine's own clock.
    local: bool,
}

/// What the writer takes at a time.
struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    periods: Vec<(Period, usize)>,
}

impl Sink {
    /// A sink the writer knows of.
    pub(super) fn start(files: Files, local: bool, lasting: bool) -> Arc<Sink> {
        let pending = Pending {
            bytes: Vec::new(),
            ends: Vec::new(),
            periods: Vec::new(),
            moment: Moment::at(clock::unix_seconds()),
            rollover: files.rollover(),
            local,
        };
        let sink = Arc::new(Sink {
            pending: Mutex::new(pending),
            files: Mutex::new(files),
            closed: AtomicBool::new(false),
            lasting,
            records: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        });
        writer::register(&sink);
        sink
    }

    /// Appends what `write` makes of a record of that second.
    pub(super) fn append(&self, second: u64, write: impl FnOnce(&Moment, &mut Vec<u8>)) {
        let mut pending = self.pending.lock();
        if pending.bytes.len() > MOST {
            self.lost.fetch_add(1, Ordering::Relaxed);
            LOST.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let before = pending.bytes.len();
        pending.turn(second);
        let Pending { bytes, moment, .. } = &mut *pending;
        write(moment, bytes);
        if bytes.len() == before {
            return;
        }
        let after = bytes.len();
        pending.ends.push(after);
        if let Some((_, count)) = pending.periods.last_mut() {
            *count += 1;
        }
        drop(pending);
        self.records.fetch_add(1, Ordering::Relaxed);
        RECORDS.fetch_add(1, Ordering::Relaxed);
        if before == 0 {
            writer::call();
        } else if before < URGENT && after >= URGENT {
            writer::hurry();
        }
    }

    /// Writes what is pending. Called by the writer thread alone.
    pub(super) fn drain(&self) {
        let mut pending = self.pending.lock();
        let moment = Moment::with_offset(pending.moment.second(), pending.moment.offset());
        let batch = pending.take();
        drop(pending);
        if batch.ends.is_empty() {
            return;
        }
        let mut files = self.files.lock();
        let (mut from, mut first) = (0, 0);
        for (period, count) in &batch.periods {
            let ends: Vec<_> = batch.ends[first..first + count].iter().map(|end| end - from).collect();
            let end = from + ends.last().copied().unwrap_or(0);
            if let Err((done, error)) = files.write(*period, &moment, &batch.bytes[from..end], &ends) {
                self.lose((count - done) as u64, &error);
            }
            (from, first) = (end, first + count);
        }
        drop(files);
        self.pending.lock().reuse(batch);
    }

    fn lose(&self, records: u64, error: &io::Error) {
        self.lost.fetch_add(records, Ordering::Relaxed);
        LOST.fetch_add(records, Ordering::Relaxed);
        trace::warn(format_args!("{records} log records lost: {error}"));
    }

    /// Records taken, and those of them or besides them that were lost.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.records.load(Ordering::Relaxed), self.lost.load(Ordering::Relaxed))
    }

    /// The last record was appended: the writer writes what is pending and forgets the sink.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        writer::hurry();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Nothing waits to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.lock().ends.is_empty()
    }
}

impl Pending {
    /// A record of that second comes: looks whether it begins a period.
    fn turn(&mut self, second: u64) {
        self.moment.turn(second);
        let civil = second as i64 + if self.local { self.moment.offset() } else { 0 };
        if !self.periods.last().is_some_and(|(period, _)| period.has(civil)) {
            self.periods.push((self.rollover.period(civil), 0));
        }
    }

    fn take(&mut self) -> Batch {
        Batch {
            bytes: std::mem::take(&mut self.bytes),
            ends: std::mem::take(&mut self.ends),
            periods: std::mem::take(&mut self.periods),
        }
    }

    /// Takes the memory of a batch back, unless a flood made it large or records came meanwhile.
    fn reuse(&mut self, mut batch: Batch) {
        if self.bytes.is_empty() && batch.bytes.capacity() <= 2 * URGENT {
            batch.bytes.clear();
            batch.ends.clear();
            (self.bytes, self.ends) = (batch.bytes, batch.ends);
        }
    }
}
