//! Any bytes as a response head: no panic, and the normal form reads as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nthttp_fuzz::wire::Parsed;
use nthttp_fuzz::wire::response::{ResponseHead, ResponseLimits};

fuzz_target!(|data: &[u8]| {
    let tiny = ResponseLimits { head: 128, fields: 4 };
    assert!(ResponseHead::new().parse(data, &tiny) != Ok(Parsed::Partial) || data.len() <= tiny.head);
    let limits = ResponseLimits::default();
    let mut head = ResponseHead::new();
    let Ok(Parsed::Complete(end)) = head.parse(data, &limits) else { return };
    assert!(end <= data.len());
    let framing = head.framing(false, false);
    let mut again = ResponseHead::new();
    assert_eq!(again.parse(&head.bytes, &limits), Ok(Parsed::Complete(head.bytes.len())));
    assert_eq!((&again.bytes, &again.fields, again.status), (&head.bytes, &head.fields, head.status));
    assert_eq!(again.framing(false, false), framing);
    if let Ok(framing) = framing {
        assert_eq!(again.keep_alive(framing), head.keep_alive(framing));
    }
});
