//! `top`: queues, URL groups, connections and cache of running processes, looked at again and again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Cell, Paragraph, Row, Table};
use ratatui::{DefaultTerminal, Frame};

use crate::server::monitor::snapshot::{Show, Snapshot};

use super::Outcome;
use super::control::processes;
use super::print::{size, span};

/// What was seen, and what the look before it had counted.
#[derive(Default)]
struct View {
    seen: Vec<Snapshot>,
    /// Requests and bytes of each process at the last look.
    before: HashMap<u32, (u64, u64)>,
    /// Requests and bytes a second since then.
    rates: HashMap<u32, (f64, f64)>,
    at: Option<Instant>,
    trouble: String,
}

/// Looks until `q` is pressed.
pub(super) fn run(process: Option<u32>, interval: f64) -> Outcome {
    if !(0.1..=3600.0).contains(&interval) {
        return Err("--interval is a number of seconds from 0.1 to 3600".to_owned());
    }
    let mut view = View::default();
    view.look(process)?;
    let mut terminal =
        ratatui::try_init().map_err(|why| format!("no terminal: {why}; see: nthttp show servicestate"))?;
    let outcome = watch(&mut terminal, &mut view, process, Duration::from_secs_f64(interval));
    ratatui::restore();
    outcome
}

fn watch(
    terminal: &mut DefaultTerminal,
    view: &mut View,
    process: Option<u32>,
    interval: Duration,
) -> Outcome {
    let fail = |why: std::io::Error| why.to_string();
    let mut next = Instant::now() + interval;
    loop {
        terminal.draw(|frame| view.draw(frame)).map_err(fail)?;
        let left = next.saturating_duration_since(Instant::now());
        if event::poll(left).map_err(fail)? {
            match event::read().map_err(fail)? {
                Event::Key(key) if key.kind == KeyEventKind::Press => match key.code {
                    KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
                    KeyCode::Char('c') if key.modifiers.contains(event::KeyModifiers::CONTROL) => {
                        return Ok(());
                    }
                    _ => {}
                },
                _ => {}
            }
            continue;
        }
        next = Instant::now() + interval;
        view.trouble = view.look(process).err().unwrap_or_default();
    }
}

impl View {
    fn look(&mut self, process: Option<u32>) -> Outcome {
        let found = processes(process)?;
        self.seen = found.iter().filter_map(|p| p.show(Show::Snapshot).ok()).collect();
        let passed = self.at.replace(Instant::now()).map_or(0.0, |at| at.elapsed().as_secs_f64());
        let mut before = HashMap::new();
        self.rates.clear();
        for snapshot in &self.seen {
            let now = (snapshot.service.all_requests, snapshot.service.bytes_sent);
            if let (Some(last), true) = (self.before.get(&snapshot.pid), passed > 0.0) {
                let rate = |now: u64, last: u64| now.saturating_sub(last) as f64 / passed;
                self.rates.insert(snapshot.pid, (rate(now.0, last.0), rate(now.1, last.1)));
            }
            before.insert(snapshot.pid, now);
        }
        self.before = before;
        Ok(())
    }

    fn draw(&self, frame: &mut Frame<'_>) {
        let of = |count: usize| Constraint::Length(count.min(12) as u16 + 3);
        let queues: usize = self.seen.iter().map(|s| s.queues.len()).sum();
        let groups: usize = self.seen.iter().flat_map(|s| &s.sessions).map(|s| s.groups.len()).sum();
        let parts = Layout::vertical([
            of(self.seen.len()),
            of(queues),
            of(groups),
            Constraint::Min(4),
            Constraint::Length(1),
        ]);
        let [top, second, third, fourth, foot] = parts.areas(frame.area());
        frame.render_widget(self.process_table(), top);
        frame.render_widget(self.queue_table(), second);
        frame.render_widget(self.group_table(), third);
        frame.render_widget(self.connection_table(), fourth);
        let word = match (self.seen.is_empty(), self.trouble.is_empty()) {
            (_, false) => self.trouble.clone(),
            (true, true) => "no process of this user serves HTTP    q: quit".to_owned(),
            (false, true) => "q: quit".to_owned(),
        };
        frame.render_widget(Paragraph::new(Line::from(word)), foot);
    }

    fn process_table(&self) -> Table<'_> {
        let rows = self.seen.iter().map(|s| {
            let (requests, bytes) = self.rates.get(&s.pid).copied().unwrap_or_default();
            let cache = &s.cache;
            let looked = cache.hits + cache.misses;
            let hits =
                (cache.hits * 100).checked_div(looked).map_or("-".to_owned(), |share| format!("{share}%"));
            row([
                s.pid.to_string(),
                s.program.clone(),
                s.service.current_connections.to_string(),
                format!("{requests:.0}"),
                format!("{}/s", size(bytes as u64)),
                s.service.errors.to_string(),
                format!("{} in {}", size(cache.bytes), cache.current_uris),
                hits,
            ])
        });
        let head = ["pid", "program", "connections", "requests/s", "sent", "errors", "cache", "hits"];
        let widths = [8, 24, 12, 11, 12, 8, 18, 6].map(Constraint::Length);
        table("Processes", head, rows, widths)
    }

    fn queue_table(&self) -> Table<'_> {
        let rows = self.seen.iter().flat_map(|s| s.queues.iter().map(move |queue| (s.pid, queue))).map(
            |(pid, queue)| {
                let counters = &queue.counters;
                row([
                    pid.to_string(),
                    format!("{:X}", queue.id),
                    format!("{}/{}", counters.current_queue_size, queue.length),
                    span(counters.max_queue_item_age_ms),
                    queue.receivers.to_string(),
                    counters.arrived.to_string(),
                    counters.rejected.to_string(),
                    if queue.active { "active" } else { "inactive" }.to_owned(),
                ])
            },
        );
        let head = ["pid", "queue", "waiting", "oldest", "receives", "arrived", "rejected", "state"];
        let widths = [8, 16, 12, 9, 9, 12, 9, 10].map(Constraint::Length);
        table("Request queues", head, rows, widths)
    }

    fn group_table(&self) -> Table<'_> {
        let groups = self
            .seen
            .iter()
            .flat_map(|s| s.sessions.iter().flat_map(move |x| x.groups.iter().map(move |g| (s.pid, g))));
        let rows = groups.map(|(pid, group)| {
            let counters = &group.counters;
            row([
                pid.to_string(),
                counters.current_connections.to_string(),
                counters.all_requests.to_string(),
                size(counters.bytes_received),
                size(counters.bytes_sent),
                group.urls.join(" "),
            ])
        });
        let head = ["pid", "connections", "requests", "received", "sent", "URLs"];
        let widths = [
            Constraint::Length(8),
            Constraint::Length(12),
            Constraint::Length(12),
            Constraint::Length(11),
            Constraint::Length(11),
            Constraint::Min(20),
        ];
        table("URL groups", head, rows, widths)
    }

    fn connection_table(&self) -> Table<'_> {
        let mut all: Vec<_> =
            self.seen.iter().flat_map(|s| s.connections.iter().map(move |c| (s.pid, c))).collect();
        // Those that are at something first, the longest-lived among them on top.
        all.sort_by_key(|(_, c)| (c.phase == "idle", std::cmp::Reverse(c.age_ms)));
        let rows = all.into_iter().map(|(pid, c)| {
            row([
                pid.to_string(),
                c.remote.clone(),
                c.phase.clone(),
                span(c.age_ms),
                size(c.bytes_received),
                size(c.bytes_sent),
                format!("{} {}", c.method, c.url),
            ])
        });
        let head = ["pid", "client", "phase", "age", "received", "sent", "request"];
        let widths = [
            Constraint::Length(8),
            Constraint::Length(24),
            Constraint::Length(11),
            Constraint::Length(8),
            Constraint::Length(11),
            Constraint::Length(11),
            Constraint::Min(20),
        ];
        table("Connections", head, rows, widths)
    }
}

fn row<const N: usize>(cells: [String; N]) -> Row<'static> {
    Row::new(cells.map(Cell::from))
}

fn table<'a, const N: usize>(
    title: &'a str,
    head: [&'a str; N],
    rows: impl Iterator<Item = Row<'a>>,
    widths: [Constraint; N],
) -> Table<'a> {
    let head = Row::new(head.map(Cell::from)).style(Style::new().add_modifier(Modifier::BOLD));
    Table::new(rows, widths).header(head).block(Block::bordered().title(title))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::monitor::snapshot::{ConnectionState, QueueState};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    #[test]
    fn what_runs_is_on_the_screen() {
        let mut snapshot = Snapshot { pid: 77, program: "server".into(), ..Snapshot::default() };
        snapshot.queues.push(QueueState { id: 0xABC, active: true, length: 1000, ..QueueState::default() });
        let connection = ConnectionState {
            remote: "127.0.0.1:9".into(),
            url: "/slow".into(),
            ..ConnectionState::default()
        };
        snapshot.connections.push(connection);
        let view = View { seen: vec![snapshot], ..View::default() };
        let mut terminal = Terminal::new(TestBackend::new(110, 30)).unwrap();
        terminal.draw(|frame| view.draw(frame)).unwrap();
        let screen: String = terminal.backend().buffer().content.iter().map(|cell| cell.symbol()).collect();
        for word in ["77", "server", "ABC", "0/1000", "127.0.0.1:9", "/slow", "q: quit"] {
            assert!(screen.contains(word), "{word}");
        }
    }
}
