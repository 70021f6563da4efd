//! Fields that came more than once: which lines belong together.
//!
//! `HTTP_REQUEST` tells each name once, its values joined in arrival order. Nearly every request has no repeated
//! name, so the planner first looks with a cheap filter ([`measure_distinct`]) and builds the chains only on suspicion;
//! that is the one path of a receive that allocates. Sorting keeps it from growing with the square of the number
//! of fields.

use std::cmp::Ordering;

use crate::wire::field::{Field, UNKNOWN};
use crate::wire::request::RequestHead;

/// Names that share a filter bit and are compared one by one before the chains are built instead.
const CLOSE_LOOKS: u32 = 32;

const END: u32 = 0x7FFF_FFFF;
const LATER: u32 = 0x8000_0000;

/// Request field 25: joined with `; ` (RFC 6265) where the others take `, `.
pub(super) const COOKIE: u8 = 25;

/// The text between two values of a joined field; two bytes for every field.
pub(super) fn separator(id: u8) -> &'static [u8; 2] {
    if id == COOKIE { b"; " } else { b", " }
}

/// What the fields of a request take, told once each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Measure {
    /// Names without a number.
    pub(super) unknown: usize,
    /// Bytes of names and values, each with its NUL.
    pub(super) bytes: usize,
}

/// Measures the fields in one pass; `None` when a name may have come twice.
#[inline]
pub(super) fn measure_distinct(head: &RequestHead) -> Option<Measure> {
    let (mut known, mut filter, mut looks) = (0u64, 0u64, 0);
    let mut all = Measure::default();
    for (index, field) in head.fields.iter().enumerate() {
        all.bytes += field.value.len as usize + 1;
        if field.id != UNKNOWN {
            let bit = 1 << (field.id & 63);
            if known & bit != 0 {
                return None;
            }
            known |= bit;
            continue;
        }
        all.unknown += 1;
        all.bytes += field.name.len as usize + 1;
        let bit = filter_bit(head.text(field.name));
        if filter & bit != 0 {
            looks += 1;
            if looks > CLOSE_LOOKS
                || head.fields[..index].iter().any(|earlier| same_name(head, earlier, field))
            {
                return None;
            }
        }
        filter |= bit;
    }
    Some(all)
}

#[inline]
fn filter_bit(name: &[u8]) -> u64 {
    let middle = name.get(name.len() / 2).copied().unwrap_or(0);
    let last = name.last().copied().unwrap_or(0);
    let mixed = (name.len() as u32).wrapping_mul(31)
        ^ u32::from(middle | 0x20).wrapping_mul(7)
        ^ u32::from(last | 0x20);
    1 << (mixed & 63)
}

fn same_name(head: &RequestHead, a: &Field, b: &Field) -> bool {
    a.id == b.id && (a.id != UNKNOWN || head.text(a.name).eq_ignore_ascii_case(head.text(b.name)))
}

/// For every field line, whether an earlier line has its name, and the next line that has.
pub(super) struct Joined {
    links: Vec<u32>,
}

impl Joined {
    /// Finds the lines that belong together.
    #[cold]
    pub(super) fn find(head: &RequestHead) -> Joined {
        let fields = &head.fields;
        let mut order: Vec<u32> = (0..fields.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| compare(head, a, b));
        let mut links = vec![END; fields.len()];
        for pair in order.windows(2) {
            let (first, second) = (pair[0] as usize, pair[1] as usize);
            if same_name(head, &fields[first], &fields[second]) {
                links[first] = links[first] & LATER | pair[1];
                links[second] |= LATER;
            }
        }
        Joined { links }
    }

    /// Measures the fields: a later line adds a separator and its value, no name and no NUL.
    #[cold]
    pub(super) fn measure(&self, head: &RequestHead) -> Measure {
        let mut all = Measure::default();
        for (index, field) in head.fields.iter().enumerate() {
            let value = field.value.len as usize;
            if self.is_later(index) {
                all.bytes += separator(field.id).len() + value;
                continue;
            }
            all.bytes += value + 1;
            if field.id == UNKNOWN {
                all.unknown += 1;
                all.bytes += field.name.len as usize + 1;
            }
        }
        all
    }

    /// Whether an earlier line has the same name, so that this one is joined to it.
    pub(super) fn is_later(&self, index: usize) -> bool {
        self.links[index] & LATER != 0
    }

    /// The next line with the same name.
    pub(super) fn next(&self, index: usize) -> Option<usize> {
        let next = self.links[index] & !LATER;
        (next != END).then_some(next as usize)
    }
}

fn compare(head: &RequestHead, a: u32, b: u32) -> Ordering {
    let (left, right) = (&head.fields[a as usize], &head.fields[b as usize]);
    let names = || {
        let lower = |field: &Field| head.text(field.name).iter().map(u8::to_ascii_lowercase);
        lower(left).cmp(lower(right))
    };
    let by_name = if left.id == UNKNOWN && right.id == UNKNOWN { names() } else { left.id.cmp(&right.id) };
    by_name.then(a.cmp(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Span;

    fn head(names: &[(u8, &str)]) -> RequestHead {
        let mut head = RequestHead::new();
        for (id, name) in names {
            let start = head.bytes.len();
            head.bytes.extend_from_slice(name.as_bytes());
            let name = Span::between(start, head.bytes.len());
            head.fields.push(Field { id: *id, name, value: Span::default() });
        }
        head
    }

    #[test]
    fn different_names_do_not_repeat() {
        let head = head(&[(1, ""), (2, ""), (UNKNOWN, "sec-fetch-site"), (UNKNOWN, "sec-fetch-mode")]);
        assert_eq!(measure_distinct(&head), Some(Measure { unknown: 2, bytes: 4 + 2 * 15 }));
    }

    #[test]
    fn repeated_lines_are_chained_in_arrival_order() {
        let head = head(&[
            (UNKNOWN, "X-A"),
            (12, ""),
            (UNKNOWN, "x-b"),
            (UNKNOWN, "x-a"),
            (12, ""),
            (UNKNOWN, "X-a"),
        ]);
        assert_eq!(measure_distinct(&head), None);
        let joined = Joined::find(&head);
        assert_eq!((joined.next(0), joined.next(3), joined.next(5)), (Some(3), Some(5), None));
        assert_eq!((joined.next(1), joined.next(2)), (Some(4), None));
        let later: Vec<bool> = (0..6).map(|index| joined.is_later(index)).collect();
        assert_eq!(later, [false, false, false, true, true, true]);
    }

    #[test]
    fn many_names_are_still_told_apart() {
        let names: Vec<String> = (0..3000).map(|n| format!("x{n:04}")).collect();
        let fields: Vec<(u8, &str)> = names.iter().map(|name| (UNKNOWN, name.as_str())).collect();
        let joined = Joined::find(&head(&fields));
        assert!((0..fields.len()).all(|index| !joined.is_later(index)));
    }
}
