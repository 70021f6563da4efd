//! When a log goes on in another file, and what files are called (digest §6.11).

use crate::wire::date::{CivilTime, from_unix, to_unix};

const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// When a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rollover {
    /// Before it is larger than so many bytes.
    Size(u64),
    Hourly,
    Daily,
    /// With Saturday, and with the month, because a file's name counts the weeks of its month.
    Weekly,
    Monthly,
}

/// A stretch of time whose records share a file, in seconds on the clock the log rolls over by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Period {
    /// Whether a moment lies in it.
    #[inline]
    pub(super) fn has(self, second: i64) -> bool {
        self.start <= second && second < self.end
    }
}

impl Rollover {
    /// The period of a moment.
    pub(super) fn period(self, second: i64) -> Period {
        let span = |length: i64| {
            let start = second - second.rem_euclid(length);
            Period { start, end: start + length }
        };
        match self {
            Rollover::Size(_) => Period { start: i64::MIN, end: i64::MAX },
            Rollover::Hourly => span(HOUR),
            Rollover::Daily => span(DAY),
            Rollover::Weekly => {
                let (day, month) = (span(DAY), month_of(second));
                let sunday = day.start - i64::from(from_unix(day.start).weekday) * DAY;
                Period { start: sunday.max(month.start), end: (sunday + 7 * DAY).min(month.end) }
            }
            Rollover::Monthly => month_of(second),
        }
    }

    /// The figures in the name of the file of a period: `yymmddhh` and shorter.
    fn figures(self, period: Period) -> String {
        let time = from_unix(period.start);
        let (year, month, day) = (time.year % 100, time.month, time.day);
        match self {
            Rollover::Size(_) => String::new(),
            Rollover::Hourly => format!("{year:02}{month:02}{day:02}{:02}", time.hour),
            Rollover::Daily => format!("{year:02}{month:02}{day:02}"),
            Rollover::Weekly => format!("{year:02}{month:02}{:02}", week_of_month(&time)),
            Rollover::Monthly => format!("{year:02}{month:02}"),
        }
    }
}

fn month_of(second: i64) -> Period {
    let time = from_unix(second);
    let first = CivilTime { day: 1, hour: 0, minute: 0, second: 0, ..time };
    let (year, month) = if time.month == 12 { (time.year + 1, 1) } else { (time.year, time.month + 1) };
    let next = CivilTime { year, month, ..first };
    let start = to_unix(&first).unwrap_or(second);
    Period { start, end: to_unix(&next).unwrap_or(i64::MAX) }
}

/// 1 for the days up to the month's first Saturday.
fn week_of_month(time: &CivilTime) -> u16 {
    let weekday_of_first = (time.weekday + 35 - (time.day - 1)) % 7;
    (time.day - 1 + weekday_of_first) / 7 + 1
}

/// How the files of a log are called.
pub(super) struct Naming {
    /// What a name begins with when files are numbered, and when they are dated.
    numbered: &'static str,
    dated: &'static str,
    suffix: &'static str,
    utf8: bool,
    pub(super) rollover: Rollover,
}

impl Naming {
    /// The names of a format; those of logs in UTF-8 begin with `u_`.
    pub(super) fn of(format: &str, utf8: bool, rollover: Rollover) -> Naming {
        let (numbered, dated, suffix) = match format {
            "w3c" => ("extend", "ex", ".log"),
            "iis" => ("inetsv", "in", ".log"),
            "ncsa" => ("ncsa", "nc", ".log"),
            "raw" => ("raw", "raw", ".ibl"),
            "httperr" => ("httperr", "httperr", ".log"),
            _ => ("json", "js", ".log"),
        };
        Naming { numbered, dated, suffix, utf8, rollover }
    }

    /// The name of the file of a period, or of that number.
    pub(super) fn name(&self, period: Period, number: u32) -> String {
        let prefix = if self.utf8 { "u_" } else { "" };
        match self.rollover {
            Rollover::Size(_) => format!("{prefix}{}{number}{}", self.numbered, self.suffix),
            rollover => format!("{prefix}{}{}{}", self.dated, rollover.figures(period), self.suffix),
        }
    }

    /// The number of a file that may be one of ours.
    pub(super) fn number_of(&self, name: &str) -> Option<u32> {
        let name = if self.utf8 { name.strip_prefix("u_")? } else { name };
        name.strip_prefix(self.numbered)?.strip_suffix(self.suffix)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 04:31:00, a Saturday.
    const NOW: i64 = 1_795_235_460;

    fn name(format: &str, utf8: bool, rollover: Rollover, second: i64) -> String {
        Naming::of(format, utf8, rollover).name(rollover.period(second), 3)
    }

    #[test]
    fn files_are_called_as_microsoft_says() {
        use Rollover::*;
        let rows = [
            (Size(1), ["extend3.log", "ncsa3.log", "inetsv3.log", "raw3.ibl", "json3.log"]),
            (
                Hourly,
                ["ex26112104.log", "nc26112104.log", "in26112104.log", "raw26112104.ibl", "js26112104.log"],
            ),
            (Daily, ["ex261121.log", "nc261121.log", "in261121.log", "raw261121.ibl", "js261121.log"]),
            (Weekly, ["ex261103.log", "nc261103.log", "in261103.log", "raw261103.ibl", "js261103.log"]),
            (Monthly, ["ex2611.log", "nc2611.log", "in2611.log", "raw2611.ibl", "js2611.log"]),
        ];
        for (rollover, names) in rows {
            for (format, expected) in ["w3c", "ncsa", "iis", "raw", "json"].into_iter().zip(names) {
                assert_eq!(name(format, false, rollover, NOW), expected);
                assert_eq!(name(format, true, rollover, NOW), format!("u_{expected}"));
            }
        }
    }

    #[test]
    fn a_period_ends_where_the_next_begins() {
        for rollover in [Rollover::Hourly, Rollover::Daily, Rollover::Weekly, Rollover::Monthly] {
            let mut period = rollover.period(NOW);
            assert!(period.has(NOW) && !period.has(period.end));
            for _ in 0..100 {
                let next = rollover.period(period.end);
                assert_eq!(next.start, period.end);
                assert_ne!(rollover.figures(next), rollover.figures(period));
                assert_eq!(rollover.period(next.end - 1), next);
                period = next;
            }
        }
    }

    #[test]
    fn weeks_end_with_saturday_and_with_the_month() {
        let week = |day: i64| name("w3c", false, Rollover::Weekly, NOW + (day - 21) * DAY);
        assert_eq!([week(1), week(7), week(8)], ["ex261101.log", "ex261101.log", "ex261102.log"]);
        assert_eq!(
            [week(22), week(29), week(30), week(31)],
            ["ex261104.log", "ex261105.log", "ex261105.log", "ex261201.log"]
        );
    }

    #[test]
    fn numbers_are_read_back() {
        let naming = Naming::of("w3c", true, Rollover::Size(1));
        assert_eq!(naming.number_of("u_extend12.log"), Some(12));
        for other in
            ["extend12.log", "u_extend.log", "u_extend1.txt", "u_ex261121.log", "u_extend99999999999.log"]
        {
            assert_eq!(naming.number_of(other), None);
        }
    }
}
