//! net

pub mod fd_channel;
