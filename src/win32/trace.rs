//! The diagnostic log: what the library has to say about itself, on standard error, when `NTHTTP_LOG` asks for it
//! (`error`, `warn`, `info` or `debug`).
//!
//! Off, an event costs one load and one branch; its arguments are not even formatted. What responses and refusals
//! leave behind are other logs (`server::log`).

use std::fmt;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Error = 1,
    Warn,
    Info,
    Debug,
}

/// The level asked for: 0 for none, [`UNKNOWN`] before the first event.
static WANTED: AtomicU8 = AtomicU8::new(UNKNOWN);

const UNKNOWN: u8 = u8::MAX;

/// The library cannot do what it must.
#[inline]
pub fn error(words: fmt::Arguments<'_>) {
    event(Level::Error, words);
}

/// Something is lost or left out.
#[inline]
pub fn warn(words: fmt::Arguments<'_>) {
    event(Level::Warn, words);
}

/// Something rare happened.
#[inline]
pub fn info(words: fmt::Arguments<'_>) {
    event(Level::Info, words);
}

/// What a connection or request came to.
#[inline]
pub fn debug(words: fmt::Arguments<'_>) {
    event(Level::Debug, words);
}

#[inline]
fn event(level: Level, words: fmt::Arguments<'_>) {
    // Unknown is larger than every level, so that the first event of all finds out.
    if WANTED.load(Ordering::Relaxed) >= level as u8 {
        say(level, words);
    }
}

#[cold]
fn say(level: Level, words: fmt::Arguments<'_>) {
    static START: OnceLock<Instant> = OnceLock::new();
    if WANTED.load(Ordering::Relaxed) == UNKNOWN {
        let asked = std::env::var("NTHTTP_LOG").unwrap_or_default();
        WANTED.store(level_of(&asked), Ordering::Relaxed);
    }
    if WANTED.load(Ordering::Relaxed) < level as u8 {
        return;
    }
    let since = START.get_or_init(Instant::now).elapsed();
    let name = match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
    };
    let line = format!("nthttp {:>9.3} {name:5} {words}\n", since.as_secs_f64());
    // In one piece, so that lines of threads do not mix. Who closed standard error wants no words.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

fn level_of(name: &str) -> u8 {
    match name.to_ascii_lowercase().as_str() {
        "error" => Level::Error as u8,
        "warn" | "warning" => Level::Warn as u8,
        "info" => Level::Info as u8,
        "debug" | "trace" => Level::Debug as u8,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_words() {
        assert_eq!(["error", "WARN", "info", "debug", "", "yes"].map(level_of), [1, 2, 3, 4, 0, 0]);
    }
}
