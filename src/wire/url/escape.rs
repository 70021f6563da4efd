//! Percent-escaping: `WinHttpOpenRequest` and `WinHttpCreateUrl` escape different characters (digest of WinHTTP
//! §3.3, §4.3). Characters beyond ASCII are escaped as UTF-8, the code page of this platform.

/// WINHTTP_FLAG_ESCAPE_PERCENT
pub const ESCAPE_PERCENT: u32 = 0x4;
/// WINHTTP_FLAG_ESCAPE_DISABLE
pub const ESCAPE_DISABLE: u32 = 0x40;
/// WINHTTP_FLAG_ESCAPE_DISABLE_QUERY
pub const ESCAPE_DISABLE_QUERY: u32 = 0x80;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// The request target for the object name given to `WinHttpOpenRequest`: with its leading slash, in UTF-8,
/// escaped as the WINHTTP_FLAG_ESCAPE flags ask. Never holds a space, CR or LF.
pub fn escape_object_name(name: &[u16], flags: u32) -> Vec<u8> {
    escape_object_bytes(String::from_utf16_lossy(name).as_bytes(), flags)
}

/// As [`escape_object_name`], for a name that is in bytes already.
pub fn escape_object_bytes(name: &[u8], flags: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len() + 1);
    if name.first() != Some(&b'/') {
        out.push(b'/');
    }
    let mut in_query = false;
    for byte in name.iter().copied() {
        in_query |= byte == b'?';
        let lenient = flags & ESCAPE_DISABLE != 0 || in_query && flags & ESCAPE_DISABLE_QUERY != 0;
        match byte {
            b'\r' | b'\n' if lenient => {}
            b' ' | 0x80.. => push_escaped(byte, &mut out),
            _ if lenient => out.push(byte),
            b'%' if flags & ESCAPE_PERCENT != 0 => push_escaped(byte, &mut out),
            _ if is_unsafe_on_the_wire(byte) => push_escaped(byte, &mut out),
            _ => out.push(byte),
        }
    }
    out
}

fn is_unsafe_on_the_wire(byte: u8) -> bool {
    byte.is_ascii_control() || br##""#<>[\]^`{|}"##.contains(&byte)
}

fn push_escaped(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

/// Appends text as ICU_ESCAPE writes it: more is escaped than on the wire, `%` and `~` too.
pub(super) fn escape_unsafe(text: &[u16], out: &mut Vec<u16>) {
    escape(text, out, |byte| is_unsafe_on_the_wire(byte) || matches!(byte, b' ' | b'%' | b'~'));
}

/// Appends a user name or password so that it can neither end itself nor the authority.
pub(super) fn escape_user(text: &[u16], out: &mut Vec<u16>) {
    escape(text, out, |byte| {
        is_unsafe_on_the_wire(byte) || matches!(byte, b' ' | b'%' | b'~' | b':' | b'@' | b'/' | b'?')
    });
}

fn escape(text: &[u16], out: &mut Vec<u16>, is_unsafe: impl Fn(u8) -> bool) {
    for byte in String::from_utf16_lossy(text).bytes() {
        if byte >= 0x80 || is_unsafe(byte) {
            let mut escaped = Vec::with_capacity(3);
            push_escaped(byte, &mut escaped);
            out.extend(escaped.into_iter().map(u16::from));
        } else {
            out.push(u16::from(byte));
        }
    }
}
