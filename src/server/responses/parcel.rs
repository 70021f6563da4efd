//! What a send consists of on its way out: a head, then chunks of memory and ranges of files, and how far
//! they have gone. Nothing here knows of requests; `outbound` does.

use std::io::IoSlice;

use smallvec::SmallVec;

use crate::abi::error::{Error, Result};
use crate::net::socket::{Socket, Transfer};

use crate::server::service::{Body, Chunk};

/// The largest body that is copied behind its head.
const SMALL: u64 = 4096;

/// Bytes to go: a head (or copied data), then chunks; and how far they have gone.
pub(crate) struct Parcel<'a> {
    pub(crate) head: &'a [u8],
    pub(crate) body: &'a [Chunk],
    pub(crate) at: &'a mut Progress,
}

/// How far a send has gone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    head: usize,
    chunk: usize,
    offset: u64,
    pub(crate) total: u64,
    /// Of `total`, bytes of earlier responses that were held back for this one.
    pub(crate) earlier: u64,
}

impl Progress {
    /// Nothing has gone; the first bytes are `earlier` ones of other responses.
    pub(crate) fn new(earlier: usize) -> Progress {
        Progress { earlier: earlier as u64, ..Progress::default() }
    }

    /// Bytes sent of this call's own.
    pub(crate) fn own(&self) -> u64 {
        self.total.saturating_sub(self.earlier)
    }
}

/// Where an attempt to send ended.
pub(crate) enum Sent {
    All,
    Blocked,
    /// As much has gone as may go now; there is more, and the socket may take it.
    Paused,
    Failed(Error),
}

pub(crate) fn length(chunk: &Chunk) -> u64 {
    match chunk {
        Chunk::Memory(bytes) => bytes.as_slice().len() as u64,
        Chunk::Shared { length, .. } => *length as u64,
        Chunk::File { length, .. } => length.unwrap_or(0),
        Chunk::Fragment { .. } | Chunk::Trailers(_) => 0,
    }
}

/// Puts a small body behind its head: one plain buffer costs the kernel less than a list of two.
pub(crate) fn join_small(head: &mut Vec<u8>, body: &mut Body, body_len: u64) {
    if body_len > SMALL || body.iter().any(|c| matches!(c, Chunk::File { .. })) {
        return;
    }
    for chunk in body.iter() {
        if let Some(bytes) = chunk.memory() {
            head.extend_from_slice(bytes);
        }
    }
    body.clear();
}

/// Fixes the lengths of file ranges and sums up. A range that begins behind the end is `HANDLE_EOF`.
#[inline]
pub(crate) fn measure(body: &mut Body) -> Result<u64> {
    let mut total = 0u64;
    for chunk in body.iter_mut() {
        if let Chunk::File { file, offset, length: length @ None } = chunk {
            let size = file.metadata().map_err(|_| Error::INVALID_HANDLE)?.len();
            *length = Some(size.checked_sub(*offset).ok_or(Error::HANDLE_EOF)?);
        }
        total = total.checked_add(length(chunk)).ok_or(Error::INVALID_PARAMETER)?;
    }
    Ok(total)
}

/// Sends as far as the socket takes it, and about `most` bytes (a piece of memory may go beyond when all of it is sent at
/// once).
pub(crate) fn push(socket: &Socket, parcel: Parcel<'_>, most: u64) -> Sent {
    let Parcel { head, body, at } = parcel;
    let stop = at.total.saturating_add(most);
    loop {
        while at.chunk < body.len() && at.head == head.len() && at.offset >= length(&body[at.chunk]) {
            at.chunk += 1;
            at.offset = 0;
        }
        if at.head == head.len() && at.chunk == body.len() {
            return Sent::All;
        }
        if at.total >= stop {
            return Sent::Paused;
        }
        let most = stop - at.total;
        let transfer = match body.get(at.chunk) {
            Some(Chunk::File { file, offset, length }) if at.head == head.len() => {
                let left = length.unwrap_or(0) - at.offset;
                match socket.send_file(file, offset + at.offset, left.min(most)) {
                    Ok(Transfer::Bytes(0)) | Err(_) => return Sent::Failed(Error::HANDLE_EOF),
                    Ok(transfer) => transfer,
                }
            }
            _ => push_memory(socket, head, body, at, most),
        };
        match transfer {
            Transfer::Bytes(n) => advance(at, head, body, n as u64),
            Transfer::WouldBlock => return Sent::Blocked,
            Transfer::End | Transfer::Broken => return Sent::Failed(Error::NETNAME_DELETED),
        }
    }
}

/// Writes what is left of the head and the memory chunks up to the next file.
fn push_memory(socket: &Socket, head: &[u8], body: &[Chunk], at: &Progress, most: u64) -> Transfer {
    if at.chunk == body.len() {
        // Nearly every response: its body is small and was joined to its head.
        return socket.write(&head[at.head..], false);
    }
    let mut parts: SmallVec<[IoSlice<'_>; 8]> = SmallVec::new();
    if at.head < head.len() {
        parts.push(IoSlice::new(&head[at.head..]));
    }
    let mut skip = at.offset as usize;
    let mut file_follows = false;
    let mut room = usize::try_from(most).unwrap_or(usize::MAX);
    for chunk in &body[at.chunk..] {
        if room == 0 {
            break;
        }
        let Some(bytes) = chunk.memory() else {
            file_follows = true;
            break;
        };
        let bytes = &bytes[skip..];
        skip = 0;
        let bytes = &bytes[..bytes.len().min(room)];
        room -= bytes.len();
        if !bytes.is_empty() {
            parts.push(IoSlice::new(bytes));
        }
    }
    socket.write_all_of(&parts, file_follows)
}

fn advance(at: &mut Progress, head: &[u8], body: &[Chunk], mut n: u64) {
    at.total += n;
    let of_head = n.min((head.len() - at.head) as u64);
    at.head += of_head as usize;
    n -= of_head;
    while n > 0 && at.chunk < body.len() {
        let left = length(&body[at.chunk]) - at.offset;
        if n < left {
            at.offset += n;
            return;
        }
        n -= left;
        at.chunk += 1;
        at.offset = 0;
    }
}

/// What has not gone, in one piece.
pub(crate) fn copy_rest(head: &[u8], body: &[Chunk], at: Progress) -> Vec<u8> {
    let mut rest = head[at.head..].to_vec();
    let mut skip = at.offset as usize;
    for chunk in &body[at.chunk..] {
        if let Some(bytes) = chunk.memory() {
            rest.extend_from_slice(&bytes[skip..]);
        }
        skip = 0;
    }
    rest
}
