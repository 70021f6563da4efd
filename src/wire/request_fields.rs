//! Editing the header list of a request: `WinHttpAddRequestHeaders` and its Ex form (digest of WinHTTP §5.1).
//!
//! The list is an ordered `Vec`; names compare without regard to case. Which fields the library adds by itself
//! is decided in `client`.

use super::field::{is_token, value_is_safe};
use crate::abi::error::{Error, Result};

/// WINHTTP_ADDREQ_FLAG_ADD_IF_NEW
pub const ADD_IF_NEW: u32 = 0x1000_0000;
/// WINHTTP_ADDREQ_FLAG_ADD
pub const ADD: u32 = 0x2000_0000;
/// WINHTTP_ADDREQ_FLAG_COALESCE, WINHTTP_ADDREQ_FLAG_COALESCE_WITH_COMMA
pub const COALESCE_WITH_COMMA: u32 = 0x4000_0000;
/// WINHTTP_ADDREQ_FLAG_COALESCE_WITH_SEMICOLON
pub const COALESCE_WITH_SEMICOLON: u32 = 0x0100_0000;
/// WINHTTP_ADDREQ_FLAG_REPLACE
pub const REPLACE: u32 = 0x8000_0000;

/// One field of a request that is still to be sent. What was UTF-16 is kept as UTF-8, which is what goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestField {
    /// A token, in the caller's case.
    pub name: String,
    /// Without surrounding white space, CR, LF or NUL; perhaps empty.
    pub value: String,
}

impl RequestField {
    /// A field from a name and a value that came apart, as in `WinHttpAddRequestHeadersEx`.
    ///
    /// # Errors
    /// INVALID_PARAMETER for a name that is no token and a value that would break the head.
    pub fn new(name: &str, value: &str) -> Result<RequestField> {
        if !is_token(name.as_bytes()) || !value_is_safe(value.as_bytes()) {
            return Err(Error::INVALID_PARAMETER);
        }
        let value = value.trim_matches([' ', '\t']);
        Ok(RequestField { name: name.to_owned(), value: value.to_owned() })
    }

    /// A field from one line `Name: value`.
    fn from_line(line: &[u16]) -> Result<RequestField> {
        let line = String::from_utf16_lossy(line);
        let (name, value) = line.split_once(':').ok_or(Error::INVALID_PARAMETER)?;
        RequestField::new(name, value)
    }

    /// Whether this is the field's name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Applies every `Name: value` line of a text to a list, in order. Lines end in any run of CR and LF.
///
/// # Errors
/// Those of [`apply`], and INVALID_PARAMETER for an empty text or a malformed line; what came before the line
/// at fault stays applied.
pub fn apply_text(list: &mut Vec<RequestField>, text: &[u16], modifiers: u32) -> Result<()> {
    if text.is_empty() {
        return Err(Error::INVALID_PARAMETER);
    }
    let is_break = |unit: &u16| *unit == 0x0D || *unit == 0x0A;
    for line in text.split(is_break).filter(|line| !line.is_empty()) {
        apply(list, RequestField::from_line(line)?, modifiers)?;
    }
    Ok(())
}

/// Applies one field to a list, as the WINHTTP_ADDREQ_FLAG modifiers say:
///
/// | modifiers | absent | present |
/// |---|---|---|
/// | none, ADD | add | add another |
/// | ADD_IF_NEW | add | WINHTTP_HEADER_ALREADY_EXISTS |
/// | COALESCE_WITH_… | add | append to the first after `, ` or `; ` |
/// | REPLACE | WINHTTP_HEADER_NOT_FOUND | remove the first; add, unless the value is empty |
/// | ADD and REPLACE | add | as REPLACE |
pub fn apply(list: &mut Vec<RequestField>, field: RequestField, modifiers: u32) -> Result<()> {
    let present = list.iter().position(|known| known.is(&field.name));
    match present {
        None if modifiers & REPLACE != 0 && modifiers & ADD == 0 => {
            return Err(Error::WINHTTP_HEADER_NOT_FOUND);
        }
        None => list.push(field),
        Some(_) if modifiers & ADD_IF_NEW != 0 => return Err(Error::WINHTTP_HEADER_ALREADY_EXISTS),
        Some(at) if modifiers & REPLACE != 0 => {
            list.remove(at);
            if !field.value.is_empty() {
                list.push(field);
            }
        }
        Some(at) if modifiers & COALESCE_WITH_COMMA != 0 => append(&mut list[at].value, ", ", &field.value),
        Some(at) if modifiers & COALESCE_WITH_SEMICOLON != 0 => {
            append(&mut list[at].value, "; ", &field.value)
        }
        Some(_) => list.push(field),
    }
    Ok(())
}

fn append(value: &mut String, separator: &str, more: &str) {
    value.push_str(separator);
    value.push_str(more);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The list after applying texts with their modifiers, one field a line, and the last outcome.
    fn after(steps: &[(&str, u32)]) -> (String, Result<()>) {
        let mut list = Vec::new();
        let mut outcome = Ok(());
        for (text, modifiers) in steps {
            outcome = apply_text(&mut list, &text.encode_utf16().collect::<Vec<_>>(), *modifiers);
        }
        let lines: Vec<_> = list.iter().map(|field| format!("{}: {}", field.name, field.value)).collect();
        (lines.join("|"), outcome)
    }

    fn ok(list: &str) -> (String, Result<()>) {
        (list.to_owned(), Ok(()))
    }

    fn fault(list: &str, error: Error) -> (String, Result<()>) {
        (list.to_owned(), Err(error))
    }

    #[test]
    fn lines_end_in_any_run_of_cr_and_lf() {
        for text in [
            "a: b\r\nc: d",
            "a: b\nc: d",
            "a: b\rc: d",
            "a: b\n\rc: d\r\n",
            "a: b\r\r\rc: d\n",
            "\r\na: b\n\nc: d",
        ] {
            assert_eq!(after(&[(text, ADD)]), ok("a: b|c: d"), "{text:?}");
        }
    }

    #[test]
    fn values_are_trimmed_and_may_be_empty() {
        assert_eq!(after(&[("a:", ADD)]), ok("a: "));
        assert_eq!(after(&[("a: \t b c \t", ADD)]), ok("a: b c"));
        assert_eq!(after(&[("a:b:c", ADD)]), ok("a: b:c"));
        assert_eq!(after(&[("a: ü", ADD)]), ok("a: ü"));
    }

    #[test]
    fn malformed_lines_are_refused() {
        for text in ["", "cd", ":", ":b", " e :f", "e f:g", "e : f", "a: b\0c", "ü: a", "(a): b"] {
            assert_eq!(after(&[(text, ADD)]), fault("", Error::INVALID_PARAMETER), "{text:?}");
        }
        assert_eq!(after(&[("a: b\r\nc\r\nd: e", ADD)]), fault("a: b", Error::INVALID_PARAMETER));
    }

    #[test]
    fn no_modifier_and_add_allow_duplicates() {
        for modifiers in [0, ADD] {
            assert_eq!(after(&[("a: 1", modifiers), ("A: 2", modifiers)]), ok("a: 1|A: 2"));
        }
    }

    #[test]
    fn add_if_new() {
        assert_eq!(after(&[("a: 1", ADD_IF_NEW)]), ok("a: 1"));
        let exists = Error::WINHTTP_HEADER_ALREADY_EXISTS;
        assert_eq!(after(&[("a: 1", ADD), ("A: 2", ADD_IF_NEW)]), fault("a: 1", exists));
        assert_eq!(after(&[("a: 1", ADD), ("b: 2\na: 3\nc: 4", ADD_IF_NEW)]), fault("a: 1|b: 2", exists));
    }

    #[test]
    fn replace() {
        assert_eq!(after(&[("a: 1", REPLACE)]), fault("", Error::WINHTTP_HEADER_NOT_FOUND));
        assert_eq!(after(&[("a: 1\na: 2", ADD), ("A: 3", REPLACE)]), ok("a: 2|A: 3"));
        assert_eq!(after(&[("a: 1\na: 2", ADD), ("a:", REPLACE)]), ok("a: 2"));
    }

    #[test]
    fn add_and_replace() {
        assert_eq!(after(&[("a: 1", ADD | REPLACE)]), ok("a: 1"));
        assert_eq!(after(&[("a: 1", ADD), ("a: 2", ADD | REPLACE)]), ok("a: 2"));
        assert_eq!(after(&[("a: 1", ADD), ("a:", ADD | REPLACE)]), ok(""));
    }

    #[test]
    fn coalesce() {
        assert_eq!(after(&[("a: 1", COALESCE_WITH_COMMA)]), ok("a: 1"));
        assert_eq!(after(&[("a: 1\na: 2", ADD), ("A: 3", COALESCE_WITH_COMMA)]), ok("a: 1, 3|a: 2"));
        assert_eq!(after(&[("a: 1", ADD), ("a: 2", COALESCE_WITH_SEMICOLON)]), ok("a: 1; 2"));
    }

    #[test]
    fn a_value_given_apart_cannot_smuggle_a_field() {
        for value in ["a\r\nb: c", "a\nb", "a\rb", "a\0b"] {
            assert_eq!(RequestField::new("a", value), Err(Error::INVALID_PARAMETER), "{value:?}");
        }
        assert_eq!(RequestField::new("a", " b:c ").unwrap().value, "b:c");
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_fit_for_the_wire(text in prop::collection::vec(any::<u16>(), 0..40), modifiers in any::<u32>()) {
            let mut list = Vec::new();
            let _ = apply_text(&mut list, &text, modifiers);
            for field in list {
                prop_assert!(is_token(field.name.as_bytes()) && value_is_safe(field.value.as_bytes()));
            }
        }
    }
}
