//! What in etcd's messages depends on the run: revisions, which a transcript counts from its own
//! beginning, and the leases that a server has named.

use bytes::Bytes;

use crate::etcd::pb::etcdserverpb::compare::{CompareResult, CompareTarget};
use crate::etcd::pb::etcdserverpb::range_request::{SortOrder, SortTarget};
use crate::etcd::pb::etcdserverpb::watch_create_request::FilterType;
use crate::transcript::names::Names;
use crate::transcript::notation::{Note, Unreadable};

/// Fields that are revisions.
const REVISIONS: &[&str] = &[
    "revision",
    "create_revision",
    "mod_revision",
    "start_revision",
    "compact_revision",
    "min_mod_revision",
    "max_mod_revision",
    "min_create_revision",
    "max_create_revision",
    "rev",
];
/// Fields that are leases.
const LEASES: &[&str] = &["lease", "id"];
/// Servers name leases by the time and their own number; a client's names in transcripts are small.
const NAMED_BY_SERVER: i64 = 1 << 40;

/// The numbers of one run, and what transcripts call them.
#[derive(Clone, Debug)]
pub struct Lens {
    /// Revisions from before the transcript.
    before: i64,
    leases: Names<i64>,
}

impl Lens {
    /// For a run that begins when the store is at `revision`. An empty store is at 1.
    pub fn new(revision: i64) -> Self {
        Self { before: revision - 1, leases: Names::new("L") }
    }

    /// What the transcript says of a message from the server.
    pub fn told(&mut self, note: Note) -> Note {
        note.map(&mut |field, note| self.tell(field, note))
    }

    /// What a message in the transcript means to the server.
    ///
    /// # Errors
    /// If a lease has a name that was never told, or a word is none.
    pub fn meant(&self, note: Note) -> Result<Note, Unreadable> {
        note.try_map(&mut |field, note| self.mean(field, note))
    }

    fn tell(&mut self, field: &str, note: Note) -> Note {
        match note {
            Note::Word(word) => Note::Word(self.tell_word(field, word)),
            Note::Text(bytes) => Note::Text(self.tell_text(bytes)),
            Note::List(notes) => {
                let mut notes: Vec<Note> =
                    notes.into_iter().map(|note| self.tell_item(field, note)).collect();
                if field == "keys" {
                    // The real server has them in a hash table.
                    notes.sort_by_cached_key(Note::to_string);
                }
                Note::List(notes)
            }
            other => other,
        }
    }

    fn tell_item(&mut self, field: &str, note: Note) -> Note {
        match note {
            Note::Word(_) | Note::Text(_) => self.tell(field, note),
            other => other,
        }
    }

    fn tell_word(&mut self, field: &str, word: String) -> String {
        let Ok(number) = word.parse::<i64>() else { return word };
        if REVISIONS.contains(&field) && number > 0 {
            return (number - self.before).to_string();
        }
        if LEASES.contains(&field) && number >= NAMED_BY_SERVER {
            return self.leases.name(number);
        }
        i32::try_from(number).ok().and_then(|number| word_of(field, number)).unwrap_or(word)
    }

    /// Keys of locks and elections end with a lease in hexadecimal digits.
    fn tell_text(&mut self, bytes: Bytes) -> Bytes {
        let Some(slash) = bytes.iter().rposition(|byte| *byte == b'/') else { return bytes };
        let digits = std::str::from_utf8(&bytes[slash + 1..]).ok();
        let lease = digits.and_then(|digits| i64::from_str_radix(digits, 16).ok());
        match lease.filter(|lease| *lease >= NAMED_BY_SERVER) {
            Some(lease) => {
                let name = format!("{{{}}}", self.leases.name(lease));
                [&bytes[..=slash], name.as_bytes()].concat().into()
            }
            None => bytes,
        }
    }

    fn mean(&self, field: &str, note: Note) -> Result<Note, Unreadable> {
        Ok(match note {
            Note::Word(word) => Note::Word(self.mean_word(field, word)?),
            Note::Text(bytes) => Note::Text(self.mean_text(bytes)),
            Note::List(notes) if field == "filters" => {
                let notes = notes.into_iter().map(|note| self.mean(field, note));
                Note::List(notes.collect::<Result<_, _>>()?)
            }
            other => other,
        })
    }

    fn mean_word(&self, field: &str, word: String) -> Result<String, Unreadable> {
        let number = word.parse::<i64>().ok();
        if let (true, Some(number)) = (REVISIONS.contains(&field), number) {
            return Ok(if number > 0 { (number + self.before).to_string() } else { word });
        }
        if LEASES.contains(&field) && number.is_none() {
            let lease = self.leases.find(&word);
            let lease = lease.ok_or_else(|| Unreadable(format!("no lease {word} so far")))?;
            return Ok(lease.to_string());
        }
        Ok(number_of(field, &word).map_or(word, |number| number.to_string()))
    }

    fn mean_text(&self, bytes: Bytes) -> Bytes {
        let named = || {
            let brace = bytes.iter().rposition(|byte| *byte == b'{')?;
            let name = bytes[brace + 1..].strip_suffix(b"}")?;
            let lease = self.leases.find(std::str::from_utf8(name).ok()?)?;
            Some([&bytes[..brace], format!("{lease:x}").as_bytes()].concat().into())
        };
        named().unwrap_or_else(|| bytes.clone())
    }
}

/// The word for a value of an enumeration; a value that has none stays a number.
fn word_of(field: &str, number: i32) -> Option<String> {
    let word = match field {
        "sort_order" => SortOrder::try_from(number).ok()?.as_str_name(),
        "sort_target" => SortTarget::try_from(number).ok()?.as_str_name(),
        "target" => CompareTarget::try_from(number).ok()?.as_str_name(),
        "result" => CompareResult::try_from(number).ok()?.as_str_name(),
        "filters" => FilterType::try_from(number).ok()?.as_str_name(),
        _ => return None,
    };
    Some(word.to_lowercase())
}

fn number_of(field: &str, word: &str) -> Option<i32> {
    let name = word.to_uppercase();
    match field {
        "sort_order" => SortOrder::from_str_name(&name).map(|value| value as i32),
        "sort_target" => SortTarget::from_str_name(&name).map(|value| value as i32),
        "target" => CompareTarget::from_str_name(&name).map(|value| value as i32),
        "result" => CompareResult::from_str_name(&name).map(|value| value as i32),
        "filters" => FilterType::from_str_name(&name).map(|value| value as i32),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_count_from_the_beginning_and_leases_have_names() {
        let mut lens = Lens::new(100);
        let real = "{revision=103 lease=7587848943239472 key=\"a/1af512ed8c8a30\" ttl=9 target=1}";
        let note = Note::parse(real).unwrap();
        let told = lens.told(note.clone());
        let expected = "{revision=4 lease=L1 key=\"a/{L1}\" ttl=9 target=create}";
        assert_eq!(told.to_string(), expected.replace("a/{L1}", "a/{L2}"));
        assert_eq!(lens.meant(told), Ok(note));
        let unknown = Note::parse("{lease=L9}").unwrap();
        assert_eq!(lens.meant(unknown), Err(Unreadable("no lease L9 so far".to_owned())));
    }
}
