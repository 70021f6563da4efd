//! Bars on a terminal: how much of each body has come, and how fast.

use std::io::IsTerminal;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::order::Order;

/// All bars.
pub(super) struct Progress {
    bars: Option<MultiProgress>,
}

/// One bar, or none.
pub(super) struct Bar(Option<ProgressBar>);

impl Progress {
    /// Bars are shown to people who do not see the body itself.
    pub(super) fn new(order: &Order) -> Progress {
        let body_is_shown = order.files.is_empty() && std::io::stdout().is_terminal();
        let shown = std::io::stderr().is_terminal()
            && !(body_is_shown || order.words.silent || order.words.verbose || order.as_json);
        Progress { bars: shown.then(MultiProgress::new) }
    }

    /// A bar for a body, of which `have` bytes are there and `whole` are wanted.
    pub(super) fn bar(&self, name: &str, have: u64, whole: Option<u64>) -> Bar {
        let Some(bars) = &self.bars else { return Bar(None) };
        let bar = bars.add(whole.map_or_else(ProgressBar::new_spinner, ProgressBar::new));
        let template = match whole {
            Some(_) => "{prefix} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            None => "{prefix} {spinner} {bytes} {bytes_per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(name.to_owned());
        bar.set_position(have);
        bar.reset_eta();
        Bar(Some(bar))
    }
}

impl Bar {
    pub(super) fn add(&self, bytes: usize) {
        if let Some(bar) = &self.0 {
            bar.inc(bytes as u64);
        }
    }

    /// The body is complete, or will not be.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.abandon();
        }
    }
}
