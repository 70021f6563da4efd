//! What the fields say together: which host is meant, where the body ends, and whether the connection lives on
//! (RFC 9112 §6 and §9.3; digest §4.4).
//!
//! A `Content-Length` that makes no sense is answered like any malformed field, [`Refusal::Header`]; the log of
//! Windows may call it `Number`.

use super::{Framing, RequestHead, Verb, host};
use crate::wire::Span;
use crate::wire::bytes;
use crate::wire::field::{Field, id, list};
use crate::wire::refusal::Refusal;

/// What has been heard so far, field by field.
#[derive(Default)]
pub(super) struct Said {
    hosts: u32,
    host: Span,
    length: Option<Result<u64, Refusal>>,
    codings: Option<Codings>,
    close: bool,
    keep_alive: bool,
    expects_continue: bool,
}

/// The transfer codings of all `Transfer-Encoding` fields, in order.
#[derive(Clone, Copy, Default)]
struct Codings {
    chunked: u32,
    ends_chunked: bool,
    malformed: bool,
}

impl Said {
    /// Takes note of a field if it has a say here.
    #[inline]
    pub(super) fn hear(&mut self, field: Field, rest: &[u8]) {
        let value = field.value.of(rest);
        match field.id {
            id::HOST => {
                self.hosts += 1;
                self.host = field.value;
            }
            id::CONTENT_LENGTH => self.hear_length(value),
            id::TRANSFER_ENCODING => self.codings.get_or_insert_default().add(value),
            id::CONNECTION => self.hear_connection(value),
            id::EXPECT => {
                self.expects_continue |=
                    list(value).any(|member| member.eq_ignore_ascii_case(b"100-continue"))
            }
            _ => {}
        }
    }

    /// Several lengths count as one if they are equal, in one field or in many.
    fn hear_length(&mut self, value: &[u8]) {
        for member in value.split(|byte| *byte == b',') {
            let number = bytes::decimal(bytes::trim(member)).ok_or(Refusal::Header);
            self.length = Some(match self.length {
                None => number,
                Some(known) if known == number => number,
                Some(_) => Err(Refusal::Header),
            });
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

    fn are_understood(self) -> bool {
        self.ends_chunked && self.chunked == 1 && !self.malformed
    }
}

impl RequestHead {
    /// Draws the conclusions once all fields are read.
    #[inline]
    pub(super) fn settle(&mut self, rest: &[u8], said: &Said) -> Result<(), Refusal> {
        self.settle_host(rest, said)?;
        let modern = self.version == (1, 1);
        self.keep_alive = !said.close && (modern || said.keep_alive);
        self.expect_continue = modern && said.expects_continue;
        self.framing = match (said.codings, said.length) {
            (None, None) if matches!(self.verb, Verb::Post | Verb::Put) => {
                return Err(Refusal::LengthRequired);
            }
            (None, None) => Framing::None,
            (None, Some(length)) => Framing::Length(length?),
            (Some(codings), length) => {
                length.transpose()?;
                if !modern {
                    return Err(Refusal::BadRequest);
                }
                if !codings.are_understood() {
                    return Err(Refusal::TransferEncoding);
                }
                self.keep_alive &= length.is_none();
                Framing::Chunked
            }
        };
        Ok(())
    }

    /// An absolute target's authority goes before `Host`, which must be there all the same (RFC 9112 §3.2).
    #[inline]
    fn settle_host(&mut self, rest: &[u8], said: &Said) -> Result<(), Refusal> {
        match said.hosts {
            0 if self.version == (1, 0) => return Ok(()),
            1 if self.version == (1, 0) && said.host.len == 0 => return Ok(()),
            1 => host::check(said.host.of(rest))?,
            _ => return Err(Refusal::Hostname),
        }
        if self.host.is_none() {
            self.host = Some(said.host);
        }
        Ok(())
    }
}
