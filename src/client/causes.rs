//! Says why an exchange failed, where the code alone does not tell: the words go to
//! `nthttp_last_error_message` and, at `info`, to the diagnostic log.
//!
//! The functions that make an error say the words and return the code, so that no error is made here without
//! words. What connecting has to say is in `dialling`, redirects speak for themselves.

use std::io;

use crate::abi::error::Error;
use crate::win32::last_error::{explain, take_words};
use crate::win32::{last_error, trace};
use crate::wire::chunked::ChunkError;
use crate::wire::response::{ResponseFault, ResponseLimits};

use super::connect::connection::io_error;
use super::operation::Api;
use super::settings::Settings;

/// How much of what a server said is shown.
const SHOWN: usize = 60;

/// A send has failed.
pub(super) fn sending(error: &io::Error, settings: &Settings) -> Error {
    let code = io_error(error);
    if code == Error::WINHTTP_TIMEOUT {
        explain(format_args!("the server took no bytes of the request for {} ms", settings.send_timeout));
    } else {
        explain(format_args!("sending the request: {error}"));
    }
    code
}

/// A receive has failed; `what` was being received.
pub(super) fn receiving(error: &io::Error, what: &str, limit: u32) -> Error {
    let code = io_error(error);
    if code == Error::WINHTTP_TIMEOUT {
        explain(format_args!("the server sent nothing of {what} for {limit} ms"));
    } else {
        explain(format_args!("receiving {what}: {error}"));
    }
    code
}

/// A send to a proxy or a receive from it, before there is a way to the server, has failed.
pub(super) fn proxy(error: &io::Error, host: &str) -> Error {
    let code = io_error(error);
    if code == Error::WINHTTP_TIMEOUT {
        return slow_proxy(host);
    }
    explain(format_args!("asking the proxy {host} for a way to the server: {error}"));
    code
}

/// A proxy takes too long to open a way to the server.
pub(super) fn slow_proxy(host: &str) -> Error {
    explain(format_args!("the proxy {host} did not open a way to the server in time"));
    Error::WINHTTP_TIMEOUT
}

/// The server closed the connection; so many bytes of the head are there.
pub(super) fn closed_in_head(received: usize) -> Error {
    match received {
        0 => explain(format_args!("the server closed the connection before it answered")),
        _ => explain(format_args!(
            "the server closed the connection after {received} bytes of an unfinished response head"
        )),
    }
    Error::WINHTTP_CONNECTION_ERROR
}

/// The server closed the connection inside a chunked body.
pub(super) fn closed_in_chunks() -> Error {
    explain(format_args!("the server closed the connection before the last chunk of the response"));
    Error::WINHTTP_CONNECTION_ERROR
}

/// The head is none that can be read.
pub(super) fn bad_head(fault: ResponseFault, input: &[u8], limits: &ResponseLimits) -> Error {
    match fault {
        ResponseFault::Garbage => explain(format_args!("the response is not HTTP/1.x: {}", shown(input))),
        ResponseFault::HeadTooLarge => {
            explain(format_args!("the response head has more than {} bytes", limits.head));
        }
        ResponseFault::TooManyFields => {
            explain(format_args!("the response head has more than {} fields", limits.fields));
        }
    }
    fault.into()
}

/// Content-Length is no number, or says two things.
pub(super) fn bad_length(fault: ResponseFault) -> Error {
    explain(format_args!("the response gives its length in a way that cannot be trusted (Content-Length)"));
    fault.into()
}

/// The head took too long.
pub(super) fn head_too_slow(limit: u32) -> Error {
    explain(format_args!("the response head was not complete after {limit} ms"));
    Error::WINHTTP_TIMEOUT
}

/// More 1xx responses than allowed.
pub(super) fn too_many_interim(limit: u32) -> Error {
    explain(format_args!("more than {limit} responses with a status of 1xx came before the final one"));
    Error::WINHTTP_INVALID_SERVER_RESPONSE
}

/// The framing of a chunked body is wrong.
pub(super) fn bad_chunk(fault: ChunkError) -> Error {
    match fault {
        ChunkError::SizeOverflow => {
            explain(format_args!("a chunk of the response has a size line or a size beyond all limits"));
            Error::WINHTTP_CHUNKED_ENCODING_HEADER_SIZE_OVERFLOW
        }
        ChunkError::Syntax => {
            explain(format_args!("the chunks of the response are framed wrongly"));
            Error::WINHTTP_INVALID_SERVER_RESPONSE
        }
        ChunkError::TrailerOverflow => {
            explain(format_args!("the trailer section of the response is too long"));
            Error::WINHTTP_INVALID_SERVER_RESPONSE
        }
    }
}

/// A Location that leads nowhere, or where the policy does not let it.
pub(super) fn bad_redirect(location: &[u8], why: &str) -> Error {
    explain(format_args!("the redirect to {} {why}", shown(location)));
    Error::WINHTTP_REDIRECT_FAILED
}

/// What was said does not matter any more: the operation goes on.
pub(super) fn forget() {
    drop(take_words());
}

/// Writes a failure to the diagnostic log.
#[cold]
pub(super) fn log(api: Api, url: &str, error: Error) {
    if error == Error::WINHTTP_OPERATION_CANCELLED {
        return;
    }
    last_error::fresh(|words| match words {
        Some(words) => trace::info(format_args!("{api:?} of {url}: error {}: {words}", error.0)),
        None => trace::info(format_args!("{api:?} of {url}: error {}", error.0)),
    });
}

/// The first line of what came, fit to be printed.
fn shown(input: &[u8]) -> String {
    let line = input.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let part = &line[..line.len().min(SHOWN)];
    format!("\"{}{}\"", part.escape_ascii(), if part.len() < line.len() { "..." } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_said_is_shown_in_short_and_printable() {
        assert_eq!(shown(b"<html>\r\nmore"), "\"<html>\"");
        assert_eq!(shown(b"\x16\x03\x01"), "\"\\x16\\x03\\x01\"");
        assert_eq!(shown(&[b'a'; 61]), format!("\"{}...\"", "a".repeat(60)));
    }

    #[test]
    fn words_are_said_with_the_code() {
        assert_eq!(bad_chunk(ChunkError::Syntax), Error::WINHTTP_INVALID_SERVER_RESPONSE);
        assert!(take_words().is_some_and(|words| words.contains("framed wrongly")));
        let refused = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(receiving(&refused, "the body", 5), Error::WINHTTP_CONNECTION_ERROR);
        assert!(take_words().is_some_and(|words| words.starts_with("receiving the body: ")));
        let late = io::Error::from(io::ErrorKind::WouldBlock);
        assert_eq!(receiving(&late, "the body", 5), Error::WINHTTP_TIMEOUT);
        forget();
        assert_eq!(take_words(), None);
    }
}
