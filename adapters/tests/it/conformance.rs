//! What the tests of the differential suite share: an honest model passes, a model with a bug is found out.

use libtest_mimic::Failed;
use picklock_adapters::conformance::{Dialect, Fidelity, Search, Tampers, faithful, run};
use picklock_models::transcript::{Tamper, lines};

/// Enough for each of the bugs, which most show much sooner.
const SEQUENCES: u64 = 600;
/// What is left of a sequence when it shows a bug and little else.
const FEW_STEPS: usize = 14;

fn search<D: Dialect>(sequences: u64, tampers: &Tampers<D::Model>) -> Result<Fidelity, Failed> {
    let search = Search { seed: 1, first: 0, sequences, most_found: 1 };
    Ok(run::<D>(search, tampers, &|_, _, _| {})?)
}

/// The model does what the server does.
pub(crate) fn agrees<D: Dialect>() -> Result<(), Failed> {
    let fidelity = search::<D>(100, &faithful::<D::Model>)?;
    match fidelity.found.first() {
        None if fidelity.sequences == 100 => Ok(()),
        None => Err(format!("only {} sequences were carried out", fidelity.sequences).into()),
        Some(found) => Err(format!("{}\n{}", found.transcript, found.differences[0]).into()),
    }
}

/// Found, and with few steps around it.
pub(crate) fn is_found<D: Dialect>(
    tamper: fn() -> Box<dyn Tamper<D::Model>>,
) -> Result<(), Failed> {
    let fidelity = search::<D>(SEQUENCES, &tamper)?;
    let found = fidelity.found.first().ok_or("nobody noticed")?;
    let steps = lines(&found.transcript).filter(|line| line.is_step() && line.sign != "@").count();
    if steps > FEW_STEPS {
        return Err(format!("not shrunk, {steps} steps are left:\n{}", found.transcript).into());
    }
    Ok(())
}
