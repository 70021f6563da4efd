//! Any bytes as a request head: no panic, and what is complete stays the same whatever follows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nthttp_fuzz::wire::Parsed;
use nthttp_fuzz::wire::request::{Limits, RequestHead, Syntax};

fuzz_target!(|data: &[u8]| {
    let small = Limits { field: 64, head: 256, segment: 16, segments: 8, ..Limits::default() };
    let syntax = Syntax {
        restricted: true,
        unescaped: true,
        percent_u: false,
        non_utf8: true,
        favor_utf8: false,
        weak_names: true,
        weak_values: true,
        any_case_verbs: true,
    };
    for limits in [Limits::default(), small, Limits { syntax, ..Limits::default() }] {
        let mut head = RequestHead::new();
        let outcome = head.parse(data, &limits);
        assert!(outcome != Ok(Parsed::Partial) || data.len() <= limits.head);
        let Ok(Parsed::Complete(end)) = outcome else { continue };
        assert!(end <= data.len() && head.bytes.len() <= limits.head);
        assert!(data[..end].ends_with(&head.bytes));
        assert!(std::str::from_utf8(head.path()).is_ok());
        assert_eq!(head.exceeds(&limits), None);
        for field in &head.fields {
            let value = head.text(field.value);
            assert!(!head.text(field.name).is_empty());
            assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
        }
        let mut again = RequestHead::new();
        assert_eq!(again.parse(&data[..end], &limits), outcome);
        assert_eq!(format!("{head:?}"), format!("{again:?}"));
        assert_eq!(again.parse(&data[..end - 1], &limits), Ok(Parsed::Partial));
    }
});
