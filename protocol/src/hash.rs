//! The hash by which both ends check that they hold the same text.

use ropey::Rope;

/// The content of [`Answer::Hash`](crate::message::Answer::Hash). It finds mistakes, not forgeries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TextHash {
    /// CRC-32 (IEEE 802.3, as zlib's) of the text's UTF-8 bytes.
    pub crc32: u32,
    /// The text's length in UTF-8 bytes.
    pub bytes: u64,
}

impl TextHash {
    /// The hash of a rope, piece by piece and without copying it (about 100 µs a megabyte).
    pub fn of_rope(text: &Rope) -> Self {
        Self::of_pieces(text.chunks())
    }

    /// The hash of a text in one piece.
    pub fn of_text(text: &str) -> Self {
        Self::of_pieces([text])
    }

    fn of_pieces<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Self {
        let mut crc = crc32fast::Hasher::new();
        let mut bytes = 0;
        for piece in pieces {
            crc.update(piece.as_bytes());
            bytes += piece.len() as u64;
        }
        Self { crc32: crc.finalize(), bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_text_does_not_depend_on_how_it_is_stored() {
        // "123456789" is the check value that every description of this CRC gives.
        assert_eq!(TextHash::of_text("123456789"), TextHash { crc32: 0xCBF4_3926, bytes: 9 });
        assert_eq!(TextHash::of_rope(&Rope::new()), TextHash { crc32: 0, bytes: 0 });
        let text = "ä line of text 𝄞\n".repeat(1_000);
        let mut rope = Rope::from_str(&text);
        rope.insert(3, "x");
        rope.remove(3..4);
        assert_eq!(TextHash::of_rope(&rope), TextHash::of_text(&text));
    }
}
