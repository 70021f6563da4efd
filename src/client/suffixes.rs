//! The system's list of public suffixes, read once, when the first cookie asks for a domain: the file that
//! `NTHTTP_PUBLIC_SUFFIX_LIST` names, else the one where distributions put it. Without one, the short rule of
//! `wire::cookie` holds: top-level domains, and names like `co.uk`.

use std::ffi::OsString;
use std::path::Path;
use std::sync::LazyLock;

use super::small_file::contents;
use crate::win32::trace;
use crate::wire::cookie;
use crate::wire::suffixes::Suffixes;

const SYSTEM: &str = "/usr/share/publicsuffix/public_suffix_list.dat";

/// The longest list that is read; the public one has a third of a megabyte.
const LONGEST: u64 = 8 << 20;

/// Whether names directly below this one (in lower case) may belong to different owners. The first call reads a
/// file, so no lock may be held.
pub(super) fn is_public_suffix(domain: &str) -> bool {
    static LIST: LazyLock<Option<Suffixes>> =
        LazyLock::new(|| load(std::env::var_os("NTHTTP_PUBLIC_SUFFIX_LIST").filter(|path| !path.is_empty())));
    LIST.as_ref().map_or_else(|| cookie::is_public_suffix(domain), |list| list.holds(domain))
}

/// Reads the list of this path, else the system's.
fn load(named: Option<OsString>) -> Option<Suffixes> {
    let list = read(Path::new(named.as_deref().unwrap_or(SYSTEM.as_ref())));
    if let (None, Some(path)) = (&list, &named) {
        let path = path.display();
        trace::warn(format_args!("NTHTTP_PUBLIC_SUFFIX_LIST: {path} cannot be read as a list of suffixes"));
    }
    list
}

fn read(path: &Path) -> Option<Suffixes> {
    Suffixes::read(&contents(path, LONGEST)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};

    #[test]
    fn a_list_is_a_file_of_sane_length() {
        let folder = std::env::temp_dir().join(format!("nthttp-suffixes-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("list");
        let load_it = || load(Some(path.clone().into_os_string()));
        assert!(load_it().is_none(), "there is none");
        fs::write(&path, "com\ngithub.io\n").unwrap();
        assert!(load_it().is_some_and(|list| list.holds("github.io") && list.size() < 40));
        File::create(&path).unwrap().set_len(LONGEST + 1).unwrap();
        assert!(load_it().is_none(), "it is too long");
        fs::write(&path, "").unwrap();
        assert!(load_it().is_none(), "it is empty");
        assert!(load(Some(folder.clone().into_os_string())).is_none(), "it is a folder");
        fs::remove_dir_all(&folder).unwrap();
    }

    /// By the system's list where there is one; names that the short rule knows as well elsewhere.
    #[test]
    fn well_known_suffixes() {
        for (domain, public) in
            [("com", true), ("co.uk", true), ("example.com", false), ("example.co.uk", false)]
        {
            assert_eq!(is_public_suffix(domain), public, "{domain}");
        }
        if let Some(list) = read(Path::new(SYSTEM)) {
            assert!(list.holds("github.io") && !list.holds("www.ck") && list.holds("any.ck"));
            assert!(list.size() < 1 << 19, "{}", list.size());
        }
    }
}
