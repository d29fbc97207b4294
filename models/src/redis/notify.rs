//! `notify-keyspace-events`: which events are told to subscribers (`src/notify.c`).

use super::keyspace::Class;

/// A set of the letters of `notify-keyspace-events`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Letters(u16);

/// In the order in which CONFIG GET prints them (`keyspaceEventsFlagsToString`); `A` stands for the
/// first ten, and swallows the `n` after them when it is printed.
const ORDER: &[u8] = b"g$lshzxetdnKEm";
const ALL: u16 = (1 << 10) - 1;
const NEW: u16 = 1 << 10;

impl Letters {
    pub(super) const KEYSPACE: Letters = Letters::letter(b'K');
    pub(super) const KEYEVENT: Letters = Letters::letter(b'E');

    const fn letter(letter: u8) -> Letters {
        let mut bit = 0;
        while ORDER[bit] != letter {
            bit += 1;
        }
        Letters(1 << bit)
    }

    /// `keyspaceEventsStringToFlags`; `None` if there is an unknown letter.
    pub(super) fn parse(text: &[u8]) -> Option<Letters> {
        text.iter().try_fold(Letters::default(), |letters, letter| {
            let added = match letter {
                b'A' => ALL,
                letter => 1 << ORDER.iter().position(|known| known == letter)?,
            };
            Some(Letters(letters.0 | added))
        })
    }

    /// As CONFIG GET shows them.
    pub(super) fn print(self) -> String {
        let all = self.0 & ALL == ALL;
        let (all, rest) = if all { ("A", self.0 & !(ALL | NEW)) } else { ("", self.0) };
        let letters = ORDER.iter().enumerate().filter(|(bit, _)| rest & (1 << bit) != 0);
        all.chars().chain(letters.map(|(_, letter)| char::from(*letter))).collect()
    }

    pub(super) fn has(self, wanted: Letters) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The letter of a class of events, if it has one.
    pub(super) fn of(class: Class) -> Option<Letters> {
        Some(match class {
            Class::Generic => const { Letters::letter(b'g') },
            Class::String => const { Letters::letter(b'$') },
            Class::List => const { Letters::letter(b'l') },
            Class::Set => const { Letters::letter(b's') },
            Class::Hash => const { Letters::letter(b'h') },
            Class::SortedSet => const { Letters::letter(b'z') },
            Class::Expired => const { Letters::letter(b'x') },
            Class::New => const { Letters::letter(b'n') },
            Class::Silent => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What CONFIG GET of a real 7.0.15 made of them.
    #[test]
    fn letters_are_printed_in_the_order_of_the_real_server() {
        let printed = |text: &str| Letters::parse(text.as_bytes()).map(Letters::print);
        assert_eq!(printed("KEA").as_deref(), Some("AKE"));
        assert_eq!(printed("nE$xg").as_deref(), Some("g$xnE"));
        assert_eq!(printed("nEKmdtx").as_deref(), Some("xtdnKEm"));
        assert_eq!(printed("KEg$lshzxetdmn").as_deref(), Some("AKEm"));
        assert_eq!(printed("").as_deref(), Some(""));
        assert_eq!(printed("Q"), None);
    }
}
