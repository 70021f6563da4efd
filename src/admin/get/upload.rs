//! The body of the request: text from the command line, a file, or the standard input.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use crate::client::request::Request;
use crate::client::{Operation, Plan};
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
    Bytes(Arc<[u8]>),
    /// A file of so many bytes.
    File(PathBuf, u64),
    Input,
}

impl Upload {
    /// Reads the `-d` words.
    pub(super) fn new(data: &[String]) -> Result<Upload, Fault> {
        match data {
            [] => Ok(Upload::Nothing),
            [one] if one == "@-" => Ok(Upload::Input),
            [one] if one.starts_with('@') => Upload::file(&one[1..]),
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

    /// Sends head and body.
    pub(super) fn send(&self, request: &Arc<Request>) -> Result<(), Fault> {
        match self {
            Upload::Nothing => request.send(LentBytes::empty(), 0).map(drop).map_err(Fault::of),
            Upload::Bytes(bytes) => {
                let total = u32::try_from(bytes.len())
                    .map_err(|_| Fault::new(26, "so much data has to come from a file"))?;
                request.send(LentBytes::owned(bytes.to_vec()), total).map(drop).map_err(Fault::of)
            }
            Upload::File(name, size) => {
                let file = File::open(name).map_err(|why| unreadable(&name.display().to_string(), &why))?;
                let total = u32::try_from(*size).unwrap_or(0);
                request.send(LentBytes::empty(), total).map_err(Fault::of)?;
                write_all(request, file.take(*size))
            }
            Upload::Input => {
                request.send(LentBytes::empty(), 0).map_err(Fault::of)?;
                write_all(request, std::io::stdin().lock())
            }
        }
    }
}

fn write_all(request: &Arc<Request>, mut from: impl Read) -> Result<(), Fault> {
    loop {
        let mut block = Vec::with_capacity(BLOCK);
        let got = from.by_ref().take(BLOCK as u64).read_to_end(&mut block);
        match got.map_err(|why| unreadable("the body", &why))? {
            0 => return Ok(()),
            _ => {
                let bytes = LentBytes::owned(block);
                request.start(Operation::Write { bytes, sent: 0 }).map_err(Fault::of)?;
            }
        }
    }
}

/// One of several pieces of data.
fn part(text: &str) -> Result<Vec<u8>, Fault> {
    match text.strip_prefix('@') {
        Some("-") => {
            let mut all = Vec::new();
            std::io::stdin()
                .lock()
                .read_to_end(&mut all)
                .map_err(|why| unreadable("the standard input", &why))?;
            Ok(all)
        }
        Some(name) => std::fs::read(name).map_err(|why| unreadable(name, &why)),
        None => Ok(text.as_bytes().to_vec()),
    }
}

fn unreadable(name: &str, why: &std::io::Error) -> Fault {
    Fault::new(26, format!("{name} cannot be read: {why}"))
}
