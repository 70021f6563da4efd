//! UTF-8 checked piece by piece: a wrong byte is noticed as soon as it is there.

/// A check that is under way. It keeps the bytes of a character that is not complete.
#[derive(Clone, Copy, Debug, Default)]
pub struct Utf8 {
    begun: [u8; 4],
    len: usize,
}

/// The text is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8;

impl Utf8 {
    /// Checks the next piece.
    pub fn check(&mut self, mut piece: &[u8]) -> Result<(), NotUtf8> {
        while self.len > 0 {
            let Some((&byte, rest)) = piece.split_first() else { return Ok(()) };
            self.begun[self.len] = byte;
            self.len += 1;
            piece = rest;
            match std::str::from_utf8(&self.begun[..self.len]) {
                Ok(_) => self.len = 0,
                Err(error) if error.error_len().is_some() => return Err(NotUtf8),
                Err(_) => {}
            }
        }
        if let Err(error) = std::str::from_utf8(piece) {
            if error.error_len().is_some() {
                return Err(NotUtf8);
            }
            let rest = &piece[error.valid_up_to()..];
            self.begun[..rest.len()].copy_from_slice(rest);
            self.len = rest.len();
        }
        Ok(())
    }

    /// No character is incomplete.
    pub fn is_complete(&self) -> bool {
        self.len == 0
    }
}
