//! A room's text: a rope while it changes, its bare bytes while it does not.
//!
//! Each node of a rope takes a kibibyte, however little is in it: a text of 1 KB takes three, and after some editing four. Most
//! rooms that are open are short and only looked at. So a room at rest packs a short text; whoever changes it next unpacks
//! it, which takes about a microsecond for each kibibyte.

use std::fmt;

use ropey::Rope;

use super::limits::PACKED_BYTES_MAX;

/// A text. Cloning it costs next to nothing: a long one is shared until it changes, and only a short one is ever packed.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// None while it is packed.
    rope: Option<Rope>,
    packed: Box<str>,
    /// Scalars of what is packed.
    packed_chars: usize,
}

impl From<Rope> for Text {
    fn from(rope: Rope) -> Self {
        Self { rope: Some(rope), ..Self::default() }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.rope() == other.rope()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chunks().try_for_each(|chunk| f.write_str(chunk))
    }
}

impl Text {
    /// Its length in UTF-8 bytes.
    pub fn len_bytes(&self) -> usize {
        self.rope.as_ref().map_or(self.packed.len(), Rope::len_bytes)
    }

    /// Its length in scalars.
    pub fn len_chars(&self) -> usize {
        self.rope.as_ref().map_or(self.packed_chars, Rope::len_chars)
    }

    /// The text as it is now, to read it.
    pub fn rope(&self) -> Rope {
        self.rope.clone().unwrap_or_else(|| Rope::from_str(&self.packed))
    }

    /// The text, to change it.
    pub fn rope_mut(&mut self) -> &mut Rope {
        let packed = std::mem::take(&mut self.packed);
        self.rope.get_or_insert_with(|| Rope::from_str(&packed))
    }

    /// Its pieces, in order.
    pub fn chunks(&self) -> impl Iterator<Item = &str> {
        let packed = self.rope.is_none().then_some(&*self.packed);
        self.rope.iter().flat_map(Rope::chunks).chain(packed)
    }

    /// Packs it, if it is short: it is not about to change.
    pub fn pack(&mut self) {
        if let Some(rope) = self.rope.take_if(|rope| rope.len_bytes() <= PACKED_BYTES_MAX) {
            self.packed_chars = rope.len_chars();
            self.packed = rope.to_string().into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_text_is_the_same_text_and_can_be_changed() {
        for bytes in [0, 1, 1_024, PACKED_BYTES_MAX, PACKED_BYTES_MAX + 1] {
            let whole: String =
                "é\r\nab".chars().cycle().take(bytes / 2).chain("x".chars().cycle()).take(bytes).collect();
            let mut text = Text::from(Rope::from_str(&whole));
            let before = text.clone();
            text.pack();
            assert_eq!(text, before);
            assert_eq!((text.len_bytes(), text.len_chars()), (before.len_bytes(), before.len_chars()));
            assert_eq!(text.chunks().collect::<String>(), whole);
            text.rope_mut().insert(0, "first ");
            assert_eq!(text.rope(), format!("first {whole}").as_str());
            assert_eq!(text.len_chars(), before.len_chars() + 6);
        }
    }

    #[test]
    fn only_a_short_text_is_packed() {
        let packed = |bytes: usize| {
            let mut text = Text::from(Rope::from_str(&"x".repeat(bytes)));
            text.pack();
            text.rope.is_none()
        };
        assert!(packed(PACKED_BYTES_MAX));
        assert!(!packed(PACKED_BYTES_MAX + 1));
    }
}
