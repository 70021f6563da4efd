//! Any bytes as a proxy list, a bypass list, a host, a list in the form of no_proxy, and dconf's data base: no panic, and
//! what is read from a list is read from its own item again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nthttp_fuzz::proxy_lists::{bypassed, first_item, from_suffixes, read_data_base};

fuzz_target!(|data: &[u8]| {
    read_data_base(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    for secure in [false, true] {
        if let Some(item) = first_item(text, secure) {
            assert_eq!(first_item(&item, secure).as_ref(), Some(&item));
        }
        let (list, host) = text.split_once('\n').unwrap_or((text, "host.example"));
        let _ = bypassed(list, secure, host, 80);
        let made = from_suffixes(list);
        let _ = bypassed(&made, secure, host, 80);
    }
});
