//! From text to notes.

use super::{Note, Unreadable};
use crate::transcript::unescape;

/// Deeper than any request; a text that goes deeper is refused, not followed.
const MAX_DEPTH: usize = 32;

pub(super) fn parse(text: &str) -> Result<Note, Unreadable> {
    let mut reader = Reader { rest: text.trim(), depth: 0 };
    let note = reader.note()?;
    match reader.rest {
        "" => Ok(note),
        rest => Err(Unreadable(format!("not expected: {rest}"))),
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn note(&mut self) -> Result<Note, Unreadable> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Unreadable("too many notes within notes".to_owned()));
        }
        let note = match self.rest.chars().next() {
            Some('"') => self.text(),
            Some('[') => self.list(),
            _ => {
                let word = self.word();
                match self.rest.starts_with('{') {
                    true => self.record(word),
                    false if word.is_empty() => self.fail("a value"),
                    false => Ok(Note::word(word)),
                }
            }
        };
        self.depth -= 1;
        note
    }

    fn word(&mut self) -> &'a str {
        let ends = |c: char| c.is_whitespace() || "{}[]=\"".contains(c);
        let (word, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    fn text(&mut self) -> Result<Note, Unreadable> {
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        let Some((end, _)) = end else { return self.fail("the end of a text") };
        let (quoted, rest) = (&self.rest[1..end], &self.rest[end + 1..]);
        let bytes = unescape(quoted).ok_or_else(|| Unreadable(format!("no escape: {quoted}")))?;
        self.rest = rest;
        Ok(Note::Text(bytes.into()))
    }

    fn list(&mut self) -> Result<Note, Unreadable> {
        self.rest = &self.rest[1..];
        let mut notes = Vec::new();
        while !self.ends_with(']')? {
            notes.push(self.note()?);
        }
        Ok(Note::List(notes))
    }

    fn record(&mut self, name: &str) -> Result<Note, Unreadable> {
        self.rest = &self.rest[1..];
        let mut fields = Vec::new();
        while !self.ends_with('}')? {
            let field = self.word().to_owned();
            self.rest = match self.rest.strip_prefix('=') {
                Some(rest) => rest,
                None => return self.fail("="),
            };
            fields.push((field, self.note()?));
        }
        Ok(Note::record(name, fields))
    }

    /// Skips what separates, and takes `end` if it comes next.
    fn ends_with(&mut self, end: char) -> Result<bool, Unreadable> {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix(end) {
            self.rest = rest;
            return Ok(true);
        }
        if self.rest.is_empty() { self.fail(&end.to_string()) } else { Ok(false) }
    }

    fn fail<T>(&self, expected: &str) -> Result<T, Unreadable> {
        Err(Unreadable(format!("expected {expected} before {:?}", self.rest)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_note() -> impl Strategy<Value = Note> {
        let bytes = prop::collection::vec(any::<u8>(), 0..6);
        let leaf = prop_oneof![
            "[a-z0-9~-]{1,5}".prop_map(Note::Word),
            bytes.prop_map(|bytes| Note::Text(bytes.into())),
            "[ä\"\\\\ {}=]{0,4}".prop_map(|text| Note::Text(text.into())),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            let field = ("[a-z_]{1,4}", inner.clone());
            prop_oneof![
                prop::collection::vec(inner, 0..3).prop_map(Note::List),
                ("[A-Z]?", prop::collection::vec(field, 0..3))
                    .prop_map(|(name, fields)| Note::record(&name, fields)),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read(note in any_note()) {
            prop_assert_eq!(parse(&note.to_string()), Ok(note));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a={}\\[\\]\"\\\\ ]{0,20}") {
            if let Ok(note) = parse(&text) {
                prop_assert_eq!(parse(&note.to_string()), Ok(note));
            }
        }
    }

    #[test]
    fn no_text_is_too_deep_for_the_stack() {
        let error = parse(&"[".repeat(100_000)).expect_err("too deep");
        assert_eq!(error.0, "too many notes within notes");
    }
}
