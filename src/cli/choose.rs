//! Names that a person typed, looked up; whatever is not there comes back with the choices.

use std::ops::Range;
use std::str::FromStr;

use super::CliError;
use crate::contender::Contender;
use crate::families::{FAMILIES, Family};
use crate::scenario::Scenario;

/// The contenders of these names; those of the scenario if none is named.
pub(super) fn contenders(
    names: &[String],
    scenario: &Scenario,
) -> Result<Vec<Contender>, CliError> {
    if names.is_empty() {
        return Ok(scenario.contender.iter().map(|spec| spec.name).collect());
    }
    let parse = |name: &String| {
        name.parse::<Contender>().map_err(|error| CliError::Input(miette::miette!("{error}")))
    };
    names.iter().map(parse).collect()
}

/// The families of these names; `None` if none is named.
pub(super) fn families(names: &[String]) -> Result<Option<Vec<&'static Family>>, CliError> {
    let find = |name: &String| {
        Family::find(name).ok_or_else(|| {
            let names: Vec<_> = FAMILIES.iter().map(|family| family.name).collect();
            CliError::Input(miette::miette!(
                help = format!("there are {}", names.join(", ")),
                "there is no fault family `{name}`"
            ))
        })
    };
    match names {
        [] => Ok(None),
        names => names.iter().map(find).collect::<Result<_, _>>().map(Some),
    }
}

/// Seeds as people write them: `0..1000` without its end, as in Rust, or `0..=999` with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seeds(pub(super) Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no range of seeds; write `0..1000` or `0..=999`");
        let number = |text: &str| text.trim().replace('_', "").parse::<u64>().map_err(|_| wrong());
        let (start, end) = text.split_once("..").ok_or_else(wrong)?;
        let start = number(start)?;
        let end = match end.strip_prefix('=') {
            Some(last) => number(last)?.checked_add(1).ok_or_else(wrong)?,
            None => number(end)?,
        };
        match start < end {
            true => Ok(Self(start..end)),
            false => Err(format!("`{text}` holds no seed: it ends before it begins")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_seeds() {
        let seeds = |text: &str| text.parse::<Seeds>().map(|seeds| seeds.0);
        assert_eq!(seeds("0..1000"), Ok(0..1000));
        assert_eq!(seeds("5..=9"), Ok(5..10));
        assert_eq!(seeds("10_000..20_000"), Ok(10_000..20_000));
        for nonsense in ["", "7", "9..3", "4..4", "a..b", "-1..3", "0..=18446744073709551615"] {
            assert!(seeds(nonsense).is_err(), "{nonsense}");
        }
    }
}
