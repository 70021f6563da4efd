//! Classes of bytes and scanning over them: what every parser of this room shares.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// What a byte may be part of.
static CLASSES: [u8; 256] = classes();

/// `tchar` of RFC 9110 §5.6.2.
const TOKEN: u8 = 1;
/// A byte of a path that needs no second look: neither control, `%`, `/`, `?`, `#`, `\` nor above 0x7F.
const PATH: u8 = 2;
/// `reg-name` of RFC 3986 but for percent escapes, and the bytes of UTF-8 names.
const HOST: u8 = 4;

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let byte = i as u8;
        let alphanumeric = byte.is_ascii_alphanumeric();
        if alphanumeric || one_of(byte, b"!#$%&'*+-.^_`|~") {
            table[i] |= TOKEN;
        }
        if matches!(byte, b' '..=b'~') && !one_of(byte, b"%/?#\\") {
            table[i] |= PATH;
        }
        if alphanumeric || byte >= 0x80 || one_of(byte, b"-._~!$&'()*+,;=") {
            table[i] |= HOST;
        }
        i += 1;
    }
    table
}

const fn one_of(byte: u8, set: &[u8]) -> bool {
    let mut i = 0;
    while i < set.len() {
        if set[i] == byte {
            return true;
        }
        i += 1;
    }
    false
}

/// How many bytes at the start are of a class.
#[inline]
fn run(bytes: &[u8], class: u8) -> usize {
    let mut at = 0;
    while at < bytes.len() && CLASSES[usize::from(bytes[at])] & class != 0 {
        at += 1;
    }
    at
}

/// How many bytes at the start are token characters.
#[inline]
pub(super) fn token_len(bytes: &[u8]) -> usize {
    run(bytes, TOKEN)
}

/// How many bytes at the start are ordinary path characters (not even `/`).
#[inline]
pub(super) fn path_len(bytes: &[u8]) -> usize {
    run(bytes, PATH)
}

/// How many bytes at the start may be part of a registered name (escapes apart).
#[inline]
pub(super) fn host_len(bytes: &[u8]) -> usize {
    run(bytes, HOST)
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The eight bytes at `at`, if there are as many.
#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8).map(|eight| u64::from_le_bytes(eight.try_into().expect("eight bytes")))
}

/// The high bit of the lowest zero byte; bits above it may be set by borrows, bits below are not.
#[inline]
fn zero_byte(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH
}

/// Offset, at or after `from`, of the first byte below `BELOW` or equal to DEL; the length when there is none.
/// Looks at eight bytes at a time.
#[inline]
pub(super) fn find_control<const BELOW: u8>(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(word) = word(bytes, at) {
        let low = word.wrapping_sub(ONES * u64::from(BELOW)) & !word & HIGH;
        let found = low | zero_byte(word ^ (ONES * 0x7F));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let tail = bytes.get(at..).unwrap_or(&[]);
    at + tail.iter().position(|byte| *byte < BELOW || *byte == 0x7F).unwrap_or(tail.len())
}

/// Offset, at or after `from`, of the first `:`; the length when there is none.
#[inline]
pub(super) fn find_colon(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(word) = word(bytes, at) {
        let found = zero_byte(word ^ (ONES * u64::from(b':')));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let tail = bytes.get(at..).unwrap_or(&[]);
    at + tail.iter().position(|byte| *byte == b':').unwrap_or(tail.len())
}

/// An ASCII name of at most 24 bytes, in the form that compares eight bytes at a time.
#[derive(Clone, Copy)]
pub(super) struct Name {
    len: usize,
    /// Which bits count: those of the name's bytes.
    keep: [u64; 3],
    /// 0x20 where the name has a letter: what makes upper case lower, and no other byte a letter.
    fold: [u64; 3],
    lower: [u64; 3],
}

impl Name {
    /// The form of no name, to fill arrays with.
    pub(super) const NONE: Name = Name { len: 0, keep: [0; 3], fold: [0; 3], lower: [0; 3] };

    pub(super) const fn new(name: &str) -> Name {
        let name = name.as_bytes();
        let mut form = Name { len: name.len(), ..Name::NONE };
        let mut at = 0;
        while at < name.len() {
            let shift = at % 8 * 8;
            form.keep[at / 8] |= 0xFF << shift;
            form.fold[at / 8] |= (if name[at].is_ascii_alphabetic() { 0x20 } else { 0 }) << shift;
            form.lower[at / 8] |= (name[at].to_ascii_lowercase() as u64) << shift;
            at += 1;
        }
        form
    }

    /// Whether the first `len` bytes of `text` are this name in any case. What follows them is not looked at,
    /// but lets whole words be read.
    #[inline]
    pub(super) fn starts(&self, text: &[u8], len: usize) -> bool {
        if self.len != len {
            return false;
        }
        let padded;
        let text = match text.get(..len.next_multiple_of(8)) {
            Some(_) => text,
            None => {
                padded = pad(&text[..len]);
                &padded[..]
            }
        };
        (0..len.div_ceil(8))
            .all(|i| word(text, i * 8).is_some_and(|w| w & self.keep[i] | self.fold[i] == self.lower[i]))
    }
}

fn pad(text: &[u8]) -> [u8; 24] {
    let mut padded = [0; 24];
    padded[..text.len()].copy_from_slice(text);
    padded
}

static CRLF_END: LazyLock<Finder> = LazyLock::new(|| Finder::new(b"\n\r\n"));
static LF_END: LazyLock<Finder> = LazyLock::new(|| Finder::new(b"\n\n"));

/// Whether an empty line is in sight. A head without a body usually ends what has been received; otherwise
/// this is a search by vectors, cheap enough to be repeated whenever a little more has come.
#[inline]
pub(crate) fn has_empty_line(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\n\r\n") || CRLF_END.find(bytes).is_some() || LF_END.find(bytes).is_some()
}

/// Space or tab.
#[inline]
pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Without spaces and tabs at either end.
#[inline]
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes {
        if !is_blank(*first) {
            break;
        }
        bytes = rest;
    }
    while let [rest @ .., last] = bytes {
        if !is_blank(*last) {
            break;
        }
        bytes = rest;
    }
    bytes
}

/// A decimal number: one digit or more and nothing else, up to 2^63-1 so that sums of lengths cannot overflow.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    let mut number = 0u64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    (number <= i64::MAX as u64).then_some(number)
}

/// Appends a number, without the machinery of formatting.
pub(crate) fn push_decimal(out: &mut Vec<u8>, number: u64) {
    // A u64 has at most 20 digits.
    let mut digits = [b'0'; 20];
    let (mut at, mut rest) = (20, number);
    loop {
        at -= 1;
        digits[at] += (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_find_the_same_control_as_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..40), from in 0usize..8) {
            let from = from.min(bytes.len());
            let slow = |below: u8| {
                (from..bytes.len()).find(|i| bytes[*i] < below || bytes[*i] == 0x7F).unwrap_or(bytes.len())
            };
            prop_assert_eq!(find_control::<0x20>(&bytes, from), slow(0x20));
            prop_assert_eq!(find_control::<0x21>(&bytes, from), slow(0x21));
        }
    }

    proptest! {
        #[test]
        fn names_compare_like_ascii_without_case(text in "[a-cA-C\\r5\\x15@_-]{0,24}", flip in prop::collection::vec(any::<bool>(), 24), more in "[a:]{0,9}") {
            let other: String = text.chars().zip(flip).map(|(c, flip)| if flip { char::from(c as u8 ^ 0x20) } else { c }).collect();
            let same = text.eq_ignore_ascii_case(&other);
            prop_assert_eq!(Name::new(&text).starts(format!("{other}{more}").as_bytes(), other.len()), same);
        }

        #[test]
        fn words_find_the_same_colon_as_bytes(text in "[:;9A\\x3b\\x00é]{0,20}") {
            prop_assert_eq!(find_colon(text.as_bytes(), 0), text.find(':').unwrap_or(text.len()));
        }
    }

    #[test]
    fn a_byte_above_a_control_is_not_mistaken_for_one() {
        assert_eq!(find_control::<0x20>(b"abcdefg\x80\x80 \x7e\xffhijkl", 0), 17);
        assert_eq!(find_control::<0x20>(b"abcd\x00\x80\x01\x7f", 0), 4);
    }

    #[test]
    fn decimals_are_written_as_they_are_read() {
        for number in [0, 7, 10, 65_535, 1_000_000, u64::MAX] {
            let mut out = b"is ".to_vec();
            push_decimal(&mut out, number);
            assert_eq!(out, format!("is {number}").as_bytes());
        }
    }

    #[test]
    fn decimals_are_digits_only_and_bounded() {
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"007"), Some(7));
        assert_eq!(decimal(b"9223372036854775807"), Some(i64::MAX as u64));
        for bad in [&b""[..], b"+1", b"-1", b"1 ", b"0x1", b"9223372036854775808", b"99999999999999999999"] {
            assert_eq!(decimal(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn trims_blanks_only() {
        assert_eq!(trim(b" \t a b\t"), b"a b");
        assert_eq!(trim(b" \t"), b"");
        assert_eq!(trim(b"\ra"), b"\ra");
    }
}
