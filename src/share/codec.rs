//! Values as bytes and back: the primitives of the encoding.
//!
//! Integers are LEB128 (seven bits a byte, low ones first), single bytes and flags one byte, sequences a
//! count and their elements, optional values a flag and the value, enums their number and their fields.
//! Files stand beside the bytes, in order. Decoding takes anything, checks every length against what is
//! there, allocates in proportion to the bytes received, and never panics.

use std::fs::File;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::sync::Arc;

/// The bytes are not what an encoder of this version writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// What decoding returns.
pub type Decoded<T> = Result<T, Malformed>;

/// A message being written.
#[derive(Debug, Default)]
pub struct Encoder {
    /// The bytes so far.
    pub bytes: Vec<u8>,
    /// The files so far.
    pub files: Vec<Arc<File>>,
}

/// A message being read.
#[derive(Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    files: std::vec::IntoIter<File>,
}

impl<'a> Decoder<'a> {
    /// Reads `bytes` and the files that came with them.
    pub fn new(bytes: &'a [u8], files: Vec<File>) -> Decoder<'a> {
        Decoder { bytes, files: files.into_iter() }
    }

    /// Reads one value that must be all there is.
    pub fn whole<T: Wire>(bytes: &'a [u8], files: Vec<File>) -> Decoded<T> {
        let mut decoder = Decoder::new(bytes, files);
        let value = T::decode(&mut decoder)?;
        if decoder.bytes.is_empty() && decoder.files.len() == 0 { Ok(value) } else { Err(Malformed) }
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Decoded<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(Malformed)?;
        self.bytes = rest;
        Ok(taken)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Decoded<u8> {
        Ok(self.take(1)?[0])
    }

    /// The next count of elements that take at least `size` bytes each.
    fn count(&mut self, size: usize) -> Decoded<usize> {
        let count = usize::decode(self)?;
        if count <= self.bytes.len() / size { Ok(count) } else { Err(Malformed) }
    }
}

/// A value that can cross.
pub trait Wire: Sized {
    /// Appends the value.
    fn encode(&self, to: &mut Encoder);
    /// Reads the value back.
    fn decode(from: &mut Decoder<'_>) -> Decoded<Self>;
}

/// Implements [`Wire`] for structures by their fields, in order. A field left out does not compile.
macro_rules! wire_struct {
    ($($name:ident { $($field:ident),* $(,)? })*) => { $(
        impl $crate::share::codec::Wire for $name {
            fn encode(&self, to: &mut $crate::share::codec::Encoder) {
                let $name { $($field),* } = self;
                $($field.encode(to);)*
            }
            fn decode(from: &mut $crate::share::codec::Decoder<'_>) -> $crate::share::codec::Decoded<Self> {
                $(let $field = $crate::share::codec::Wire::decode(from)?;)*
                Ok($name { $($field),* })
            }
        }
    )* };
}

/// Implements [`Wire`] for enums: `Name { number = Variant { field: field, .. }, .. }`, a tuple variant's
/// fields being `0: name`, `1: name`. A variant left out does not compile.
macro_rules! wire_enum {
    ($($name:ident { $($number:literal = $variant:ident $({ $($key:tt : $field:ident),* })?),* $(,)? })*) => { $(
        impl $crate::share::codec::Wire for $name {
            fn encode(&self, to: &mut $crate::share::codec::Encoder) {
                match self { $(
                    $name::$variant { $($($key: $field),*)? } => {
                        to.bytes.push($number);
                        $($($field.encode(to);)*)?
                    }
                )* }
            }
            fn decode(from: &mut $crate::share::codec::Decoder<'_>) -> $crate::share::codec::Decoded<Self> {
                match from.byte()? {
                    $($number => {
                        $($(let $field = $crate::share::codec::Wire::decode(from)?;)*)?
                        Ok($name::$variant { $($($key: $field),*)? })
                    })*
                    _ => Err($crate::share::codec::Malformed),
                }
            }
        }
    )* };
}

/// Implements [`Wire`] for plain values that derive serde: their postcard bytes.
macro_rules! wire_values {
    ($($name:ty),* $(,)?) => { $(
        impl $crate::share::codec::Wire for $name {
            fn encode(&self, to: &mut $crate::share::codec::Encoder) {
                // Only a value that refuses to be serialised fails, and plain ones do not.
                let bytes = postcard::to_stdvec(self).unwrap_or_default();
                $crate::share::codec::Bytes::encode_from(&bytes, to);
            }
            fn decode(from: &mut $crate::share::codec::Decoder<'_>) -> $crate::share::codec::Decoded<Self> {
                let $crate::share::codec::Bytes(bytes) = $crate::share::codec::Wire::decode(from)?;
                postcard::from_bytes(&bytes).map_err(|_| $crate::share::codec::Malformed)
            }
        }
    )* };
}

pub(super) use {wire_enum, wire_struct, wire_values};

impl Wire for u64 {
    fn encode(&self, to: &mut Encoder) {
        let mut rest = *self;
        while rest >= 0x80 {
            to.bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        to.bytes.push(rest as u8);
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = from.byte()?;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                return Err(Malformed);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }
}

macro_rules! narrower {
    ($($name:ty),*) => { $(
        impl Wire for $name {
            fn encode(&self, to: &mut Encoder) {
                (*self as u64).encode(to);
            }
            fn decode(from: &mut Decoder<'_>) -> Decoded<$name> {
                u64::decode(from)?.try_into().map_err(|_| Malformed)
            }
        }
    )* };
}

narrower!(u16, u32, usize);

impl Wire for u8 {
    fn encode(&self, to: &mut Encoder) {
        to.bytes.push(*self);
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<u8> {
        from.byte()
    }
}

impl Wire for bool {
    fn encode(&self, to: &mut Encoder) {
        to.bytes.push(u8::from(*self));
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<bool> {
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }
}

impl Wire for () {
    fn encode(&self, _: &mut Encoder) {}

    fn decode(_: &mut Decoder<'_>) -> Decoded<()> {
        Ok(())
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn encode(&self, to: &mut Encoder) {
        self.0.encode(to);
        self.1.encode(to);
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<(A, B)> {
        Ok((A::decode(from)?, B::decode(from)?))
    }
}

impl<T: Wire> Wire for Option<T> {
    fn encode(&self, to: &mut Encoder) {
        self.is_some().encode(to);
        if let Some(value) = self {
            value.encode(to);
        }
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<Option<T>> {
        if bool::decode(from)? { T::decode(from).map(Some) } else { Ok(None) }
    }
}

impl<T: Wire, E: Wire> Wire for Result<T, E> {
    fn encode(&self, to: &mut Encoder) {
        self.is_ok().encode(to);
        match self {
            Ok(value) => value.encode(to),
            Err(error) => error.encode(to),
        }
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<Result<T, E>> {
        if bool::decode(from)? { T::decode(from).map(Ok) } else { E::decode(from).map(Err) }
    }
}

/// Elements of a sequence that is written by [`Wire`] for `Vec`. Bytes and UTF-16 have their own forms
/// (see [`Bytes`] and [`Utf16`]), so that they are copied whole.
pub trait Element: Wire {}

impl<T: Element> Wire for Vec<T> {
    fn encode(&self, to: &mut Encoder) {
        self.len().encode(to);
        for element in self {
            element.encode(to);
        }
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<Vec<T>> {
        let count = from.count(1)?;
        (0..count).map(|_| T::decode(from)).collect()
    }
}

/// Bytes, as a length and themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// Writes bytes that are somebody else's.
    pub fn encode_from(bytes: &[u8], to: &mut Encoder) {
        bytes.len().encode(to);
        to.bytes.extend_from_slice(bytes);
    }
}

impl Wire for Bytes {
    fn encode(&self, to: &mut Encoder) {
        Bytes::encode_from(&self.0, to);
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<Bytes> {
        let len = from.count(1)?;
        Ok(Bytes(from.take(len)?.to_vec()))
    }
}

/// UTF-16 text as C gave it, well-formed or not: a count of units, two bytes each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Utf16(pub Vec<u16>);

impl Wire for Utf16 {
    fn encode(&self, to: &mut Encoder) {
        self.0.len().encode(to);
        to.bytes.extend(self.0.iter().flat_map(|unit| unit.to_le_bytes()));
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<Utf16> {
        let units = from.count(2)?;
        let bytes = from.take(units * 2)?;
        Ok(Utf16(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()))
    }
}

impl Wire for String {
    fn encode(&self, to: &mut Encoder) {
        Bytes::encode_from(self.as_bytes(), to);
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<String> {
        String::from_utf8(Bytes::decode(from)?.0).map_err(|_| Malformed)
    }
}

impl Wire for Arc<File> {
    fn encode(&self, to: &mut Encoder) {
        to.files.push(Arc::clone(self));
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<Arc<File>> {
        from.files.next().map(Arc::new).ok_or(Malformed)
    }
}

impl Wire for SocketAddr {
    fn encode(&self, to: &mut Encoder) {
        match self {
            SocketAddr::V4(address) => {
                to.bytes.push(4);
                to.bytes.extend(address.ip().octets());
                address.port().encode(to);
            }
            SocketAddr::V6(address) => {
                to.bytes.push(6);
                to.bytes.extend(address.ip().octets());
                address.port().encode(to);
                address.flowinfo().encode(to);
                address.scope_id().encode(to);
            }
        }
    }

    fn decode(from: &mut Decoder<'_>) -> Decoded<SocketAddr> {
        match from.byte()? {
            4 => {
                let octets: [u8; 4] = from.take(4)?.try_into().map_err(|_| Malformed)?;
                Ok(SocketAddr::new(IpAddr::from(octets), Wire::decode(from)?))
            }
            6 => {
                let octets: [u8; 16] = from.take(16)?.try_into().map_err(|_| Malformed)?;
                let (port, (flow, scope)) = Wire::decode(from)?;
                Ok(SocketAddrV6::new(octets.into(), port, flow, scope).into())
            }
            _ => Err(Malformed),
        }
    }
}
