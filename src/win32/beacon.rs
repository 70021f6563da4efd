//! A descriptor that is readable while something is ready, for a program's own poll, epoll or event loop.
//!
//! It is one end of a pair of sockets, which holds a byte while its object is ready, and none otherwise. It is made when it is
//! first asked for; an object nobody asked pays one look at an empty option. Neither end ever waits: a program that reads
//! from the descriptor, although it should not, must not have the thread that puts it out wait under its object's lock.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// The descriptor of one object, which says under its own lock whether it is ready.
#[derive(Default)]
pub struct Beacon {
    pair: Option<Pair>,
}

struct Pair {
    reader: Arc<File>,
    writer: UnixStream,
    lit: bool,
}

impl Beacon {
    /// A beacon nobody has asked for.
    pub const fn new() -> Beacon {
        Beacon { pair: None }
    }

    /// Says whether the object is ready.
    #[inline]
    pub fn show(&mut self, ready: bool) {
        if let Some(pair) = &mut self.pair {
            pair.show(ready);
        }
    }

    /// The descriptor, made if need be. It stays open as long as someone has it.
    pub fn descriptor(&mut self, ready: bool) -> io::Result<Arc<File>> {
        if self.pair.is_none() {
            let (reader, writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            writer.set_nonblocking(true)?;
            let reader = Arc::new(File::from(OwnedFd::from(reader)));
            self.pair = Some(Pair { reader, writer, lit: false });
        }
        self.show(ready);
        self.pair.as_ref().map(|pair| Arc::clone(&pair.reader)).ok_or_else(|| ErrorKind::Other.into())
    }
}

impl Pair {
    /// There is never more than one byte on the way. A program that reads it away itself is helped at the next change.
    fn show(&mut self, ready: bool) {
        if ready == self.lit {
            return;
        }
        let done = match ready {
            true => self.writer.write(&[1]),
            false => (&*self.reader).read(&mut [0]),
        };
        let is_dark = done.as_ref().is_err_and(|error| !ready && error.kind() == ErrorKind::WouldBlock);
        if done.is_ok() || is_dark {
            self.lit = ready;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_a_byte_while_it_is_lit() {
        let mut beacon = Beacon::new();
        beacon.show(true);
        let descriptor = beacon.descriptor(true).unwrap();
        beacon.show(true);
        beacon.show(false);
        beacon.show(false);
        beacon.show(true);
        let mut got = [0; 2];
        assert_eq!((&*descriptor).read(&mut got).unwrap(), 1);
    }

    #[test]
    fn a_program_that_reads_it_away_holds_up_nobody() {
        let mut beacon = Beacon::new();
        let descriptor = beacon.descriptor(true).unwrap();
        assert_eq!((&*descriptor).read(&mut [0]).unwrap(), 1);
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            beacon.show(false);
            beacon.show(true);
            tell.send(beacon).unwrap();
        });
        let _beacon = told.recv_timeout(std::time::Duration::from_secs(5)).expect("it waits");
        assert_eq!((&*descriptor).read(&mut [0]).unwrap(), 1);
    }
}
