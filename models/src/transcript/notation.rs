//! How requests and answers are written in the transcripts of etcd and ZooKeeper: names with fields.
//!
//! ```text
//! Put{key="lock/a" value="me" lease=7}
//! Children{names=["a" "b"] stat={czxid=3 mzxid=3 pzxid=5}}
//! ```
//!
//! A field that says nothing (0, false, an empty text, none) is left out, so a line is as long as what it
//! has to say. [`Noted`] is implemented by the lists of fields in `etcd/records.rs` and by the records of
//! jute themselves: both directions come from one list. What depends on the run, such as the numbers of
//! sessions, is replaced in a [`Note`] by whoever knows better (`Lens`), before it is written.

use std::convert::Infallible;
use std::fmt::{self, Display, Write};

use bytes::Bytes;

mod parse;

/// A piece of text with a structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A number, a truth, a name.
    Word(String),
    /// Bytes, quoted; those that are no text are escaped.
    Text(Bytes),
    /// Several notes.
    List(Vec<Note>),
    /// Fields, behind a name that may be empty.
    Record(String, Vec<Field>),
}

/// A field of a record: its name, and what it says.
pub type Field = (String, Note);

/// It does not say what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// What can be written as a note and read back.
pub trait Noted: Sized + PartialEq {
    /// The note of it.
    fn note(&self) -> Note;

    /// What the note is of.
    ///
    /// # Errors
    /// If it is of something else.
    fn from_note(note: &Note) -> Result<Self, Unreadable>;

    /// What a field is that is left out; `None` if it cannot be.
    fn absent() -> Option<Self> {
        None
    }
}

impl Note {
    /// A number, a truth, a name.
    pub fn word(word: impl Display) -> Note {
        Note::Word(word.to_string())
    }

    /// A record.
    pub fn record(name: &str, fields: Vec<(String, Note)>) -> Note {
        Note::Record(name.to_owned(), fields)
    }

    /// The same fields under another name.
    #[must_use]
    pub fn named(self, name: &str) -> Note {
        match self {
            Note::Record(_, fields) => Note::record(name, fields),
            other => Note::record(name, vec![("value".to_owned(), other)]),
        }
    }

    /// A record's name and fields.
    ///
    /// # Errors
    /// If it is none.
    pub fn fields(&self) -> Result<(&str, &[Field]), Unreadable> {
        match self {
            Note::Record(name, fields) => Ok((name, fields)),
            other => Err(Unreadable(format!("{other} is not a record"))),
        }
    }

    /// A field of a record, if it is there.
    pub fn field(&self, name: &str) -> Option<&Note> {
        let Note::Record(_, fields) = self else { return None };
        fields.iter().find(|(field, _)| field == name).map(|(_, note)| note)
    }

    /// The note that is written in `text`.
    ///
    /// # Errors
    /// If it is not one note.
    pub fn parse(text: &str) -> Result<Note, Unreadable> {
        parse::parse(text)
    }

    /// The same with every field changed by `change`, the innermost first.
    #[must_use]
    pub fn map(self, change: &mut impl FnMut(&str, Note) -> Note) -> Note {
        let changed = self.try_map(&mut |field, note| Ok::<_, Infallible>(change(field, note)));
        changed.unwrap_or_else(|never| match never {})
    }

    /// As [`Note::map`], until a change fails.
    ///
    /// # Errors
    /// That of the first change that fails.
    pub fn try_map<E>(
        self,
        change: &mut impl FnMut(&str, Note) -> Result<Note, E>,
    ) -> Result<Note, E> {
        Ok(match self {
            Note::List(notes) => {
                let notes = notes.into_iter().map(|note| note.try_map(change));
                Note::List(notes.collect::<Result<_, E>>()?)
            }
            Note::Record(name, fields) => {
                let fields = fields.into_iter().map(|(field, note)| {
                    let note = note.try_map(change)?;
                    let note = change(&field, note)?;
                    Ok((field, note))
                });
                Note::Record(name, fields.collect::<Result<_, E>>()?)
            }
            other => other,
        })
    }
}

impl Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Word(word) => f.write_str(word),
            Note::Text(bytes) => quote(bytes, f),
            Note::List(notes) => {
                f.write_char('[')?;
                separated(f, notes, |f, note| note.fmt(f))?;
                f.write_char(']')
            }
            Note::Record(name, fields) => {
                write!(f, "{name}{{")?;
                separated(f, fields, |f, (field, note)| write!(f, "{field}={note}"))?;
                f.write_char('}')
            }
        }
    }
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    show: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_char(' ')?;
        }
        show(f, item)?;
    }
    Ok(())
}

/// Printable text as it is, everything else as bytes.
fn quote(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c.is_control() => escape(c.encode_utf8(&mut [0; 4]).as_bytes(), f)?,
                c => f.write_char(c)?,
            }
        }
        escape(chunk.invalid(), f)?;
    }
    f.write_char('"')
}

fn escape(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))
}

/// The list of a record's fields, from which it is written and read.
macro_rules! noted {
    ($($name:ty { $($field:ident),* $(,)? })*) => {$(
        impl $crate::transcript::notation::Noted for $name {
            fn note(&self) -> $crate::transcript::notation::Note {
                #[allow(unused_mut, reason = "a record may have no fields")]
                let mut fields = Vec::new();
                $($crate::transcript::notation::put(&mut fields, stringify!($field), &self.$field);)*
                $crate::transcript::notation::Note::record("", fields)
            }

            fn from_note(
                note: &$crate::transcript::notation::Note,
            ) -> Result<Self, $crate::transcript::notation::Unreadable> {
                $crate::transcript::notation::only(note, &[$(stringify!($field)),*])?;
                Ok(Self { $($field: $crate::transcript::notation::take(note, stringify!($field))?,)* })
            }
        }
    )*};
}
pub(crate) use noted;

/// Adds a field, unless it says nothing.
pub(crate) fn put<T: Noted>(fields: &mut Vec<(String, Note)>, name: &str, value: &T) {
    if T::absent().as_ref() != Some(value) {
        fields.push((name.trim_start_matches("r#").to_owned(), value.note()));
    }
}

/// The value of a field.
pub(crate) fn take<T: Noted>(note: &Note, name: &str) -> Result<T, Unreadable> {
    match note.field(name.trim_start_matches("r#")) {
        Some(field) => T::from_note(field),
        None => T::absent().ok_or_else(|| Unreadable(format!("{note} has no {name}"))),
    }
}

/// A record has no other fields than these.
pub(crate) fn only(note: &Note, known: &[&str]) -> Result<(), Unreadable> {
    let (_, fields) = note.fields()?;
    let is_known = |field: &str| known.iter().any(|known| known.trim_start_matches("r#") == field);
    match fields.iter().find(|(field, _)| !is_known(field)) {
        Some((field, _)) => Err(Unreadable(format!("there is no field {field} here: {note}"))),
        None => Ok(()),
    }
}

macro_rules! noted_by_word {
    ($($type:ty = $absent:expr),* $(,)?) => {$(
        impl Noted for $type {
            fn note(&self) -> Note {
                Note::word(self)
            }

            fn from_note(note: &Note) -> Result<Self, Unreadable> {
                let Note::Word(word) = note else {
                    return Err(Unreadable(format!("{note} is not a word")));
                };
                let wrong = || Unreadable(format!("{word} is not a {}", stringify!($type)));
                word.parse().map_err(|_| wrong())
            }

            fn absent() -> Option<Self> {
                Some($absent)
            }
        }
    )*};
}
noted_by_word! { i32 = 0, i64 = 0, u32 = 0, u64 = 0, bool = false }

impl Noted for Bytes {
    fn note(&self) -> Note {
        Note::Text(self.clone())
    }

    fn from_note(note: &Note) -> Result<Self, Unreadable> {
        match note {
            Note::Text(bytes) => Ok(bytes.clone()),
            other => Err(Unreadable(format!("{other} is not a text"))),
        }
    }

    fn absent() -> Option<Self> {
        Some(Bytes::new())
    }
}

impl Noted for String {
    fn note(&self) -> Note {
        Note::Text(self.clone().into())
    }

    fn from_note(note: &Note) -> Result<Self, Unreadable> {
        let bytes = Bytes::from_note(note)?;
        String::from_utf8(bytes.into()).map_err(|_| Unreadable(format!("{note} is not UTF-8")))
    }

    fn absent() -> Option<Self> {
        Some(String::new())
    }
}

impl<T: Noted> Noted for Option<T> {
    fn note(&self) -> Note {
        self.as_ref().map_or_else(|| Note::word("none"), T::note)
    }

    fn from_note(note: &Note) -> Result<Self, Unreadable> {
        T::from_note(note).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Noted> Noted for Vec<T> {
    fn note(&self) -> Note {
        Note::List(self.iter().map(T::note).collect())
    }

    fn from_note(note: &Note) -> Result<Self, Unreadable> {
        match note {
            Note::List(notes) => notes.iter().map(T::from_note).collect(),
            other => Err(Unreadable(format!("{other} is not a list"))),
        }
    }

    fn absent() -> Option<Self> {
        Some(Vec::new())
    }
}

impl Noted for () {
    fn note(&self) -> Note {
        Note::record("", Vec::new())
    }

    fn from_note(note: &Note) -> Result<Self, Unreadable> {
        only(note, &[])
    }

    fn absent() -> Option<Self> {
        Some(())
    }
}
