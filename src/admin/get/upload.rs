//! The body of the request: text from the command line, a file, or the standard input.

use std::fs::File;
use std::io::{ErrorKind, Read, Take};
use std::path::PathBuf;
use std::sync::Arc;

use crate::client::Plan;
use crate::win32::lent::LentBytes;
use crate::wire::request_fields::RequestField;

use super::fault::Fault;

/// A file up to this size is sent from memory, so that it can be sent again after a redirect.
const SMALL: u64 = 1 << 20;

/// Bytes of one write.
const BLOCK: usize = 256 * 1024;

/// What is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Upload {
    #[default]
    Nothing,
    /// It goes out with the head.
    Bytes(Arc<[u8]>),
    /// A file of so many bytes.
    File(PathBuf, u64),
    Input,
}

/// What is left of an upload after the head.
pub(super) enum Source {
    Nothing,
    File(Take<File>, String),
    Input,
}

impl Upload {
    /// Reads the `-d` words. The standard input goes to a single URL as it comes, to several from memory.
    pub(super) fn new(data: &[String], urls: usize) -> Result<Upload, Fault> {
        match data {
            [] => Ok(Upload::Nothing),
            [one] if one == "@-" && urls == 1 => Ok(Upload::Input),
            [one] if one.starts_with('@') && one != "@-" => Upload::file(&one[1..]),
            several => {
                let parts: Vec<Vec<u8>> = several.iter().map(|one| part(one)).collect::<Result<_, _>>()?;
                Ok(Upload::Bytes(parts.join(&b'&').into()))
            }
        }
    }

    fn file(name: &str) -> Result<Upload, Fault> {
        let size = std::fs::metadata(name).map_err(|why| unreadable(name, &why))?;
        if size.is_file() && size.len() > SMALL {
            return Ok(Upload::File(name.into(), size.len()));
        }
        std::fs::read(name).map(|bytes| Upload::Bytes(bytes.into())).map_err(|why| unreadable(name, &why))
    }

    pub(super) fn is_some(&self) -> bool {
        *self != Upload::Nothing
    }

    /// Says in the plan what the body needs: its length where that is more than 32 bits, or chunks.
    pub(super) fn prepare(&self, plan: &mut Plan) -> Result<(), Fault> {
        match self {
            Upload::File(_, size) if u32::try_from(*size).is_err() => {
                let field = RequestField::new("Content-Length", &size.to_string()).map_err(Fault::of)?;
                plan.fields.push(field);
            }
            Upload::Input => plan.chunking = true,
            _ => {}
        }
        Ok(())
    }

    /// From its beginning: what goes out with the head, the length to announce (0 if that is said otherwise), and
    /// what comes after.
    pub(super) fn open(&self) -> Result<(LentBytes, u32, Source), Fault> {
        match self {
            Upload::Nothing => Ok((LentBytes::empty(), 0, Source::Nothing)),
            Upload::Bytes(bytes) => {
                let total = u32::try_from(bytes.len())
                    .map_err(|_| Fault::new(26, "so much data has to come from a file"))?;
                Ok((LentBytes::owned(bytes.to_vec()), total, Source::Nothing))
            }
            Upload::File(path, size) => {
                let name = path.display().to_string();
                let file = File::open(path).map_err(|why| unreadable(&name, &why))?;
                let total = u32::try_from(*size).unwrap_or(0);
                Ok((LentBytes::empty(), total, Source::File(file.take(*size), name)))
            }
            Upload::Input => Ok((LentBytes::empty(), 0, Source::Input)),
        }
    }
}

impl Source {
    /// The next piece; `None` at the end.
    pub(super) fn next_block(&mut self) -> Result<Option<LentBytes>, Fault> {
        match self {
            Source::Nothing => Ok(None),
            Source::File(file, name) => block(file).map_err(|why| unreadable(name, &why)),
            Source::Input => block(&mut std::io::stdin().lock()).map_err(|why| unreadable(INPUT, &why)),
        }
    }

    /// Whether it can be had from its beginning once more.
    pub(super) fn check_again(&self) -> Result<(), Fault> {
        match self {
            Source::Input => Err(Fault::new(
                26,
                "the server wants the request once more, and the standard input is used up; give the data as -d @FILE",
            )),
            _ => Ok(()),
        }
    }
}

const INPUT: &str = "the standard input";

/// What one read gives: a program that writes a little now and then is not kept waiting.
fn block(from: &mut impl Read) -> std::io::Result<Option<LentBytes>> {
    let mut bytes = vec![0; BLOCK];
    loop {
        match from.read(&mut bytes) {
            Err(why) if why.kind() == ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
            Ok(0) => return Ok(None),
            Ok(got) => {
                bytes.truncate(got);
                return Ok(Some(LentBytes::owned(bytes)));
            }
        }
    }
}

/// One of several pieces of data.
fn part(text: &str) -> Result<Vec<u8>, Fault> {
    match text.strip_prefix('@') {
        Some("-") => {
            let mut all = Vec::new();
            std::io::stdin().lock().read_to_end(&mut all).map_err(|why| unreadable(INPUT, &why))?;
            Ok(all)
        }
        Some(name) => std::fs::read(name).map_err(|why| unreadable(name, &why)),
        None => Ok(text.as_bytes().to_vec()),
    }
}

fn unreadable(name: &str, why: &std::io::Error) -> Fault {
    Fault::new(26, format!("{name} cannot be read: {why}"))
}
