//! What newer systems can do: `HttpIsFeatureSupported`.
#![expect(unsafe_code, reason = "function called from C")]
#![expect(non_snake_case, reason = "Windows spelling, as in the header")]

use crate::abi::base::{BOOL, FALSE};
use crate::abi::http::HTTP_FEATURE_ID;

/// Whether a feature works: response trailers, API timings, delegation, HTTP/3. None of them does, so the answer is
/// always `FALSE`, as it is for numbers without a meaning.
///
/// MSDN: HttpIsFeatureSupported function.
///
/// # Safety
/// None needed; no pointer is followed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HttpIsFeatureSupported(FeatureId: HTTP_FEATURE_ID) -> BOOL {
    let _ = FeatureId;
    FALSE
}
