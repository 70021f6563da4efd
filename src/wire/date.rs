//! HTTP dates: IMF-fixdate out (RFC 9110 §5.6.7), the tolerant reading of `WinHttpTimeToSystemTime` in, and the
//! calendar in between. What time it is, others say.

/// A date and time of day as SYSTEMTIME counts them (month 1 to 12, weekday 0 = Sunday).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CivilTime {
    /// Four digits.
    pub year: u16,
    /// 1 to 12.
    pub month: u16,
    /// 0 to 6, 0 is Sunday.
    pub weekday: u16,
    /// 1 to 31.
    pub day: u16,
    /// 0 to 23.
    pub hour: u16,
    /// 0 to 59.
    pub minute: u16,
    /// 0 to 59; 60 in a leap second.
    pub second: u16,
    /// 0 to 999.
    pub milliseconds: u16,
}

const WEEKDAYS: [&[u8; 3]; 7] = [b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"];
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// The last second of the year 9999: four digits do not reach further.
const LAST_SECOND: u64 = 253_402_300_799;

/// `Sun, 06 Nov 1994 08:49:37 GMT` for a time given in seconds since 1970.
pub fn imf_fixdate(unix_seconds: u64) -> [u8; 29] {
    write(&from_unix(unix_seconds.min(LAST_SECOND) as i64), WEEKDAYS[0], MONTHS[0])
}

/// The same for a SYSTEMTIME, as `WinHttpTimeFromSystemTime` writes it: the weekday is taken as given, and
/// nothing says whether the month has that day. `None` for numbers that cannot be written.
pub fn rfc1123(time: &CivilTime) -> Option<[u8; 29]> {
    let weekday = WEEKDAYS.get(usize::from(time.weekday))?;
    let month = MONTHS.get(usize::from(time.month).checked_sub(1)?)?;
    let writable =
        time.year <= 9999 && [time.day, time.hour, time.minute, time.second].iter().all(|n| *n <= 99);
    writable.then(|| write(time, weekday, month))
}

/// Writes a time whose numbers are in range; the names given stand in where its own have none.
fn write(time: &CivilTime, weekday: &[u8; 3], month: &[u8; 3]) -> [u8; 29] {
    let mut text = *b"Sun, 00 Jan 0000 00:00:00 GMT";
    text[..3].copy_from_slice(WEEKDAYS.get(usize::from(time.weekday)).unwrap_or(&weekday).as_slice());
    text[8..11]
        .copy_from_slice(MONTHS.get(usize::from(time.month).wrapping_sub(1)).unwrap_or(&month).as_slice());
    for (at, number) in [
        (5, time.day),
        (12, time.year / 100),
        (14, time.year % 100),
        (17, time.hour),
        (20, time.minute),
        (23, time.second),
    ] {
        text[at] = b'0' + (number / 10 % 10) as u8;
        text[at + 1] = b'0' + (number % 10) as u8;
    }
    text
}

/// The civil time of a number of seconds since 1970, within the years 0 to 65535; times outside are clamped.
pub fn from_unix(seconds: i64) -> CivilTime {
    const FIRST: i64 = -62_167_219_200;
    const LAST: i64 = 2_005_949_145_599;
    let seconds = seconds.clamp(FIRST, LAST);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    CivilTime {
        year: year as u16,
        month: month as u16,
        weekday: (days + 4).rem_euclid(7) as u16,
        day: day as u16,
        hour: (of_day / 3600) as u16,
        minute: (of_day / 60 % 60) as u16,
        second: (of_day % 60) as u16,
        milliseconds: 0,
    }
}

/// Seconds since 1970, or `None` if there is no such date or time of day. The weekday is not looked at.
pub fn to_unix(time: &CivilTime) -> Option<i64> {
    let (year, month, day) = (i64::from(time.year), i64::from(time.month), i64::from(time.day));
    let possible = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    if !possible || time.hour > 23 || time.minute > 59 || time.second > 60 {
        return None;
    }
    let of_day = i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second);
    Some(days_from_civil(year, month, day) * 86_400 + of_day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years are counted from March, so that the leap day comes last, in eras of 400 years.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The reverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + carry, month, day)
}

/// Reads a date as `WinHttpTimeToSystemTime` does: weekday by its first three letters, day, month by its first
/// three letters, year, hour, minute, second, with anything in between. The order of RFC 850 and asctime dates
/// is understood as well. Parts missing at the end are 0.
///
/// `None` unless there is a day, a month and a year that make a date. A weekday that is missing or unknown is worked
/// out; one that is there is taken as it is, right or wrong, as it is on the way out.
pub fn parse_tolerant(text: &[u16]) -> Option<CivilTime> {
    let mut words = Words { rest: text };
    let mut numbers = Vec::with_capacity(6);
    let (mut month, mut weekday) = (None, None);
    while let Some(word) = words.next() {
        match word {
            Word::Letters(letters) if month.is_none() => {
                weekday = weekday.or_else(|| position(&WEEKDAYS, letters));
                month = position(&MONTHS, letters);
            }
            Word::Letters(_) => {}
            Word::Digits(number) => numbers.push((number, month.is_some())),
        }
        if numbers.len() == 6 {
            break;
        }
    }
    let month = month?;
    // asctime has the month before the day and the year at the end: Sun Nov  6 08:49:37 1994.
    let is_asctime = numbers.first()?.1;
    let number = |at: usize| numbers.get(at).map_or(0, |(number, _)| *number);
    let (year, clock) = if is_asctime { (number(4), 1) } else { (number(1), 2) };
    if numbers.len() < if is_asctime { 5 } else { 2 } {
        return None;
    }
    let mut time = CivilTime {
        year: full_year(year),
        month: month + 1,
        weekday: 0,
        day: number(0),
        hour: number(clock),
        minute: number(clock + 1),
        second: number(clock + 2),
        milliseconds: 0,
    };
    let worked_out = from_unix(to_unix(&time)?).weekday;
    time.weekday = weekday.unwrap_or(worked_out);
    Some(time)
}

/// Two-digit years are of RFC 850: up to 69 in this century, above in the last.
fn full_year(year: u16) -> u16 {
    match year {
        0..70 => 2000 + year,
        70..100 => 1900 + year,
        _ => year,
    }
}

/// The number of a name known by its first three letters.
fn position(names: &[&[u8; 3]], letters: &[u16]) -> Option<u16> {
    let same = |name: &&&[u8; 3]| {
        letters.len() >= 3
            && name.iter().zip(letters).all(|(a, b)| u16::from(a.to_ascii_lowercase()) == *b | 0x20)
    };
    names.iter().position(|name| same(&name)).map(|at| at as u16)
}

enum Word<'a> {
    Letters(&'a [u16]),
    Digits(u16),
}

/// Runs of letters and of digits; everything else separates.
struct Words<'a> {
    rest: &'a [u16],
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<Word<'a>> {
        let class = |unit: u16| (is_letter(unit), is_digit(unit));
        let start = self.rest.iter().position(|unit| is_letter(*unit) || is_digit(*unit))?;
        let rest = &self.rest[start..];
        let first = class(rest[0]);
        let len = rest.iter().position(|unit| class(*unit) != first).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(len);
        self.rest = rest;
        if first.0 {
            return Some(Word::Letters(word));
        }
        let number =
            word.iter().fold(0u16, |number, digit| number.saturating_mul(10).saturating_add(digit - 0x30));
        Some(Word::Digits(number))
    }
}

fn is_letter(unit: u16) -> bool {
    u8::try_from(unit).is_ok_and(|byte| byte.is_ascii_alphabetic())
}

fn is_digit(unit: u16) -> bool {
    u8::try_from(unit).is_ok_and(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Option<CivilTime> {
        parse_tolerant(&text.encode_utf16().collect::<Vec<_>>())
    }

    const EXAMPLE: CivilTime = CivilTime {
        year: 1994,
        month: 11,
        weekday: 0,
        day: 6,
        hour: 8,
        minute: 49,
        second: 37,
        milliseconds: 0,
    };

    #[test]
    fn the_example_of_rfc_9110() {
        assert_eq!(&imf_fixdate(784_111_777), b"Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(to_unix(&EXAMPLE), Some(784_111_777));
        assert_eq!(from_unix(784_111_777), EXAMPLE);
        for text in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(parse(text), Some(EXAMPLE), "{text}");
        }
    }

    #[test]
    fn edges_of_the_calendar() {
        assert_eq!(&imf_fixdate(0), b"Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(&imf_fixdate(951_782_400), b"Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(&imf_fixdate(u64::MAX), b"Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(from_unix(i64::MIN).year, 0);
        assert_eq!(from_unix(i64::MAX).year, u16::MAX);
        assert_eq!(to_unix(&CivilTime { year: 1900, month: 2, day: 29, ..EXAMPLE }), None);
        assert_eq!(to_unix(&CivilTime { month: 13, ..EXAMPLE }), None);
        assert_eq!(to_unix(&CivilTime { hour: 24, ..EXAMPLE }), None);
    }

    #[test]
    fn time_from_system_time_takes_the_weekday_as_given() {
        let time = CivilTime {
            year: 2008,
            month: 7,
            weekday: 1,
            day: 28,
            hour: 10,
            minute: 5,
            second: 52,
            milliseconds: 9,
        };
        assert_eq!(rfc1123(&time).as_ref(), Some(b"Mon, 28 Jul 2008 10:05:52 GMT"));
        assert_eq!(
            rfc1123(&CivilTime { weekday: 2, ..time }).as_ref(),
            Some(b"Tue, 28 Jul 2008 10:05:52 GMT")
        );
        assert_eq!(rfc1123(&CivilTime { weekday: 7, ..time }), None);
        assert_eq!(rfc1123(&CivilTime { month: 0, ..time }), None);
        assert_eq!(rfc1123(&CivilTime { second: 100, ..time }), None);
    }

    #[test]
    fn time_to_system_time_is_tolerant() {
        let time = CivilTime {
            year: 2008,
            month: 7,
            weekday: 1,
            day: 28,
            hour: 10,
            minute: 5,
            second: 52,
            milliseconds: 0,
        };
        for text in [
            "Mon, 28 Jul 2008 10:05:52 GMT\n",
            " mon 28 jul 2008 10 05 52\n",
            "MONDAY;28JULY2008/10.05.52",
            "28 Jul 2008 10:05:52",
        ] {
            assert_eq!(parse(text), Some(time), "{text:?}");
        }
        assert_eq!(parse("mon 28 jul 2008"), Some(CivilTime { hour: 0, minute: 0, second: 0, ..time }));
        assert_eq!(parse("xyz, 28 Jul 2008 10:05:52 GMT"), Some(time), "an unknown weekday is worked out");
        assert_eq!(
            parse("Tue, 28 Jul 2008 10:05:52 GMT"),
            Some(CivilTime { weekday: 2, ..time }),
            "a wrong one stays"
        );
        for text in [
            "",
            "mon",
            "28 2008",
            "mon 28 jul",
            "32 Jul 2008",
            "Sun Nov 6 08:49:37",
            "99999999 Jul 2008",
            "\u{ff}",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back(seconds in -62_167_219_200i64..=2_005_949_145_599) {
            prop_assert_eq!(to_unix(&from_unix(seconds)), Some(seconds));
        }

        #[test]
        fn what_is_written_is_read(seconds in 0u64..=LAST_SECOND) {
            let text: Vec<u16> = imf_fixdate(seconds).iter().map(|byte| u16::from(*byte)).collect();
            prop_assert_eq!(parse_tolerant(&text).and_then(|time| to_unix(&time)), Some(seconds as i64));
        }

        #[test]
        fn anything_can_be_read(text in prop::collection::vec(any::<u16>(), 0..40)) {
            let _ = parse_tolerant(&text);
        }
    }
}
