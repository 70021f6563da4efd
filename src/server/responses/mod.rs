//! Responses on their way out.
//!
//! | file | what |
//! |---|---|
//! | `head` | what the system adds, in which order |
//! | `partial` | 206, 416, 304 |
//! | `parcel` | head and chunks, as they are sent |
//! | `trailers` | the end of a chunked body |
//! | `outbound` | sending, as far as the socket takes it |
//! | `pipeline` | several at a time |

pub(crate) mod head;
pub(crate) mod outbound;
pub(crate) mod parcel;
pub(crate) mod partial;
pub(crate) mod pipeline;
pub(crate) mod trailers;
