//! The registry's limits on a request head and the exceptions to its grammar (digest §8.2), and whether a head that was
//! taken keeps within narrower limits.

use super::RequestHead;
use crate::wire::refusal::Refusal;
use crate::wire::target;

/// Limits on a request head, with their defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `MaxFieldLength`: bytes of one field line.
    pub field: usize,
    /// `MaxRequestBytes`: bytes of request line and fields together.
    pub head: usize,
    /// `UrlSegmentMaxLength`: characters between two slashes.
    pub segment: usize,
    /// `UrlSegmentMaxCount`: segments of a path.
    pub segments: usize,
    /// What is taken or refused besides.
    pub syntax: Syntax,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { field: 16384, head: 16384, segment: 260, segments: 255, syntax: Syntax::default() }
    }
}

/// Exceptions to the grammar, by their names in the registry. All but the URL encodings loosen it, and none lets a
/// message end elsewhere than it does without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// `AllowRestrictedChars`: escapes may stand for control characters.
    pub restricted: bool,
    /// `AllowUnEscapedRestrictedChars`: control characters but NUL, TAB, CR and LF may stand in targets.
    pub unescaped: bool,
    /// `PercentUAllowed`: `%uXXXX` is an escape.
    pub percent_u: bool,
    /// `EnableNonUTF8`: paths may be in code page 1252.
    pub non_utf8: bool,
    /// `FavorUTF8`: UTF-8 is tried first.
    pub favor_utf8: bool,
    /// `AllowWeakHeaderNameSyntax`: field names may have separators.
    pub weak_names: bool,
    /// `AllowWeakHeaderValueSyntax`: field values may have control characters but NUL, CR and LF.
    pub weak_values: bool,
    /// `AllowCaseInsensitiveVerbs`: `get` is GET.
    pub any_case_verbs: bool,
}

impl Syntax {
    /// The registry's defaults.
    pub const USUAL: Syntax = Syntax {
        restricted: false,
        unescaped: false,
        percent_u: true,
        non_utf8: true,
        favor_utf8: true,
        weak_names: false,
        weak_values: false,
        any_case_verbs: false,
    };
}

impl Default for Syntax {
    fn default() -> Self {
        Syntax::USUAL
    }
}

impl RequestHead {
    /// Why this head, which was taken within wider limits, is refused within these.
    #[cold]
    pub fn exceeds(&self, limits: &Limits) -> Option<Refusal> {
        let target = self.target;
        if target.len as usize > limits.field || (target.start + target.len) as usize > limits.head {
            return Some(Refusal::UrlLength);
        }
        if !target::is_within(&String::from_utf8_lossy(self.path()), limits) {
            return Some(Refusal::Url);
        }
        for field in &self.fields {
            let end = (field.value.start + field.value.len) as usize;
            if end > limits.head {
                return Some(Refusal::RequestLength);
            }
            if end - field.name.start as usize > limits.field {
                return Some(Refusal::FieldLength);
            }
        }
        (self.bytes.len() > limits.head).then_some(Refusal::RequestLength)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{head, nearly_a_head, parse_with};
    use super::*;
    use crate::wire::Parsed;
    use crate::wire::request::Verb;

    #[test]
    fn a_head_is_held_to_narrower_limits_as_the_parser_would() {
        let text = b"GET /abc/def HTTP/1.1\r\nHost: a\r\nX-Long: 0123456789\r\n\r\n";
        let head = head(text);
        let wide = Limits::default();
        assert_eq!(head.exceeds(&wide), None);
        for (limits, refusal) in [
            (Limits { field: 7, ..wide }, Refusal::UrlLength),
            (Limits { field: 12, ..wide }, Refusal::FieldLength),
            (Limits { head: text.len() - 1, ..wide }, Refusal::RequestLength),
            (Limits { head: 40, ..wide }, Refusal::RequestLength),
            (Limits { segment: 2, ..wide }, Refusal::Url),
            (Limits { segments: 1, ..wide }, Refusal::Url),
        ] {
            assert_eq!(head.exceeds(&limits), Some(refusal), "{limits:?}");
            assert_eq!(parse_with(text, &limits).1, Err(refusal), "{limits:?}");
        }
        assert_eq!(
            head.exceeds(&Limits { head: text.len(), field: 18, segment: 3, segments: 2, ..wide }),
            None
        );
    }

    fn parsed(line: &str, fields: &str, change: impl FnOnce(&mut Syntax)) -> Result<RequestHead, Refusal> {
        let mut limits = Limits::default();
        change(&mut limits.syntax);
        let input = format!("{line} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let (head, outcome) = parse_with(input.as_bytes(), &limits);
        outcome.map(|_| head)
    }

    #[test]
    fn weak_names_have_separators_but_no_blanks() {
        let weak = |fields: &str| parsed("GET /", fields, |syntax| syntax.weak_names = true);
        assert_eq!(weak("X?(a): 1\r\n").map(|head| head.fields.len()), Ok(2));
        for fields in ["X : 1\r\n", "X y: 1\r\n", "\x01: 1\r\n", ": 1\r\n", "X\r\nY: 1\r\n", " X: 1\r\n"] {
            assert!(weak(fields).is_err(), "{fields:?}");
        }
        assert_eq!(parsed("GET /", "X?: 1\r\n", |_| ()).err(), Some(Refusal::Header));
    }

    #[test]
    fn weak_values_have_controls_but_no_line_ends() {
        let weak = |fields: &str| parsed("GET /", fields, |syntax| syntax.weak_values = true);
        let head = weak("X: a\x01b\x1fc\x7f\r\nY: z\r\n").unwrap();
        assert_eq!(head.text(head.fields[1].value), b"a\x01b\x1fc\x7f");
        assert_eq!(head.fields.len(), 3);
        for fields in ["X: a\0b\r\n", "X: a\rb\r\n", "X: a\x01\rb\r\n"] {
            assert!(weak(fields).is_err(), "{fields:?}");
        }
        assert_eq!(parsed("GET /", "X: a\x01b\r\n", |_| ()).err(), Some(Refusal::Header));
    }

    #[test]
    fn verbs_in_any_case() {
        let head = parsed("gEt /", "", |syntax| syntax.any_case_verbs = true).unwrap();
        assert_eq!((head.verb, head.text(head.verb_text)), (Verb::Get, &b"gEt"[..]));
        assert_eq!(parsed("gEt /", "", |_| ()).unwrap().verb, Verb::Unknown);
        let post = parsed("post /", "", |syntax| syntax.any_case_verbs = true);
        assert_eq!(post.err(), Some(Refusal::LengthRequired));
    }

    #[test]
    fn controls_in_targets() {
        let loose = |line: &str| parsed(line, "", |syntax| syntax.unescaped = true);
        let head = loose("GET /a\x01b?c\x02").unwrap();
        assert_eq!((head.path(), head.text(head.raw_query)), (&b"/a\x01b"[..], &b"?c\x02"[..]));
        for line in ["GET /a\0b", "GET /a\tb", "GET /a\rb", "GET /a b", "GET http://a\x01/"] {
            assert!(loose(line).is_err(), "{line:?}");
        }
        assert!(parsed("GET /a\x01b", "", |_| ()).is_err());
        assert!(parsed("GET /?a\x01b", "", |_| ()).is_err());
    }

    /// Everything loosened but verbs, which decide whether a length is required.
    const LOOSE: Limits = Limits {
        field: 16384,
        head: 16384,
        segment: 260,
        segments: 255,
        syntax: Syntax {
            restricted: true,
            unescaped: true,
            weak_names: true,
            weak_values: true,
            ..Syntax::USUAL
        },
    };

    proptest! {
        #[test]
        fn loose_reading_ends_no_message_elsewhere(input in nearly_a_head(), body in any::<[u8; 4]>()) {
            let input = [&input[..], &body].concat();
            let (strict, outcome) = parse_with(&input, &Limits::default());
            let (loose, loosely) = parse_with(&input, &LOOSE);
            if let Ok(Parsed::Complete(_)) = outcome {
                prop_assert_eq!(loosely, outcome);
                prop_assert_eq!(format!("{loose:?}"), format!("{strict:?}"));
            }
            if let Ok(Parsed::Complete(end)) = loosely {
                prop_assert!(input[..end].ends_with(b"\n\r\n") || input[..end].ends_with(b"\n\n"));
                prop_assert_eq!(loose.exceeds(&LOOSE), None);
                for len in 0..end {
                    prop_assert_eq!(parse_with(&input[..len], &LOOSE).1, Ok(Parsed::Partial));
                }
            }
        }
    }
}
