//! WINHTTP_OPTION_DECOMPRESSION, with this library's bits for brotli and zstd (digest §6.10).

use super::handle::Object;
use super::options::Given;
use crate::abi::error::{Error, Result};
use crate::abi::winhttp::*;
use crate::client::settings::Settings;

/// As in `nthttp/winhttp_extras.h`.
const NTHTTP_DECOMPRESSION_FLAG_BROTLI: u32 = 0x100;
const NTHTTP_DECOMPRESSION_FLAG_ZSTD: u32 = 0x200;

const KNOWN: u32 =
    WINHTTP_DECOMPRESSION_FLAG_ALL | NTHTTP_DECOMPRESSION_FLAG_BROTLI | NTHTTP_DECOMPRESSION_FLAG_ZSTD;

/// Sets the option; `None` for another.
pub(super) fn set(object: &Object, option: u32, given: &Given) -> Option<Result<()>> {
    (option == WINHTTP_OPTION_DECOMPRESSION).then(|| {
        let store = |settings: &mut Settings| match given.number() {
            Ok(bits) if bits & !KNOWN != 0 => Err(Error::INVALID_PARAMETER),
            Ok(bits) => {
                settings.decompression = bits;
                Ok(())
            }
            Err(error) => Err(error),
        };
        match object {
            Object::Session(session) => session.with(|state| store(&mut state.settings)),
            Object::Request(request) => request.with_settings(store),
            _ => Err(Error::WINHTTP_INCORRECT_HANDLE_TYPE),
        }
    })
}
