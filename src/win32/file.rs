//! Files as devices.
//!
//! Files of the disk are read and written at a position of our own (`pread`, `pwrite`), so that one handle
//! serves overlapped operations, ordinary ones and response bodies at once. Pipes and terminals have no
//! position and are read as they come. All operations complete within the call; there is nothing to cancel.
//! Share modes and security attributes have no counterpart here and are not looked at.

use std::fs::{File as SystemFile, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::device::{Backend, OperationNumber};
use crate::abi::error::{Error, Result};

/// Whether opening may create the file or must find it (`dwCreationDisposition`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// `CREATE_NEW`: `FILE_EXISTS` if there is one.
    CreateNew,
    /// `CREATE_ALWAYS`: empties an existing one.
    CreateAlways,
    /// `OPEN_EXISTING`.
    OpenExisting,
    /// `OPEN_ALWAYS`.
    OpenAlways,
    /// `TRUNCATE_EXISTING`: needs write access.
    TruncateExisting,
}

/// How to open a file.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// Bytes may be read.
    pub read: bool,
    /// Bytes may be written.
    pub write: bool,
    /// Every write goes to the end.
    pub append: bool,
    /// Create or find.
    pub disposition: Disposition,
    /// `FILE_FLAG_OVERLAPPED`: operations name their offset.
    pub overlapped: bool,
    /// `FILE_FLAG_DELETE_ON_CLOSE`.
    pub delete_on_close: bool,
    /// `FILE_FLAG_BACKUP_SEMANTICS`: directories may be opened.
    pub directories: bool,
}

/// A file behind a handle.
pub struct File {
    system: Arc<SystemFile>,
    /// `None` for pipes and terminals.
    position: Option<Mutex<u64>>,
    overlapped: bool,
    readable: bool,
    writable: bool,
    append: bool,
    delete: Option<PathBuf>,
}

impl File {
    /// Opens a file; tells whether it was there before. `FILE_NOT_FOUND`, `PATH_NOT_FOUND`, `ACCESS_DENIED`,
    /// `FILE_EXISTS`, `INVALID_PARAMETER` (truncating without write access) and what the system says.
    pub fn open(path: &Path, opening: &Opening) -> Result<(File, bool)> {
        use Disposition::{CreateAlways, CreateNew, OpenAlways, OpenExisting, TruncateExisting};
        if opening.disposition == TruncateExisting && !opening.write {
            return Err(Error::INVALID_PARAMETER);
        }
        let existed = path.exists();
        let empties = matches!(opening.disposition, CreateAlways | TruncateExisting);
        let creates = !matches!(opening.disposition, OpenExisting | TruncateExisting);
        let mut options = OpenOptions::new();
        options.read(opening.read || !opening.write).write(opening.write || creates).truncate(empties);
        match opening.disposition {
            CreateNew => options.create_new(true),
            CreateAlways | OpenAlways => options.create(true),
            OpenExisting | TruncateExisting => &mut options,
        };
        let system = match options.open(path) {
            // Without write access the file is only opened; it need not be writable then.
            Err(_) if existed && opening.disposition == OpenAlways && !opening.write => {
                SystemFile::open(path)
            }
            opened => opened,
        };
        let system = system.map_err(|error| match error.kind() {
            ErrorKind::NotFound if path.parent().is_some_and(misses) => Error::PATH_NOT_FOUND,
            _ => from_io(&error),
        })?;
        if system.metadata().is_ok_and(|metadata| metadata.is_dir()) && !opening.directories {
            return Err(Error::ACCESS_DENIED);
        }
        let delete = opening.delete_on_close.then(|| path.to_path_buf());
        let file = File {
            overlapped: opening.overlapped,
            readable: opening.read,
            writable: opening.write,
            append: opening.append,
            delete,
            ..File::new(system)
        };
        Ok((file, existed))
    }

    /// A file that is open already.
    pub fn new(mut system: SystemFile) -> File {
        let position = system.stream_position().ok().map(Mutex::new);
        File {
            system: Arc::new(system),
            position,
            overlapped: false,
            readable: true,
            writable: true,
            append: false,
            delete: None,
        }
    }

    /// The system's file, for response bodies; its own position is neither used nor moved here.
    pub fn system(&self) -> Arc<SystemFile> {
        Arc::clone(&self.system)
    }

    /// Whether operations must name an OVERLAPPED.
    pub fn is_overlapped(&self) -> bool {
        self.overlapped
    }

    /// Reads at `offset`, or at the position. 0 bytes at the end. `ACCESS_DENIED` if not opened for reading.
    pub fn read(&self, buffer: &mut [u8], offset: Option<u64>) -> Result<usize> {
        if !self.readable {
            return Err(Error::ACCESS_DENIED);
        }
        let done = match &self.position {
            None => again(|| (&*self.system).read(buffer)),
            Some(position) => self.at(position, offset, |at| again(|| self.system.read_at(buffer, at))),
        };
        done.map_err(|error| from_io(&error))
    }

    /// Writes at `offset`, or at the position; all of it unless there is an error. `ACCESS_DENIED` if not
    /// opened for writing.
    pub fn write(&self, bytes: &[u8], offset: Option<u64>) -> Result<usize> {
        if !self.writable {
            return Err(Error::ACCESS_DENIED);
        }
        let done = match &self.position {
            None => (&*self.system).write_all(bytes).map(|()| bytes.len()),
            Some(position) => {
                let offset =
                    if self.append || offset == Some(u64::MAX) { Some(self.size()?) } else { offset };
                self.at(position, offset, |at| self.system.write_all_at(bytes, at).map(|()| bytes.len()))
            }
        };
        done.map_err(|error| from_io(&error))
    }

    /// An ordinary handle goes on behind what was read or written; one for overlapped use has no position.
    fn at(
        &self,
        position: &Mutex<u64>,
        offset: Option<u64>,
        transfer: impl FnOnce(u64) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if self.overlapped {
            return transfer(offset.unwrap_or(0));
        }
        let at = offset.unwrap_or_else(|| *position.lock());
        let done = transfer(at)?;
        *position.lock() = at + done as u64;
        Ok(done)
    }

    /// Moves the position; gives the new one. `NEGATIVE_SEEK` before the start, `INVALID_FUNCTION` for what
    /// has no position.
    pub fn seek(&self, to: SeekFrom) -> Result<u64> {
        let position = self.position.as_ref().ok_or(Error::INVALID_FUNCTION)?;
        let end = if let SeekFrom::End(_) = to { self.size()? } else { 0 };
        let mut position = position.lock();
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(distance) => position.checked_add_signed(distance),
            SeekFrom::End(distance) => end.checked_add_signed(distance),
        };
        *position = target.filter(|&target| target <= i64::MAX as u64).ok_or(Error::NEGATIVE_SEEK)?;
        Ok(*position)
    }

    /// Cuts or extends the file to the position. `ACCESS_DENIED` if not opened for writing.
    pub fn set_end(&self) -> Result<()> {
        if !self.writable {
            return Err(Error::ACCESS_DENIED);
        }
        let position = self.seek(SeekFrom::Current(0))?;
        self.system.set_len(position).map_err(|error| from_io(&error))
    }

    /// Its size in bytes.
    pub fn size(&self) -> Result<u64> {
        self.system.metadata().map(|metadata| metadata.len()).map_err(|error| from_io(&error))
    }

    /// Hands everything to the disk.
    pub fn flush(&self) -> Result<()> {
        self.system.sync_all().map_err(|error| from_io(&error))
    }
}

impl Backend for File {
    fn abort(&self, _operation: OperationNumber) -> bool {
        false
    }

    fn close(&self) {
        if let Some(path) = &self.delete {
            // The file may be gone already, and nobody is left to be told.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn again(mut transfer: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match transfer() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

fn misses(parent: &Path) -> bool {
    !parent.as_os_str().is_empty() && !parent.is_dir()
}

/// The Win32 error for one of the system's.
pub fn from_io(error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::FILE_NOT_FOUND,
        ErrorKind::NotADirectory => Error::PATH_NOT_FOUND,
        ErrorKind::PermissionDenied | ErrorKind::IsADirectory => Error::ACCESS_DENIED,
        ErrorKind::AlreadyExists => Error::FILE_EXISTS,
        ErrorKind::DirectoryNotEmpty => Error::DIR_NOT_EMPTY,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Error::DISK_FULL,
        ErrorKind::ReadOnlyFilesystem => Error(19),
        ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy => Error::SHARING_VIOLATION,
        ErrorKind::BrokenPipe => Error::BROKEN_PIPE,
        ErrorKind::InvalidInput => Error::INVALID_PARAMETER,
        ErrorKind::OutOfMemory => Error::NOT_ENOUGH_MEMORY,
        _ => match error.raw_os_error() {
            // EMFILE and ENFILE, EBADF (not opened for this), ENAMETOOLONG, ELOOP.
            Some(23 | 24) => Error::TOO_MANY_OPEN_FILES,
            Some(9) => Error::ACCESS_DENIED,
            Some(36 | 63) => Error(206),
            Some(40) => Error::INVALID_NAME,
            _ => Error::IO_DEVICE,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(disposition: Disposition) -> Opening {
        Opening {
            read: true,
            write: true,
            append: false,
            disposition,
            overlapped: false,
            delete_on_close: false,
            directories: false,
        }
    }

    fn place(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("nthttp-file-{}-{name}", std::process::id()))
    }

    #[test]
    fn dispositions_create_find_and_refuse() {
        let path = place("dispositions");
        let open = |disposition| File::open(&path, &opening(disposition)).map(|(_, existed)| existed);
        assert_eq!(open(Disposition::OpenExisting), Err(Error::FILE_NOT_FOUND));
        assert_eq!(open(Disposition::CreateNew), Ok(false));
        assert_eq!(open(Disposition::CreateNew), Err(Error::FILE_EXISTS));
        assert_eq!(open(Disposition::CreateAlways), Ok(true));
        let below = path.join("below");
        let missing = place("missing").join("file");
        let error = |path: &Path| File::open(path, &opening(Disposition::OpenExisting)).err();
        assert_eq!(error(&below), Some(Error::PATH_NOT_FOUND));
        assert_eq!(error(&missing), Some(Error::PATH_NOT_FOUND));
        assert_eq!(error(&std::env::temp_dir()), Some(Error::ACCESS_DENIED));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_position_goes_on_and_offsets_are_honoured() {
        let path = place("position");
        let (file, _) =
            File::open(&path, &Opening { delete_on_close: true, ..opening(Disposition::CreateNew) }).unwrap();
        assert_eq!(file.write(b"hello world", None), Ok(11));
        assert_eq!(file.seek(SeekFrom::Start(6)), Ok(6));
        let mut buffer = [0; 5];
        assert_eq!(file.read(&mut buffer, None), Ok(5));
        assert_eq!(&buffer, b"world");
        assert_eq!(file.read(&mut buffer, None), Ok(0));
        assert_eq!(file.read(&mut buffer, Some(0)), Ok(5));
        assert_eq!(&buffer, b"hello");
        assert_eq!(file.seek(SeekFrom::Current(-9)), Err(Error::NEGATIVE_SEEK));
        assert_eq!(file.size(), Ok(11));
        file.close();
        assert!(!path.exists());
    }

    #[test]
    fn a_file_created_for_reading_alone_is_not_written() {
        let path = place("reading");
        let options = Opening { write: false, delete_on_close: true, ..opening(Disposition::CreateNew) };
        let (file, _) = File::open(&path, &options).unwrap();
        assert_eq!(file.write(b"x", None), Err(Error::ACCESS_DENIED));
        assert_eq!(file.read(&mut [0], None), Ok(0));
        file.close();
    }
}
