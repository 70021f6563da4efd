//! The Win32 functions that programs need around the two APIs: memory, files, errors, text, threads, waits,
//! asynchronous I/O, time and modules. One file a group of MSDN; the objects behind them are in `win32`.
//!
//! Handle tables are prepared for a fork here: in the child every handle of the parent is refused.

pub mod asynchronous;
pub mod error;
pub mod event;
pub mod file;
pub mod file_path;
pub mod handle;
pub mod lock;
pub mod memory;
mod messages;
mod messages_winhttp;
pub mod module;
pub mod port;
mod read;
pub mod string;
pub mod system;
pub mod thread;
pub mod threadpool;
pub mod time;
pub mod wait;
