//! HTTP dates: IMF-fixdate out, the tolerant reading of `WinHttpTimeToSystemTime` in.

/// A date and time of day as SYSTEMTIME counts them (month 1 to 12, weekday 0 = Sunday).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CivilTime {
    pub year: u16,
    pub month: u16,
    pub weekday: u16,
    pub day: u16,
    pub hour: u16,
    pub minute: u16,
    pub second: u16,
    pub milliseconds: u16,
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` for a time given in seconds since 1970.
pub fn imf_fixdate(unix_seconds: u64) -> [u8; 29] {
    let _ = unix_seconds;
    todo!("wire")
}
