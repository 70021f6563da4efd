//! What newer systems can do: `HttpIsFeatureSupported`.
#![expect(unsafe_code, reason = "function called from C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use crate::abi::base::BOOL;
use crate::abi::http::{HTTP_FEATURE_ID, HttpFeatureResponseTrailers};

/// Whether a feature works: response trailers do; API timings, delegation and HTTP/3 do not, nor do numbers without a
/// meaning.
///
/// MSDN: HttpIsFeatureSupported function.
///
/// # Safety
/// None needed; no pointer is followed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpIsFeatureSupported(FeatureId: HTTP_FEATURE_ID) -> BOOL {
    BOOL::from(FeatureId == HttpFeatureResponseTrailers)
}
