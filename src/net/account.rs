//! The account this process runs as, and the numbers of users and groups by name.
#![expect(unsafe_code, reason = "getgroups and the C library's account data bases")]

use std::ffi::CString;

use super::peer::own_uid;

/// The user this process acts as.
pub fn user_id() -> u32 {
    own_uid()
}

/// The groups this process is in, its own included.
pub fn group_ids() -> Vec<u32> {
    // SAFETY: asked for none, it only counts.
    let count = unsafe { libc::getgroups(0, std::ptr::null_mut()) };
    let mut groups = vec![0; usize::try_from(count).unwrap_or(0)];
    // SAFETY: the kernel writes at most as many numbers as there is room for.
    let got = unsafe { libc::getgroups(groups.len() as libc::c_int, groups.as_mut_ptr()) };
    groups.truncate(usize::try_from(got).unwrap_or(0));
    // SAFETY: no preconditions; it cannot fail.
    groups.push(unsafe { libc::getegid() });
    groups
}

/// The number of a user.
pub fn user_by_name(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    with_room(|room| {
        // SAFETY: a plain structure of numbers and pointers, for which zero is a value.
        let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
        let mut found = std::ptr::null_mut();
        let (start, len) = (room.as_mut_ptr().cast(), room.len());
        // SAFETY: a string with its NUL, and room of the length told; all are locals.
        let code = unsafe { libc::getpwnam_r(name.as_ptr(), &mut entry, start, len, &mut found) };
        (code, (!found.is_null()).then_some(entry.pw_uid))
    })
}

/// The number of a group.
pub fn group_by_name(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    with_room(|room| {
        // SAFETY: as in `user_by_name`, here and below.
        let mut entry: libc::group = unsafe { std::mem::zeroed() };
        let mut found = std::ptr::null_mut();
        let (start, len) = (room.as_mut_ptr().cast(), room.len());
        // SAFETY: see above.
        let code = unsafe { libc::getgrnam_r(name.as_ptr(), &mut entry, start, len, &mut found) };
        (code, (!found.is_null()).then_some(entry.gr_gid))
    })
}

/// Tries with more and more room for the texts of an entry.
fn with_room(look_up: impl Fn(&mut [u8]) -> (libc::c_int, Option<u32>)) -> Option<u32> {
    let mut room = vec![0; 1024];
    loop {
        match look_up(&mut room) {
            (libc::ERANGE, _) if room.len() < 1 << 20 => room.resize(room.len() * 4, 0),
            (_, found) => return found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_others_are_not() {
        assert_eq!((user_by_name("root"), group_by_name("root")), (Some(0), Some(0)));
        assert_eq!((user_by_name("no such user"), group_by_name("no\0group")), (None, None));
        assert!(!group_ids().is_empty());
    }
}
