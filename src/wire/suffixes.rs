//! A list of public suffixes in the form of publicsuffix.org: under which names do names have different owners?
//!
//! Both sections of the list count, that of registries and that of companies which give names away (`github.io`).
//! Where the file is, and what holds without one, is `client::suffixes`' business.

use super::prefix::ascii_name;

/// What a rule says of the names it fits, by its first byte in [`Suffixes::text`].
const PLAIN: u8 = b'=';
const WILD: u8 = b'*';
const EXCEPT: u8 = b'!';

/// The rules of a list: one text, and where in it each rule stands, in order of kind and name.
#[derive(Debug, Default)]
pub struct Suffixes {
    text: Box<[u8]>,
    /// Start and length.
    rules: Box<[(u32, u8)]>,
}

impl Suffixes {
    /// Reads a list. Lines that are no rule are left out; `None` when none is left.
    pub fn read(list: &[u8]) -> Option<Suffixes> {
        let (mut text, mut rules) = (Vec::with_capacity(list.len() / 2), Vec::new());
        for line in list.split(|byte| *byte == b'\n') {
            let start = text.len();
            match read_rule(line, &mut text) {
                Some(()) => {
                    let place = (u32::try_from(start).ok()?, u8::try_from(text.len() - start).ok()?);
                    rules.push(place);
                }
                None => text.truncate(start),
            }
        }
        rules.sort_unstable_by(|a, b| rule(&text, *a).cmp(rule(&text, *b)));
        text.shrink_to_fit();
        let found = Suffixes { text: text.into(), rules: rules.into() };
        Some(found).filter(|found| !found.rules.is_empty())
    }

    /// Whether a name (in lower case) is a public suffix itself. One that no rule speaks of is when it has no dot.
    pub fn holds(&self, domain: &str) -> bool {
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        let international = if domain.is_ascii() { None } else { ascii_name(domain) };
        let domain = international.as_deref().unwrap_or(domain);
        match domain.split_once('.') {
            None => true,
            Some((_, parent)) => {
                !self.has(EXCEPT, domain) && (self.has(PLAIN, domain) || self.has(WILD, parent))
            }
        }
    }

    fn has(&self, kind: u8, name: &str) -> bool {
        let wanted = (kind, name.as_bytes());
        let split = |place: &(u32, u8)| {
            let rule = rule(&self.text, *place);
            (rule[0], &rule[1..])
        };
        self.rules.binary_search_by(|place| split(place).cmp(&wanted)).is_ok()
    }

    /// Bytes of memory that the list takes.
    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.text.len() + size_of_val(&*self.rules)
    }
}

fn rule(text: &[u8], (start, len): (u32, u8)) -> &[u8] {
    &text[start as usize..][..usize::from(len)]
}

/// Appends the rule of a line: its kind, and the name behind `*.` or `!`. `None`, with something appended or not,
/// for a comment, an empty line, and what cannot be a rule.
fn read_rule(line: &[u8], out: &mut Vec<u8>) -> Option<()> {
    // A rule ends at the first blank. No name is longer than 253 bytes in ASCII.
    let word = line.split(u8::is_ascii_whitespace).next().filter(|word| word.len() <= 1024)?;
    let word = std::str::from_utf8(word).ok().filter(|word| !word.starts_with("//"))?;
    let (kind, name) = match (word.strip_prefix("*."), word.strip_prefix('!')) {
        (Some(name), _) => (WILD, name),
        (_, Some(name)) => (EXCEPT, name),
        _ => (PLAIN, word),
    };
    out.push(kind);
    let start = out.len();
    if name.is_ascii() {
        out.extend(name.bytes().map(|byte| byte.to_ascii_lowercase()));
    } else {
        out.extend_from_slice(ascii_name(name)?.as_bytes());
    }
    let name = &out[start..];
    let labels = name.split(|byte| *byte == b'.').all(|label| !label.is_empty());
    (labels && name.len() <= 253 && !name.contains(&b'*')).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIST: &str = "// A comment\n\ncom\nUK  a remark\nco.uk\n*.ck\n!www.ck\njp\n*.kobe.jp\n!city.kobe.jp\n\
        // ===BEGIN PRIVATE DOMAINS===\r\ngithub.io\r\n*.compute.example\n公司.cn\n.bad\n*\n*.*.x\na..b\nhäßlich.de";

    #[test]
    fn rules_wildcards_and_exceptions() {
        let list = Suffixes::read(LIST.as_bytes()).unwrap();
        for (name, public) in [
            ("com", true),
            ("com.", true),
            ("example.com", false),
            ("uk", true),
            ("co.uk", true),
            ("a.co.uk", false),
            ("a.uk", false),
            // No rule speaks of these.
            ("unknown", true),
            ("example.unknown", false),
            ("ck", true),
            ("any.ck", true),
            ("b.any.ck", false),
            ("www.ck", false),
            ("kobe.jp", false),
            ("c.kobe.jp", true),
            ("b.c.kobe.jp", false),
            ("city.kobe.jp", false),
            ("github.io", true),
            ("someone.github.io", false),
            ("compute.example", false),
            ("x.compute.example", true),
            ("公司.cn", true),
            ("xn--55qx5d.cn", true),
            ("食狮.公司.cn", false),
            ("xn--hlich-8qa4i.de", false),
            ("xn--hlich-mra9y.de", false),
            ("a..b", false),
            ("", true),
        ] {
            assert_eq!(list.holds(name), public, "{name}");
        }
    }

    #[test]
    fn a_list_without_rules_is_none() {
        for list in ["", "// nothing\n\n", "\0\u{1}..\n*.", "*"] {
            let read = Suffixes::read(list.as_bytes());
            assert!(read.is_none(), "{list:?} {read:?}");
        }
        assert!(Suffixes::read(b"\xff\xfe\ncom").unwrap().holds("com"));
        let long = format!("{}.com\nnet", "x".repeat(300));
        assert_eq!(Suffixes::read(long.as_bytes()).unwrap().rules.len(), 1);
    }

    proptest! {
        #[test]
        fn any_list_is_read_and_asked(list in prop::collection::vec(any::<u8>(), 0..300), name in ".{0,40}") {
            if let Some(list) = Suffixes::read(&list) {
                let _ = list.holds(&name);
            }
        }
    }
}
