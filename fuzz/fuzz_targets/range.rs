//! Any bytes as a Range field: the parts are in order, apart, and inside the representation.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nthttp_fuzz::wire::range::{Selection, select};

fuzz_target!(|input: (u64, &[u8])| {
    let (total, value) = input;
    for total in [total, total % 100] {
        let Selection::Parts(parts) = select(value, total) else { continue };
        assert!(!parts.is_empty());
        for part in &parts {
            assert!(part.first <= part.last && part.last < total);
        }
        for pair in parts.windows(2) {
            assert!(pair[0].last + 1 < pair[1].first);
        }
    }
});
