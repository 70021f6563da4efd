//! A descriptor that is readable while something is ready, for a program's own poll, epoll or event loop.
//!
//! It is one end of a pipe that holds a byte while its object is ready, and none otherwise. It is made when it is first asked
//! for; an object nobody asked pays one look at an empty option.

use std::fs::File;
use std::io::{self, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// The descriptor of one object, which says under its own lock whether it is ready.
#[derive(Default)]
pub struct Beacon {
    pipe: Option<Pipe>,
}

struct Pipe {
    reader: Arc<File>,
    writer: PipeWriter,
    lit: bool,
}

impl Beacon {
    /// A beacon nobody has asked for.
    pub const fn new() -> Beacon {
        Beacon { pipe: None }
    }

    /// Says whether the object is ready.
    #[inline]
    pub fn show(&mut self, ready: bool) {
        if let Some(pipe) = &mut self.pipe {
            pipe.show(ready);
        }
    }

    /// The descriptor, made if need be. It stays open as long as someone has it.
    pub fn descriptor(&mut self, ready: bool) -> io::Result<Arc<File>> {
        if self.pipe.is_none() {
            let (reader, writer) = io::pipe()?;
            self.pipe =
                Some(Pipe { reader: Arc::new(File::from(OwnedFd::from(reader))), writer, lit: false });
        }
        self.show(ready);
        self.pipe.as_ref().map(|pipe| Arc::clone(&pipe.reader)).ok_or_else(|| io::ErrorKind::Other.into())
    }
}

impl Pipe {
    /// There is never more than one byte in the pipe, so neither end waits; a program that reads it away itself is
    /// helped at the next change.
    fn show(&mut self, ready: bool) {
        if ready == self.lit {
            return;
        }
        let done = match ready {
            true => self.writer.write(&[1]),
            false => (&*self.reader).read(&mut [0]),
        };
        if done.is_ok() {
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
}
