//! What the fields that both kinds of head have say of body and connection: `Content-Length`,
//! `Transfer-Encoding`, `Connection` (RFC 9112 §6, §9.3). What follows from it differs between requests and
//! responses and is decided there.

use super::bytes;
use super::field::{id, list};

/// What has been heard so far, field by field.
#[derive(Default)]
pub(super) struct Heard {
    length: Length,
    codings: Option<Codings>,
    /// `Connection: close`
    pub(super) close: bool,
    /// `Connection: keep-alive`
    pub(super) keep_alive: bool,
}

/// The value of all `Content-Length` fields together.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// There is no such field.
    #[default]
    Absent,
    /// The one number.
    Bytes(u64),
    /// No number.
    Senseless,
    /// Several that differ.
    Differing,
}

/// The transfer codings of all `Transfer-Encoding` fields, in order.
#[derive(Clone, Copy, Default)]
struct Codings {
    chunked: u32,
    ends_chunked: bool,
    malformed: bool,
}

impl Heard {
    /// Takes note of a numbered field, of either numbering.
    pub(super) fn hear(&mut self, id: u8, value: &[u8]) {
        match id {
            id::CONTENT_LENGTH => self.hear_length(value),
            id::TRANSFER_ENCODING => self.codings.get_or_insert_default().add(value),
            id::CONNECTION => self.hear_connection(value),
            _ => {}
        }
    }

    /// The body's length, if it has been given.
    pub(super) fn length(&self) -> Length {
        self.length
    }

    /// Whether the body ends as its last, and only its last, coding `chunked` says; `None` without codings.
    pub(super) fn chunked(&self) -> Option<bool> {
        self.codings.map(|codings| codings.ends_chunked && codings.chunked == 1 && !codings.malformed)
    }

    /// Several lengths count as one if they are equal, in one field or in many.
    fn hear_length(&mut self, value: &[u8]) {
        for member in value.split(|byte| *byte == b',') {
            self.length = match (self.length, bytes::decimal(bytes::trim(member))) {
                (Length::Absent, Some(number)) => Length::Bytes(number),
                (Length::Bytes(known), Some(number)) if known == number => self.length,
                (Length::Senseless | Length::Differing, _) => self.length,
                (_, None) => Length::Senseless,
                (_, Some(_)) => Length::Differing,
            };
        }
    }

    fn hear_connection(&mut self, value: &[u8]) {
        for option in list(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }
}

impl Codings {
    fn add(&mut self, value: &[u8]) {
        self.malformed |= value.contains(&b'"');
        for coding in list(value) {
            self.ends_chunked = coding.eq_ignore_ascii_case(b"chunked");
            self.chunked += u32::from(self.ends_chunked);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(fields: &[(u8, &str)]) -> Heard {
        let mut heard = Heard::default();
        fields.iter().for_each(|(id, value)| heard.hear(*id, value.as_bytes()));
        heard
    }

    #[test]
    fn lengths_must_agree() {
        let length = |values: &[&str]| {
            heard(&values.iter().map(|value| (id::CONTENT_LENGTH, *value)).collect::<Vec<_>>()).length()
        };
        assert_eq!(length(&[]), Length::Absent);
        assert_eq!(length(&["7", "7, 7"]), Length::Bytes(7));
        assert_eq!(length(&["7", "8"]), Length::Differing);
        assert_eq!(length(&["7", "8", "x"]), Length::Differing);
        assert_eq!(length(&["8", "x", "8"]), Length::Senseless, "a senseless length stays so");
    }

    #[test]
    fn chunked_must_be_last_and_once() {
        let chunked = |values: &[&str]| {
            heard(&values.iter().map(|value| (id::TRANSFER_ENCODING, *value)).collect::<Vec<_>>()).chunked()
        };
        assert_eq!(chunked(&[]), None);
        assert_eq!(chunked(&["gzip", "CHUNKED"]), Some(true));
        assert_eq!(chunked(&["chunked", "gzip"]), Some(false));
        assert_eq!(chunked(&["chunked", "chunked"]), Some(false));
        assert_eq!(chunked(&[""]), Some(false));
    }
}
