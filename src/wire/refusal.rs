//! The responses HTTP.sys makes by itself to requests it does not deliver (digest §8.1): status, body text
//! checked against captures, and the reason word of the error log.

/// Why a request is answered without reaching an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 400: `Host` missing, repeated or malformed, or nothing is registered for it.
    Hostname,
    /// 400: the method is no token.
    Verb,
    /// 400: the target is malformed or has restricted characters.
    Url,
    /// 400: a field name or value is malformed, or two lengths differ.
    Header,
    /// 400: `Content-Length` is no number.
    Number,
    /// 400: one field line is over its limit.
    FieldLength,
    /// 400: request line and fields together are over their limit.
    RequestLength,
    /// 400: a CR that ends no line.
    LineEnd,
    /// 400: any other fault of syntax.
    BadRequest,
    /// 414: the target is over its limit.
    UrlLength,
    /// 403: the path climbs above the root.
    Forbidden,
    /// 404: no prefix matches the path.
    NotFound,
    /// 411: a POST or PUT says nothing about its body.
    LengthRequired,
    /// 413: the body is over its limit.
    EntityTooLarge,
    /// 501: the body's transfer coding is not understood.
    TransferEncoding,
    /// 503: nothing serves the URL now; log reason `N/A`.
    Unavailable,
    /// 503: the session, group or queue is inactive.
    Disabled,
    /// 503: the queue is full.
    QueueFull,
    /// 503: nobody took the request from its queue in time.
    QueueTimeout,
    /// 503: the group's connection limit is reached.
    ConnectionLimit,
    /// 505: the major version is not 1.
    Version,
    /// 500: the server failed.
    Internal,
}

/// What one refusal looks like: status, reason phrase, title, heading, text, log reason.
struct Form {
    status: u16,
    phrase: &'static str,
    title: &'static str,
    heading: &'static str,
    text: &'static str,
    log: &'static str,
}

impl Form {
    const fn new(
        status: u16,
        phrase: &'static str,
        title: &'static str,
        heading: &'static str,
        text: &'static str,
        log: &'static str,
    ) -> Form {
        Form { status, phrase, title, heading, text, log }
    }

    const fn bad_request(heading: &'static str, text: &'static str, log: &'static str) -> Form {
        Form::new(400, "Bad Request", "Bad Request", heading, text, log)
    }

    /// For causes whose title and heading repeat the reason phrase.
    const fn plain(status: u16, phrase: &'static str, text: &'static str, log: &'static str) -> Form {
        Form::new(status, phrase, phrase, phrase, text, log)
    }

    const fn unavailable(log: &'static str) -> Form {
        Form::plain(503, "Service Unavailable", "The service is unavailable.", log)
    }
}

const BODY_START: &str = "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\"http://www.w3.org/TR/html4/strict.dtd\">\r\n\
    <HTML><HEAD><TITLE>";
const BODY_HEADING: &str = "</TITLE>\r\n\
    <META HTTP-EQUIV=\"Content-Type\" Content=\"text/html; charset=us-ascii\"></HEAD>\r\n\
    <BODY><h2>";
const BODY_TEXT: &str = "</h2>\r\n<hr><p>HTTP Error ";
const BODY_END: &str = "</p>\r\n</BODY></HTML>\r\n";

/// How a refusal is written.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Without the body: the request was HEAD.
    pub head_only: bool,
    /// With the particular reason where there is one (`Http503ResponseVerbosityFull`).
    pub detailed: bool,
    /// With the Server field (`DisableServerHeader` 0).
    pub server: bool,
}

impl Refusal {
    /// The particular reason behind a 503 of a queue's.
    fn detail(self) -> Option<&'static str> {
        match self {
            Refusal::QueueFull => Some("Application request queue full."),
            Refusal::ConnectionLimit => Some("Too many users."),
            Refusal::QueueTimeout => Some("Request timed out in app pool queue."),
            _ => None,
        }
    }

    fn form(self) -> Form {
        match self {
            Refusal::Hostname => Form::bad_request(
                "Bad Request - Invalid Hostname",
                "The request hostname is invalid.",
                "Hostname",
            ),
            Refusal::Verb => {
                Form::bad_request("Bad Request - Invalid Verb", "The request verb is invalid.", "Verb")
            }
            Refusal::Url => {
                Form::bad_request("Bad Request - Invalid URL", "The request URL is invalid.", "URL")
            }
            Refusal::Header | Refusal::Number => Form::bad_request(
                "Bad Request - Invalid Header",
                "The request has an invalid header name.",
                if self == Refusal::Number { "Number" } else { "Header" },
            ),
            Refusal::FieldLength => Form::bad_request(
                "Bad Request - Header Field Too Long",
                "A request header field is too long.",
                "FieldLength",
            ),
            Refusal::RequestLength => Form::bad_request(
                "Bad Request - Request Too Long",
                "The size of the request headers is too long.",
                "RequestLength",
            ),
            Refusal::BadRequest | Refusal::LineEnd => {
                let log = if self == Refusal::LineEnd { "Invalid_CR/LF" } else { "BadRequest" };
                Form::bad_request("Bad Request", "The request is badly formed.", log)
            }
            Refusal::UrlLength => Form::new(
                414,
                "Request-URI Too Long",
                "Request URL Too Long",
                "Request URL Too Long",
                "The request URL is too long.",
                "URL_Length",
            ),
            Refusal::Forbidden => Form::new(
                403,
                "Forbidden",
                "Forbidden",
                "Forbidden URL",
                "The request URL is forbidden.",
                "Forbidden",
            ),
            Refusal::NotFound => {
                Form::plain(404, "Not Found", "The requested resource is not found.", "NotFound")
            }
            other => other.form_of_body_and_service(),
        }
    }

    /// The second half of [`Refusal::form`].
    fn form_of_body_and_service(self) -> Form {
        match self {
            Refusal::LengthRequired => Form::plain(
                411,
                "Length Required",
                "The request must be chunked or have a content length.",
                "LengthRequired",
            ),
            Refusal::EntityTooLarge => Form::plain(
                413,
                "Request Entity Too Large",
                "The request entity is too large.",
                "EntityTooLarge",
            ),
            Refusal::TransferEncoding => Form::plain(
                501,
                "Not Implemented",
                "The request transfer encoding type is not supported.",
                "N/I",
            ),
            Refusal::Unavailable => Form::unavailable("N/A"),
            Refusal::Disabled => Form::unavailable("Disabled"),
            Refusal::QueueFull => Form::unavailable("QueueFull"),
            Refusal::QueueTimeout => Form::unavailable("Timer_ReqQueue"),
            Refusal::ConnectionLimit => Form::unavailable("ConnLimit"),
            Refusal::Version => Form::plain(
                505,
                "HTTP Version Not Supported",
                "The HTTP version is not supported.",
                "Version_N/S",
            ),
            _ => Form::plain(500, "Internal Server Error", "An internal server error occurred.", "Internal"),
        }
    }

    /// The status code, e.g. 400.
    pub fn status(self) -> u16 {
        self.form().status
    }

    /// The word HTTPERR logs, e.g. `Hostname`.
    pub fn log_reason(self) -> &'static str {
        self.form().log
    }

    /// Appends the whole response (always `Connection: close`) to `out`; `date` is an IMF-fixdate of 29
    /// bytes; the body is left out for a HEAD request.
    pub fn write(self, manner: Manner, date: &[u8], out: &mut Vec<u8>) {
        let mut form = self.form();
        if let (true, Some(detail)) = (manner.detailed, self.detail()) {
            (form.phrase, form.heading) = (detail, detail);
        }
        let code = form.status.to_string();
        let body =
            [BODY_START, form.title, BODY_HEADING, form.heading, BODY_TEXT, &code, ". ", form.text, BODY_END];
        let length = body.iter().map(|part| part.len()).sum::<usize>().to_string();
        for part in ["HTTP/1.1 ", &code, " ", form.phrase, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(b"Content-Type: text/html; charset=us-ascii\r\n");
        if manner.server {
            out.extend_from_slice(b"Server: Microsoft-HTTPAPI/2.0\r\n");
        }
        out.extend_from_slice(b"Date: ");
        out.extend_from_slice(date);
        out.extend_from_slice(b"\r\nConnection: close\r\nContent-Length: ");
        out.extend_from_slice(length.as_bytes());
        out.extend_from_slice(b"\r\n\r\n");
        if !manner.head_only {
            body.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";

    fn written(refusal: Refusal) -> String {
        let mut out = Vec::new();
        refusal.write(Manner { head_only: false, detailed: false, server: true }, DATE, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_particular_reason_is_told_where_there_is_one() {
        let write = |refusal: Refusal, detailed| {
            let mut out = Vec::new();
            refusal.write(Manner { head_only: false, detailed, server: false }, DATE, &mut out);
            String::from_utf8(out).unwrap()
        };
        let full = write(Refusal::QueueFull, true);
        assert!(full.starts_with("HTTP/1.1 503 Application request queue full.\r\n"));
        assert!(full.contains("<h2>Application request queue full.</h2>") && !full.contains("Server:"));
        assert!(write(Refusal::QueueFull, false).starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
        assert!(write(Refusal::NotFound, true).starts_with("HTTP/1.1 404 Not Found\r\n"));
    }

    #[test]
    fn bodies_have_the_lengths_of_the_captures() {
        for (refusal, length) in [
            (Refusal::Hostname, 334),
            (Refusal::Verb, 326),
            (Refusal::Url, 324),
            (Refusal::Header, 339),
            (Refusal::Number, 339),
            (Refusal::FieldLength, 342),
            (Refusal::RequestLength, 346),
            (Refusal::BadRequest, 311),
            (Refusal::LineEnd, 311),
            (Refusal::UrlLength, 329),
            (Refusal::Forbidden, 312),
            (Refusal::NotFound, 315),
            (Refusal::LengthRequired, 344),
            (Refusal::EntityTooLarge, 341),
            (Refusal::TransferEncoding, 343),
            (Refusal::Unavailable, 326),
            (Refusal::Disabled, 326),
            (Refusal::QueueFull, 326),
            (Refusal::ConnectionLimit, 326),
            (Refusal::Version, 347),
        ] {
            let text = written(refusal);
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert_eq!(body.len(), length, "{refusal:?}");
            assert!(head.ends_with(&format!("\r\nContent-Length: {length}")), "{refusal:?}");
        }
    }

    #[test]
    fn an_invalid_hostname_looks_as_captured() {
        assert_eq!(
            written(Refusal::Hostname),
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html; charset=us-ascii\r\n\
             Server: Microsoft-HTTPAPI/2.0\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n\
             Content-Length: 334\r\n\r\n\
             <!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\"http://www.w3.org/TR/html4/strict.dtd\">\r\n\
             <HTML><HEAD><TITLE>Bad Request</TITLE>\r\n\
             <META HTTP-EQUIV=\"Content-Type\" Content=\"text/html; charset=us-ascii\"></HEAD>\r\n\
             <BODY><h2>Bad Request - Invalid Hostname</h2>\r\n\
             <hr><p>HTTP Error 400. The request hostname is invalid.</p>\r\n</BODY></HTML>\r\n"
        );
    }

    #[test]
    fn a_head_request_gets_the_same_head_alone() {
        let mut out = Vec::new();
        Refusal::NotFound.write(Manner { head_only: true, detailed: false, server: true }, DATE, &mut out);
        let whole = written(Refusal::NotFound);
        assert_eq!(out, &whole.as_bytes()[..whole.len() - 315]);
    }

    #[test]
    fn log_reasons_and_status() {
        assert_eq!(
            (Refusal::Number.log_reason(), Refusal::LineEnd.log_reason()),
            ("Number", "Invalid_CR/LF")
        );
        assert_eq!((Refusal::UrlLength.status(), Refusal::UrlLength.log_reason()), (414, "URL_Length"));
        assert_eq!((Refusal::Version.status(), Refusal::Version.log_reason()), (505, "Version_N/S"));
        assert_eq!((Refusal::Unavailable.status(), Refusal::Unavailable.log_reason()), (503, "N/A"));
        assert_eq!((Refusal::Internal.status(), Refusal::Internal.log_reason()), (500, "Internal"));
    }
}
