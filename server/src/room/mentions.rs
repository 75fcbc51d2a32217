//! Who is meant by the `@name`s of a message.

use motet_protocol::{access::Member, limits::MENTIONS_MAX};

/// Somebody who may be meant, by a name or by an account's.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// The name that is written after the `@`; in any case of letters.
    pub name: &'a str,
    /// Who that is.
    pub member: Member,
}

/// Everybody who is meant, each once, in the order of the text. Of names that begin alike the longest one counts; people
/// who have the same name are all meant. A name ends where no letter or digit follows.
pub fn find<'a>(text: &str, known: impl Iterator<Item = Known<'a>> + Clone) -> Vec<Member> {
    let mut found: Vec<Member> = Vec::new();
    for (at, _) in text.match_indices('@').filter(|(at, _)| begins_name(text, *at)).take(MENTIONS_MAX) {
        let written = &text[at + 1..];
        let mut longest = 0;
        let mut meant = Vec::new();
        for Known { name, member } in known.clone() {
            let Some(length) = length_of(written, name).filter(|length| *length >= longest) else { continue };
            if length > longest {
                meant.clear();
                longest = length;
            }
            meant.push(member);
        }
        for member in meant {
            if found.len() < MENTIONS_MAX && !found.contains(&member) {
                found.push(member);
            }
        }
    }
    found
}

/// Whether an `@` stands alone: one within a word is an address.
fn begins_name(text: &str, at: usize) -> bool {
    !text[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == '@')
}

/// How many bytes of what is written are this name, if it begins with it.
fn length_of(written: &str, name: &str) -> Option<usize> {
    let mut letters = written.char_indices();
    for wanted in name.chars() {
        let (_, letter) = letters.next()?;
        if letter != wanted && !letter.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    let rest = letters.as_str();
    let ends = !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    (ends && !name.is_empty()).then(|| written.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use motet_protocol::{access::AccountId, ids::ParticipantId};

    use super::*;

    fn account(name: &str) -> Member {
        Member::Account(AccountId::new(name).unwrap())
    }

    fn guest(number: u64) -> Member {
        Member::Participant(ParticipantId(number))
    }

    fn found(text: &str) -> Vec<Member> {
        let known = [
            Known { name: "Ada", member: guest(1) },
            Known { name: "Ada Lovelace", member: guest(2) },
            Known { name: "Ärzte", member: guest(3) },
            Known { name: "Max", member: guest(4) },
            Known { name: "Max", member: guest(5) },
            Known { name: "bot-7", member: account("bot-7") },
            Known { name: "", member: guest(6) },
        ];
        find(text, known.into_iter())
    }

    #[test]
    fn the_people_that_a_message_names_are_found() {
        assert_eq!(found("hello @Ada, and @bot-7!"), [guest(1), account("bot-7")]);
        assert_eq!(found("@ada lovelace wrote it"), [guest(2)], "the longest name counts");
        assert_eq!(found("(@ÄRZTE)"), [guest(3)]);
        assert_eq!(found("@Max @max"), [guest(4), guest(5)], "each once");
        for nobody in ["", "@", "@ ", "Ada", "mail@ada", "@Adam", "@@Ada", "@nobody @", "@ada_x"] {
            assert_eq!(found(nobody), [], "{nobody:?}");
        }
    }

    #[test]
    fn a_message_of_nothing_but_names_is_bounded() {
        let names: Vec<String> = (0..1_000).map(|n| format!("n{n}")).collect();
        let text: String = names.iter().map(|name| format!("@{name} ")).collect();
        let known = (0..).zip(&names).map(|(number, name)| Known { name, member: guest(number) });
        assert_eq!(find(&text, known).len(), MENTIONS_MAX);
    }
}
