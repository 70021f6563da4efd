//! Bars on a terminal: how much of each body has come, and how fast.
//!
//! Transfers note what has come in a [`Gauge`], from whichever thread; bars are drawn by the main thread alone.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::admin::print;

use super::order::Order;

/// How often there is something new to draw.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// More bodies than this have one bar for all.
const MOST_BARS: usize = 8;

/// How far a body has come.
#[derive(Default)]
pub(super) struct Gauge {
    here: AtomicU64,
    /// 0 when it is not known.
    whole: AtomicU64,
    stage: AtomicU8,
}

const BEGUN: u8 = 1;
const ENDED: u8 = 2;

impl Gauge {
    /// A body begins, of which `here` bytes are there and `whole` are wanted.
    pub(super) fn begin(&self, here: u64, whole: Option<u64>) {
        self.here.store(here, Ordering::Relaxed);
        self.whole.store(whole.unwrap_or(0), Ordering::Relaxed);
        self.stage.store(BEGUN, Ordering::Release);
    }

    pub(super) fn add(&self, bytes: u32) {
        self.here.fetch_add(bytes.into(), Ordering::Relaxed);
    }

    /// The body is complete, or will not be.
    pub(super) fn end(&self) {
        self.stage.fetch_or(ENDED, Ordering::Release);
    }

    fn is(&self, stage: u8) -> bool {
        self.stage.load(Ordering::Acquire) & stage != 0
    }
}

/// All gauges, and what is drawn of them.
pub(super) struct Progress {
    gauges: Vec<Arc<Gauge>>,
    bars: Bars,
}

enum Bars {
    Hidden,
    Each { all: MultiProgress, names: Vec<String>, bars: Vec<Option<ProgressBar>> },
    Together(ProgressBar),
}

impl Progress {
    /// Bars are shown to people who do not see the body itself.
    pub(super) fn new(order: &Order) -> Progress {
        let count = order.urls.len();
        let gauges = (0..count).map(|_| Arc::default()).collect();
        let body_is_printed = order.files.is_empty() || order.files.contains(&None);
        let body_is_shown = body_is_printed && std::io::stdout().is_terminal();
        let hidden = body_is_shown || order.words.silent || order.words.verbose || order.as_json;
        let bars = if hidden || !std::io::stderr().is_terminal() {
            Bars::Hidden
        } else if count > MOST_BARS {
            let style = style("[{bar:30}] {pos}/{len} URLs {msg} {elapsed}");
            Bars::Together(ProgressBar::new(count as u64).with_style(style))
        } else {
            let names = order.urls.clone();
            Bars::Each { all: MultiProgress::new(), names, bars: vec![None; count] }
        };
        Progress { gauges, bars }
    }

    pub(super) fn gauge(&self, number: usize) -> Arc<Gauge> {
        Arc::clone(&self.gauges[number])
    }

    pub(super) fn is_shown(&self) -> bool {
        !matches!(self.bars, Bars::Hidden)
    }

    /// Shows what the gauges say. Called often: the terminal is written to now and then only.
    pub(super) fn draw(&mut self) {
        match &mut self.bars {
            Bars::Hidden => {}
            Bars::Each { all, names, bars } => {
                for ((gauge, bar), name) in self.gauges.iter().zip(bars).zip(names) {
                    draw_one(gauge, bar, name, all);
                }
            }
            Bars::Together(bar) => {
                bar.set_position(self.gauges.iter().filter(|gauge| gauge.is(ENDED)).count() as u64);
                let bytes = self.gauges.iter().map(|gauge| gauge.here.load(Ordering::Relaxed)).sum();
                bar.set_message(print::size(bytes));
            }
        }
    }

    /// Does what writes to the terminal while no bar is in the way.
    pub(super) fn pause(&self, write: impl FnOnce()) {
        match &self.bars {
            Bars::Hidden => write(),
            Bars::Each { all, .. } => all.suspend(write),
            Bars::Together(bar) => bar.suspend(write),
        }
    }
}

impl Drop for Progress {
    /// The bars stay as they are.
    fn drop(&mut self) {
        self.draw();
        if let Bars::Together(bar) = &self.bars {
            bar.abandon();
        }
    }
}

fn draw_one(gauge: &Gauge, bar: &mut Option<ProgressBar>, name: &str, all: &MultiProgress) {
    if !gauge.is(BEGUN) || bar.as_ref().is_some_and(ProgressBar::is_finished) {
        return;
    }
    let here = gauge.here.load(Ordering::Relaxed);
    let bar = bar.get_or_insert_with(|| new_bar(gauge, name, all));
    bar.set_position(here);
    if gauge.is(ENDED) {
        bar.abandon();
    }
}

fn new_bar(gauge: &Gauge, name: &str, all: &MultiProgress) -> ProgressBar {
    let (bar, template) = match gauge.whole.load(Ordering::Relaxed) {
        0 => (ProgressBar::new_spinner(), "{prefix} {spinner} {bytes} {bytes_per_sec}"),
        whole => (ProgressBar::new(whole), "{prefix} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}"),
    };
    let bar = all.add(bar.with_style(style(template)).with_prefix(name.to_owned()));
    // What was there before has not come at any speed.
    bar.set_position(gauge.here.load(Ordering::Relaxed));
    bar.reset_eta();
    bar
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}
