//! The moment of a record, in the texts lines need; made once a second, because records come in crowds.

use crate::net::clock;
use crate::wire::date::{CivilTime, from_unix};

/// A second, in UTC and on the machine's own clock.
pub(super) struct Moment {
    second: u64,
    /// `2026-11-21 04:31:00`, UTC.
    utc: [u8; 19],
    local: CivilTime,
    /// Seconds the machine's clock is ahead of UTC.
    offset: i64,
}

impl Moment {
    pub(super) fn at(second: u64) -> Moment {
        let offset = clock::local_offset(second);
        Moment::with_offset(second, offset)
    }

    /// As [`Moment::at`], on a clock so far ahead of UTC.
    pub(super) fn with_offset(second: u64, offset: i64) -> Moment {
        let local = from_unix(second as i64 + offset);
        Moment { second, utc: stamp(&from_unix(second as i64)), local, offset }
    }

    /// Becomes another second.
    pub(super) fn turn(&mut self, second: u64) {
        if second == self.second {
            return;
        }
        // The offset changes on the full quarter of an hour only.
        if second / 900 == self.second / 900 {
            *self = Moment::with_offset(second, self.offset);
        } else {
            *self = Moment::at(second);
        }
    }

    /// `2026-11-21`, UTC.
    pub(super) fn date(&self) -> &[u8] {
        &self.utc[..10]
    }

    /// `04:31:00`, UTC.
    pub(super) fn time(&self) -> &[u8] {
        &self.utc[11..]
    }

    /// Seconds since 1970.
    pub(super) fn second(&self) -> u64 {
        self.second
    }

    /// Date and time of the machine's clock.
    pub(super) fn local(&self) -> &CivilTime {
        &self.local
    }

    /// Seconds the machine's clock is ahead of UTC.
    pub(super) fn offset(&self) -> i64 {
        self.offset
    }
}

fn stamp(time: &CivilTime) -> [u8; 19] {
    let mut text = *b"0000-00-00 00:00:00";
    let year = time.year.min(9999);
    for (at, number) in [
        (0, year / 100),
        (2, year % 100),
        (5, time.month),
        (8, time.day),
        (11, time.hour),
        (14, time.minute),
        (17, time.second),
    ] {
        text[at] = b'0' + (number / 10) as u8;
        text[at + 1] = b'0' + (number % 10) as u8;
    }
    text
}
