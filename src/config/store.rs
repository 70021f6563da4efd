//! The configuration file: found, read, and changed as a whole.
//!
//! A change takes a lock beside the file, reads, changes, writes a new file, makes it durable and puts it in the old one's
//! place: readers see the old or the new one, never part of either, and a writer that is killed leaves the old one. A
//! file that is not understood is never written over.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::net::account;

use super::records::Config;

/// Why the configuration could not be read or changed.
#[derive(Debug)]
pub enum Fault {
    /// The system refused: which file, and why.
    Io(PathBuf, std::io::Error),
    /// The file is not what this library writes.
    Malformed(PathBuf, String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Io(path, why) => write!(f, "{}: {why}", path.display()),
            Fault::Malformed(path, why) => {
                write!(f, "{}: {why}; mend the file or move it away", path.display())
            }
        }
    }
}

impl Fault {
    /// The caller has no right to change the file.
    pub fn is_denied(&self) -> bool {
        matches!(self, Fault::Io(_, why) if matches!(why.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem))
    }
}

/// What tells one state of the file from another without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version(Option<(u64, u64, Option<SystemTime>)>);

/// Root's file, which is the machine's.
const MACHINE: &str = "/etc/nthttp/config.json";

/// No configuration is longer, in bytes.
const LONGEST: u64 = 16 << 20;

/// The configuration file of this user, or of the machine.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
}

impl Store {
    /// `$NTHTTP_CONFIG`, else `/etc/nthttp/config.json` for root, else the user's own.
    pub fn of_this_user() -> Store {
        let named = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let path = named("NTHTTP_CONFIG").unwrap_or_else(|| match account::user_id() {
            0 => PathBuf::from(MACHINE),
            _ => {
                let home = || named("HOME").unwrap_or_default().join(".config");
                named("XDG_CONFIG_HOME").unwrap_or_else(home).join("nthttp/config.json")
            }
        });
        Store { path }
    }

    /// The machine's file, for what this user's own may leave unsaid; `None` when they are the same, or when
    /// `$NTHTTP_CONFIG` names the only one.
    pub fn of_machine() -> Option<Store> {
        let named = std::env::var_os("NTHTTP_CONFIG").is_some_and(|value| !value.is_empty());
        (!named && account::user_id() != 0).then(|| Store { path: PathBuf::from(MACHINE) })
    }

    /// A file of one's own.
    pub fn at(path: impl Into<PathBuf>) -> Store {
        Store { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What tells this state of the file from another.
    pub fn version(&self) -> Version {
        use std::os::unix::fs::MetadataExt;
        let told = fs::metadata(&self.path).ok();
        Version(told.map(|m| (m.ino(), m.len(), m.modified().ok())))
    }

    /// Reads the file; an empty configuration if there is none.
    pub fn read(&self) -> Result<Config, Fault> {
        let mut text = String::new();
        match File::open(&self.path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text)) {
            Ok(_) if text.len() as u64 > LONGEST => return Err(self.too_long()),
            Ok(_) => {}
            Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Config::default()),
            Err(why) => return Err(self.io(why)),
        }
        serde_json::from_str(&text).map_err(|why| Fault::Malformed(self.path.clone(), why.to_string()))
    }

    /// Changes the configuration, alone among all writers. When `change` fails, nothing is written.
    pub fn change<T, E: From<Fault>>(
        &self,
        change: impl FnOnce(&mut Config) -> Result<T, E>,
    ) -> Result<T, E> {
        let _locked = self.lock()?;
        let mut config = self.read()?;
        let before = config.clone();
        let outcome = change(&mut config)?;
        if config != before {
            self.write(&config)?;
        }
        Ok(outcome)
    }

    /// Held until the file it gives is closed.
    fn lock(&self) -> Result<File, Fault> {
        if let Some(folder) = self.path.parent() {
            // Whatever the mask of the process: who writes here says who may register, and where passwords are.
            DirBuilder::new().recursive(true).mode(0o755).create(folder).map_err(|why| self.io(why))?;
        }
        let beside = self.beside("lock");
        // Not to be opened by everybody: who may read it may lock it too, and keep all writers waiting for good.
        let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o660).open(beside);
        let file = open.map_err(|why| self.io(why))?;
        file.lock().map_err(|why| self.io(why))?;
        Ok(file)
    }

    fn write(&self, config: &Config) -> Result<(), Fault> {
        let text = serde_json::to_string_pretty(config).map_err(|why| self.io(why.into()))?;
        if text.len() as u64 >= LONGEST {
            return Err(self.too_long());
        }
        let fresh = self.beside("new");
        let put = || -> std::io::Result<()> {
            let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&fresh);
            let mut file = open?;
            if let Ok(old) = fs::metadata(&self.path) {
                file.set_permissions(old.permissions())?;
            }
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&fresh, &self.path)?;
            // The new name is durable once the folder is.
            match self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                Some(folder) => File::open(folder)?.sync_all(),
                None => Ok(()),
            }
        };
        put().map_err(|why| self.io(why))
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(".");
        name.push(ending);
        self.path.with_file_name(name)
    }

    fn too_long(&self) -> Fault {
        self.io(ErrorKind::FileTooLarge.into())
    }

    fn io(&self, why: std::io::Error) -> Fault {
        Fault::Io(self.path.clone(), why)
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::UrlAcl;
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("nthttp-store-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn add(store: &Store, url: String) -> Result<(), Fault> {
        store.change(|config| {
            config.url_acls.push(UrlAcl { url, sddl: "D:(A;;GX;;;WD)".into() });
            Ok(())
        })
    }

    #[test]
    fn what_is_written_is_read_and_what_is_unknown_is_kept() {
        let folder = folder("kept");
        let store = Store::at(folder.join("deep/config.json"));
        assert_eq!(store.read().unwrap(), Config::default());
        add(&store, "http://+:80/a/".into()).unwrap();
        let mut text: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(store.path()).unwrap()).unwrap();
        text["of_the_future"] = 7.into();
        fs::write(store.path(), text.to_string()).unwrap();
        let before = store.version();
        add(&store, "http://+:80/b/".into()).unwrap();
        assert_ne!(store.version(), before);
        let read = store.read().unwrap();
        assert_eq!((read.url_acls.len(), &read.other["of_the_future"]), (2, &7.into()));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn writers_take_turns() {
        let folder = folder("turns");
        let store = Store::at(folder.join("config.json"));
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let store = &store;
                scope.spawn(move || {
                    (0..25).for_each(|n| add(store, format!("http://+:80/{thread}/{n}/")).unwrap());
                });
            }
        });
        assert_eq!(store.read().unwrap().url_acls.len(), 100);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn strangers_cannot_keep_writers_waiting() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder("strangers");
        let store = Store::at(folder.join("config.json"));
        add(&store, "http://+:80/a/".into()).unwrap();
        let mode = fs::metadata(store.beside("lock")).unwrap().permissions().mode();
        assert_eq!(mode & 0o007, 0);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_is_not_understood_is_left_alone() {
        let folder = folder("alone");
        let store = Store::at(folder.join("config.json"));
        fs::write(store.path(), "{ \"url_acls\": 5 }").unwrap();
        assert!(matches!(add(&store, "x".into()), Err(Fault::Malformed(..))));
        assert_eq!(fs::read_to_string(store.path()).unwrap(), "{ \"url_acls\": 5 }");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_without_end_is_not_read_to_its_end() {
        let folder = folder("endless");
        std::os::unix::fs::symlink("/dev/zero", folder.join("config.json")).unwrap();
        let store = Store::at(folder.join("config.json"));
        assert!(matches!(store.read(), Err(Fault::Io(_, why)) if why.kind() == ErrorKind::FileTooLarge));
        // Nor is one written that could not be read again.
        let store = Store::at(folder.join("long.json"));
        add(&store, "http://+:80/a/".into()).unwrap();
        assert!(matches!(add(&store, "x".repeat(LONGEST as usize)), Err(Fault::Io(..))));
        assert_eq!(store.read().unwrap().url_acls.len(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_a_killed_writer_left_is_no_hindrance() {
        let folder = folder("killed");
        let store = Store::at(folder.join("config.json"));
        add(&store, "http://+:80/a/".into()).unwrap();
        fs::write(store.beside("new"), "{ \"url_ac").unwrap();
        assert_eq!(store.read().unwrap().url_acls.len(), 1);
        add(&store, "http://+:80/b/".into()).unwrap();
        assert_eq!(store.read().unwrap().url_acls.len(), 2);
        fs::remove_dir_all(folder).unwrap();
    }
}
