//! Responses as the application gives them, copied out of its structures but for body memory and files.

use std::fs::File;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::abi::error::{Error, Result};
use crate::win32::lent::LentBytes;

use super::{Authentication, ChannelBind, FlowRate};

/// A field of a response, as the application gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseField {
    /// Number of a known field, or `wire::field::UNKNOWN`.
    pub id: u8,
    /// Start and length of the name in `text`; empty for known fields.
    pub name: (u32, u32),
    /// Start and length of the value in `text`.
    pub value: (u32, u32),
}

/// The head of a response, copied out of the caller's structures. Fields stand in wire order: known ones by
/// id with multiple-known-header entries at their id's place, then unknown ones.
#[derive(Clone, Debug, Default)]
pub struct ResponseHead {
    /// Status code, 100 to 999.
    pub status: u16,
    /// Holds the reason and all names and values.
    pub text: Vec<u8>,
    /// Length of the reason, which stands first in `text`.
    pub reason_len: u32,
    /// The fields.
    pub fields: Vec<ResponseField>,
    /// A known Server field was given with a pointer but no length: send none.
    pub suppress_server: bool,
    /// What most responses do not have.
    pub extras: Option<Box<Extras>>,
}

impl ResponseHead {
    /// The extras, made at the first use.
    pub fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }
}

/// What a response may have besides head and body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extras {
    /// Whether the engine may answer later requests with it.
    pub cache: CachePolicy,
    /// The representation depends on Accept-Encoding (`HTTP_RESPONSE_FLAG_MULTIPLE_ENCODINGS_AVAILABLE`).
    pub multiple_encodings: bool,
    /// The record for the log.
    pub log: Option<LogFields>,
    /// Bytes a second of this response (`HttpResponseInfoTypeQosProperty`).
    pub bandwidth: Option<u32>,
    /// As bandwidth, with bursts.
    pub flow_rate: Option<FlowRate>,
    /// What challenges are made with (`HttpResponseInfoTypeAuthenticationProperty`).
    pub authentication: Option<Authentication>,
    /// `HttpResponseInfoTypeChannelBind`.
    pub channel_bind: Option<ChannelBind>,
}

/// `HTTP_CACHE_POLICY`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CachePolicy {
    /// Not to be kept.
    #[default]
    NoCache,
    /// Kept until flushed.
    UserInvalidates,
    /// Kept for so many seconds.
    TimeToLive(u32),
}

/// The texts of `HTTP_LOG_FIELDS_DATA`, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the member of that name")]
pub enum LogText {
    UserName,
    UriStem,
    ClientIp,
    ServerName,
    ServiceName,
    ServerIp,
    Method,
    UriQuery,
    Host,
    UserAgent,
    Cookie,
    Referrer,
}

/// How many texts there are.
pub const LOG_TEXTS: usize = 12;

/// `HTTP_LOG_FIELDS_DATA`: what the application says for the log. Empty texts were not given; user name and URI stem are
/// UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the member of that name")]
pub struct LogFields {
    /// All texts, one behind the other, because a record is made and dropped with every response.
    texts: Vec<u8>,
    /// Where each ends.
    ends: [u32; LOG_TEXTS],
    pub server_port: u16,
    pub protocol_status: u16,
    pub win32_status: u32,
    pub method_num: u32,
    pub sub_status: u16,
}

impl LogFields {
    /// Fields with these texts, in the order of [`LogText`], and no numbers.
    pub fn of(texts: [&[u8]; LOG_TEXTS]) -> LogFields {
        let mut all = Vec::with_capacity(texts.iter().map(|text| text.len()).sum());
        let ends = texts.map(|text| {
            all.extend_from_slice(text);
            all.len() as u32
        });
        LogFields { texts: all, ends, ..LogFields::default() }
    }

    /// One of the texts.
    pub fn text(&self, which: LogText) -> &[u8] {
        let index = which as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        // Ends that another process made up name nothing.
        self.texts.get(start as usize..self.ends[index] as usize).unwrap_or_default()
    }
}

/// A piece of a response body.
#[derive(Debug)]
pub enum Chunk {
    /// Memory of the caller, lent until completion.
    Memory(LentBytes),
    /// A range of a file; `None` as length means to its end.
    File {
        /// The file; its position is neither used nor moved.
        file: Arc<File>,
        /// First byte.
        offset: u64,
        /// Number of bytes.
        length: Option<u64>,
    },
    /// Bytes of a fragment of the cache; the engine puts [`Chunk::Shared`] in its place.
    Fragment {
        /// The URL it was added under.
        name: String,
        /// First byte.
        offset: u64,
        /// Number of bytes; `None` means to its end.
        length: Option<u64>,
    },
    /// The trailer section of a chunked body, field lines with their CRLF: the last chunk of a response. The engine writes the
    /// end of the coding in its place.
    Trailers(Vec<u8>),
    /// Bytes of the engine's own, of which there is one copy for many responses.
    Shared {
        /// The bytes.
        bytes: Arc<[u8]>,
        /// First byte.
        offset: usize,
        /// Number of bytes.
        length: usize,
    },
}

impl Chunk {
    /// The bytes, of a chunk whose bytes are in memory.
    #[inline]
    pub fn memory(&self) -> Option<&[u8]> {
        match self {
            Chunk::Memory(bytes) => Some(bytes.as_slice()),
            Chunk::Shared { bytes, offset, length } => bytes.get(*offset..*offset + *length),
            Chunk::File { .. } | Chunk::Fragment { .. } | Chunk::Trailers(_) => None,
        }
    }
}

/// The pieces of a body given in one call; one or two need no allocation.
pub type Body = SmallVec<[Chunk; 2]>;

/// The send flags that matter below `capi` (`HTTP_SEND_RESPONSE_FLAG_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendFlags {
    /// Close the connection after this response.
    pub disconnect: bool,
    /// The response goes on in another call.
    pub more_data: bool,
    /// Copy the data and complete early.
    pub buffer_data: bool,
    /// Leave Nagle's algorithm on for this send.
    pub nagling: bool,
    /// Raw bytes both ways after this head (status 101).
    pub opaque: bool,
    /// Send only the range the client asked for.
    pub process_ranges: bool,
}

/// A range of a fragment: first byte, and number of bytes unless it goes to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// First byte.
    pub offset: u64,
    /// Number of bytes; `None` means to the end.
    pub length: Option<u64>,
}

/// What reading a fragment brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FragmentPart {
    /// Bytes of the part asked for.
    pub length: u64,
    /// The bytes; none if there was no room for all.
    pub bytes: Vec<u8>,
}

impl FragmentPart {
    /// The part of a fragment, if it fits.
    pub fn of(fragment: &[u8], range: Range, room: u64) -> Result<FragmentPart> {
        let start =
            usize::try_from(range.offset).ok().filter(|at| *at <= fragment.len()).ok_or(Error::HANDLE_EOF)?;
        let rest = &fragment[start..];
        let len = range
            .length
            .and_then(|len| usize::try_from(len).ok())
            .map_or(rest.len(), |len| len.min(rest.len()));
        let bytes = if len as u64 <= room { rest[..len].to_vec() } else { Vec::new() };
        Ok(FragmentPart { length: len as u64, bytes })
    }
}
