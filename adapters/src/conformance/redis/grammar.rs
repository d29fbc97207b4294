//! Draws sequences from `grammar.txt`, and now and then spoils a phrase.
//!
//! The grammar is read anew for each strategy: that costs less than one conversation.

use std::collections::BTreeMap;

use picklock_models::transcript::unescape;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;
use sha1::{Digest, Sha1};

use super::step::{Step, Word, encode, unquote};

static GRAMMAR: &str = include_str!("grammar.txt");

/// How many phrases a sequence has.
const PHRASES: std::ops::RangeInclusive<usize> = 4..=16;

/// Sequences of steps, weighted to what locks use.
pub(super) fn sequences() -> BoxedStrategy<Vec<Step>> {
    let phrase = Grammar::read(GRAMMAR).phrase();
    // Mostly one connection is busy, so that what it begins (a transaction, say) also ends.
    let orders = [(6, [1, 2, 3, 4]), (3, [2, 1, 3, 4]), (1, [3, 1, 4, 2]), (1, [4, 3, 2, 1])];
    let order = Union::new_weighted(orders.map(|(weight, order)| (weight, Just(order))).into());
    let placed = (order, phrase, slip()).prop_map(|(order, phrase, slip)| {
        let phrase = phrase.into_iter().map(|step| step.placed(&order)).collect();
        slip.spoil(phrase)
    });
    vec(placed, PHRASES).prop_map(|phrases| phrases.concat()).boxed()
}

/// A step that does not yet know its connection: `who` is 0 for the phrase's first, and so on.
#[derive(Clone, Debug)]
struct Draft {
    who: usize,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Send(Vec<Word>),
    Raw(Vec<u8>),
    HangUp,
    Wait,
}

impl Draft {
    fn placed(self, order: &[u64; 4]) -> Step {
        let connection = order[self.who];
        match self.what {
            What::Send(words) => Step::Send { connection, words },
            What::Raw(bytes) => Step::Raw { connection, bytes },
            What::HangUp => Step::HangUp { connection },
            What::Wait => Step::Wait,
        }
    }
}

/// The grammar's text, taken apart.
struct Grammar<'a> {
    classes: BTreeMap<&'a str, Vec<Vec<u8>>>,
    phrases: Vec<(u32, &'a str)>,
}

impl<'a> Grammar<'a> {
    fn read(text: &'a str) -> Self {
        let mut grammar = Self { classes: BTreeMap::new(), phrases: Vec::new() };
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some((name, words)) = line.split_once(" = ").filter(|_| line.starts_with('$')) {
                let words = unquote(words);
                assert!(!words.is_empty(), "a well-formed line: {line}");
                grammar.classes.insert(name, words);
            } else {
                let (weight, phrase) = line.split_once(": ").expect("a phrase has a weight");
                grammar.phrases.push((weight.parse().expect("a number"), phrase));
            }
        }
        grammar
    }

    fn phrase(&self) -> BoxedStrategy<Vec<Draft>> {
        let (single, longer): (Vec<_>, Vec<_>) =
            self.phrases.iter().partition(|(_, text)| is_one_command(text));
        let commands = single.iter().map(|(weight, text)| (*weight, self.command(text)));
        let any = Union::new_weighted(commands.collect()).boxed();
        let alone = any.clone().prop_map(|words| vec![Draft { who: 0, what: What::Send(words) }]);
        let weight = single.iter().map(|(weight, _)| weight).sum();
        let mut phrases = vec![(weight, alone.boxed())];
        for (weight, text) in longer {
            let steps: Vec<_> = text.split(" ; ").map(|step| self.draft(step, &any)).collect();
            phrases.push((weight, steps.boxed()));
        }
        Union::new_weighted(phrases).boxed()
    }

    /// One step of a phrase: `b> GET $k`, `a-`, `@`.
    fn draft(&self, text: &str, any: &BoxedStrategy<Vec<Word>>) -> BoxedStrategy<Draft> {
        let (who, rest) = match text.as_bytes() {
            [letter @ b'a'..=b'd', b'>' | b'-', ..] => (usize::from(letter - b'a'), &text[1..]),
            _ => (0, text),
        };
        if rest == "@" || rest == "-" {
            let what = if rest == "@" { What::Wait } else { What::HangUp };
            return Just(Draft { who, what }).boxed();
        }
        if let Some(bytes) = rest.strip_prefix(">> ") {
            let bytes = unescape(bytes).expect("escaped bytes");
            return Just(Draft { who, what: What::Raw(bytes) }).boxed();
        }
        let command = rest.strip_prefix("> ").unwrap_or(rest);
        let words = if command == "%" { any.clone() } else { self.command(command) };
        words.prop_map(move |words| Draft { who, what: What::Send(words) }).boxed()
    }

    fn command(&self, text: &str) -> BoxedStrategy<Vec<Word>> {
        let words = unquote(text);
        assert!(!words.is_empty(), "a well-formed command: {text}");
        words.iter().map(|word| self.word(word)).collect::<Vec<_>>().boxed()
    }

    fn word(&self, word: &[u8]) -> BoxedStrategy<Word> {
        let text = std::str::from_utf8(word).unwrap_or("");
        let number = |digits: &str| digits.parse().expect("a number in the grammar");
        if let Some(offset) = text.strip_prefix("@ms") {
            return Just(Word::UnixMs(number(offset))).boxed();
        }
        if let Some(offset) = text.strip_prefix("@s") {
            return Just(Word::UnixSeconds(number(offset))).boxed();
        }
        if let Some(connection) = text.strip_prefix('&') {
            return Just(Word::ClientOf(number(connection).unsigned_abs())).boxed();
        }
        if let Some(name) = text.strip_prefix('#') {
            let script = &self.class(&format!("${name}"))[0];
            let digest: String =
                Sha1::digest(script).iter().map(|byte| format!("{byte:02x}")).collect();
            return Just(Word::Text(digest.into())).boxed();
        }
        if text.starts_with('$') {
            return Union::new(self.class(text).iter().map(|word| self.word(word))).boxed();
        }
        Just(Word::Text(word.to_vec())).boxed()
    }

    fn class(&self, name: &str) -> &[Vec<u8>] {
        self.classes.get(name).unwrap_or_else(|| panic!("the grammar has no {name}"))
    }
}

fn is_one_command(phrase: &str) -> bool {
    let bytes = phrase.as_bytes();
    phrase != "@" && !phrase.contains(" ; ") && !matches!(bytes, [b'a'..=b'd', b'>' | b'-', ..])
}

/// What is wrong with a phrase; mostly nothing.
#[derive(Clone, Debug)]
enum Slip {
    Nothing,
    /// The last word of some command is missing.
    TooFew(usize),
    /// There is another one.
    TooMany(usize, Word),
    /// A word is another.
    Wrong(usize, usize, Word),
    /// The command's name is written in another case.
    Shouted(usize),
    /// All commands of the first connection are sent in one go.
    AtOnce,
}

fn slip() -> BoxedStrategy<Slip> {
    let odd: &[&[u8]] =
        &[b"", b"abc", b"-1", b"9223372036854775807", b"\xff\x00", b"1e3", b"nan", b"NX", b"*"];
    let odd = || proptest::sample::select(odd).prop_map(|word| Word::Text(word.to_vec()));
    let at = || 0..8_usize;
    prop_oneof![
        90 => Just(Slip::Nothing),
        3 => at().prop_map(Slip::TooFew),
        2 => (at(), odd()).prop_map(|(at, word)| Slip::TooMany(at, word)),
        3 => (at(), at(), odd()).prop_map(|(at, place, word)| Slip::Wrong(at, place, word)),
        1 => at().prop_map(Slip::Shouted),
        3 => Just(Slip::AtOnce),
    ]
    .boxed()
}

/// What a slip must not touch: another pause or another DEBUG can stop a server for good, COMMAND alone and
/// CONFIG GET of everything list what is modelled and what is not, and of a set with more than one member SPOP takes
/// any.
const CAREFUL: &[&[u8]] = &[b"DEBUG", b"CLIENT", b"COMMAND", b"CONFIG", b"SADD"];

impl Slip {
    fn spoil(self, mut phrase: Vec<Step>) -> Vec<Step> {
        let at = match self {
            Slip::Nothing => return phrase,
            Slip::AtOnce => return at_once(phrase),
            Slip::TooFew(at) | Slip::TooMany(at, _) | Slip::Wrong(at, ..) | Slip::Shouted(at) => at,
        };
        let at = at % phrase.len();
        let Some(Step::Send { words, .. }) = phrase.get_mut(at) else { return phrase };
        let Word::Text(name) = &words[0] else { return phrase };
        if CAREFUL.contains(&name.as_slice()) {
            return phrase;
        }
        match self {
            Slip::TooFew(_) if words.len() > 1 => drop(words.pop()),
            Slip::TooMany(_, word) => words.push(word),
            Slip::Wrong(_, place, word) if words.len() > 1 => {
                let place = 1 + place % (words.len() - 1);
                words[place] = word;
            }
            Slip::Shouted(_) => {
                let name = name.iter().enumerate().map(|(index, byte)| match index % 2 {
                    0 => byte.to_ascii_lowercase(),
                    _ => *byte,
                });
                words[0] = Word::Text(name.collect());
            }
            _ => {}
        }
        phrase
    }
}

/// Consecutive commands of one connection as one piece of bytes, as a pipelining client sends them.
fn at_once(phrase: Vec<Step>) -> Vec<Step> {
    let mut merged: Vec<Step> = Vec::new();
    for step in phrase {
        let Some((connection, mut bytes)) = as_bytes(&step) else {
            merged.push(step);
            continue;
        };
        match merged.last_mut() {
            Some(Step::Raw { connection: last, bytes: before }) if *last == connection => {
                before.append(&mut bytes);
            }
            _ => merged.push(Step::Raw { connection, bytes }),
        }
    }
    merged
}

/// A command whose words are all known.
fn as_bytes(step: &Step) -> Option<(u64, Vec<u8>)> {
    let Step::Send { connection, words } = step else { return None };
    let words: Option<Vec<Vec<u8>>> = (words.iter())
        .map(|word| match word {
            Word::Text(text) => Some(text.clone()),
            _ => None,
        })
        .collect();
    Some((*connection, encode(&words?)))
}

#[cfg(test)]
mod tests {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    use super::*;

    #[test]
    fn the_grammar_can_be_read_and_drawn_from() {
        let mut runner = TestRunner::deterministic();
        let strategy = sequences();
        let mut drawn = Vec::new();
        for _ in 0..50 {
            drawn.extend(strategy.new_tree(&mut runner).expect("nothing is rejected").current());
        }
        assert!(drawn.len() > 500);
        assert!(drawn.contains(&Step::Wait));
        let connections = |wanted: u64| {
            drawn
                .iter()
                .any(|step| matches!(step, Step::Send { connection, .. } if *connection == wanted))
        };
        assert!((1..=4).all(connections));
    }

    #[test]
    fn commands_of_one_connection_are_sent_at_once() {
        let send = |connection, word: &str| Step::Send {
            connection,
            words: vec![Word::Text(word.into())],
        };
        let merged = at_once(vec![send(1, "PING"), send(1, "GET"), send(2, "PING")]);
        let bytes = b"*1\r\n$4\r\nPING\r\n*1\r\n$3\r\nGET\r\n".to_vec();
        assert_eq!(merged[0], Step::Raw { connection: 1, bytes });
        assert_eq!(merged.len(), 2);
    }
}
