//! Folders of logs: what a Windows path stands for here, and where logs go that were given none.

use std::path::{Component, Path, PathBuf};

use crate::abi::error::{Error, Result};
use crate::net::peer;

/// Characters, as the 424 bytes of UTF-16 that `HTTP_LOGGING_INFO` allows.
const LONGEST: usize = 212;

/// The folder a fully qualified name stands for: a POSIX path for itself, `C:\logs` for the folder `C/logs` below
/// [`default_root`]. Anything relative, in whole or in part, is `INVALID_PARAMETER`.
pub(super) fn resolve(name: &str) -> Result<PathBuf> {
    let path = mapped(name).ok_or(Error::INVALID_PARAMETER)?;
    let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if plain && !name.contains('\0') { Ok(path) } else { Err(Error::INVALID_PARAMETER) }
}

fn mapped(name: &str) -> Option<PathBuf> {
    if name.encode_utf16().count() > LONGEST {
        return None;
    }
    match name.as_bytes() {
        [b'/', ..] => Some(PathBuf::from(name)),
        [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic() => {
            let below = name[3..].replace('\\', "/");
            let drive = drive.to_ascii_uppercase() as char;
            // Joined textually, so that no part of the name can take the root's place.
            Some(PathBuf::from(format!("{}/{drive}/{below}", default_root()?.display())))
        }
        _ => None,
    }
}

/// Where logs go: `$NTHTTP_LOG_DIR`, else `/var/log/nthttp` for root, else below the user's folder for state.
pub(crate) fn default_root() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(chosen) = absolute("NTHTTP_LOG_DIR") {
        return Some(chosen);
    }
    if peer::is_root() {
        return Some(Path::new("/var/log/nthttp").to_owned());
    }
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    Some(state?.join("nthttp"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_must_be_fully_qualified() {
        assert_eq!(resolve("/var/log/site"), Ok(PathBuf::from("/var/log/site")));
        for name in ["", "logs", "./logs", "C:logs", "/var/../etc", "C:\\..\\x", "\\logs", "/a\0b"] {
            assert_eq!(resolve(name), Err(Error::INVALID_PARAMETER), "{name}");
        }
        assert_eq!(resolve(&format!("/{}", "a".repeat(212))), Err(Error::INVALID_PARAMETER));
    }

    #[test]
    fn a_windows_path_lies_below_the_root() {
        let root = default_root().unwrap();
        assert_eq!(resolve("c:\\inetpub\\logs"), Ok(root.join("C/inetpub/logs")));
        assert_eq!(resolve("D:/x"), Ok(root.join("D/x")));
        assert_eq!(resolve("D:\\..\\x"), Err(Error::INVALID_PARAMETER));
    }
}
