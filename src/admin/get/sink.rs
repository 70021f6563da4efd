//! Where the body of a response goes: the standard output, memory, or a file, which may have its start already.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::fault::Fault;

/// Where a body goes.
pub(super) enum Sink {
    Output,
    Memory(Vec<u8>),
    File(File, PathBuf),
    /// It is not wanted.
    Nothing,
}

impl Sink {
    /// A file, kept up to `keep` bytes and written from there.
    pub(super) fn file(path: &Path, keep: u64) -> Result<Sink, Fault> {
        let unwritable = |why: std::io::Error| {
            Fault::new(23, format!("{} cannot be written: {why}; -o names another file", path.display()))
        };
        let mut options = OpenOptions::new();
        let file = options.create(true).append(keep > 0).write(true).truncate(keep == 0).open(path);
        Ok(Sink::File(file.map_err(unwritable)?, path.to_owned()))
    }

    /// Takes a piece of the body.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match self {
            Sink::Nothing => Ok(()),
            Sink::Memory(all) => {
                all.extend_from_slice(bytes);
                Ok(())
            }
            Sink::Output => {
                let mut output = std::io::stdout().lock();
                output.write_all(bytes).and_then(|()| output.flush()).map_err(|why| unwritten(&why))
            }
            Sink::File(file, path) => file.write_all(bytes).map_err(|why| {
                Fault::new(23, format!("{} cannot be written: {why}; is the disk full?", path.display()))
            }),
        }
    }

    /// What is in memory.
    pub(super) fn into_memory(self) -> Option<Vec<u8>> {
        match self {
            Sink::Memory(all) => Some(all),
            _ => None,
        }
    }
}

/// The standard output takes no more. A reader that has gone away (`| head`) ends the command without a word.
fn unwritten(why: &std::io::Error) -> Fault {
    if why.kind() == ErrorKind::BrokenPipe {
        std::process::exit(23);
    }
    Fault::new(23, format!("the standard output cannot be written: {why}; -o names a file"))
}

/// How many bytes of a file are there.
pub(super) fn size_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |data| data.len())
}

/// What a Content-Range says: where it starts (`None` for `*`), and the whole length if it is known.
pub(super) fn content_range(value: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (range, whole) = value.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let start = match range.split_once('-') {
        Some((start, _)) => Some(start.trim().parse().ok()?),
        None if range.trim() == "*" => None,
        None => return None,
    };
    Some((start, whole.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read() {
        assert_eq!(content_range("bytes 5-9/10"), Some((Some(5), Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((Some(5), None)));
        assert_eq!(content_range("bytes */10"), Some((None, Some(10))));
        for wrong in ["", "bytes", "items 1-2/3", "bytes x-2/3", "bytes 1/3"] {
            assert_eq!(content_range(wrong), None, "{wrong}");
        }
    }
}
