//! `DEBUG ...` (`src/debug.c`), which 7.0 refuses unless the server was started with
//! `enable-debug-command yes`.

use std::time::Duration;

use super::super::stall::Stall;
use super::super::{Core, Reply};
use super::args::is;
use super::{Call, Outcome, help, quotable};

/// `DEBUG SLEEP seconds`, `DEBUG SET-ACTIVE-EXPIRE 0|1`, `DEBUG ERROR text`, `DEBUG HELP`; the others
/// are not modelled.
pub(super) fn debug(core: &mut Core, call: &Call<'_>) -> Outcome {
    let count = call.args.len();
    if count == 2 && is(call.args, 1, "help") {
        return Ok(help::text("debug"));
    }
    if count == 3 && is(call.args, 1, "sleep") {
        let text = std::str::from_utf8(&call.args[2]).unwrap_or("");
        // As C's `strtod`: what is no number is none.
        let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite());
        let duration = Duration::try_from_secs_f64(seconds.unwrap_or(0.0)).unwrap_or_default();
        if !duration.is_zero() {
            core.stall(Stall::sleep(call.author.session, call.now.steady + duration));
        }
        return Ok(Reply::OK);
    }
    if count == 3 && is(call.args, 1, "set-active-expire") {
        core.active_expire = &call.args[2] != b"0";
        return Ok(Reply::OK);
    }
    if count == 3 && is(call.args, 1, "error") {
        return Err(super::error(quotable(&call.args[2], usize::MAX)));
    }
    Err(help::subcommand_error("DEBUG", &call.args[1]))
}
