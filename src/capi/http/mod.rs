//! `http.h`: the HTTP Server API, a file for each group of MSDN's pages, in MSDN's order.
//!
//! Every function here reads its arguments, makes one command of [`Service`](crate::server::service::Service) of
//! them and writes the result. `layout`, `joined`, `cooked`, `address` and `write_request` put a request into the
//! caller's buffer; `read_response` and `chunks` take a response out of the caller's structures; `calls` waits.

pub mod body;
pub mod cache;
pub mod cancel;
pub mod config;
pub mod counters;
pub mod descriptor;
pub mod features;
pub mod init;
pub mod prepare;
pub mod properties;
pub mod queue;
pub mod receive;
pub mod request_property;
pub mod send;
pub mod session;
pub mod token;
pub mod url;
pub mod url_group;

mod address;
mod auth_info;
mod caller;
mod calls;
mod chunks;
mod config_query;
mod config_read;
mod cooked;
mod engine;
mod joined;
mod layout;
mod property_added;
mod property_auth;
mod property_buffers;
mod property_credentials;
mod property_listen;
mod property_logging;
mod property_qos;
mod property_values;
mod racing;
mod read_log;
mod read_response;
mod request_info;
mod request_tail;
#[cfg(test)]
mod samples;
mod tail;
mod trailers;
mod verifiers;
mod wide;
mod write_request;
