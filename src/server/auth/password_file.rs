//! Password files: lines `user:hash` as htpasswd writes them (bcrypt `$2y$`, SHA-crypt `$5$` and `$6$`), and lines
//! `user:realm:HA1` as htdigest writes them (MD5, or SHA-256 with 64 digits). A line with `#` first is a comment.
//!
//! Basic takes either kind, Digest needs the second. The file is looked at again every second, so a change takes effect
//! without a restart; one that cannot be read lets nobody in.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use subtle::ConstantTimeEq;

use crate::win32::trace;

use super::digest::ha1;

/// Milliseconds between two looks at the file.
const LOOK_MS: u64 = 1000;
/// Bytes of a password that is checked at all: SHA-crypt takes the longer the longer it is.
const LONGEST_PASSWORD: usize = 512;
/// Rounds of SHA-crypt, and the cost of bcrypt, that are possible and still made in seconds.
const ROUNDS: RangeInclusive<usize> = sha_crypt::ROUNDS_MIN..=5_000_000;
const COSTS: RangeInclusive<u32> = 4..=17;
/// The longest file, in bytes.
const LONGEST: u64 = 16 << 20;

/// A file that is looked at again when it has changed.
pub(crate) struct PasswordFile {
    path: PathBuf,
    looked_ms: AtomicU64,
    content: RwLock<Arc<Content>>,
}

/// What the file held when it was read.
#[derive(Default)]
pub(super) struct Content {
    stamp: Option<Stamp>,
    hashes: HashMap<Vec<u8>, Hash>,
    /// By user and realm: HA1 with MD5 and with SHA-256.
    proofs: HashMap<Account, [Option<String>; 2]>,
    /// Tells this reading from every other of this process.
    pub(super) edition: u64,
}

/// A user and a realm.
type Account = (Vec<u8>, Vec<u8>);

/// Which state of the file it was: time of change, length, number.
type Stamp = (i64, i64, u64, u64);

/// A password as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Hash {
    Bcrypt(String),
    /// SHA-crypt: whether with SHA-512, rounds, salt, sum.
    ShaCrypt(bool, usize, String, String),
}

impl PasswordFile {
    /// Opens a file; it must be there and readable.
    pub(crate) fn open(path: &Path) -> io::Result<PasswordFile> {
        let content = Content::read(path)?;
        Ok(PasswordFile {
            path: path.into(),
            looked_ms: AtomicU64::new(0),
            content: RwLock::new(Arc::new(content)),
        })
    }

    /// What the file holds.
    pub(super) fn content(&self, now_ms: u64) -> Arc<Content> {
        let last = self.looked_ms.load(Ordering::Relaxed);
        let due = now_ms.saturating_sub(last) >= LOOK_MS;
        let swap = || self.looked_ms.compare_exchange(last, now_ms, Ordering::Relaxed, Ordering::Relaxed);
        if due && swap().is_ok() {
            self.refresh();
        }
        Arc::clone(&self.content.read())
    }

    fn refresh(&self) {
        let stamp = fs::metadata(&self.path).ok().map(|facts| stamp(&facts));
        if stamp.is_some() && stamp == self.content.read().stamp {
            return;
        }
        let content = Content::read(&self.path).unwrap_or_else(|error| {
            trace::warn(format_args!("password file {}: {error}", self.path.display()));
            Content::parse(b"")
        });
        *self.content.write() = Arc::new(content);
    }
}

fn stamp(facts: &fs::Metadata) -> Stamp {
    (facts.mtime(), facts.mtime_nsec(), facts.len(), facts.ino())
}

impl Content {
    fn read(path: &Path) -> io::Result<Content> {
        let facts = fs::metadata(path)?;
        if !facts.is_file() || facts.len() > LONGEST {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let content = Content::parse(&fs::read(path)?);
        Ok(Content { stamp: Some(stamp(&facts)), ..content })
    }

    pub(super) fn parse(text: &[u8]) -> Content {
        static EDITIONS: AtomicU64 = AtomicU64::new(0);
        let mut content =
            Content { edition: EDITIONS.fetch_add(1, Ordering::Relaxed) + 1, ..Content::default() };
        for line in text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii) {
            if !line.is_empty() && !line.starts_with(b"#") && content.take(line).is_none() {
                let user = line.split(|b| *b == b':').next().unwrap_or_default();
                let user = String::from_utf8_lossy(user);
                trace::warn(format_args!("password file: the line of {user:?} is of no kind that is known"));
            }
        }
        content
    }

    /// Takes a line; `None` if it is of no kind that is known.
    fn take(&mut self, line: &[u8]) -> Option<()> {
        let mut parts = line.split(|b| *b == b':');
        let (user, second, third) = (parts.next()?, parts.next()?, parts.next());
        let Some(proof) = third else {
            self.hashes.insert(user.to_vec(), Hash::parse(std::str::from_utf8(second).ok()?)?);
            return Some(());
        };
        let proof = std::str::from_utf8(proof).ok().filter(|p| p.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let sha256 = match proof.len() {
            32 => 0,
            64 => 1,
            _ => return None,
        };
        let known = self.proofs.entry((user.to_vec(), second.to_vec())).or_default();
        known[sha256] = Some(proof.to_ascii_lowercase());
        Some(())
    }

    /// HA1 of a user of a realm.
    pub(super) fn proof(&self, sha256: bool, user: &[u8], realm: &[u8]) -> Option<&str> {
        self.proofs.get(&(user.to_vec(), realm.to_vec()))?[usize::from(sha256)].as_deref()
    }

    /// Whether every user with a proof has one of this kind, so that it can be asked of clients.
    pub(super) fn proves(&self, sha256: bool) -> bool {
        !self.proofs.is_empty() && self.proofs.values().all(|known| known[usize::from(sha256)].is_some())
    }

    /// Whether the file has a password of this user.
    pub(super) fn knows(&self, user: &[u8], realm: &[u8]) -> bool {
        self.hashes.contains_key(user) || self.proofs.contains_key(&(user.to_vec(), realm.to_vec()))
    }

    /// Whether this is the user's password. Takes as long for a user who is not there as for one who is.
    pub(super) fn is_password(&self, user: &[u8], realm: &[u8], password: &[u8]) -> bool {
        if password.len() > LONGEST_PASSWORD {
            return false;
        }
        let known = self.hashes.get(user);
        let by_hash = match known.or_else(|| self.hashes.values().next()) {
            Some(hash) => hash.is_of(password) & known.is_some(),
            None => false,
        };
        let by_proof = [false, true].map(|sha256| {
            let made = ha1(sha256, user, realm, password);
            let held = self.proof(sha256, user, realm).unwrap_or("");
            bool::from(made.as_bytes().ct_eq(held.as_bytes()))
        });
        // A user with a hash has that password and no other.
        by_hash || known.is_none() && (by_proof[0] || by_proof[1])
    }
}

impl Hash {
    fn parse(text: &str) -> Option<Hash> {
        let mut parts = text.strip_prefix('$')?.split('$');
        let sha512 = match parts.next()? {
            // An impossible cost or salt would let nobody in anyway, but is better told at once.
            "2a" | "2b" | "2y" => {
                let cost = text.parse::<bcrypt::HashParts>().ok()?.get_cost();
                return COSTS.contains(&cost).then(|| Hash::Bcrypt(text.to_owned()));
            }
            "5" => false,
            "6" => true,
            _ => return None,
        };
        let mut salt = parts.next()?;
        let mut rounds = sha_crypt::ROUNDS_DEFAULT;
        if let Some(number) = salt.strip_prefix("rounds=") {
            rounds = number.parse().ok()?;
            salt = parts.next()?;
        }
        let sum = parts.next()?;
        // No sum is made here: a file is read by threads that do I/O, and has many lines.
        (parts.next().is_none() && !sum.is_empty() && ROUNDS.contains(&rounds))
            .then(|| Hash::ShaCrypt(sha512, rounds, salt.to_owned(), sum.to_owned()))
    }

    /// The sum a password has with this salt.
    fn make(&self, password: &[u8]) -> Option<String> {
        let Hash::ShaCrypt(sha512, rounds, salt, _) = self else { return None };
        if *sha512 {
            let params = sha_crypt::Sha512Params::new(*rounds).ok()?;
            sha_crypt::sha512_crypt_b64(password, salt.as_bytes(), &params).ok()
        } else {
            let params = sha_crypt::Sha256Params::new(*rounds).ok()?;
            sha_crypt::sha256_crypt_b64(password, salt.as_bytes(), &params).ok()
        }
    }

    fn is_of(&self, password: &[u8]) -> bool {
        match self {
            Hash::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Hash::ShaCrypt(.., sum) => {
                let made = self.make(password).unwrap_or_default();
                made.as_bytes().ct_eq(sum.as_bytes()).into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> String {
        format!(
            "# users\nbob:{SHA512}\r\n\
             Mufasa:http-auth@example.org:3d78807defe7de2157e2b0b6573a855f\n\
             Mufasa:http-auth@example.org:7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232\n\
             nobody\neve:plain\n"
        )
    }

    /// Both made by `openssl passwd`.
    const SHA512: &str = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";
    const SHA256: &str = "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5";

    #[test]
    fn sha_crypt_is_that_of_others() {
        for made in [SHA512, SHA256] {
            let hash = Hash::parse(made).unwrap();
            assert!(hash.is_of(b"Hello world!") && !hash.is_of(b"Hello world"));
        }
        let hash =
            Hash::parse("$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA");
        assert!(hash.unwrap().is_of(b"Hello world!"));
    }

    #[test]
    fn lines_of_no_known_kind_let_nobody_in() {
        let content = Content::parse(file().as_bytes());
        assert_eq!(content.hashes.len(), 1);
        for user in ["nobody", "eve", "# users", ""] {
            for password in ["", "plain", "secret"] {
                assert!(!content.is_password(user.as_bytes(), b"", password.as_bytes()), "{user} {password}");
            }
        }
        for bad in [
            "$2y$",
            "$2y$99$abc",
            "$6$",
            "$6$a",
            "$6$rounds=x$a$b",
            "$6$rounds=99999999$a$b",
            "$5$rounds=999$a$b",
            "$1$a$b",
            "x",
        ] {
            assert_eq!(Hash::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn users_have_the_password_of_their_line() {
        let content = Content::parse(file().as_bytes());
        assert!(content.is_password(b"bob", b"any", b"Hello world!"));
        assert!(!content.is_password(b"bob", b"any", b"hello world!"));
        assert!(!content.is_password(b"Bob", b"any", b"Hello world!"));
        let realm = b"http-auth@example.org";
        assert!(content.is_password(b"Mufasa", realm, b"Circle of Life"));
        assert!(!content.is_password(b"Mufasa", b"elsewhere", b"Circle of Life"));
        assert!(!content.is_password(b"Mufasa", realm, b"Circle of Lies"));
    }

    #[test]
    fn bcrypt_is_read_in_all_its_spellings() {
        let made = bcrypt::hash_with_result("secret", 4).unwrap();
        for version in [bcrypt::Version::TwoA, bcrypt::Version::TwoB, bcrypt::Version::TwoY] {
            let hash = Hash::parse(&made.format_for_version(version)).unwrap();
            assert!(hash.is_of(b"secret") && !hash.is_of(b"Secret"));
        }
    }

    #[test]
    fn a_cost_that_takes_hours_is_of_no_kind_that_is_known() {
        let made = bcrypt::hash_with_result("secret", 4).unwrap().format_for_version(bcrypt::Version::TwoY);
        for (cost, taken) in
            [("03", false), ("04", true), ("17", true), ("18", false), ("31", false), ("99", false)]
        {
            let hash = made.replace("$2y$04$", &format!("$2y${cost}$"));
            assert_eq!(Hash::parse(&hash).is_some(), taken, "{cost}");
        }
    }

    #[test]
    fn reading_a_file_makes_no_slow_sums() {
        let lines: String = (0..200).map(|n| format!("u{n}:$6$rounds=100000$salt$sum\n")).collect();
        let begun = std::time::Instant::now();
        assert_eq!(Content::parse(lines.as_bytes()).hashes.len(), 200);
        assert!(begun.elapsed().as_secs() < 3);
    }

    #[test]
    fn proofs_are_offered_when_everybody_has_one() {
        let content = Content::parse(file().as_bytes());
        assert!(content.proves(false) && content.proves(true));
        let realm = b"http-auth@example.org";
        let expected = ha1(true, b"Mufasa", realm, b"Circle of Life");
        assert_eq!(content.proof(true, b"Mufasa", realm), Some(&expected[..]));
        let more = format!("{}ann:r:3d78807defe7de2157e2b0b6573a855f\n", file());
        let content = Content::parse(more.as_bytes());
        assert!(content.proves(false) && !content.proves(true));
        assert!(!Content::parse(b"").proves(false));
    }

    #[test]
    fn a_changed_file_is_read_again() {
        let path = std::env::temp_dir().join(format!("nthttp-passwords-{}", std::process::id()));
        fs::write(&path, "a:r:3d78807defe7de2157e2b0b6573a855f\n").unwrap();
        let file = PasswordFile::open(&path).unwrap();
        let first = file.content(5000);
        assert!(first.proof(false, b"a", b"r").is_some());
        // Looking often does not put the next look off.
        (5001..5900).for_each(|now| assert_eq!(file.content(now).edition, first.edition));
        fs::write(&path, "bb:r:3d78807defe7de2157e2b0b6573a855f\n").unwrap();
        assert!(file.content(6000).proof(false, b"bb", b"r").is_some());
        fs::remove_file(&path).unwrap();
        assert!(file.content(9000).proof(false, b"bb", b"r").is_none());
        assert!(PasswordFile::open(&path).is_err());
    }
}
