//! `nthttp get` and its friends as one types them, one URL at a time and with `--async`, against a scripted server.

mod get_support;

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use get_support::{Folder, HELLO, Server, command, complaint, in_both_modes, read_request, run, text};

#[test]
fn a_body_comes_out_as_it_is() {
    in_both_modes(|| {
        let server = Server::new(&[HELLO, HELLO, HELLO]);
        let output = run(&["get", &server.url("/a b?c#d"), "-H", "X-Own: 1", "-A", "me"]);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), "hello\n"));
        assert_eq!(text(&output.stderr), "");
        let request = server.request();
        assert!(request.starts_with("GET /a%20b?c HTTP/1.1\r\nUser-Agent: me\r\n"), "{request}");
        assert!(request.contains("X-Own: 1\r\n"));
        // Without a scheme, and with the head.
        let output = run(&["get", &server.url("/")[7..], "-i"]);
        assert!(text(&output.stdout).starts_with("HTTP/1.1 200 OK\r\n"), "{}", text(&output.stderr));
        assert!(text(&output.stdout).ends_with("X-A: b\r\n\r\nhello\n"));
        server.request();
        let output = run(&["get", "-v", &server.url("/")]);
        let told = text(&output.stderr);
        for part in
            ["CONNECTED_TO_SERVER 127.0.0.1", "> GET / HTTP/1.1", "< HTTP/1.1 200 OK", "RESPONSE_RECEIVED"]
        {
            assert!(told.contains(part), "{told}");
        }
        let order = [
            "CONNECTED_TO_SERVER",
            "REQUEST_SENT",
            "> GET",
            "RESPONSE_RECEIVED",
            "< HTTP/1.1",
            "HANDLE_CLOSING",
        ];
        assert!(order.map(|part| told.find(part)).is_sorted() && told.contains(order[5]), "{told}");
        assert_eq!(text(&output.stdout), "hello\n");
    });
}

#[test]
fn logins_proxies_and_codings() {
    in_both_modes(|| {
        let challenge = "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let server = Server::new(&[challenge, HELLO, challenge, HELLO, challenge, challenge, HELLO, HELLO]);
        assert_eq!(text(&run(&["get", "-u", "user:pass", &server.url("/")]).stdout), "hello\n");
        server.request();
        assert!(server.request().contains("Authorization: Basic dXNlcjpwYXNz\r\n"));
        let own = format!("http://me:too@127.0.0.1:{}/", server.port);
        assert_eq!(text(&run(&["get", &own]).stdout), "hello\n");
        server.request();
        assert!(server.request().contains("Authorization: Basic bWU6dG9v\r\n"));
        // A login that is refused is an answer like any other.
        assert!(complaint(&["get", "-f", "-u", "user:wrong", &server.url("/")], 22).contains("401 Who"));
        server.request();
        server.request();
        let proxy = format!("127.0.0.1:{}", server.port);
        assert_eq!(text(&run(&["get", "--proxy", &proxy, "http://elsewhere.test/x"]).stdout), "hello\n");
        assert!(server.request().starts_with("GET http://elsewhere.test/x HTTP/1.1\r\n"));
        run(&["get", "--compressed", "--proxy", "", &server.url("/")]);
        assert!(server.request().contains("Accept-Encoding: gzip, deflate"));
    });
}

#[test]
fn data_is_sent() {
    in_both_modes(|| {
        let folder = Folder::new("data");
        let large = "x".repeat(3 << 20);
        std::fs::write(folder.path("small"), "small").unwrap();
        std::fs::write(folder.path("large"), &large).unwrap();
        let server = Server::new(&[HELLO, HELLO, HELLO, HELLO, HELLO]);
        run(&["get", &server.url("/"), "-d", "a=b", "-d", &format!("@{}", folder.path("small"))]);
        let request = server.request();
        assert!(request.starts_with("POST / ") && request.ends_with("\r\n\r\na=b&small"), "{request}");
        assert!(request.contains("Content-Type: application/x-www-form-urlencoded\r\n"));
        run(&["put", &server.url("/"), "-d", &format!("@{}", folder.path("small"))]);
        let request = server.request();
        assert!(request.contains("Content-Type: application/octet-stream\r\n"), "{request}");
        run(&["put", &server.url("/"), "-d", &format!("@{}", folder.path("large"))]);
        let request = server.request();
        assert!(request.starts_with("PUT / ") && request.contains("Content-Length: 3145728\r\n"));
        assert!(request.ends_with(&large));
        let mut child = command(&["post", &server.url("/"), "-d", "@-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"from the input").unwrap();
        assert!(child.wait().unwrap().success());
        let request = server.request();
        assert!(request.contains("Transfer-Encoding: chunked\r\n"), "{request}");
        assert!(request.ends_with("\r\n\r\ne\r\nfrom the input\r\n0\r\n\r\n"), "{request}");
        run(&["get", "-X", "DELETE", &server.url("/")]);
        assert!(server.request().starts_with("DELETE / "));
        assert!(complaint(&["get", &server.url("/"), "-d", "@/no/such/file"], 26).contains("/no/such/file"));
    });
}

#[test]
fn redirects_are_followed_or_not() {
    in_both_modes(|| {
        let moved = "HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let server = Server::new(&[moved, HELLO, moved, moved, moved]);
        let output = run(&["get", "-L", &server.url("/")]);
        assert_eq!(text(&output.stdout), "hello\n");
        server.request();
        assert!(server.request().starts_with("GET /next "));
        let output = run(&["get", "--no-location", "-i", &server.url("/")]);
        assert!(text(&output.stdout).starts_with("HTTP/1.1 302 Found\r\n"));
        assert!(complaint(&["get", "--max-redirs", "1", &server.url("/")], 47).contains("--no-location"));
    });
}

#[test]
fn files_are_written_and_gone_on_with() {
    in_both_modes(|| {
        let folder = Folder::new("resume");
        let file = folder.path("file");
        let cut = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234";
        let rest = "HTTP/1.1 206 Partial\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\nConnection: close\r\n\r\n56789";
        let none = "HTTP/1.1 416 Range\r\nContent-Range: bytes */10\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let other = "HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789";
        let server =
            Server::new(&[cut, rest, none, other, HELLO, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"]);
        assert!(complaint(&["get", "-o", &file, &server.url("/")], 18).contains("5 of 10 bytes"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "01234");
        server.request();
        assert!(run(&["get", "--resume", "-o", &file, &server.url("/")]).status.success());
        assert!(server.request().contains("Range: bytes=5-\r\n"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "0123456789");
        assert!(run(&["get", "--resume", "-o", &file, &server.url("/")]).status.success());
        complaint(&["get", "--resume", "-o", &file, &server.url("/")], 33);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "0123456789");
        // A server that knows no ranges sends all of it.
        assert!(run(&["get", "--resume", "-o", &file, &server.url("/")]).status.success());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "hello\n");
        complaint(&["get", "--resume", "-o", &file, &server.url("/")], 22);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "hello\n");
        complaint(&["get", "--resume", &server.url("/")], 33);
        // Nothing is asked for that could not be kept.
        let server = Server::new(&[HELLO]);
        let said = complaint(&["get", "-o", &folder.path("none/file"), &server.url("/")], 23);
        assert!(said.contains("no directory") && said.contains("mkdir -p"), "{said}");
        assert!(complaint(&["get", "-o", &folder.path(""), &server.url("/")], 23).contains("is a directory"));
        assert!(server.requests.try_recv().is_err());
        assert_eq!(text(&run(&["get", "-o", "-", &server.url("/")]).stdout), "hello\n");
    });
}

#[test]
fn reports_for_people_and_programs() {
    in_both_modes(|| {
        let binary = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nA\u{e9}";
        let server = Server::new(&[HELLO, HELLO, HELLO, HELLO, binary]);
        let output = run(&["get", "--timing", &server.url("/")]);
        let told = text(&output.stderr);
        assert!(told.contains("connected") && told.contains("first byte") && told.contains("6 B"), "{told}");
        let output = run(&["get", "--json", &server.url("/")]);
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (&told["status"], &told["bytes"], &told["body"]),
            (&200.into(), &6.into(), &"hello\n".into())
        );
        assert_eq!(told["headers"][2], serde_json::json!(["X-A", "b"]));
        assert!(told["seconds"]["total"].as_f64().unwrap() > 0.0);
        let output = run(&["head", "--json", &server.url("/")]);
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&told["status"], &told["bytes"], &told["body"]), (&200.into(), &0.into(), &"".into()));
        assert!(run(&["head", &server.url("/")]).stdout.ends_with(b"X-A: b\r\n\r\n"));
        let output = run(&["get", "--json", &server.url("/")]);
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["body_base64"], "QcM=");
        let output = run(&["get", "--json", "http://127.0.0.1:1/"]);
        assert_eq!(output.status.code(), Some(7));
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["error"]["code"], 12029);
        let output = run(&["get", "--json", "ftp://h/"]);
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), &told["error"]["exit"]), (Some(3), &3.into()));
    });
}

/// The diagnostic log tells of failures, at `info`, with their cause.
#[test]
fn the_log_tells_the_cause() {
    in_both_modes(|| {
        let server = Server::new(&["nonsense\r\n\r\n", "nonsense\r\n\r\n"]);
        let output = command(&["get", &server.url("/x")]).env("NTHTTP_LOG", "info").output().unwrap();
        let log = text(&output.stderr);
        let line =
            format!("ReceiveResponse of {}: error 12152: the response is not HTTP/1.x: ", server.url("/x"));
        assert!(log.contains(&line) && log.contains("info"), "{log}");
        let output = command(&["get", &server.url("/x")]).env("NTHTTP_LOG", "warn").output().unwrap();
        assert!(!text(&output.stderr).contains("ReceiveResponse of"));
    });
}

#[test]
fn exit_codes_say_what_failed() {
    in_both_modes(|| {
        let server = Server::new(&[
            "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
            "nonsense\r\n\r\n",
            "",
        ]);
        assert_eq!(text(&run(&["get", &server.url("/")]).stdout), "none");
        let output = run(&["get", "-f", &server.url("/")]);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(22), ""));
        assert!(text(&output.stderr).contains("404 Not Found"));
        // What has come before a failure is not kept back.
        let output = run(&["get", &server.url("/")]);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(56), "part"));
        assert!(complaint(&["get", &server.url("/")], 8).contains("nonsense"));
        assert!(complaint(&["get", &server.url("/")], 56).contains("before it answered"));
        assert!(complaint(&["get", "ftp://h/"], 3).contains("has to begin with http://"));
        assert!(complaint(&["get", "http://a b/"], 3).contains("a URL is http://host[:port]/path"));
        assert!(complaint(&["get", ""], 3).contains("\"\""));
        complaint(&["get"], 2);
        assert!(complaint(&["get", &server.url("/"), "-H", "no field"], 2).contains("-H \"Name: value\""));
        complaint(&["get", "--max-time", "0", &server.url("/")], 2);
        assert!(complaint(&["get", "http://127.0.0.1:1/"], 7).contains("does the server run"));
        let said = complaint(&["get", "https://127.0.0.1:1/"], 35);
        assert!(said.contains("TLS is not built in yet; use an http:// URL (error 12175)"), "{said}");
        // A server that accepts and says nothing.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        assert!(complaint(&["get", "--max-time", "0.2", &url], 28).contains("--max-time"));
        assert_eq!(complaint(&["get", "--max-time", "0.2", &url, &url], 28).lines().count(), 2);
        // It does not wait for an input that does not end, either.
        let mut child = command(&["post", "--max-time", "0.2", &url, "-d", "@-"]);
        let mut child = child.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let input = child.stdin.take();
        assert_eq!(child.wait().unwrap().code(), Some(28));
        drop(input);
    });
}

/// What was sent by WriteData cannot be sent again for a login, unless it comes from a file.
#[test]
fn data_that_is_wanted_twice() {
    in_both_modes(|| {
        let challenge = "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let folder = Folder::new("twice");
        let large = "x".repeat(2 << 20);
        std::fs::write(folder.path("large"), &large).unwrap();
        let server = Server::new(&[challenge, HELLO, challenge]);
        let data = format!("@{}", folder.path("large"));
        assert_eq!(text(&run(&["put", "-u", "a:b", &server.url("/"), "-d", &data]).stdout), "hello\n");
        assert!(!server.request().contains("Authorization"));
        let request = server.request();
        assert!(request.contains("Authorization: Basic") && request.ends_with(&large));
        let mut child = command(&["post", "-u", "a:b", &server.url("/"), "-d", "@-"]);
        let mut child = child.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"once").unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(text(&output.stderr).contains("the standard input is used up"), "{}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(26));
    });
}

#[test]
fn readers_that_go_away() {
    in_both_modes(|| {
        let server = Server::new(&[HELLO, HELLO]);
        let nobody = || std::io::pipe().unwrap().1;
        let output = command(&["get", &server.url("/")]).stdout(nobody()).output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(23), ""));
        let output = command(&["get", "-v", "--timing", &server.url("/")]).stderr(nobody()).output().unwrap();
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), "hello\n"));
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let server = Server::new(&[HELLO]);
        let output =
            command(&["get", &server.url("/")]).stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert!(text(&output.stderr).contains("cannot be written"), "{}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(23));
    });
}

/// A signal ends it; what has come is in the file, and can be gone on with. (Not ^C's signal: who runs the tests in
/// the background has had it ignored for them.)
#[test]
fn an_interrupted_transfer_can_be_resumed() {
    in_both_modes(|| {
        let folder = Folder::new("interrupt");
        let file = folder.path("file");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let mut child = command(&["get", &url, "-o", &file]).spawn().unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234").unwrap();
        while std::fs::read(&file).map_or(0, |had| had.len()) < 5 {
            assert!(child.try_wait().unwrap().is_none());
            thread::sleep(Duration::from_millis(5));
        }
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().signal(), Some(15));
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let request = read_request(&mut stream);
            let head =
                "HTTP/1.1 206 Partial\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n56789";
            stream.write_all(head.as_bytes()).unwrap();
            request
        });
        assert!(run(&["get", &url, "-o", &file, "--resume"]).status.success());
        assert!(server.join().unwrap().contains("Range: bytes=5-\r\n"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "0123456789");
    });
}
