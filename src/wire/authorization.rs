//! The Authorization field: Basic (RFC 7617) and Digest (RFC 7616) as the client wrote them. Whether they are right is
//! `server::auth`'s to say; other schemes are only named.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// What an Authorization value holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// A user and a password.
    Basic(Basic),
    /// A proof that the client knows the password.
    Digest(Box<Digest>),
    /// Of another scheme.
    Other,
}

/// RFC 7617.
#[derive(Clone, PartialEq, Eq)]
pub struct Basic {
    /// User; never with a colon or a control character.
    pub user: Vec<u8>,
    /// Password, without control characters.
    pub password: Vec<u8>,
}

impl std::fmt::Debug for Basic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Basic").field("user", &String::from_utf8_lossy(&self.user)).finish_non_exhaustive()
    }
}

/// RFC 7616, section 3.4. Texts are without quotes and escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// User.
    pub user: Vec<u8>,
    /// Realm of the challenge.
    pub realm: Vec<u8>,
    /// Nonce of the challenge.
    pub nonce: Vec<u8>,
    /// The target the client asks for.
    pub uri: Vec<u8>,
    /// The proof, in hexadecimal as it came.
    pub response: Vec<u8>,
    /// How it was made; MD5 when the client does not say.
    pub algorithm: Algorithm,
    /// The client's own nonce; empty without `qop`.
    pub cnonce: Vec<u8>,
    /// Quality of protection.
    pub qop: Qop,
    /// Nonce count, and as it was written (eight digits).
    pub count: u32,
    /// See [`Digest::count`].
    pub count_text: Vec<u8>,
}

/// How a proof is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// `MD5`.
    #[default]
    Md5,
    /// `SHA-256`.
    Sha256,
    /// Any other, which we never offer.
    Other,
}

/// What a proof covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Qop {
    /// Nothing but the challenge: RFC 2069, which anyone who listens can use again.
    #[default]
    None,
    /// Nonce counts (`auth`).
    Auth,
    /// Any other, which we never offer.
    Other,
}

/// The field cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Parameters one field may have; RFC 7616 knows eleven.
const MOST_PARAMETERS: usize = 24;

/// Padding may be left out, as some clients do.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The scheme's name, and what stands behind it.
pub fn split_scheme(value: &[u8]) -> (&[u8], &[u8]) {
    let value = value.trim_ascii();
    let end = value.iter().position(|b| matches!(b, b' ' | b'\t')).unwrap_or(value.len());
    (&value[..end], value[end..].trim_ascii())
}

impl Authorization {
    /// Reads the value of an Authorization field.
    pub fn parse(value: &[u8]) -> Result<Authorization, Malformed> {
        let (scheme, rest) = split_scheme(value);
        if scheme.eq_ignore_ascii_case(b"Basic") {
            basic(rest).map(Authorization::Basic)
        } else if scheme.eq_ignore_ascii_case(b"Digest") {
            digest(rest).map(|digest| Authorization::Digest(Box::new(digest)))
        } else {
            Ok(Authorization::Other)
        }
    }
}

fn basic(token: &[u8]) -> Result<Basic, Malformed> {
    let mut user = BASE64.decode(token).map_err(|_| Malformed)?;
    let colon = memchr::memchr(b':', &user).ok_or(Malformed)?;
    if user.iter().any(u8::is_ascii_control) {
        return Err(Malformed);
    }
    let password = user.split_off(colon + 1);
    user.pop();
    Ok(Basic { user, password })
}

fn digest(list: &[u8]) -> Result<Digest, Malformed> {
    let mut found = Digest::default();
    let mut seen: Vec<&[u8]> = Vec::new();
    let mut rest = list;
    while let Some((name, value, behind)) = parameter(rest)? {
        if seen.len() == MOST_PARAMETERS || seen.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            return Err(Malformed);
        }
        seen.push(name);
        found.take(&name.to_ascii_lowercase(), value)?;
        rest = behind;
    }
    let has = |name: &[u8]| seen.iter().any(|other| other.eq_ignore_ascii_case(name));
    let whole = (has(b"username") != has(b"username*"))
        && [&b"realm"[..], b"nonce", b"uri", b"response"].into_iter().all(has)
        && (found.qop == Qop::None || has(b"cnonce") && has(b"nc"));
    if whole { Ok(found) } else { Err(Malformed) }
}

impl Digest {
    fn take(&mut self, name: &[u8], value: Vec<u8>) -> Result<(), Malformed> {
        if value.iter().any(u8::is_ascii_control) {
            return Err(Malformed);
        }
        match name {
            b"username" => self.user = value,
            b"username*" => self.user = extended(&value)?,
            b"realm" => self.realm = value,
            b"nonce" => self.nonce = value,
            b"uri" => self.uri = value,
            b"response" => self.response = value,
            b"cnonce" => self.cnonce = value,
            b"algorithm" => {
                self.algorithm = match () {
                    () if value.eq_ignore_ascii_case(b"MD5") => Algorithm::Md5,
                    () if value.eq_ignore_ascii_case(b"SHA-256") => Algorithm::Sha256,
                    () => Algorithm::Other,
                }
            }
            b"qop" => {
                self.qop = if value.eq_ignore_ascii_case(b"auth") { Qop::Auth } else { Qop::Other };
            }
            b"nc" => {
                let text = std::str::from_utf8(&value).map_err(|_| Malformed)?;
                let digits = text.len() == 8 && text.bytes().all(|b| b.is_ascii_hexdigit());
                self.count = u32::from_str_radix(text, 16).ok().filter(|_| digits).ok_or(Malformed)?;
                self.count_text = value;
            }
            // `opaque`, `userhash=false`, and whatever comes to be.
            _ => {}
        }
        Ok(())
    }
}

/// The first parameter of a list: its name, its value and the rest; `None` at the list's end.
type Parameter<'a> = (&'a [u8], Vec<u8>, &'a [u8]);

fn parameter(list: &[u8]) -> Result<Option<Parameter<'_>>, Malformed> {
    let start = list.iter().position(|b| !matches!(b, b' ' | b'\t' | b','));
    let Some(list) = start.map(|start| &list[start..]) else { return Ok(None) };
    let equals = memchr::memchr(b'=', list).ok_or(Malformed)?;
    let name = list[..equals].trim_ascii_end();
    if name.is_empty() || !name.iter().all(|b| is_token(*b)) {
        return Err(Malformed);
    }
    let value = list[equals + 1..].trim_ascii_start();
    let (value, rest) = match value.strip_prefix(b"\"") {
        Some(quoted) => unquote(quoted)?,
        None => {
            let end = value.iter().position(|b| !is_token(*b)).unwrap_or(value.len());
            (value[..end].to_vec(), &value[end..])
        }
    };
    match rest.trim_ascii_start() {
        rest @ ([] | [b',', ..]) => Ok(Some((name, value, rest))),
        _ => Err(Malformed),
    }
}

/// The text up to the closing quote, and what stands behind that.
fn unquote(text: &[u8]) -> Result<(Vec<u8>, &[u8]), Malformed> {
    let mut value = Vec::new();
    let mut bytes = text.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Ok((value, &text[at + 1..])),
            b'\\' => value.push(*bytes.next().ok_or(Malformed)?.1),
            byte => value.push(*byte),
        }
    }
    Err(Malformed)
}

/// `UTF-8''J%C3%A4s` (RFC 5987).
fn extended(value: &[u8]) -> Result<Vec<u8>, Malformed> {
    let prefix = value.get(..6).filter(|start| start.eq_ignore_ascii_case(b"UTF-8'")).ok_or(Malformed)?;
    let rest = &value[prefix.len()..];
    let text = &rest[memchr::memchr(b'\'', rest).ok_or(Malformed)? + 1..];
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if byte == b'%' {
            let digits =
                text.get(at + 1..at + 3).and_then(|d| std::str::from_utf8(d).ok()).ok_or(Malformed)?;
            let sound = digits.bytes().all(|b| b.is_ascii_hexdigit());
            out.push(u8::from_str_radix(digits, 16).ok().filter(|_| sound).ok_or(Malformed)?);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    let sound = std::str::from_utf8(&out).is_ok_and(|text| !text.chars().any(char::is_control));
    if sound { Ok(out) } else { Err(Malformed) }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic_of(value: &str) -> Result<(String, String), Malformed> {
        match Authorization::parse(value.as_bytes())? {
            Authorization::Basic(basic) => {
                Ok((String::from_utf8(basic.user).unwrap(), String::from_utf8(basic.password).unwrap()))
            }
            other => panic!("{other:?}"),
        }
    }

    fn digest_of(value: &str) -> Result<Digest, Malformed> {
        match Authorization::parse(value.as_bytes())? {
            Authorization::Digest(digest) => Ok(*digest),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_examples_of_rfc_7617() {
        let pair = |user: &str, password: &str| Ok((user.to_owned(), password.to_owned()));
        assert_eq!(basic_of("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), pair("Aladdin", "open sesame"));
        assert_eq!(basic_of("basic  dGVzdDoxMjPCow=="), pair("test", "123£"));
        assert_eq!(basic_of("Basic dGVzdDoxMjPCow"), pair("test", "123£"));
        assert_eq!(basic_of("Basic Og=="), pair("", ""));
        assert_eq!(basic_of("Basic YTpiOmM="), pair("a", "b:c"));
    }

    #[test]
    fn malformed_basic_fields() {
        // Nothing, no base64, no colon, a NUL, rubbish behind.
        for bad in ["Basic", "Basic ?", "Basic YWJj", "Basic YToA", "Basic YTpi YTpi", "Basic YTpi,"] {
            assert_eq!(Authorization::parse(bad.as_bytes()), Err(Malformed), "{bad}");
        }
        assert_eq!(Authorization::parse(b"Bearer x"), Ok(Authorization::Other));
        assert_eq!(Authorization::parse(b""), Ok(Authorization::Other));
    }

    const MUFASA: &str = "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
        algorithm=MD5, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
        cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, \
        response=\"8ca523f5e9506fed4657c9700eebdbec\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

    #[test]
    fn the_example_of_rfc_7616() {
        let digest = digest_of(MUFASA).unwrap();
        assert_eq!((&digest.user[..], &digest.uri[..]), (&b"Mufasa"[..], &b"/dir/index.html"[..]));
        assert_eq!((digest.algorithm, digest.qop, digest.count), (Algorithm::Md5, Qop::Auth, 1));
        assert_eq!(digest.response, b"8ca523f5e9506fed4657c9700eebdbec");
    }

    #[test]
    fn quotes_escapes_and_extended_names() {
        let digest = digest_of(
            r#"digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe,realm="a\"b\\c" , ,nonce=n,uri="/,",response=00"#,
        )
        .unwrap();
        assert_eq!(digest.user, "Jäsøn Doe".as_bytes());
        assert_eq!((&digest.realm[..], &digest.uri[..]), (&b"a\"b\\c"[..], &b"/,"[..]));
        assert_eq!(digest.qop, Qop::None);
    }

    #[test]
    fn malformed_digest_fields() {
        let cut = |from: &str, to: &str| MUFASA.replace(from, to);
        for bad in [
            "Digest".to_owned(),
            "Digest username".to_owned(),
            cut("nc=00000001, ", ""),
            cut("nc=00000001", "nc=1"),
            cut("nc=00000001", "nc=+0000001"),
            cut("realm=", "realms="),
            cut("uri=\"/dir/index.html\"", "uri=\"/dir/index.html"),
            cut("qop=auth", "qop=auth x"),
            cut("algorithm=MD5", "realm=\"again\""),
            cut("username=\"Mufasa\"", "username=\"M\", username*=UTF-8''M"),
            cut("username=\"Mufasa\"", "username*=UTF-8''%4"),
            cut("username=\"Mufasa\"", "username*=latin1''M"),
            cut("username=\"Mufasa\"", "username*=UTF-8''%00"),
        ] {
            assert_eq!(Authorization::parse(bad.as_bytes()), Err(Malformed), "{bad}");
        }
    }
}
