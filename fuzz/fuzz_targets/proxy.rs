//! Any bytes as the start of a connection behind a proxy: the same result in one piece and in growing ones.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nthttp_fuzz::wire::proxy::{Introduction, parse};

fuzz_target!(|data: &[u8]| {
    let whole = parse(data);
    if let Ok(Introduction::Complete(used, _)) = whole {
        assert!(used <= data.len() && used >= 8);
    }
    // Whoever reads byte by byte decides once, and decides the same.
    let first = (0..=data.len()).map(|len| parse(&data[..len])).find(|it| *it != Ok(Introduction::Partial));
    assert_eq!(first.unwrap_or(Ok(Introduction::Partial)), whole);
});
