//! The responses HTTP.sys makes by itself to requests it does not deliver (digest §8.1): status, body text
//! checked against captures, and the reason word of the error log.

/// Why a request is answered without reaching an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Hostname,
    Verb,
    Url,
    Header,
    FieldLength,
    RequestLength,
    BadRequest,
    UrlLength,
    Forbidden,
    NotFound,
    LengthRequired,
    EntityTooLarge,
    TransferEncoding,
    /// 503: nothing serves the URL now; log reason `N/A`.
    Unavailable,
    /// 503: the session, group or queue is inactive.
    Disabled,
    /// 503: the queue is full.
    QueueFull,
    /// 503: the group's connection limit is reached.
    ConnectionLimit,
    Version,
    Internal,
}

impl Refusal {
    /// The status code, e.g. 400.
    pub fn status(self) -> u16 {
        todo!("wire")
    }

    /// The word HTTPERR logs, e.g. `Hostname`.
    pub fn log_reason(self) -> &'static str {
        todo!("wire")
    }

    /// Appends the whole response (always `Connection: close`) to `out`; `date` is an IMF-fixdate of 29
    /// bytes; the body is left out for a HEAD request.
    pub fn write(self, head_only: bool, date: &[u8], out: &mut Vec<u8>) {
        let _ = (head_only, date, out);
        todo!("wire")
    }
}
