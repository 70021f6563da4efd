//! Asks running processes, over the control socket each of them keeps: one line of JSON there, one document back.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::server::monitor::control;
use crate::server::monitor::snapshot::{Command, Deed, Done, Show};

/// How long a process may take to answer: one stopped in a debugger must not stop us too.
const PATIENCE: Duration = Duration::from_secs(5);

/// A process that serves.
pub(super) struct Process {
    pub(super) pid: u32,
    socket: PathBuf,
}

/// The processes that serve, or the one asked for; that one must be there.
pub(super) fn processes(only: Option<u32>) -> Result<Vec<Process>, String> {
    let mut found: Vec<Process> = std::fs::read_dir(control::folder())
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let socket = entry.path();
            let pid = socket.file_name()?.to_str()?.strip_suffix(".sock")?.parse().ok()?;
            Some(Process { pid, socket })
        })
        .filter(|process| only.is_none_or(|pid| pid == process.pid))
        // A process that was killed leaves its socket behind.
        .filter(|process| UnixStream::connect(&process.socket).is_ok())
        .collect();
    found.sort_by_key(|process| process.pid);
    match only {
        Some(pid) if found.is_empty() => Err(format!("process {pid} serves nothing, or is another user's")),
        _ => Ok(found),
    }
}

impl Process {
    /// Something to be shown.
    pub(super) fn show<T: DeserializeOwned>(&self, show: Show) -> Result<T, String> {
        let answer = self.ask(&Command::Show { show })?;
        serde_json::from_slice(&answer).map_err(|_| match serde_json::from_slice::<Done>(&answer) {
            Ok(done) => self.complain(&done.error),
            Err(why) => self.complain(&format!("an answer that is not understood: {why}")),
        })
    }

    /// Its counters as Prometheus text.
    pub(super) fn metrics(&self) -> Result<String, String> {
        let answer = self.ask(&Command::Show { show: Show::Metrics })?;
        String::from_utf8(answer).map_err(|_| self.complain("an answer that is no text"))
    }

    /// Something to be done.
    pub(super) fn make(&self, deed: Deed) -> Result<(), String> {
        let answer = self.ask(&Command::Do(deed))?;
        match serde_json::from_slice::<Done>(&answer) {
            Ok(Done { code: 0, .. }) => Ok(()),
            Ok(done) => Err(self.complain(&format!("{} (error {})", done.error, done.code))),
            Err(why) => Err(self.complain(&format!("an answer that is not understood: {why}"))),
        }
    }

    fn ask(&self, command: &Command) -> Result<Vec<u8>, String> {
        let line = serde_json::to_string(command).map_err(|why| why.to_string())?;
        self.exchange(&line).map_err(|why| self.complain(&why.to_string()))
    }

    fn exchange(&self, line: &str) -> std::io::Result<Vec<u8>> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{line}\n").as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    }

    fn complain(&self, why: &str) -> String {
        format!("process {}: {why}", self.pid)
    }
}
