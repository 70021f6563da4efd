//! `winhttp.h`: every function reads its arguments, calls `client`, and writes results. No decisions about HTTP.
//!
//! | file | functions |
//! |---|---|
//! | `session` | WinHttpOpen, Connect, CloseHandle, SetStatusCallback, SetTimeouts, CheckPlatform |
//! | `request` | WinHttpOpenRequest, AddRequestHeaders(Ex), SendRequest, WriteData |
//! | `response` | WinHttpReceiveResponse, QueryDataAvailable, ReadData(Ex) |
//! | `headers`, `headers_ex` | WinHttpQueryHeaders, WinHttpQueryHeadersEx |
//! | `auth` | WinHttpSetCredentials, QueryAuthSchemes |
//! | `options` | WinHttpQueryOption, WinHttpSetOption; the table of options is in `option_get` and `option_set`, and by topic in `option_*` |
//! | `websocket` | WinHttpWebSocketCompleteUpgrade, Send, Receive, Shutdown, Close, QueryCloseStatus; their options are in `option_websocket` |
//! | `url`, `time` | WinHttpCrackUrl, CreateUrl, TimeFromSystemTime, TimeToSystemTime |
//!
//! An `HINTERNET` is a number of the table in `handle`; `notify` turns events into calls of the application's
//! function; `text` reads and writes strings.

pub mod auth;
pub mod headers;
pub mod headers_ex;
pub mod options;
pub mod request;
pub mod response;
pub mod session;
pub mod time;
pub mod url;
pub mod websocket;

mod handle;
mod notify;
mod option_async;
mod option_auth;
mod option_decompress;
mod option_get;
mod option_kept;
mod option_proxy;
mod option_set;
mod option_tls;
mod option_websocket;
mod proxy_text;
mod target;
mod text;
mod websocket_notify;
