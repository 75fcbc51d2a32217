//! What makes one completion come before another: points, of which the nearness of a word has the most.

/// What the case that was typed is worth: more than being near, since who types a capital letter means it.
pub(super) const CASE_SCORE: u32 = 60;

/// A keyword counts as a word that stands 200 characters away and is used eight times.
pub(super) const KEYWORD_SCORE: u32 = 3 * 7 + 2 * 3;

/// A snippet that was not typed in full comes after the keywords.
pub(super) const SNIPPET_SCORE: u32 = KEYWORD_SCORE - 1;

/// More than any word can have.
pub(super) const TYPED_SNIPPET_SCORE: u32 = 1_000;

/// Falls by three for each doubling of the distance, from 42.
pub(super) fn nearness(distance: Option<usize>) -> u32 {
    distance.map_or(0, |distance| 3 * 14_u32.saturating_sub(usize::BITS - distance.leading_zeros()))
}

/// Rises by two for each doubling of the uses, to 32: nearness decides until a word is used very often.
pub(super) fn use_score(count: u32) -> u32 {
    2 * (u32::BITS - count.leading_zeros()).min(16)
}
