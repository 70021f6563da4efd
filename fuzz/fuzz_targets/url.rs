//! Any text as prefix, request path, URL, object name, Location, header lines and date.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nthttp_fuzz::wire::prefix::UrlPrefix;
use nthttp_fuzz::wire::request::Limits;
use nthttp_fuzz::wire::target::decode_path;
use nthttp_fuzz::wire::url::{crack, escape_object_name, resolve_location};
use nthttp_fuzz::wire::{date, request_fields};

fuzz_target!(|data: (u32, &str)| {
    let (flags, text) = data;
    let wide: Vec<u16> = text.encode_utf16().collect();
    if let Ok(prefix) = UrlPrefix::parse(&wide) {
        let canonical: Vec<u16> = prefix.to_text().encode_utf16().collect();
        // Escapes can make the canonical form longer than a prefix may be.
        if canonical.len() <= wide.len() {
            assert_eq!(UrlPrefix::parse(&canonical), Ok(prefix));
        }
    }
    if let Ok(Some(path)) = decode_path(format!("/{text}").as_bytes(), &Limits::default()) {
        assert!(path.starts_with('/') && !path.split('/').any(|segment| segment == ".."));
    }
    let url = [&"http://".encode_utf16().collect::<Vec<_>>()[..], &wide].concat();
    for url in [&wide, &url] {
        if let Ok(parts) = crack(url, flags) {
            assert!(parts.host.end <= parts.path.start && parts.path_and_extra().end == parts.text.len());
        }
    }
    let name = escape_object_name(&wide, flags);
    assert!(name.starts_with(b"/") && !name.iter().any(|byte| matches!(byte, b' ' | b'\r' | b'\n')));
    if let Ok(target) = resolve_location(&url, &wide) {
        assert!(crack(&target, 0).is_ok());
    }
    let _ = request_fields::apply_text(&mut Vec::new(), &wide, flags);
    if let Some(time) = date::parse_tolerant(&wide) {
        assert!(date::to_unix(&time).is_some());
    }
});
