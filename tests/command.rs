//! The `nthttp` command as one types it: its own configuration file, its words, its exit codes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("nthttp-command-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nthttp"));
        command.env("NTHTTP_CONFIG", self.0.join("config.json")).args(arguments);
        command.output().unwrap()
    }

    /// What it prints; it must succeed.
    fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it complains of; it must fail with this code.
    fn complained(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn entries_are_added_shown_and_deleted() {
    let folder = Folder::new("entries");
    folder.said(&["add", "urlacl", "url=http://+:8080/App", "user=everyone"]);
    assert!(
        folder
            .complained(&["add", "urlacl", "http://+:8080/app", "sddl=D:(A;;GX;;;WD)"], 1)
            .contains("already")
    );
    assert!(folder.said(&["show", "urlacl"]).contains("Reserved URL : http://+:8080/App/"));
    let shown: serde_json::Value = serde_json::from_str(&folder.said(&["show", "urlacl", "--json"])).unwrap();
    assert_eq!(shown[0]["sddl"], "D:(A;;GX;;;WD)");
    folder.said(&["delete", "urlacl", "url=http://+:8080/app/"]);
    assert!(folder.complained(&["delete", "urlacl", "url=http://+:8080/app/"], 1).contains("no such entry"));

    folder.said(&["add", "iplisten", "127.0.0.1"]);
    assert!(folder.said(&["show", "iplisten"]).contains("127.0.0.1"));
    folder.said(&["add", "timeout", "timeouttype=idleconnectiontimeout", "value=7"]);
    assert!(folder.said(&["show", "timeout"]).contains("Idle Connection : 7"));
    folder.said(&["delete", "timeout", "idleconnectiontimeout"]);
    assert!(folder.said(&["show", "timeout"]).contains("Idle Connection : 120"));
    folder.said(&["update", "parameter", "name=disableserverheader", "value=2"]);
    assert!(
        folder
            .said(&["show", "parameter", "--json", "DisableServerHeader"])
            .contains("\"DisableServerHeader\": 2")
    );
    assert!(folder.complained(&["add", "parameter", "DisableServerHeader", "3"], 1).contains("from 0 to 2"));
}

#[test]
fn a_dump_makes_the_same_configuration_again() {
    let (one, other) = (Folder::new("dump"), Folder::new("apply"));
    let hash = format!("certhash={}", "0a".repeat(20));
    let id = "appid={01234567-89ab-cdef-0123-456789abcdef}";
    one.said(&["add", "sslcert", "hostnameport=example.org:443", &hash, id, "clientcertnegotiation=enable"]);
    one.said(&["add", "urlacl", "url=http://+:80/a b/", "sddl=D:(A;;GX;;;WD)"]);
    one.said(&["add", "iplisten", "ipaddress=::1"]);
    let dump = one.said(&["dump"]);
    let file = other.0.join("dump.txt");
    std::fs::write(&file, format!("# a comment\n\n{dump}")).unwrap();
    let file = file.to_str().unwrap();
    other.said(&["apply", "--dry-run", file]);
    assert!(!Path::new(&other.0.join("config.json")).exists());
    other.said(&["apply", file]);
    assert_eq!(other.said(&["dump"]), dump);
    std::fs::write(file, "add iplisten ::2\nshow timeout\n").unwrap();
    assert!(other.complained(&["apply", file], 1).contains("line 2"));
    assert_eq!(other.said(&["dump"]), dump);
}

#[test]
fn what_is_not_understood_is_told() {
    let folder = Folder::new("wrong");
    assert!(folder.complained(&["add", "nonsense"], 2).contains("nonsense"));
    assert!(folder.complained(&["add", "urlacl", "colour=red"], 1).contains("url, user, listen"));
    assert!(
        folder
            .complained(&["add", "urlacl", "url=http://x/", "user=everyone"], 1)
            .contains("http://+:8080/path/")
    );
    assert!(folder.complained(&["show", "servicestate", "process=1"], 1).contains("process 1"));
    std::fs::write(folder.0.join("config.json"), "{ broken").unwrap();
    assert!(folder.complained(&["show", "urlacl"], 1).contains("config.json"));
}
