//! Further ways in cross with all that is said of them, and with the socket that is handed on.

use std::fs::File;
use std::sync::Arc;

use super::fake;
use crate::server::service::{Listen, ListenAddress, Network, ProxyMode, ProxyRule};

fn listen(address: ListenAddress) -> Listen {
    let trusted = Network::parse_all("10.0.0.0/8, ::1").unwrap();
    let proxy = ProxyRule { mode: ProxyMode::Required, trusted };
    Listen { port: 8080, address, only: true, proxy, mode: Some(0o640), backlog: 7 }
}

#[test]
fn listeners_of_every_kind() {
    let (engine, guest) = fake();
    let session = guest.create_session().unwrap();
    let group = guest.create_group(session).unwrap();
    engine.commands();
    for text in ["unix:/run/x", "unix:@x", "127.0.0.1:80", "[::1]:80", "*:80", "fd:3"] {
        let address = ListenAddress::parse(text.as_bytes()).unwrap();
        let wanted = listen(address.clone());
        let given = (text == "fd:3").then(|| Arc::new(File::open("/dev/null").unwrap()));
        guest.listen(group, wanted.clone(), given.clone()).unwrap();
        guest.stop_listening(group, Some(address.clone())).unwrap();
        let expected = [
            format!("listen {group:?} {wanted:?} {}", given.is_some()),
            format!("stop_listening {group:?} {:?}", Some(address)),
        ];
        assert_eq!(engine.commands(), expected);
    }
    guest.stop_listening(group, None).unwrap();
    assert_eq!(engine.commands(), [format!("stop_listening {group:?} None")]);
}
