//! The files of one log: made when there is something to write, continued when they are there already, left when
//! they are full or their time is over. Only the writer thread comes here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use super::errors;
use super::moment::Moment;
use super::rollover::{Naming, Period, Rollover};
use super::{binary, w3c};

/// What a file begins with.
pub(super) enum Preamble {
    None,
    /// The lines of the W3C format, with this software and these fields.
    W3c(String, u32),
    /// The lines of HTTPERR.
    Errors,
    Binary,
}

impl Preamble {
    pub(super) fn w3c(software: &str, fields: u32) -> Preamble {
        Preamble::W3c(software.to_owned(), fields)
    }

    /// What is written into a file that holds `size` bytes already: lines tell of every opening, as on Windows.
    fn write(&self, size: u64, moment: &Moment, out: &mut Vec<u8>) {
        match self {
            Preamble::None => {}
            Preamble::W3c(software, fields) => w3c::write_head(software, *fields, moment, out),
            Preamble::Errors => errors::write_head(size, out),
            Preamble::Binary if size == 0 => out.extend_from_slice(binary::MAGIC),
            Preamble::Binary => {}
        }
    }
}

/// The files of a log, one of them open.
pub(super) struct Files {
    directory: PathBuf,
    naming: Naming,
    preamble: Preamble,
    /// Records are lines.
    lines: bool,
    /// The number of the last file, for those that are numbered; 0 before the folder was looked at.
    number: u32,
    open: Option<Open>,
    /// A record may have gone half into the file: the next one begins a line of its own.
    torn: bool,
}

struct Open {
    period: Period,
    path: PathBuf,
    file: File,
    size: u64,
    /// It holds no record.
    vacant: bool,
}

impl Open {
    /// Whether the file still has its name: someone may have moved it away, as programs that rotate logs do. Others
    /// may write to it too, so its size is looked at again.
    fn look(&mut self) -> bool {
        let (Ok(there), Ok(ours)) = (fs::metadata(&self.path), self.file.metadata()) else { return false };
        self.size = ours.len();
        (there.dev(), there.ino()) == (ours.dev(), ours.ino())
    }
}

impl Files {
    pub(super) fn new(directory: PathBuf, naming: Naming, preamble: Preamble, lines: bool) -> Files {
        Files { directory, naming, preamble, lines, number: 0, open: None, torn: false }
    }

    /// How the log rolls over.
    pub(super) fn rollover(&self) -> Rollover {
        self.naming.rollover
    }

    /// Writes records of one period, the ends of which are `ends`. The count of records written comes with an error.
    pub(super) fn write(
        &mut self,
        period: Period,
        moment: &Moment,
        bytes: &[u8],
        ends: &[usize],
    ) -> Result<(), (usize, io::Error)> {
        let (mut from, mut done) = (0, 0);
        while done < ends.len() {
            let room = self.room(period, moment).map_err(|error| (done, error))?;
            let fitting = ends[done..].iter().take_while(|end| (*end - from) as u64 <= room).count();
            if fitting == 0 && self.leave_full() {
                continue;
            }
            // A record that is longer than a file may be has one to itself.
            let fitting = fitting.max(1);
            let end = ends[done + fitting - 1];
            self.put(&bytes[from..end]).map_err(|error| (done, error))?;
            self.open.iter_mut().for_each(|open| open.vacant = false);
            (from, done) = (end, done + fitting);
        }
        Ok(())
    }

    /// Goes on to the next file, unless this one has no record yet.
    fn leave_full(&mut self) -> bool {
        let full = self.open.take_if(|open| !open.vacant).is_some();
        self.number += u32::from(full);
        full
    }

    /// Bytes that may still go into the file of a period, which is open then.
    fn room(&mut self, period: Period, moment: &Moment) -> io::Result<u64> {
        if self.open.as_mut().is_some_and(|open| open.period != period || !open.look()) {
            self.open = None;
        }
        let limit = match self.naming.rollover {
            Rollover::Size(limit) => limit,
            _ => u64::MAX,
        };
        let size = match &self.open {
            Some(open) => open.size,
            None => self.make(period, limit, moment)?,
        };
        Ok(limit.saturating_sub(size))
    }

    /// Opens the file of a period; gives its size.
    fn make(&mut self, period: Period, limit: u64, moment: &Moment) -> io::Result<u64> {
        fs::create_dir_all(&self.directory)?;
        if self.number == 0 {
            self.number = self.last_number()?.max(1);
        }
        loop {
            let path = self.directory.join(self.naming.name(period, self.number));
            let file = OpenOptions::new().append(true).create(true).mode(0o640).open(&path)?;
            let size = file.metadata()?.len();
            if size >= limit && size > 0 {
                self.number += 1;
                continue;
            }
            let mut head = Vec::new();
            self.preamble.write(size, moment, &mut head);
            self.open = Some(Open { period, path, file, size, vacant: size == 0 });
            self.put(&head)?;
            return Ok(size + head.len() as u64);
        }
    }

    /// The highest number among the folder's files.
    fn last_number(&self) -> io::Result<u32> {
        let numbers = fs::read_dir(&self.directory)?.filter_map(|entry| {
            let name = entry.ok()?.file_name();
            self.naming.number_of(name.to_str()?)
        });
        Ok(numbers.max().unwrap_or(0))
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(open) = self.open.as_mut() else { return Ok(()) };
        if bytes.is_empty() {
            return Ok(());
        }
        if self.torn && self.lines {
            open.file.write_all(b"\r\n")?;
        }
        let written = open.file.write_all(bytes);
        self.torn = written.is_err();
        match written {
            Ok(()) => open.size += bytes.len() as u64,
            // A file that cannot be written may be writable once opened anew.
            Err(_) => self.open = None,
        }
        written
    }
}
