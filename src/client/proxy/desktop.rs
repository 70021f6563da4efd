//! The desktop's proxy settings: KDE's or GNOME's, whichever desktop this is; on an unknown one, whichever has any.

use std::path::PathBuf;

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
