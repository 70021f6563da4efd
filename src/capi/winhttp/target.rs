//! The target of a request: the object name of WinHttpOpenRequest in bytes, escaped (digest §3.3).

use crate::abi::winhttp::*;
use crate::capi::base::string::code_page;
use crate::client::kept::Kept;
use crate::win32::text::{CodePage, Sink, encode};
use crate::wire::url::{escape_object_bytes, escape_object_name};

/// Path and query for the request line. The path is UTF-8, the query what WINHTTP_OPTION_CODEPAGE says.
pub(super) fn read_target(object: &[u16], flags: u32, kept: &Kept) -> String {
    let flags = if kept.encode_extra { flags & !LENIENT } else { flags };
    let page = code_page(kept.code_page).unwrap_or(CodePage::Utf8);
    let question = object.iter().position(|unit| *unit == u16::from(b'?'));
    let escaped = match question {
        Some(at) if page != CodePage::Utf8 => {
            let (path, query) = object.split_at(at);
            let mut bytes = String::from_utf16_lossy(path).into_bytes();
            bytes.extend(in_code_page(query, page));
            escape_object_bytes(&bytes, flags)
        }
        _ => escape_object_name(object, flags),
    };
    // Escaping leaves nothing but ASCII.
    String::from_utf8_lossy(&escaped).into_owned()
}

/// The flags that leave characters unescaped.
const LENIENT: u32 = WINHTTP_FLAG_ESCAPE_DISABLE | WINHTTP_FLAG_ESCAPE_DISABLE_QUERY;

/// Escapes what an earlier, more lenient reading has left; what is escaped stays as it is.
pub(super) fn escape_again(target: &str) -> String {
    String::from_utf8_lossy(&escape_object_bytes(target.as_bytes(), 0)).into_owned()
}

fn in_code_page(text: &[u16], page: CodePage) -> Vec<u8> {
    let mut bytes = vec![0; text.len()];
    let mut sink = Sink::new(&mut bytes);
    // Nothing is refused when the encoding is not strict.
    let _ = encode(page, text, false, b"?", &mut sink);
    let count = sink.count();
    bytes.truncate(count);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(object: &str, flags: u32, code_page: u32, encode_extra: bool) -> String {
        let kept = Kept { code_page, encode_extra, ..Kept::default() };
        read_target(&object.encode_utf16().collect::<Vec<_>>(), flags, &kept)
    }

    #[test]
    fn the_query_is_in_its_code_page() {
        assert_eq!(target("/é?é", 0, 0, false), "/%C3%A9?%C3%A9");
        assert_eq!(target("/é?é€", 0, 1252, false), "/%C3%A9?%E9%80");
        assert_eq!(target("/é?é€", 0, 28591, false), "/%C3%A9?%E9?");
        assert_eq!(target("/é", 0, 28591, false), "/%C3%A9");
    }

    #[test]
    fn encoding_goes_before_leniency() {
        assert_eq!(target("/<?<", WINHTTP_FLAG_ESCAPE_DISABLE, 0, false), "/<?<");
        assert_eq!(target("/<?<", WINHTTP_FLAG_ESCAPE_DISABLE, 0, true), "/%3C?%3C");
        assert_eq!(escape_again("/<%41 ?\"%"), "/%3C%41%20?%22%");
    }
}
