//! What a key holds: a string, or one of four aggregates, each with its own file.
//!
//! A string's four forms are Redis' own encodings as OBJECT ENCODING tells them apart: counters stay
//! numbers until somebody reads them, and what was appended to is never packed again. Aggregates are
//! boxed so that a string, which is what most locks are, stays small.
//!
//! Every order here is the model's own and repeats: lists, hashes and sets keep the order of arrival
//! (as the real server's small ones do), sets of integers and sorted sets that of their values.

use bytes::Bytes;

use super::number;
use super::reply::Reply;

mod hash;
mod list;
mod ordered;
mod set;
mod sorted;

pub(super) use hash::Hash;
pub(super) use list::{End, List};
pub(super) use set::Set;
pub(super) use sorted::SortedSet;

/// `src/server.c` `shared.wrongtypeerr`.
pub(super) const WRONG_TYPE: Reply =
    Reply::error("WRONGTYPE Operation against a key holding the wrong kind of value");

/// The longest string that shares one allocation with its object (`src/object.c`
/// `OBJ_ENCODING_EMBSTR_SIZE_LIMIT`).
const EMBEDDED: usize = 44;

/// A key's value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A string as it was stored.
    Bytes(Bytes),
    /// A counter (`OBJ_ENCODING_INT`).
    Integer(i64),
    /// A string that was changed in place and so is `raw` for good, whatever its length.
    Raw(Bytes),
    /// What INCRBYFLOAT stored: a string even where it looks like an integer.
    Fraction(Bytes),
    List(Box<List>),
    Hash(Box<Hash>),
    Set(Box<Set>),
    SortedSet(Box<SortedSet>),
}

impl Value {
    /// The string as a client reads it; `None` for an aggregate.
    pub(super) fn to_bytes(&self) -> Option<Bytes> {
        match self {
            Value::Bytes(bytes) | Value::Raw(bytes) | Value::Fraction(bytes) => Some(bytes.clone()),
            Value::Integer(number) => Some(number::format(*number)),
            _ => None,
        }
    }

    /// The value as a number, if it is a string that is one.
    pub(super) fn to_integer(&self) -> Option<i64> {
        match self {
            Value::Bytes(bytes) | Value::Raw(bytes) | Value::Fraction(bytes) => {
                number::parse(bytes)
            }
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The string, or the error for what is none.
    pub(super) fn string(&self) -> Result<Bytes, Reply> {
        self.to_bytes().ok_or(WRONG_TYPE)
    }

    /// What TYPE answers (`src/db.c` `getObjectTypeName`).
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Value::List(_) => "list",
            Value::Hash(_) => "hash",
            Value::Set(_) => "set",
            Value::SortedSet(_) => "zset",
            _ => "string",
        }
    }

    /// What OBJECT ENCODING answers (`src/object.c` `strEncoding`, `tryObjectEncoding`), with the
    /// default thresholds of `src/config.c`.
    pub(super) fn encoding(&self) -> &'static str {
        match self {
            Value::Integer(_) => "int",
            Value::Bytes(bytes) if number::parse(bytes).is_some() => "int",
            Value::Bytes(text) | Value::Fraction(text) if text.len() <= EMBEDDED => "embstr",
            Value::Bytes(_) | Value::Raw(_) | Value::Fraction(_) => "raw",
            Value::List(_) => "quicklist",
            Value::Hash(hash) => hash.encoding(),
            Value::Set(set) => set.encoding(),
            Value::SortedSet(set) => set.encoding(),
        }
    }

    /// Whether an aggregate has lost its last element, which removes its key.
    pub(super) fn is_drained(&self) -> bool {
        match self {
            Value::List(list) => list.is_empty(),
            Value::Hash(hash) => hash.is_empty(),
            Value::Set(set) => set.is_empty(),
            Value::SortedSet(set) => set.is_empty(),
            _ => false,
        }
    }
}

/// One of the four types that are changed in place.
pub(super) trait Aggregate: Default {
    fn of(value: &Value) -> Option<&Self>;
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    fn into_value(self) -> Value;
}

macro_rules! aggregates {
    ($($name:ident)*) => {$(
        impl Aggregate for $name {
            fn of(value: &Value) -> Option<&Self> {
                if let Value::$name(inner) = value { Some(inner) } else { None }
            }
            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                if let Value::$name(inner) = value { Some(inner) } else { None }
            }
            fn into_value(self) -> Value {
                Value::$name(Box::new(self))
            }
        }
    )*};
}

aggregates! { List Hash Set SortedSet }

#[cfg(test)]
mod tests {
    use super::*;

    /// Every message of a simulation moves a few of these.
    #[test]
    fn a_value_stays_small() {
        assert!(size_of::<Value>() <= 40);
    }
}
