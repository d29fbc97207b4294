//! Which values CONFIG SET takes for each kind of parameter, and its texts for those it does not
//! (`src/config.c`).

use super::Kind;
use crate::redis::notify::Letters;
use crate::redis::number;

/// Why nothing was set.
pub(in crate::redis) struct Refused(pub(in crate::redis) String);

impl Refused {
    pub(super) fn unknown(name: &[u8]) -> Self {
        let name = String::from_utf8_lossy(name);
        Self(format!("ERR Unknown option or number of arguments for CONFIG SET - '{name}'"))
    }

    pub(super) fn at(name: &str, reason: &str) -> Self {
        let text = format!("CONFIG SET failed (possibly related to argument '{name}') - {reason}");
        Self(format!("ERR {text}"))
    }
}

/// `given` as it is kept and shown, or why it is refused.
pub(super) fn value(kind: Kind, given: &[u8], current: &str) -> Result<String, String> {
    let text = String::from_utf8_lossy(given).into_owned();
    let lower = text.to_ascii_lowercase();
    match kind {
        Kind::Fixed => Err("can't set immutable config".to_owned()),
        Kind::Text => Ok(text),
        Kind::Flag if lower == "yes" || lower == "no" => Ok(lower),
        Kind::Flag => Err("argument must be 'yes' or 'no'".to_owned()),
        Kind::Choice(known) if known.contains(&lower.as_str()) => Ok(lower),
        Kind::Choice(known) => {
            Err(format!("argument(s) must be one of the following: {}", known.join(", ")))
        }
        Kind::Integer(low, high) => {
            let wrong = "argument couldn't be parsed into an integer";
            let number = number::parse(given).ok_or(wrong)?;
            within(number, low, high)
        }
        Kind::Memory(low, high) => {
            let bytes = memory(&lower).ok_or("argument must be a memory value")?;
            within(bytes, low, high)
        }
        Kind::Events => {
            let wrong = "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
            Letters::parse(given).map(|_| text).ok_or(wrong.to_owned())
        }
        Kind::OutputLimits => output_limits(&lower, current),
        Kind::SavePoints => save_points(&text),
    }
}

fn within(number: i64, low: i64, high: i64) -> Result<String, String> {
    if (low..=high).contains(&number) {
        return Ok(number.to_string());
    }
    Err(format!("argument must be between {low} and {high} inclusive"))
}

/// `src/util.c` `memtoull`: a number and a unit.
fn memory(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(factor)
}

/// Changes the classes that are named in what is set now.
fn output_limits(text: &str, current: &str) -> Result<String, String> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if words.is_empty() || !words.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".to_owned());
    }
    let mut limits: Vec<String> = current.split(' ').map(str::to_owned).collect();
    for group in words.chunks(4) {
        let class = if group[0] == "replica" { "slave" } else { group[0] };
        let known = ["normal", "slave", "pubsub"].contains(&class);
        let at = limits.iter().position(|word| known && word == class);
        let at = at.ok_or("Invalid client class specified in buffer limit configuration.")?;
        let wrong = "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
        let (hard, soft) = (memory(group[1]).ok_or(wrong)?, memory(group[2]).ok_or(wrong)?);
        let seconds = number::parse(group[3].as_bytes()).filter(|seconds| *seconds >= 0);
        limits[at + 1] = hard.to_string();
        limits[at + 2] = soft.to_string();
        limits[at + 3] = seconds.ok_or(wrong)?.to_string();
    }
    Ok(limits.join(" "))
}

fn save_points(text: &str) -> Result<String, String> {
    let numbers: Option<Vec<i64>> =
        text.split_ascii_whitespace().map(|word| number::parse(word.as_bytes())).collect();
    match numbers {
        Some(numbers)
            if numbers.len().is_multiple_of(2)
                && numbers.chunks(2).all(|point| point[0] >= 1 && point[1] >= 0) =>
        {
            Ok(text.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
        }
        _ => Err("Invalid save parameters".to_owned()),
    }
}
