//! Where two trails part.

use std::io::{self, Read, Seek};

use serde::Serialize;

use super::{Reader, WINDOW};

/// How many items are shown before the first that differs, and how many after it.
const BEFORE: u64 = 5;
const AFTER: u64 = 2;

/// Where two runs part: the first item that is not the same in both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its place, from 0.
    pub item: u64,
    /// The last items that both have in common.
    pub before: Vec<String>,
    /// What follows in each, the differing item first; nothing, where a run has ended already.
    pub sides: [Vec<String>; 2],
}

/// The first difference of two trails; `None` if they are the same.
///
/// # Errors
/// A trail that cannot be read.
pub fn first_difference<A: Read + Seek, B: Read + Seek>(
    one: &mut Reader<A>,
    other: &mut Reader<B>,
) -> io::Result<Option<Difference>> {
    // All windows before this one are the same, this one is not or is not whole.
    let windows = one.windows().min(other.windows());
    let window = first(windows, |at| one.checkpoint(at + 1) != other.checkpoint(at + 1));
    let start = window * WINDOW;
    let here = [one.lines(start..start + WINDOW)?, other.lines(start..start + WINDOW)?];
    let common = here[0].len().min(here[1].len());
    let differs = |at: u64| digest(&here[0][at as usize]) != digest(&here[1][at as usize]);
    let place = first(common as u64, differs);
    if place == common as u64 && here[0].len() == here[1].len() {
        return Ok(None);
    }
    let item = start + place;
    let shown = item..item + 1 + AFTER;
    Ok(Some(Difference {
        item,
        before: words(one.lines(item.saturating_sub(BEFORE)..item)?),
        sides: [words(one.lines(shown.clone())?), words(other.lines(shown)?)],
    }))
}

/// The first of so many for which it is true, if it stays true from there on; else their number.
fn first(count: u64, is_true: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        match is_true(middle) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    low
}

fn digest(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

/// The lines without their digests, which say nothing to a person.
fn words(lines: Vec<String>) -> Vec<String> {
    let word = |line: &String| line.split_once(' ').map_or("", |(_, rest)| rest).to_owned();
    lines.iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::digest::Digest;
    use crate::time::SimTime;
    use crate::trail::Trail;

    /// The trail of so many items, all alike but those that are changed.
    fn trail(items: u64, changed: &[u64]) -> Reader<Cursor<Vec<u8>>> {
        let (mut trail, mut digest) = (Trail::default(), Digest::default());
        for item in 0..items {
            let what = match changed.contains(&item) {
                true => format!("other {item}"),
                false => format!("item {item}"),
            };
            digest.bytes(what.as_bytes());
            trail.add(SimTime::from_millis(item), what, digest);
        }
        let mut bytes = Vec::new();
        trail.write(&mut bytes).unwrap();
        Reader::open(Cursor::new(bytes)).unwrap()
    }

    fn compare(one: (u64, &[u64]), other: (u64, &[u64])) -> Option<Difference> {
        let (mut one, mut other) = (trail(one.0, one.1), trail(other.0, other.1));
        let found = first_difference(&mut one, &mut other).unwrap();
        let mirrored = first_difference(&mut other, &mut one).unwrap();
        assert_eq!(found.as_ref().map(|it| it.item), mirrored.as_ref().map(|it| it.item));
        found
    }

    /// Lengths around the borders of windows, where mistakes are made.
    const LENGTHS: [u64; 9] =
        [1, 2, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, 2 * WINDOW + 1, 1000, 5 * WINDOW];

    #[test]
    fn the_same_trails_are_the_same() {
        assert_eq!(compare((0, &[]), (0, &[])), None);
        for length in LENGTHS {
            assert_eq!(compare((length, &[]), (length, &[])), None, "{length}");
        }
    }

    #[test]
    fn the_first_difference_is_found_wherever_it_is() {
        for length in LENGTHS {
            for place in [0, length / 3, length / 2, length - 1] {
                // What differs again later is not found, nor does it matter what does.
                let found = compare((length, &[]), (length, &[place, length - 1])).unwrap();
                assert_eq!(found.item, place, "of {length}");
                assert!(found.sides[0][0].ends_with(&format!("item {place}")), "{found:?}");
                assert!(found.sides[1][0].ends_with(&format!("other {place}")), "{found:?}");
                assert_eq!(found.before.len() as u64, place.min(BEFORE));
            }
        }
    }

    #[test]
    fn a_run_that_ended_early_differs_where_it_ended() {
        for length in LENGTHS {
            let found = compare((length, &[]), (length + 300, &[])).unwrap();
            assert_eq!(found.item, length);
            assert!(found.sides[0].is_empty());
            assert!(found.sides[1][0].ends_with(&format!("item {length}")), "{found:?}");
            assert_eq!(compare((0, &[]), (length, &[])).unwrap().item, 0);
        }
    }

    #[test]
    fn it_shows_what_led_there_and_what_followed() {
        let found = compare((300, &[]), (300, &[WINDOW])).unwrap();
        assert_eq!(found.item, WINDOW);
        let before = ["0.251000000 s  item 251", "0.255000000 s  item 255"];
        assert_eq!([found.before[0].as_str(), found.before[4].as_str()], before);
        let [one, other] = found.sides;
        assert_eq!(
            one,
            ["0.256000000 s  item 256", "0.257000000 s  item 257", "0.258000000 s  item 258"]
        );
        assert_eq!(other[0], "0.256000000 s  other 256");
        assert_eq!(other.len(), 3);
    }

    #[test]
    fn only_trails_are_read() {
        for text in ["", "{}\n", "{\"picklock_trail\":9,\"items\":0,\"checkpoints\":[]}\n"] {
            assert!(Reader::open(Cursor::new(text)).is_err(), "{text}");
        }
    }
}
