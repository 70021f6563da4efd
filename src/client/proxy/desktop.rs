//! The desktop's proxy settings: KDE's or GNOME's, whichever desktop this is; on an unknown one, whichever has any.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::settings::UserSettings;
use super::{gnome, kde};

/// The settings of this user's desktop; `None` when it has none.
pub(super) fn read() -> Option<UserSettings> {
    let named = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
    let is = |names: &[&str]| {
        named.split(':').any(|part| names.iter().any(|name| part.eq_ignore_ascii_case(name)))
    };
    let folder = config_folder()?;
    let of_kde = || kde::read(&folder, |name| std::env::var(name).ok());
    let of_gnome = || gnome::read(&folder);
    if is(&["KDE"]) {
        of_kde()
    } else if is(&["GNOME", "Unity", "X-Cinnamon", "Budgie", "MATE", "Pantheon", "ubuntu"]) {
        of_gnome()
    } else {
        of_kde().or_else(of_gnome)
    }
}

/// The files whose change may change [`read`].
pub(super) fn files() -> Vec<PathBuf> {
    let Some(folder) = config_folder() else { return Vec::new() };
    [kde::FILE].into_iter().chain(gnome::FILES).map(|file| folder.join(file)).collect()
}

/// `$XDG_CONFIG_HOME`, else `~/.config`.
fn config_folder() -> Option<PathBuf> {
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named("XDG_CONFIG_HOME").or_else(|| Some(named("HOME")?.join(".config")))
}

/// What is in a file of settings. One that is no plain file (reading might never end) or longer than `most` has none.
pub(super) fn contents(path: &Path, most: u64) -> Option<Vec<u8>> {
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(most + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= most).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_plain_files_are_read() {
        let path = std::env::temp_dir().join(format!("nthttp-desktop-{}", std::process::id()));
        std::fs::write(&path, "four").unwrap();
        assert_eq!(contents(&path, 4).as_deref(), Some(&b"four"[..]));
        assert_eq!(contents(&path, 3), None);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(contents(&path, 4), None);
        // Its length is said to be 0, and it has no end.
        assert_eq!(contents(Path::new("/dev/zero"), 4), None);
    }
}
