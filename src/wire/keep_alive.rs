//! How long a server promises to keep an idle connection: `Keep-Alive: timeout=5, max=100`.

use super::field::list;
use super::response::ResponseHead;

/// The number of the field.
const KEEP_ALIVE: u8 = 3;

impl ResponseHead {
    /// Seconds; `None` when the server does not say.
    #[inline]
    pub fn keep_alive_timeout(&self) -> Option<u32> {
        self.values(KEEP_ALIVE).find_map(timeout)
    }
}

fn timeout(value: &[u8]) -> Option<u32> {
    list(value).find_map(|parameter| {
        let (name, number) = parameter.split_at_checked(parameter.iter().position(|byte| *byte == b'=')?)?;
        if !name.trim_ascii().eq_ignore_ascii_case(b"timeout") {
            return None;
        }
        let digits = std::str::from_utf8(number[1..].trim_ascii()).ok()?;
        // More than can be counted is as long as anybody waits.
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().unwrap_or(u32::MAX))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::field::response_id;

    #[test]
    fn the_timeout_is_found_among_parameters() {
        assert_eq!(response_id(b"keep-alive"), KEEP_ALIVE);
        for (value, wanted) in [
            ("timeout=5", Some(5)),
            ("max=100, Timeout = 7", Some(7)),
            ("timeout=99999999999", Some(u32::MAX)),
            ("timeout=-1", None),
            ("timeout", None),
            ("timeout=", None),
            ("max=5", None),
            ("", None),
        ] {
            assert_eq!(timeout(value.as_bytes()), wanted, "{value}");
        }
    }
}
