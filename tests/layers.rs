//! Holds the floors: reads every `crate::<room>` (and every `super::` that climbs out of its room) in `src/`
//! against one table, and names file, line and allowed rooms when a room reaches for what lies above it.
//!
//! It also keeps `libc` in the two places that talk to the system, and files at a readable length. It reads
//! text, not syntax: comments are cut off first, and it leans on rustfmt for one statement's shape.

use std::fs;
use std::path::{Path, PathBuf};

/// The longest file that is still read in one go. Files whose first line says "generated" are exempt, and so is
/// `abi`: it is data, looked up by name and never read in one go.
const LONGEST: usize = 400;

/// Where `libc` may be named. `capi/guard` sets `errno`, which is C's and no one else's.
const SYSTEM: [&str; 3] = ["net", "capi/base", "capi/guard"];

/// Each room, and the paths below `crate::` it may name. A path allows everything inside it.
const ROOMS: [(&str, &[&str]); 11] = [
    ("abi", &[]),
    ("wire", &["abi::error"]),
    ("win32", &["abi"]),
    ("net", &["abi", "wire", "win32"]),
    ("config", &["abi", "wire", "win32", "net"]),
    ("server", &["abi", "wire", "win32", "net", "config"]),
    ("client", &["abi", "wire", "win32", "net", "config"]),
    ("share", &["abi", "wire", "win32", "net", "server", "client"]),
    ("capi", &["abi", "wire", "win32", "net", "config", "server", "client", "share"]),
    // The programs; what they do is a room's.
    ("bin", &[]),
    ("admin", &["abi", "wire", "win32", "net", "config", "server", "client", "share"]),
];

/// The Windows structures: only `capi` translates them, so no other room may name them.
const WINDOWS_STRUCTURES: [&str; 2] = ["abi::http", "abi::winhttp"];

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file under `src/`, as (path relative to `src/`, text), in a stable order.
fn sources() -> Vec<(String, String)> {
    let root = source_root();
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// The module path of a file: `server/queue/mod.rs` is `[server, queue]`, `lib.rs` is empty.
fn module_of(file: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if matches!(parts.last(), Some(&"mod" | &"lib" | &"main")) {
        parts.pop();
    }
    parts
}

/// A line without its comment. A `//` inside a string is kept when it follows a colon, as in `http://`.
fn code_of(line: &str) -> &str {
    let mut from = 0;
    while let Some(at) = line[from..].find("//").map(|i| i + from) {
        if at == 0 || line.as_bytes()[at - 1] != b':' {
            return &line[..at];
        }
        from = at + 2;
    }
    line
}

/// The text with comments blanked and `{`-groups still spread over their lines: (line number, module depth
/// added by inline modules, code). rustfmt closes an inline module at the column it opened at.
fn code_lines(text: &str) -> Vec<(usize, usize, &str)> {
    let mut inline: Vec<usize> = Vec::new();
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = code_of(line);
        let column = code.len() - code.trim_start().len();
        if code.trim_end() == format!("{}}}", " ".repeat(column)) && inline.last() == Some(&column) {
            inline.pop();
        }
        lines.push((number + 1, inline.len(), code));
        let words: Vec<&str> = code.split_whitespace().collect();
        if words.last() == Some(&"{") && words.len() >= 3 && words[words.len() - 3] == "mod" {
            inline.push(column);
        }
    }
    lines
}

/// A path named below the crate's root, such as `abi::error`, and the line it stands on.
type Naming = (usize, String);

/// What follows `crate::`: one path, or the heads of a `{a, b::c}` group that may run over several lines.
fn paths_after(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else {
        return vec![leading_path(rest)];
    };
    let mut depth = 0;
    let mut heads = vec![String::new()];
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(String::new()),
            c if depth == 0 => heads.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    heads.iter().map(|h| leading_path(h.trim())).filter(|h| !h.is_empty()).collect()
}

fn leading_path(text: &str) -> String {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    text[..end].trim_end_matches(':').to_owned()
}

/// Every path below the root that `text`, the module at `depth`, names by `crate::` or by climbing `super::`.
fn namings(text: &str, depth: usize) -> Vec<Naming> {
    let lines = code_lines(text);
    let mut found = Vec::new();
    for (index, &(number, inline, code)) in lines.iter().enumerate() {
        for (at, _) in code.match_indices("crate::") {
            let rest = &code[at + "crate::".len()..];
            let whole: String = std::iter::once(rest)
                .chain(lines[index + 1..].iter().map(|l| l.2))
                .take(if rest.starts_with('{') { 60 } else { 1 })
                .collect();
            found.extend(paths_after(&whole).into_iter().map(|p| (number, p)));
        }
        let mut from = 0;
        while let Some(at) = code[from..].find("super::").map(|i| i + from) {
            let climbs = code[at..].matches_prefix_count("super::");
            from = at + climbs * "super::".len();
            if climbs >= depth + inline && depth > 0 {
                found.extend(paths_after(&code[from..]).into_iter().map(|p| (number, p)));
            }
        }
    }
    found
}

trait PrefixCount {
    /// How many times `prefix` stands at the start, one after the other.
    fn matches_prefix_count(&self, prefix: &str) -> usize;
}

impl PrefixCount for str {
    fn matches_prefix_count(&self, prefix: &str) -> usize {
        let mut rest = self;
        let mut count = 0;
        while let Some(next) = rest.strip_prefix(prefix) {
            (rest, count) = (next, count + 1);
        }
        count
    }
}

fn lies_in(path: &str, allowed: &str) -> bool {
    path == allowed || path.strip_prefix(allowed).is_some_and(|rest| rest.starts_with("::"))
}

/// Whether `room` may name `path`. A bare `crate::Name` that is no room is an item of the root: allowed.
fn may_name(room: &str, path: &str) -> bool {
    let head = path.split("::").next().unwrap();
    if head == room || !ROOMS.iter().any(|(name, _)| *name == head) {
        return true;
    }
    if room != "capi" && WINDOWS_STRUCTURES.iter().any(|s| lies_in(path, s)) {
        return false;
    }
    let (_, allowed) = ROOMS.iter().find(|(name, _)| *name == room).unwrap();
    allowed.iter().any(|a| lies_in(path, a))
}

/// What is wrong with the imports of one file.
fn broken_floors(file: &str, text: &str) -> Vec<String> {
    let module = module_of(file);
    let Some(&room) = module.first() else { return Vec::new() };
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("src/{file}: `{room}` is no room of the plan; add it to the table or move it")];
    };
    namings(text, module.len())
        .into_iter()
        .filter(|(_, path)| !may_name(room, path))
        .map(|(line, path)| {
            format!("src/{file}:{line}: `{room}` names `{path}`; it may name: {}", allowed.join(", "))
        })
        .collect()
}

fn report(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_room_imports_lower_floors_only() {
    let files = sources();
    assert!(files.len() > 10, "src/ was not found");
    report(files.iter().flat_map(|(file, text)| broken_floors(file, text)).collect());
}

#[test]
fn libc_is_named_only_where_the_system_is_met() {
    let mut faults = Vec::new();
    for (file, text) in sources() {
        if SYSTEM.iter().any(|place| file.starts_with(&format!("{place}/")) || file == format!("{place}.rs"))
        {
            continue;
        }
        for (number, _, code) in code_lines(&text) {
            if code.contains("libc::") || code.contains("use libc") {
                faults.push(format!("src/{file}:{number}: libc; it may be named in: {}", SYSTEM.join(", ")));
            }
        }
    }
    report(faults);
}

#[test]
fn files_can_be_read_in_one_go() {
    let too_long = |file: &str, text: &str| {
        let generated = text.lines().next().unwrap_or("").to_lowercase().contains("generated");
        !generated && !file.starts_with("abi/") && text.lines().count() > LONGEST
    };
    let faults = sources()
        .into_iter()
        .filter(|(file, text)| too_long(file, text))
        .map(|(file, text)| format!("src/{file}: {} lines, more than {LONGEST}", text.lines().count()))
        .collect();
    report(faults);
}

#[test]
fn the_reader_sees_what_it_must() {
    let upward = "use crate::{\n    abi::error::Error,\n    server::Service,\n};\n";
    assert_eq!(broken_floors("win32/wait.rs", upward).len(), 1);
    assert_eq!(broken_floors("server/route.rs", "use crate::client::Pool;\n").len(), 1);
    assert_eq!(broken_floors("server/route.rs", "use super::super::client::Pool;\n").len(), 1);
    assert_eq!(broken_floors("net/tls.rs", "use crate::abi::winhttp::X;\n").len(), 1);
    assert_eq!(broken_floors("wire/h1.rs", "use crate::abi::base::X;\n").len(), 1);
    assert_eq!(broken_floors("cellar/x.rs", "").len(), 1);

    let inline = "mod tests {\n    use super::super::client;\n}\nuse super::server;\n";
    assert!(broken_floors("server/route.rs", inline).is_empty(), "neither leaves the room");
    assert!(broken_floors("server/route.rs", "// see crate::capi::http\n").is_empty());
    assert!(broken_floors("capi/http/send.rs", "use crate::abi::http::X; use crate::share::Y;\n").is_empty());
    assert!(broken_floors("lib.rs", "use crate::capi::X;\n").is_empty());
}
