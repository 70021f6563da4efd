//! The part of SDDL that URL reservations use: a discretionary list of who is allowed or denied what (digest §7.4).
//!
//! `D:(A;;GX;;;WD)(D;;GA;;;S-1-22-1-1000)`. Owner, group and the system list may stand there and mean nothing here.

/// GX: may register.
pub const LISTEN: u32 = 0x2000_0000;
/// GW: may reserve below.
pub const DELEGATE: u32 = 0x4000_0000;
const ALL: u32 = LISTEN | DELEGATE;

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Allows, or denies.
    pub allows: bool,
    /// [`LISTEN`], [`DELEGATE`] or both.
    pub rights: u32,
    /// A security identifier (`S-1-...`) or a two-letter alias.
    pub trustee: String,
}

/// The discretionary list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dacl {
    /// In the order given, which is the order of judgement.
    pub entries: Vec<Entry>,
}

impl Dacl {
    /// Reads a descriptor that has a discretionary list; `None` if it is not well formed.
    pub fn parse(text: &str) -> Option<Dacl> {
        let mut list = None;
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (kind, after) = rest.split_once(':')?;
            let end = section_end(after);
            let (section, next) = after.split_at(end);
            match kind {
                "D" if list.is_none() => list = Some(entries(section)?),
                "O" | "G" => is_trustee(section).then_some(())?,
                "S" => drop(entries(section)?),
                _ => return None,
            }
            rest = next;
        }
        list.map(|entries| Dacl { entries })
    }

    /// Whether one for whom `is` says he is a trustee has a right: the first entry that speaks of it decides.
    pub fn grants(&self, right: u32, is: impl Fn(&str) -> bool) -> bool {
        let speaks = |entry: &&Entry| entry.rights & right == right && is(&entry.trustee);
        self.entries.iter().find(speaks).is_some_and(|entry| entry.allows)
    }
}

/// Where the next section (`X:`) begins, outside brackets.
fn section_end(text: &str) -> usize {
    let mut depth = 0;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'D' | b'O' | b'G' | b'S' if depth == 0 && bytes.get(at + 1) == Some(&b':') => return at,
            _ => {}
        }
    }
    text.len()
}

fn entries(section: &str) -> Option<Vec<Entry>> {
    let open = section.find('(').unwrap_or(section.len());
    let (flags, mut rest) = section.split_at(open);
    if !flags.bytes().all(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (entry, next) = rest.strip_prefix('(')?.split_once(')')?;
        found.extend(read_entry(entry)?);
        rest = next;
    }
    Some(found)
}

/// `None` if malformed; `Some(None)` for kinds that are not about rights (audits).
fn read_entry(text: &str) -> Option<Option<Entry>> {
    let parts: Vec<&str> = text.split(';').collect();
    let [kind, _flags, rights, object, inherited, trustee] = parts[..] else { return None };
    if !object.is_empty() || !inherited.is_empty() || !is_trustee(trustee) {
        return None;
    }
    let rights = read_rights(rights)?;
    match kind {
        "A" | "D" => Some(Some(Entry { allows: kind == "A", rights, trustee: trustee.to_owned() })),
        "AU" | "AL" => Some(None),
        _ => None,
    }
}

fn read_rights(text: &str) -> Option<u32> {
    if let Some(digits) = text.strip_prefix("0x") {
        let mask = u32::from_str_radix(digits, 16).ok()?;
        let generic_all = mask & 0x1000_0000 != 0;
        return Some(if generic_all { ALL } else { mask & ALL });
    }
    if text.is_empty() || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let mut rights = 0;
    for at in (0..text.len()).step_by(2) {
        rights |= match &text[at..at + 2] {
            "GX" => LISTEN,
            "GW" => DELEGATE,
            "GA" => ALL,
            "GR" | "RC" | "SD" | "WD" | "WO" => 0,
            _ => return None,
        };
    }
    Some(rights)
}

fn is_trustee(text: &str) -> bool {
    let alias = text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
    let numbers = text.strip_prefix("S-1-").is_some_and(|rest| {
        rest.split('-').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    });
    alias || numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_that_speaks_decides() {
        let dacl = Dacl::parse("D:(D;;GX;;;S-1-22-1-7)(A;;GA;;;WD)").unwrap();
        let everyone = |id: &'static str| move |t: &str| t == "WD" || t == id;
        assert!(!dacl.grants(LISTEN, everyone("S-1-22-1-7")));
        assert!(dacl.grants(DELEGATE, everyone("S-1-22-1-7")));
        assert!(dacl.grants(LISTEN, everyone("S-1-22-1-8")));
        assert!(!dacl.grants(LISTEN, |_| false));
    }

    #[test]
    fn other_sections_and_forms_are_understood() {
        assert_eq!(Dacl::parse("O:BAG:SYD:PAI(A;;GXGW;;;BU)").unwrap().entries[0].rights, LISTEN | DELEGATE);
        assert_eq!(Dacl::parse("D:(A;;0x20000000;;;WD)").unwrap().entries[0].rights, LISTEN);
        assert_eq!(Dacl::parse("D:(A;;GA;;;SY)S:(AU;SA;GX;;;WD)").unwrap().entries.len(), 1);
        assert!(Dacl::parse("D:").unwrap().entries.is_empty());
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for text in [
            "",
            "A;;GX;;;WD",
            "D:(A;;GX;;;)",
            "D:(A;;GX;;;WD",
            "D:(A;GX;;;WD)",
            "D:(X;;GX;;;WD)",
            "D:(A;;QQ;;;WD)",
            "D:(A;;GX;;;S-2-1)",
            "D:x(A;;GX;;;WD)",
            "D:(A;;G;;;WD)",
            "O:BA",
            "D:(A;;GX;;;WD)D:(A;;GX;;;WD)",
            "D:(A;;\u{e9};;;WD)",
        ] {
            assert!(Dacl::parse(text).is_none(), "{text}");
        }
    }
}
