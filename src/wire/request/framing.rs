//! What the fields of a request say together: which host is meant, where the body ends, and whether the
//! connection lives on (RFC 9112 §3.2, §6, §9.3; digest §4.4).
//!
//! A `Content-Length` that is no number is answered like any malformed field; the log tells the two apart
//! ([`Refusal::Number`], [`Refusal::Header`]). So is a `Range` whose numbers are out of bounds.

use super::{Framing, RequestHead, Verb, host};
use crate::wire::Span;
use crate::wire::field::{Field, id, list};
use crate::wire::framing::{Heard, Length};
use crate::wire::range;
use crate::wire::refusal::Refusal;

/// What has been heard so far, field by field.
#[derive(Default)]
pub(super) struct Said {
    heard: Heard,
    hosts: u32,
    host: Span,
    expects_continue: bool,
    senseless_range: bool,
}

impl Said {
    /// Takes note of a field if it has a say here.
    #[inline]
    pub(super) fn hear(&mut self, field: Field, rest: &[u8]) {
        match field.id {
            id::HOST => {
                self.hosts += 1;
                self.host = field.value;
            }
            id::EXPECT => {
                self.expects_continue |=
                    list(field.value.of(rest)).any(|member| member.eq_ignore_ascii_case(b"100-continue"));
            }
            id::RANGE => self.senseless_range |= range::is_out_of_bounds(field.value.of(rest)),
            id::CONTENT_LENGTH | id::TRANSFER_ENCODING | id::CONNECTION => {
                self.heard.hear(field.id, field.value.of(rest));
            }
            _ => {}
        }
    }
}

impl RequestHead {
    /// Draws the conclusions once all fields are read.
    #[inline]
    pub(super) fn settle(&mut self, rest: &[u8], said: &Said) -> Result<(), Refusal> {
        self.settle_host(rest, said)?;
        if said.senseless_range {
            return Err(Refusal::Header);
        }
        let heard = &said.heard;
        let modern = self.version == (1, 1);
        self.keep_alive = !heard.close && (modern || heard.keep_alive);
        self.expect_continue = modern && said.expects_continue;
        self.framing = match (heard.chunked(), heard.length()) {
            (_, Length::Senseless) => return Err(Refusal::Number),
            (_, Length::Differing) => return Err(Refusal::Header),
            (None, Length::Absent) if matches!(self.verb, Verb::Post | Verb::Put) => {
                return Err(Refusal::LengthRequired);
            }
            (None, Length::Absent) => Framing::None,
            (None, Length::Bytes(length)) => Framing::Length(length),
            (Some(_), _) if !modern => return Err(Refusal::BadRequest),
            (Some(false), _) => return Err(Refusal::TransferEncoding),
            (Some(true), length) => {
                self.keep_alive &= length == Length::Absent;
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
