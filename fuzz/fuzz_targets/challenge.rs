//! Any bytes as a WWW-Authenticate value, and as an Authentication-Info value: no panic, schemes are tokens, and no more comes
//! out than went in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nthttp_fuzz::wire::challenge::{challenges, parameters};
use nthttp_fuzz::wire::field::is_token;

fuzz_target!(|data: &[u8]| {
    let found = challenges(data);
    assert!(found.len() <= 16);
    for challenge in &found {
        assert!(is_token(challenge.scheme));
        let known = ["realm", "nonce", "qop", "opaque", "algorithm", "stale", "charset", "userhash"];
        let size: usize = known.iter().filter_map(|name| challenge.parameter(name)).map(<[u8]>::len).sum();
        assert!(size + challenge.token.map_or(0, <[u8]>::len) <= data.len());
    }
    // What stands in front changes nothing about what follows a whole challenge.
    let more = challenges(&[b"Basic realm=\"x\", ".as_slice(), data].concat()).len();
    assert!(more >= 1 && more <= 16);
    if let Some(next) = parameters(data).parameter("nextnonce") {
        assert!(next.len() < data.len());
    }
});
