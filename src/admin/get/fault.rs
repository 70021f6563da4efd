//! What can go wrong with a transfer: exit codes in the manner of curl, and words that say what to do next.

use crate::abi::error::Error;
use crate::admin::print;
use crate::win32::last_error;

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The exit code.
    pub(super) code: u8,
    /// What happened and what to do.
    pub(super) words: String,
    /// The code of WinHTTP, where there is one.
    pub(super) error: Option<u32>,
}

impl Fault {
    /// A failure of this command's own.
    pub(super) fn new(code: u8, words: impl Into<String>) -> Fault {
        Fault { code, words: words.into(), error: None }
    }

    /// A failure that a call has just returned; its cause was explained on this thread during the call.
    pub(super) fn of(error: Error) -> Fault {
        Fault::with(error, last_error::take_words())
    }

    /// A failure that a notification tells of, from inside that.
    pub(super) fn told(error: Error) -> Fault {
        Fault::with(
            error,
            last_error::detail(|words| words.map(|words| words.to_string_lossy().into_owned())),
        )
    }

    /// `--max-time` is over.
    pub(super) fn late() -> Fault {
        Fault::with(Error::WINHTTP_OPERATION_CANCELLED, None)
    }

    fn with(error: Error, cause: Option<String>) -> Fault {
        let (code, what, advice) = meaning(error);
        let mut words = cause.unwrap_or_else(|| what.to_owned());
        if !advice.is_empty() {
            words = format!("{words}; {advice}");
        }
        Fault { code, words, error: Some(error.0) }
    }

    /// The same, with what it is about in front.
    pub(super) fn about(self, what: &str) -> Fault {
        Fault { words: format!("{what:?}: {}", self.words), ..self }
    }

    pub(super) fn is(&self, error: Error) -> bool {
        self.error == Some(error.0)
    }

    /// Prints the words, after what they are about; gives the code.
    pub(super) fn tell(&self, about: &str) -> u8 {
        let gap = if about.is_empty() { "" } else { ": " };
        let number = self.error.map_or(String::new(), |error| format!(" (error {error})"));
        print::aside(&format!("nthttp: {about}{gap}{}{number}", self.words));
        self.code
    }
}

/// Exit code, words for want of better, and what to do.
fn meaning(error: Error) -> (u8, &'static str, &'static str) {
    match error.0 {
        12002 => {
            (28, "time is up", "is the server overloaded, or a firewall in between? see --timing, --max-time")
        }
        12005 => (3, "this is no URL", "a URL is http://host[:port]/path"),
        12006 => (3, "the URL is of no kind that is spoken here", "it has to begin with http://"),
        12007 => {
            (6, "the name has no address", "check its spelling, and the name service: getent hosts NAME")
        }
        12015 => (67, "the login failed", "check --user"),
        12017 => (28, "time is up", "a larger --max-time gives it more"),
        12029 => (7, "there is no connection", "does the server run, and is this its port?"),
        12030 => (56, "the connection was lost", "try again; -v shows how far it came"),
        12044 | 12157 | 12175 => (35, "a secure connection is not possible", "use an http:// URL"),
        12150 => (1, "a field to be replaced is not there", ""),
        12152 => (
            8,
            "the server does not answer in HTTP",
            "does it want https, or is this another service's port?",
        ),
        12156 => (47, "a redirect was not followed", "--no-location shows the answer itself"),
        12181 | 12182 => (8, "the response head is too large", ""),
        12183 => (8, "the chunks of the response make no sense", ""),
        12184 => (1, "too much is left of an earlier response", ""),
        12190 => (8, "the server does not speak the protocol that is required", ""),
        87 => (2, "something given is not as it should be", "see nthttp get --help"),
        _ => (1, "the transfer failed", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_goes_before_the_general_words() {
        assert!(Fault::of(Error::WINHTTP_CANNOT_CONNECT).words.starts_with("there is no connection; does"));
        last_error::explain(format_args!("connecting to 127.0.0.1:1: refused"));
        let fault = Fault::of(Error::WINHTTP_CANNOT_CONNECT);
        assert_eq!((fault.code, fault.error), (7, Some(12029)));
        assert_eq!(
            fault.words,
            "connecting to 127.0.0.1:1: refused; does the server run, and is this its port?"
        );
    }
}
