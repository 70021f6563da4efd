//! Files of settings and lists that belong to others: the desktop's, the resolver's, the system's.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What is in a file. One that is no plain file (reading might never end) or longer than `most` has none.
pub(super) fn contents(path: &Path, most: u64) -> Option<Vec<u8>> {
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(most + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= most).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_plain_files_are_read() {
        let path = std::env::temp_dir().join(format!("nthttp-small-file-{}", std::process::id()));
        std::fs::write(&path, "four").unwrap();
        assert_eq!(contents(&path, 4).as_deref(), Some(&b"four"[..]));
        assert_eq!(contents(&path, 3), None);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(contents(&path, 4), None);
        // Its length is said to be 0, and it has no end.
        assert_eq!(contents(Path::new("/dev/zero"), 4), None);
    }
}
