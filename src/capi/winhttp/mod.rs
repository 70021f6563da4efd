//! `winhttp.h`: every function reads its arguments, calls `client`, and writes results. No decisions about HTTP.
//!
//! | file | functions |
//! |---|---|
//! | `session` | WinHttpOpen, Connect, CloseHandle, SetStatusCallback, SetTimeouts, CheckPlatform |
//! | `request` | WinHttpOpenRequest, AddRequestHeaders(Ex), SendRequest, WriteData |
//! | `response` | WinHttpReceiveResponse, QueryDataAvailable, ReadData(Ex) |
//! | `headers`, `headers_ex` | WinHttpQueryHeaders, WinHttpQueryHeadersEx |
//! | `group` | WinHttpQueryConnectionGroup, WinHttpFreeQueryConnectionGroupResult |
//! | `auth` | WinHttpSetCredentials, QueryAuthSchemes |
//! | `options` | WinHttpQueryOption, WinHttpSetOption; the table of options is in `option_get` and `option_set`, and by topic in `option_*` |
//! | `proxy_config` | WinHttpGet/SetDefaultProxyConfiguration, GetIEProxyConfigForCurrentUser |
//! | `proxy_detect` | WinHttpDetectAutoProxyConfigUrl, GetProxyForUrl, ResetAutoProxy |
//! | `resolver` | WinHttpCreateProxyResolver, GetProxyForUrlEx(2), GetProxyResult(Ex), FreeProxyResult(Ex) |
//! | `proxy_settings` | WinHttpGetProxySettingsEx, its result, and the older functions of that kind |
//! | `proxy_change` | WinHttpRegisterProxyChangeNotification and its end |
//! | `proxy_connection` | WinHttpConnection...: refused |
//! | `websocket` | WinHttpWebSocketCompleteUpgrade, Send, Receive, Shutdown, Close, QueryCloseStatus; their options are in `option_websocket` |
//! | `url`, `time` | WinHttpCrackUrl, CreateUrl, TimeFromSystemTime, TimeToSystemTime |
//!
//! An `HINTERNET` is a number of the table in `handle`; `notify` turns events into calls of the application's
//! function; `text` reads and writes strings.

pub mod auth;
pub mod group;
pub mod headers;
pub mod headers_ex;
pub mod options;
pub mod proxy_change;
pub mod proxy_config;
pub mod proxy_connection;
pub mod proxy_detect;
pub mod proxy_settings;
pub mod request;
pub mod resolver;
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
mod option_facts;
mod option_get;
mod option_kept;
mod option_network;
mod option_proxy;
mod option_set;
mod option_tls;
mod option_websocket;
mod proxy_text;
mod target;
mod text;
mod websocket_notify;
