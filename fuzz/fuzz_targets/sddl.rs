//! Any text as the descriptor of a reservation: no panic, and only rights that there are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nthttp_fuzz::sddl::{DELEGATE, Dacl, LISTEN};

fuzz_target!(|text: &str| {
    let Some(list) = Dacl::parse(text) else { return };
    for entry in &list.entries {
        assert_eq!(entry.rights & !(LISTEN | DELEGATE), 0);
        assert!(!entry.trustee.is_empty());
    }
    assert!(!list.grants(LISTEN, |_| false));
});
