//! Trailers of responses: a trailers chunk becomes the end of a chunked body, where there is one.
//!
//! The application frames the chunks of its body itself (digest §5.2); with a trailers chunk it leaves the end of the
//! body to us: last chunk, fields, empty line.

use crate::abi::error::{Error, Result};
use crate::wire::trailers::end_of_body;

use super::head::is_chunked;
use crate::server::connections::connection::Active;
use crate::server::service::{Body, Chunk, ResponseHead, SendFlags};

/// Whether a body has trailers anywhere.
pub(crate) fn has_trailers(body: &Body) -> bool {
    body.iter().any(|chunk| matches!(chunk, Chunk::Trailers(_)))
}

impl Active<'_> {
    /// Puts the end of the body in the place of a trailers chunk. `head` is the response's if it is sent with it.
    /// `INVALID_PARAMETER` if the chunk is not the last of the response, `NOT_SUPPORTED` if the body is not chunked.
    pub(crate) fn end_with_trailers(
        &self,
        flags: SendFlags,
        head: Option<&ResponseHead>,
        body: &mut Body,
    ) -> Result<()> {
        let Some(Chunk::Trailers(section)) = body.pop() else { return Err(Error::INVALID_PARAMETER) };
        if flags.more_data || has_trailers(body) {
            return Err(Error::INVALID_PARAMETER);
        }
        let work = self.state.work.as_ref().ok_or(Error::CONNECTION_INVALID)?;
        let exchange = work.exchange.as_ref().ok_or(Error::CONNECTION_INVALID)?;
        let chunked = head.map_or(exchange.chunked, is_chunked);
        if !chunked || work.head.version < (1, 1) {
            return Err(Error::NOT_SUPPORTED);
        }
        let bytes: std::sync::Arc<[u8]> = end_of_body(&section).into();
        let length = bytes.len();
        body.push(Chunk::Shared { bytes, offset: 0, length });
        Ok(())
    }
}
