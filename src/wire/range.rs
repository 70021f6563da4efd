//! Byte ranges (RFC 9110 §14): which part of a representation a request asks for, and how the parts are told.

/// The most ranges that are answered one by one; more, or many that overlap, are answered with the whole (RFC 9110 §14.2
/// warns of such requests).
const MOST: usize = 32;

/// A part of a representation: first and last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// Its first byte.
    pub first: u64,
    /// Its last byte, which is in it.
    pub last: u64,
}

impl ByteRange {
    /// Number of bytes, at least one.
    pub fn length(&self) -> u64 {
        self.last - self.first + 1
    }

    /// `bytes 0-4/10`.
    pub fn content_range(&self, total: u64) -> String {
        format!("bytes {}-{}/{total}", self.first, self.last)
    }
}

/// What a Range field comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it: another unit, malformed, or more than is good.
    Whole,
    /// These parts, in ascending order and apart from each other.
    Parts(Vec<ByteRange>),
    /// Nothing of it: 416.
    Unsatisfiable,
}

/// Judges a Range field for a representation of `total` bytes.
pub fn select(value: &[u8], total: u64) -> Selection {
    let Some(list) = strip_unit(value) else { return Selection::Whole };
    let mut parts = Vec::new();
    let mut asked = 0;
    for item in list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
        if item.is_empty() {
            continue;
        }
        asked += 1;
        match read(item, total) {
            None => return Selection::Whole,
            Some(part) => parts.extend(part),
        }
    }
    match (asked, parts.is_empty()) {
        (0, _) => Selection::Whole,
        (_, true) => Selection::Unsatisfiable,
        (1..=MOST, false) => Selection::Parts(coalesce(parts)),
        _ => Selection::Whole,
    }
}

fn strip_unit(value: &[u8]) -> Option<&[u8]> {
    let (unit, list) = value.trim_ascii().split_at_checked(6)?;
    unit.eq_ignore_ascii_case(b"bytes=").then_some(list)
}

/// One range. `None` if malformed, `Some(None)` if there is nothing of it.
fn read(item: &[u8], total: u64) -> Option<Option<ByteRange>> {
    let dash = item.iter().position(|byte| *byte == b'-')?;
    let (from, to) = (number(item[..dash].trim_ascii())?, number(item[dash + 1..].trim_ascii())?);
    match (from, to) {
        (None, None) => None,
        (None, Some(suffix)) => {
            let length = suffix.min(total);
            Some((length > 0).then(|| ByteRange { first: total - length, last: total - 1 }))
        }
        (Some(first), Some(last)) if last < first => None,
        (Some(first), last) => {
            let last = last.unwrap_or(u64::MAX).min(total.saturating_sub(1));
            Some((first < total).then_some(ByteRange { first, last }))
        }
    }
}

/// Digits; `Some(None)` for none. A number too large for 64 bits is as good as the largest.
fn number(text: &[u8]) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |sum: u64, digit: &u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(Some(text.iter().fold(0, add)))
}

/// Whether a Range field names the last byte there can be, or one beyond: Windows refuses such a request (digest §8.1).
pub fn is_out_of_bounds(value: &[u8]) -> bool {
    let beyond = |text: &[u8]| number(text.trim_ascii()) == Some(Some(u64::MAX));
    strip_unit(value).is_some_and(|list| list.split(|byte| matches!(byte, b',' | b'-')).any(beyond))
}

/// In order, and those that touch or overlap made one.
fn coalesce(mut parts: Vec<ByteRange>) -> Vec<ByteRange> {
    parts.sort_by_key(|part| part.first);
    let mut apart: Vec<ByteRange> = Vec::with_capacity(parts.len());
    for part in parts {
        match apart.last_mut() {
            Some(before) if part.first <= before.last.saturating_add(1) => {
                before.last = before.last.max(part.last)
            }
            _ => apart.push(part),
        }
    }
    apart
}

/// Whether an If-Range field still names the representation with this tag and date: then the range counts. Tags are
/// compared strongly, dates literally (RFC 9110 §13.1.5).
pub fn if_range_holds(value: &[u8], tag: Option<&[u8]>, modified: Option<&[u8]>) -> bool {
    let value = value.trim_ascii();
    if value.starts_with(b"W/") {
        return false;
    }
    let current = if value.starts_with(b"\"") { tag } else { modified };
    current.is_some_and(|current| current.trim_ascii() == value)
}

/// Whether one of the tags of an If-None-Match field is this one, or any is (`*`). Weak comparison.
pub fn names_tag(value: &[u8], tag: Option<&[u8]>) -> bool {
    let opaque = |tag: &[u8]| tag.trim_ascii().strip_prefix(b"W/").unwrap_or(tag.trim_ascii()).to_vec();
    let value = value.trim_ascii();
    if value == b"*" {
        return true;
    }
    let Some(tag) = tag.map(opaque) else { return false };
    // A tag may hold commas, but then it stands between quotation marks: looking for it as a whole is enough.
    let mut rest = value;
    while let Some(start) = rest.iter().position(|byte| *byte == b'"') {
        let Some(len) = rest[start + 1..].iter().position(|byte| *byte == b'"') else { return false };
        let end = start + len + 2;
        if rest[start..end] == tag[..] {
            return true;
        }
        rest = &rest[end..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(value: &str, total: u64) -> Vec<(u64, u64)> {
        match select(value.as_bytes(), total) {
            Selection::Parts(parts) => parts.iter().map(|p| (p.first, p.last)).collect(),
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn ranges_out_of_bounds() {
        for value in [
            "bytes=0-18446744073709551615",
            "bytes=99999999999999999999-",
            "bytes=0-1, -18446744073709551616",
        ] {
            assert!(is_out_of_bounds(value.as_bytes()), "{value}");
        }
        for value in ["bytes=0-18446744073709551614", "bytes=x-", "lines=0-18446744073709551615", ""] {
            assert!(!is_out_of_bounds(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn the_forms_of_a_range() {
        assert_eq!(parts("bytes=0-4", 10), [(0, 4)]);
        assert_eq!(parts("Bytes=5-", 10), [(5, 9)]);
        assert_eq!(parts("bytes=-3", 10), [(7, 9)]);
        assert_eq!(parts("bytes=-30", 10), [(0, 9)]);
        assert_eq!(parts("bytes=8-99999999999999999999999", 10), [(8, 9)]);
        assert_eq!(parts("bytes= 0 - 0 , -1 ,", 10), [(0, 0), (9, 9)]);
    }

    #[test]
    fn parts_that_touch_become_one_and_stand_in_order() {
        assert_eq!(parts("bytes=6-7,0-2,2-4,5-5", 10), [(0, 7)]);
        assert_eq!(parts("bytes=8-9,0-1", 10), [(0, 1), (8, 9)]);
        assert_eq!(parts("bytes=0-1,50-60", 10), [(0, 1)]);
    }

    #[test]
    fn what_cannot_be_or_is_not_understood() {
        for value in ["bytes=10-", "bytes=-0", "bytes=99-100"] {
            assert_eq!(select(value.as_bytes(), 10), Selection::Unsatisfiable, "{value}");
        }
        for value in
            ["items=0-1", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes=0-1,x", "bytes=1--2"]
        {
            assert_eq!(select(value.as_bytes(), 10), Selection::Whole, "{value}");
        }
        assert_eq!(select(b"bytes=0-", 0), Selection::Unsatisfiable);
        let many = format!("bytes={}", (0..MOST + 1).map(|n| format!("{0}-{0},", n * 2)).collect::<String>());
        assert_eq!(select(many.as_bytes(), 1000), Selection::Whole);
    }

    #[test]
    fn validators() {
        let date = b"Sun, 06 Nov 1994 08:49:37 GMT";
        assert!(if_range_holds(b"\"a\"", Some(b"\"a\""), None));
        assert!(!if_range_holds(b"W/\"a\"", Some(b"W/\"a\""), None));
        assert!(if_range_holds(date, Some(b"\"a\""), Some(date)));
        assert!(!if_range_holds(date, Some(b"\"a\""), None));
        assert!(names_tag(b"\"x\", W/\"a,b\"", Some(b"\"a,b\"")));
        assert!(
            names_tag(b"*", None)
                && !names_tag(b"\"x\"", Some(b"\"y\""))
                && !names_tag(b"\"x", Some(b"\"x\""))
        );
    }

    proptest! {
        #[test]
        fn parts_lie_in_the_whole_and_apart(value in "bytes=([0-9]{0,3}-[0-9]{0,3},?){1,5}", total in 0u64..200) {
            if let Selection::Parts(parts) = select(value.as_bytes(), total) {
                prop_assert!(parts.iter().all(|p| p.first <= p.last && p.last < total));
                prop_assert!(parts.windows(2).all(|two| two[0].last + 1 < two[1].first));
            }
        }
    }
}
