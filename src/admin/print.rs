//! Text for people: headings, `name : value` lines as netsh prints them, tables whose columns line up.

use serde::Serialize;

/// Prints one JSON document.
pub(super) fn json(value: &impl Serialize) -> Result<(), String> {
    let text = serde_json::to_string_pretty(value).map_err(|why| why.to_string())?;
    line(&text);
    Ok(())
}

/// Prints a line; a reader that has gone away (`| head`) ends the command without a word.
pub(super) fn line(text: &str) {
    use std::io::Write;
    if writeln!(std::io::stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// Prints a line to the standard error, in one piece. Who does not listen there is not told.
pub(super) fn aside(text: &str) {
    use std::io::Write;
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// A heading, underlined.
pub(super) fn heading(text: &str) {
    line(&format!("\n{text}:\n{}\n", "-".repeat(text.chars().count() + 1)));
}

/// `    name              : value` lines, the colons under each other.
pub(super) fn pairs(indent: usize, pairs: &[(&str, String)]) {
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in pairs {
        line(&format!("{:indent$}{name:<width$} : {value}", ""));
    }
}

/// A table with a head; numbers (by their first sign) stand to the right.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) {
    let width = |at: usize| {
        let cells = rows.iter().map(|row| row[at].chars().count());
        cells.chain([head[at].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let right: Vec<bool> = (0..head.len()).map(|at| rows.iter().all(|row| is_number(&row[at]))).collect();
    let format = |cells: &mut dyn Iterator<Item = &str>| {
        let cells = cells.enumerate().map(|(at, cell)| match right[at] {
            true => format!("{cell:>width$}", width = widths[at]),
            false => format!("{cell:<width$}", width = widths[at]),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    line(&format(&mut head.iter().copied()));
    for row in rows {
        line(&format(&mut row.iter().map(String::as_str)));
    }
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) || text == "-"
}

/// `12`, `1.2 KiB`, `3.4 MiB`: bytes as people read them.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// `850 ms`, `12 s`, `3 min`, `5 h`: a span of time as people read it.
pub(super) fn span(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..120_000 => format!("{} s", ms / 1_000),
        120_000..7_200_000 => format!("{} min", ms / 60_000),
        _ => format!("{} h", ms / 3_600_000),
    }
}

/// yes or no.
pub(super) fn yes(value: bool) -> String {
    (if value { "Yes" } else { "No" }).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_are_rounded_down_to_what_one_reads() {
        assert_eq!(
            (size(1023), size(1024), size(5 << 20)),
            ("1023 B".into(), "1.0 KiB".into(), "5.0 MiB".into())
        );
        assert_eq!(
            (span(999), span(119_999), span(7_200_000)),
            ("999 ms".into(), "119 s".into(), "2 h".into())
        );
    }
}
