//! `NAME=VALUE` tags: looked up by name, or by their place when values stand alone, as netsh does.

/// The tags of one command, each with its value.
pub(super) struct Values {
    found: Vec<(&'static str, String)>,
}

impl Values {
    /// Reads `given` against the names a command knows, in the order of its help. A value may hold `=`, so only what stands
    /// before the first one and is a known name counts as one.
    pub(super) fn read(given: &[String], names: &[&'static str]) -> Result<Values, String> {
        let mut found: Vec<(&'static str, String)> = Vec::new();
        for word in given {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) if is_name(name) => {
                    let known = names.iter().find(|n| n.eq_ignore_ascii_case(name));
                    (*known.ok_or_else(|| unknown(name, names))?, value)
                }
                _ => (
                    next_place(&found, names).ok_or_else(|| format!("{word}: one value too many"))?,
                    word.as_str(),
                ),
            };
            if found.iter().any(|(n, _)| *n == name) {
                return Err(format!("{name} is given twice"));
            }
            found.push((name, value.to_owned()));
        }
        Ok(Values { found })
    }

    /// The value of a tag, if it was given.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.found.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }

    /// The value of a tag that must be given.
    pub(super) fn need(&self, name: &str) -> Result<&str, String> {
        self.get(name).ok_or_else(|| format!("{name}=... is missing"))
    }

    /// The number of a tag, if it was given.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let parse = |text: &str| text.parse().map_err(|_| format!("{name}={text}: not a number in range"));
        self.get(name).map(parse).transpose()
    }

    /// A switch: yes or no, enable or disable.
    pub(super) fn switch(&self, name: &str) -> Result<Option<bool>, String> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("yes" | "enable" | "enabled" | "true" | "1") => Ok(Some(true)),
            Some("no" | "disable" | "disabled" | "false" | "0") => Ok(Some(false)),
            Some(other) => Err(format!("{name}={other}: say yes or no")),
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn next_place(found: &[(&'static str, String)], names: &[&'static str]) -> Option<&'static str> {
    names.iter().copied().find(|name| !found.iter().any(|(n, _)| n == name))
}

fn unknown(name: &str, names: &[&'static str]) -> String {
    format!("{name}: no such tag; there are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["url", "user", "listen"];

    fn read(given: &[&str]) -> Result<Values, String> {
        Values::read(&given.iter().map(|s| s.to_string()).collect::<Vec<_>>(), &NAMES)
    }

    #[test]
    fn tags_are_found_by_name_in_any_order_and_case() {
        let values = read(&["USER=me", "url=http://+:80/a/"]).unwrap();
        assert_eq!((values.get("url"), values.get("user")), (Some("http://+:80/a/"), Some("me")));
        assert_eq!(values.switch("listen"), Ok(None));
    }

    #[test]
    fn values_alone_fill_the_places_that_are_left() {
        let values = read(&["http://+:80/a?b=c/", "listen=no", "me"]).unwrap();
        assert_eq!((values.get("url"), values.get("user")), (Some("http://+:80/a?b=c/"), Some("me")));
        assert_eq!(values.switch("listen"), Ok(Some(false)));
    }

    #[test]
    fn what_is_unknown_or_twice_or_too_much_is_told() {
        assert!(read(&["nope=1"]).is_err_and(|e| e.contains("url, user, listen")));
        assert!(read(&["url=a", "url=b"]).is_err_and(|e| e.contains("twice")));
        assert!(read(&["a", "b", "c", "d"]).is_err_and(|e| e.contains("too many")));
        assert!(read(&["user=x"]).unwrap().need("url").is_err());
    }
}
