//! Paths of request targets: percent-decoding, dot segments, restricted characters, limits (digest §2.8). The
//! forms a target can have (origin, absolute, authority, asterisk) are told apart in `request`.

use super::bytes;
use super::refusal::Refusal;
use super::request::{Limits, Syntax};

/// Decodes the path of a target. `Ok(None)` when the path is already in decoded form.
///
/// Escapes are decoded once; bytes that are not UTF-8 are read as Windows-1252; `\` becomes `/`; dot segments go
/// after decoding, repeated slashes stay. Control characters and malformed escapes are [`Refusal::Url`], climbing
/// above the root is [`Refusal::Forbidden`].
pub fn decode_path(raw: &[u8], limits: &Limits) -> Result<Option<String>, Refusal> {
    match scan(raw, limits)? {
        Scan { len, plain: true } if len == raw.len() => Ok(None),
        Scan { plain: true, .. } => Err(Refusal::Url),
        Scan { plain: false, .. } => decode(raw, limits),
    }
}

/// What one pass over a target found.
pub(super) struct Scan {
    /// Where the path ends: at `?` or `#`, at a byte no path may have, or at the end. Only if `plain`.
    pub(super) len: usize,
    /// The path is already in decoded form.
    pub(super) plain: bool,
}

/// Walks the path at the start of a target once, stopping early where it needs decoding.
#[inline]
pub(super) fn scan(target: &[u8], limits: &Limits) -> Result<Scan, Refusal> {
    let (mut at, mut segments) = (0, 0usize);
    loop {
        let run = bytes::path_len(&target[at..]);
        if over(run, limits.segment) {
            return Err(Refusal::Url);
        }
        if target[at..at + run].first() == Some(&b'.') && is_dots(&target[at..at + run]) {
            return Ok(Scan { len: at, plain: false });
        }
        at += run;
        match target.get(at) {
            Some(b'/') => {
                segments += 1;
                at += 1;
            }
            Some(b'%' | b'\\' | 0x80..) => return Ok(Scan { len: at, plain: false }),
            Some(..b' ' | 0x7F) if limits.syntax.unescaped => return Ok(Scan { len: at, plain: false }),
            _ if over(segments, limits.segments) => return Err(Refusal::Url),
            _ => return Ok(Scan { len: at, plain: true }),
        }
    }
}

/// Whether a number is over a limit; the registry's 0 means that there is none.
#[inline]
fn over(number: usize, limit: usize) -> bool {
    number > limit && limit != 0
}

fn is_dots(segment: &[u8]) -> bool {
    segment == b"." || segment == b".."
}

/// The path decoded by the long way, or `None` when that changed nothing.
fn decode(raw: &[u8], limits: &Limits) -> Result<Option<String>, Refusal> {
    let syntax = limits.syntax;
    let mut path = text(unescape(raw, syntax)?, syntax)?;
    if !syntax.restricted && path.contains(|c| matches!(c, '\u{80}'..='\u{9F}')) {
        return Err(Refusal::Url);
    }
    if path.contains('\\') {
        path = path.replace('\\', "/");
    }
    if !is_within(&path, limits) {
        return Err(Refusal::Url);
    }
    let path = remove_dots(path)?;
    Ok((path.as_bytes() != raw).then_some(path))
}

/// Percent escapes as bytes. `%uXXXX` is one UTF-16 unit and becomes UTF-8; two of them make a pair.
fn unescape(raw: &[u8], syntax: Syntax) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            let control = byte < b' ' || byte == 0x7F;
            if control && !syntax.unescaped || matches!(byte, b'?' | b'#') {
                return Err(Refusal::Url);
            }
            out.push(byte);
            rest = after;
        } else if let ([b'u' | b'U', digits @ ..], true) = (after, syntax.percent_u) {
            let (character, after) = unicode_escape(digits, syntax).ok_or(Refusal::Url)?;
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = after;
        } else {
            out.push(
                hex(after, 2).filter(|byte| syntax.restricted || !is_restricted(*byte)).ok_or(Refusal::Url)?
                    as u8,
            );
            rest = &after[2..];
        }
    }
    Ok(out)
}

/// The character of `XXXX` or, for a surrogate pair, `XXXX%uXXXX`, and what follows.
fn unicode_escape(digits: &[u8], syntax: Syntax) -> Option<(char, &[u8])> {
    let unit = hex(digits, 4).filter(|unit| syntax.restricted || !is_restricted(*unit))?;
    let rest = &digits[4..];
    if !(0xD800..0xDC00).contains(&unit) {
        return Some((char::from_u32(unit)?, rest));
    }
    let rest = rest.strip_prefix(b"%u").or_else(|| rest.strip_prefix(b"%U"))?;
    let low = hex(rest, 4).filter(|unit| (0xDC00..0xE000).contains(unit))?;
    Some((char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00))?, &rest[4..]))
}

/// Exactly `count` hexadecimal digits.
fn hex(bytes: &[u8], count: usize) -> Option<u32> {
    bytes
        .get(..count)?
        .iter()
        .try_fold(0, |number, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))
}

/// Escapes that no path may have unless `AllowRestrictedChars` is set, DEL included; so too what they come to from U+0080 to
/// U+009F, which is looked for when the path is text.
fn is_restricted(unit: u32) -> bool {
    unit < 0x20 || unit == 0x7F
}

/// UTF-8 if it is (`FavorUTF8`), else Windows-1252 (`EnableNonUTF8`). Any bytes are Windows-1252, so where UTF-8 has not the
/// favour it has no chance.
fn text(bytes: Vec<u8>, syntax: Syntax) -> Result<String, Refusal> {
    let ansi = |bytes: &[u8]| bytes.iter().map(|byte| windows_1252(*byte)).collect();
    if syntax.non_utf8 && !syntax.favor_utf8 {
        return Ok(ansi(&bytes));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) if syntax.non_utf8 => Ok(ansi(error.as_bytes())),
        Err(_) => Err(Refusal::Url),
    }
}

/// Windows code page 1252; its five unused positions map to the C1 controls, as on Windows.
fn windows_1252(byte: u8) -> char {
    const FROM_80: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..0xA0 => FROM_80[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// Segments are counted and measured after decoding, in the UTF-16 units Windows counts in.
pub(super) fn is_within(path: &str, limits: &Limits) -> bool {
    let mut segments = 0;
    for segment in path.split('/').skip(1) {
        segments += 1;
        if over(segment.len(), limits.segment) && over(segment.encode_utf16().count(), limits.segment) {
            return false;
        }
    }
    !over(segments, limits.segments)
}

/// RFC 3986 §5.2.4, but that climbing above the root is refused and not ignored.
fn remove_dots(path: String) -> Result<String, Refusal> {
    if !path.split('/').any(|segment| is_dots(segment.as_bytes())) {
        return Ok(path);
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => drop(kept.pop().ok_or(Refusal::Forbidden)?),
            _ => {
                kept.push(segment);
                continue;
            }
        }
        if segments.peek().is_none() {
            kept.push("");
        }
    }
    Ok(kept.iter().flat_map(|segment| ["/", segment]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The path as routing sees it.
    fn path(raw: &str) -> Result<String, Refusal> {
        let decoded = decode_path(raw.as_bytes(), &Limits::default())?;
        Ok(decoded.unwrap_or_else(|| raw.to_owned()))
    }

    #[test]
    fn plain_paths_are_left_alone() {
        for raw in ["/", "/a/b.c", "//a//b/", "/...", "/.a/a./..b", "/a;b=c,d&e=f~!$'()*+@:", "/ü"] {
            assert_eq!(decode_path(raw.as_bytes(), &Limits::default()), Ok(None), "{raw}");
        }
    }

    #[test]
    fn escapes_are_decoded_once() {
        assert_eq!(path("/a%20b"), Ok("/a b".into()));
        assert_eq!(path("/%252F"), Ok("/%2F".into()));
        assert_eq!(path("/a%2Fb%2fc"), Ok("/a/b/c".into()));
        assert_eq!(path("/%3F%23%25"), Ok("/?#%".into()));
        assert_eq!(path("/%E4%BD%A0"), Ok("/你".into()));
        assert_eq!(path("/%u4F60%uD83D%uDE00x"), Ok("/你😀x".into()));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_windows_1252() {
        assert_eq!(path("/%FC%80"), Ok("/ü€".into()));
        assert_eq!(decode_path(b"/\xFCb", &Limits::default()), Ok(Some("/üb".into())));
    }

    #[test]
    fn malformed_and_restricted_escapes_are_refused() {
        for raw in
            ["/%", "/%4", "/%G0", "/%+1", "/%00", "/%1f", "/%0d%0a", "/%7F", "/%u004", "/%u0000", "/%uD83D"]
        {
            assert_eq!(path(raw), Err(Refusal::Url), "{raw}");
        }
        for raw in ["/%uD83Dx", "/%uD83D%u0041", "/%uDE00", "/a\x01%20", "/a b%20\x7f", "/a?b", "/%20#"] {
            assert_eq!(path(raw), Err(Refusal::Url), "{raw}");
        }
    }

    #[test]
    fn what_the_registry_changes() {
        let decode = |raw: &[u8], change: fn(&mut Syntax)| {
            let mut limits = Limits::default();
            change(&mut limits.syntax);
            decode_path(raw, &limits).map(Option::unwrap_or_default)
        };
        assert_eq!(decode(b"/%C2%85", |_| ()), Err(Refusal::Url));
        assert_eq!(decode(b"/%u0085", |_| ()), Err(Refusal::Url));
        assert_eq!(decode(b"/%C2%85%01%u0002", |s| s.restricted = true), Ok("/\u{85}\u{1}\u{2}".into()));
        assert_eq!(decode(b"/%u4F60", |s| s.percent_u = false), Err(Refusal::Url));
        assert_eq!(decode(b"/%FC", |s| s.non_utf8 = false), Err(Refusal::Url));
        assert_eq!(decode(b"/%C3%BC", |s| s.non_utf8 = false), Ok("/ü".into()));
        assert_eq!(decode(b"/%C3%BC", |s| s.favor_utf8 = false), Ok("/Ã¼".into()));
        let both = |s: &mut Syntax| (s.favor_utf8, s.non_utf8) = (false, false);
        assert_eq!(decode(b"/%C3%BC", both), Ok("/ü".into()));
    }

    #[test]
    fn dot_segments_go_after_decoding() {
        assert_eq!(path("/a/./b"), Ok("/a/b".into()));
        assert_eq!(path("/a/../b"), Ok("/b".into()));
        assert_eq!(path("/a/%2E%2e/b"), Ok("/b".into()));
        assert_eq!(path("/a/b%2F..%2Fc"), Ok("/a/c".into()));
        assert_eq!(path("/a/b/.."), Ok("/a/".into()));
        assert_eq!(path("/a/."), Ok("/a/".into()));
        assert_eq!(path("/."), Ok("/".into()));
        assert_eq!(path("/a//../b"), Ok("/a/b".into()));
        assert_eq!(path("/b/c/../../g"), Ok("/g".into()));
    }

    #[test]
    fn backslashes_are_slashes() {
        assert_eq!(path("/a\\b"), Ok("/a/b".into()));
        assert_eq!(path("/a%5C..\\b"), Ok("/b".into()));
    }

    #[test]
    fn climbing_above_the_root_is_forbidden() {
        for raw in ["/..", "/../a", "/a/../..", "/%2e%2e", "/..\\x", "/a/..%2f../b"] {
            assert_eq!(path(raw), Err(Refusal::Forbidden), "{raw}");
        }
    }

    #[test]
    fn segments_have_limits() {
        let limits = Limits { segment: 4, segments: 3, ..Limits::default() };
        let decode = |raw: &str| decode_path(raw.as_bytes(), &limits);
        assert_eq!(decode("/abcd/b/c"), Ok(None));
        assert_eq!(decode("/abcde"), Err(Refusal::Url));
        assert_eq!(decode("/a/b/c/"), Err(Refusal::Url));
        assert_eq!(decode("/%41%42%43%44"), Ok(Some("/ABCD".into())));
        assert_eq!(decode("/%41BCDE"), Err(Refusal::Url));
        assert_eq!(decode("/%C3%BC%C3%BC%C3%BC%C3%BC"), Ok(Some("/üüüü".into())));
        assert_eq!(decode("/a%2Fb/c/d"), Err(Refusal::Url));
        let none = Limits { segment: 0, segments: 0, ..limits };
        assert_eq!(decode_path("/abcde/b/c/d/e".as_bytes(), &none), Ok(None));
    }

    proptest! {
        #[test]
        fn a_decoded_path_has_no_dots_no_controls_and_its_root(raw in "/[a-c./%\\\\25eEfF]{0,24}") {
            if let Ok(path) = path(&raw) {
                prop_assert!(path.starts_with('/'));
                prop_assert!(!path.split('/').any(|segment| segment == "." || segment == ".."), "{}", path);
                prop_assert!(!path.contains('\\') && !path.contains(|c: char| c.is_ascii_control()));
            }
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(raw in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut target = b"/".to_vec();
            target.extend(raw);
            let decoded = decode_path(&target, &Limits::default());
            if decoded == Ok(None) {
                prop_assert!(std::str::from_utf8(&target).is_ok());
            }
        }
    }
}
