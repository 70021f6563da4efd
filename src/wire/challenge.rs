//! WWW-Authenticate and Proxy-Authenticate as a client reads them (RFC 9110 §11.6): one field may hold several
//! challenges, and commas stand between challenges as well as between their parameters.
//!
//! Forgiving, as all reading of responses is: what cannot be understood is stepped over. What a scheme makes of
//! its parameters is `client::auth`'s business.

use super::field::is_token;

/// Challenges taken from one field; the rest is not looked at.
const MOST_CHALLENGES: usize = 16;

/// Parameters kept of one challenge.
const MOST_PARAMETERS: usize = 24;

/// One challenge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// Name of the scheme, as it was written.
    pub scheme: &'a [u8],
    /// What stands behind the name in place of parameters, as with NTLM and Negotiate.
    pub token: Option<&'a [u8]>,
    parameters: Vec<(&'a [u8], Vec<u8>)>,
}

impl Challenge<'_> {
    /// Whether this is the scheme's name, in any case.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme.as_bytes())
    }

    /// The first parameter of this name (any case), without quotes and escapes.
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        let mut named =
            self.parameters.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        named.next().map(|(_, value)| &value[..])
    }
}

/// The challenges of one field, in the order written.
pub fn challenges(value: &[u8]) -> Vec<Challenge<'_>> {
    read(value, Vec::new())
}

/// The parameters of a field that has nothing else (Authentication-Info), as a challenge without a scheme.
pub fn parameters(value: &[u8]) -> Challenge<'_> {
    read(value, vec![Challenge::default()]).swap_remove(0)
}

/// Parameters at the front belong to the last challenge that has been found before.
fn read<'a>(value: &'a [u8], mut found: Vec<Challenge<'a>>) -> Vec<Challenge<'a>> {
    let mut rest = Rest(value);
    loop {
        rest.skip(|byte| matches!(byte, b' ' | b'\t' | b','));
        let Some(first) = rest.0.first() else { return found };
        let name = rest.take(is_token_byte);
        if name.is_empty() {
            // A stray quote is stepped over with what it quotes: a comma inside it separates nothing.
            if *first == b'"' {
                drop(rest.value())
            } else {
                rest.skip_one()
            }
            continue;
        }
        let gap = rest.skip(is_blank);
        let count = found.len();
        match (rest.0.first(), found.last_mut()) {
            (Some(b'='), Some(challenge)) => {
                rest.skip_one();
                rest.skip(is_blank);
                let value = rest.value();
                if challenge.parameters.len() < MOST_PARAMETERS {
                    challenge.parameters.push((name, value));
                }
            }
            _ if count == MOST_CHALLENGES => return found,
            _ => {
                let token = if gap > 0 { rest.token68() } else { None };
                found.push(Challenge { scheme: name, token, parameters: Vec::new() });
            }
        }
    }
}

/// What has not been read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.0.iter().position(|byte| !belongs(*byte)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    fn skip(&mut self, belongs: impl Fn(u8) -> bool) -> usize {
        self.take(belongs).len()
    }

    fn skip_one(&mut self) {
        self.0 = self.0.get(1..).unwrap_or_default();
    }

    /// A parameter's value: a quoted string, whose end may be missing, or everything up to a blank or comma.
    fn value(&mut self) -> Vec<u8> {
        if self.0.first() != Some(&b'"') {
            return self.take(|byte| !matches!(byte, b' ' | b'\t' | b',')).to_vec();
        }
        self.skip_one();
        let mut value = Vec::new();
        while let Some(byte) = self.0.first().copied() {
            self.skip_one();
            match byte {
                b'"' => break,
                b'\\' => {
                    value.extend(self.0.first());
                    self.skip_one();
                }
                byte => value.push(byte),
            }
        }
        value
    }

    /// A token68 that fills its place in the list: `name=value` begins like one.
    fn token68(&mut self) -> Option<&'a [u8]> {
        let before = self.0;
        let bare = self.skip(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte));
        let whole = bare + self.skip(|byte| byte == b'=');
        let next = self.0.trim_ascii_start().first();
        if bare > 0 && matches!(next, None | Some(b',')) {
            return Some(&before[..whole]);
        }
        self.0 = before;
        None
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn is_token_byte(byte: u8) -> bool {
    is_token(&[byte])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `Scheme token {name=value}`, challenges apart by `|`.
    fn shown(value: &str) -> String {
        let one = |challenge: &Challenge<'_>| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let mut parts = vec![text(challenge.scheme)];
            parts.extend(challenge.token.map(text));
            parts.extend(
                challenge.parameters.iter().map(|(name, value)| format!("{}={}", text(name), text(value))),
            );
            parts.join(" ")
        };
        challenges(value.as_bytes()).iter().map(one).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn one_field_may_hold_several_challenges() {
        for (value, wanted) in [
            ("Basic realm=\"simple\"", "Basic realm=simple"),
            // RFC 9110 §11.6.1
            (
                "Basic realm=\"simple\", Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\"",
                "Basic realm=simple|Newauth realm=apps type=1 title=Login to \"apps\"",
            ),
            ("Negotiate, NTLM", "Negotiate|NTLM"),
            ("NTLM TlRMTVNTUAACAAAA==, Basic realm=x", "NTLM TlRMTVNTUAACAAAA==|Basic realm=x"),
            ("Negotiate abc+/-._~", "Negotiate abc+/-._~"),
            (
                "Digest realm=\"a, b\" , nonce=\"n==\",qop=\"auth,auth-int\"",
                "Digest realm=a, b nonce=n== qop=auth,auth-int",
            ),
            ("Passport1.4 da=status=failed,ru=x", "Passport1.4 da=status=failed ru=x"),
            ("basic REALM = \"x\"", "basic REALM=x"),
            (" ,, Basic ,, Digest ", "Basic|Digest"),
        ] {
            assert_eq!(shown(value), wanted, "{value}");
        }
    }

    #[test]
    fn slips_are_stepped_over() {
        for (value, wanted) in [
            ("", ""),
            ("\"Digest realm=x\", Basic realm=y", "Basic realm=y"),
            ("Basic realm=\"open", "Basic realm=open"),
            ("Basic realm=\"end\\", "Basic realm=end"),
            ("Basic realm=", "Basic realm="),
            ("Digest (comment), nonce=x", "Digest|comment nonce=x"),
        ] {
            assert_eq!(shown(value), wanted, "{value}");
        }
        assert_eq!(challenges("A, ".repeat(100).as_bytes()).len(), MOST_CHALLENGES);
        let long = format!("A {}", "a=1, ".repeat(100));
        assert_eq!(challenges(long.as_bytes())[0].parameters.len(), MOST_PARAMETERS);
    }

    #[test]
    fn parameters_are_found_in_any_case_and_the_first_counts() {
        let value = b"Digest Realm=one, realm=two";
        let found = challenges(value);
        assert!(found[0].is("DIGEST"));
        assert_eq!(found[0].parameter("REALM"), Some(&b"one"[..]));
        assert_eq!(found[0].parameter("nonce"), None);
    }

    #[test]
    fn a_field_of_parameters_alone() {
        let info = parameters(b" , rspauth=\"a,b\", NextNonce = \"x\\\"y\" , nc=00000001, Digest z=1");
        assert_eq!(info.parameter("nextnonce"), Some(&b"x\"y"[..]));
        assert_eq!(info.parameter("rspauth"), Some(&b"a,b"[..]));
        assert_eq!(info.parameter("z"), None);
        assert_eq!(parameters(b"").parameter("nextnonce"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_within_bounds(value in prop::collection::vec(any::<u8>(), 0..200)) {
            for challenge in challenges(&value) {
                prop_assert!(is_token(challenge.scheme));
                prop_assert!(challenge.parameters.len() <= MOST_PARAMETERS);
            }
        }
    }
}
