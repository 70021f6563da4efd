//! Settings of newer WinHTTP versions: how URLs are encoded, which protocols are allowed, and what the application
//! notes on a request.

use std::sync::Arc;

use crate::abi::error::{Error, Result};
use crate::win32::last_error::explain;

/// See the option of the same name for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Code page of the query of URLs opened later; 0 is UTF-8.
    pub code_page: u32,
    /// Path and query are escaped whatever the flags of WinHttpOpenRequest say.
    pub encode_extra: bool,
    /// WINHTTP_PROTOCOL_FLAG_* that may be used.
    pub protocols: u32,
    /// Only those may be used.
    pub protocols_only: bool,
    /// Words of the application about the request.
    pub annotation: Option<Arc<[u16]>>,
}

/// `ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH`
const PROTOCOL_MISMATCH: Error = Error(12190);

impl Kept {
    /// Refuses HTTP/1.1 where the application wants nothing but a newer protocol.
    pub(crate) fn check_protocol(&self) -> Result<()> {
        if self.protocols_only && self.protocols != 0 {
            explain(format_args!("only HTTP/2 or HTTP/3 is allowed, and the exchange would be HTTP/1.1"));
            return Err(PROTOCOL_MISMATCH);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_required_protocol_is_missed() {
        let mut kept = Kept { protocols_only: true, ..Kept::default() };
        assert_eq!(kept.check_protocol(), Ok(()));
        kept.protocols = 1;
        assert_eq!(kept.check_protocol(), Err(PROTOCOL_MISMATCH));
        kept.protocols_only = false;
        assert_eq!(kept.check_protocol(), Ok(()));
    }
}
