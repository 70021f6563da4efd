//! net

pub mod client_stream;
pub mod dial;
pub mod resolve;
