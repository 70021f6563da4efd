//! Any bytes as an Authorization value: no panic, and what is read has no control characters and no colon in a user of Basic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nthttp_fuzz::wire::authorization::{Authorization, split_scheme};

fuzz_target!(|data: &[u8]| {
    let (scheme, rest) = split_scheme(data);
    assert!(scheme.len() + rest.len() <= data.len());
    for value in [data.to_vec(), [b"Basic ", data].concat(), [b"Digest ", data].concat()] {
        match Authorization::parse(&value) {
            Ok(Authorization::Basic(basic)) => {
                assert!(!basic.user.contains(&b':'));
                assert!(!basic.user.iter().chain(&basic.password).any(u8::is_ascii_control));
            }
            Ok(Authorization::Digest(digest)) => {
                let texts = [&digest.user, &digest.realm, &digest.nonce, &digest.uri, &digest.response, &digest.cnonce];
                assert!(texts.into_iter().all(|text| !text.iter().any(u8::is_ascii_control)));
                assert!(texts.into_iter().map(Vec::len).sum::<usize>() <= value.len());
            }
            Ok(Authorization::Other) | Err(_) => {}
        }
    }
});
