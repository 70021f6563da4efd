//! Reads dconf's data base: a GVDB file, a hash table of paths to serialised GVariants.
//!
//! ```text
//! header   "GVariant", version, options, table: start and end
//! table    bloom words (27 bits: how many), buckets; both are skipped; items to its end
//! item     hash, parent item, key: start and size (u16), type (u8), -, value: start and end
//! value    the bytes, 0, the type's letters
//! ```
//!
//! An item's path is its parent's path and its own key. All numbers are little-endian. Every position is checked; a file
//! that makes no sense has no values.

use std::collections::HashMap;

/// A value of a type that proxy settings have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(i64),
    Texts(Vec<String>),
}

const ITEM: usize = 24;

/// Parents deeper than this are a circle.
const DEEPEST: usize = 32;

/// A path or value longer than this, and more values than that, are no settings: the same bytes can stand for many of
/// each, and a small file would take for ever to read.
const LONGEST_PATH: usize = 256;
const LONGEST_VALUE: usize = 64 << 10;
const MOST_VALUES: usize = 64;

/// The values whose paths start with `prefix`, by the rest of their paths.
pub(super) fn values_below(data: &[u8], prefix: &str) -> HashMap<String, Value> {
    let Some(items) = items(data) else { return HashMap::new() };
    let mut found = HashMap::new();
    for item in items.chunks_exact(ITEM).filter(|item| item[14] == b'v') {
        if found.len() == MOST_VALUES {
            break;
        }
        let Some(path) = path_of(data, items, item) else { continue };
        let value = path.strip_prefix(prefix).filter(|rest| !found.contains_key(*rest));
        let bytes = value.and_then(|_| span(data, item, 16)).filter(|bytes| bytes.len() <= LONGEST_VALUE);
        let value = bytes.and_then(read);
        if let (Some(rest), Some(value)) = (path.strip_prefix(prefix), value) {
            found.insert(rest.to_owned(), value);
        }
    }
    found
}

fn number(data: &[u8], at: usize) -> Option<usize> {
    let bytes = data.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
}

/// The bytes between two positions that stand in `from`.
fn span<'a>(data: &'a [u8], from: &[u8], at: usize) -> Option<&'a [u8]> {
    data.get(number(from, at)?..number(from, at + 4)?)
}

fn items(data: &[u8]) -> Option<&[u8]> {
    if data.get(..8)? != b"GVariant" || number(data, 8)? != 0 {
        return None;
    }
    let table = span(data, data, 16)?;
    let (bloom, buckets) = (number(table, 0)? & 0x07FF_FFFF, number(table, 4)?);
    table.get(8 + bloom.checked_add(buckets)?.checked_mul(4)?..)
}

fn path_of(data: &[u8], items: &[u8], item: &[u8]) -> Option<String> {
    let (mut parts, mut length) = (Vec::new(), 0);
    let mut item = item;
    for _ in 0..DEEPEST {
        let start = number(item, 8)?;
        let size = usize::from(u16::from_le_bytes([item[12], item[13]]));
        length += size;
        if length > LONGEST_PATH {
            return None;
        }
        parts.push(std::str::from_utf8(data.get(start..start.checked_add(size)?)?).ok()?);
        let parent = number(item, 4)?;
        if parent == u32::MAX as usize {
            parts.reverse();
            return Some(parts.concat());
        }
        let at = parent.checked_mul(ITEM)?;
        item = items.get(at..at.checked_add(ITEM)?)?;
    }
    None
}

/// A variant: its bytes, a zero, and its type.
fn read(value: &[u8]) -> Option<Value> {
    let zero = value.iter().rposition(|byte| *byte == 0)?;
    let (bytes, kind) = (&value[..zero], &value[zero + 1..]);
    match kind {
        b"s" => Some(Value::Text(text(bytes)?)),
        b"i" => Some(Value::Number(i32::from_le_bytes(bytes.try_into().ok()?).into())),
        b"as" => Some(Value::Texts(texts(bytes)?)),
        _ => None,
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.strip_suffix(b"\0")?.to_vec()).ok()
}

/// Texts one behind the other, then where each ends, in as few bytes as hold the whole length.
fn texts(bytes: &[u8]) -> Option<Vec<String>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let width = match bytes.len() {
        0..=0xFF => 1,
        0x100..=0xFFFF => 2,
        _ => 4,
    };
    let offset = |at: usize| -> Option<usize> {
        let mut wide = [0; 4];
        wide[..width].copy_from_slice(bytes.get(at..at.checked_add(width)?)?);
        usize::try_from(u32::from_le_bytes(wide)).ok()
    };
    let ends_at = offset(bytes.len().checked_sub(width)?)?;
    let (mut all, mut start) = (Vec::new(), 0);
    for at in (ends_at..bytes.len()).step_by(width) {
        let end = offset(at)?;
        all.push(text(bytes.get(start..end)?)?);
        start = end;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of (parent, key, kind, value).
    fn made(entries: &[(u32, &str, u8, &[u8])]) -> Vec<u8> {
        let table = 24;
        let mut place = table + 8 + 4 + 4 + entries.len() * ITEM;
        let end = place as u32;
        let (mut items, mut tail) = (Vec::new(), Vec::<u8>::new());
        for (parent, key, kind, value) in entries {
            let (key_at, value_at) = (place, place + key.len());
            place = value_at + value.len();
            let number = |out: &mut Vec<u8>, n: usize| out.extend((n as u32).to_le_bytes());
            number(&mut items, 7);
            items.extend(parent.to_le_bytes());
            number(&mut items, key_at);
            items.extend((key.len() as u16).to_le_bytes());
            items.extend([*kind, 0]);
            number(&mut items, value_at);
            number(&mut items, place);
            tail.extend(key.as_bytes());
            tail.extend(*value);
        }
        let mut data = b"GVariant".to_vec();
        data.extend([0; 8]);
        data.extend((table as u32).to_le_bytes());
        data.extend(end.to_le_bytes());
        data.extend((1_u32 | 5 << 27).to_le_bytes());
        data.extend(1_u32.to_le_bytes());
        data.extend([0; 8]);
        data.extend(items);
        data.extend(tail);
        data
    }

    fn sample() -> Vec<u8> {
        made(&[
            (u32::MAX, "/", b'L', b""),
            (0, "system/proxy/", b'L', b""),
            (1, "mode", b'v', b"manual\0\0s"),
            (1, "http/port", b'v', b"\x38\x0c\0\0\0i"),
            (1, "ignore-hosts", b'v', b"a\0b.c\0\x02\x06\0as"),
            (1, "none", b'v', b"\0as"),
            (1, "odd", b'v', b"\0t"),
            (0, "other", b'v', b"x\0\0s"),
        ])
    }

    #[test]
    fn values_are_found_by_their_paths() {
        let found = values_below(&sample(), "/system/proxy/");
        assert_eq!(found.len(), 4);
        assert_eq!(found["mode"], Value::Text("manual".into()));
        assert_eq!(found["http/port"], Value::Number(3128));
        assert_eq!(found["ignore-hosts"], Value::Texts(vec!["a".into(), "b.c".into()]));
        assert_eq!(found["none"], Value::Texts(Vec::new()));
    }

    #[test]
    fn what_is_too_long_or_too_much_is_left_out() {
        let long = [&vec![b'x'; LONGEST_VALUE][..], b"\0\0s"].concat();
        let path = "p".repeat(LONGEST_PATH + 1);
        let found = values_below(
            &made(&[
                (u32::MAX, &path, b'v', b"x\0\0s"),
                (u32::MAX, "/long", b'v', &long),
                (u32::MAX, "/a", b'v', b"x\0\0s"),
            ]),
            "",
        );
        assert_eq!(found.into_keys().collect::<Vec<_>>(), ["/a"]);
        let names: Vec<String> = (0..2 * MOST_VALUES).map(|n| format!("/{n}")).collect();
        let many: Vec<(u32, &str, u8, &[u8])> =
            names.iter().map(|name| (u32::MAX, &**name, b'v', &b"x\0\0s"[..])).collect();
        assert_eq!(values_below(&made(&many), "/").len(), MOST_VALUES);
    }

    #[test]
    fn a_damaged_file_does_no_harm() {
        let whole = sample();
        for cut in 0..whole.len() {
            values_below(&whole[..cut], "/");
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 0x7F, 0xFF] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                values_below(&damaged, "/");
            }
        }
        assert!(values_below(&made(&[(0, "/", b'v', b"x\0\0s")]), "/").is_empty(), "a circle");
    }
}
