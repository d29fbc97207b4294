//! `CLIENT KILL` in its two forms.

use super::super::super::{Core, Reply};
use super::super::args::{integer, is};
use super::super::{Call, Outcome, SYNTAX_ERROR, error, quotable};
use super::list::{LOCAL_ADDRESS, Type, address};
use crate::model::SessionId;

/// Which clients the new form means: all that meet every condition.
#[derive(Default)]
struct Filter {
    id: Option<i64>,
    address: Option<String>,
    local_address: Option<String>,
    kind: Option<Type>,
    /// The caller too.
    also_me: bool,
}

/// `CLIENT KILL address`, which answers OK or an error, or `CLIENT KILL option value...`, which
/// answers how many there were.
pub(super) fn kill(core: &mut Core, call: &Call<'_>) -> Outcome {
    let old = call.args.len() == 3;
    let filter = match old {
        true => {
            let address = String::from_utf8_lossy(&call.args[2]).into_owned();
            Filter { address: Some(address), also_me: true, ..Filter::default() }
        }
        false => filter(call)?,
    };
    let mut killed = core.by_id();
    killed.retain(|session| filter.means(core, *session, call.author.session));
    for session in &killed {
        core.kill(*session, call.author.session);
    }
    match (old, killed.len()) {
        (false, count) => Ok(Reply::Integer(count as i64)),
        (true, 0) => Err(Reply::error("ERR No such client")),
        (true, _) => Ok(Reply::OK),
    }
}

fn filter(call: &Call<'_>) -> Result<Filter, Reply> {
    let mut filter = Filter::default();
    let mut at = 2;
    while let Some(value) = call.args.get(at + 1) {
        let text = || String::from_utf8_lossy(value).into_owned();
        if is(call.args, at, "id") {
            let wrong = Reply::error("ERR client-id should be greater than 0");
            filter.id = Some(integer(value).ok().filter(|id| *id > 0).ok_or(wrong)?);
        } else if is(call.args, at, "type") {
            filter.kind = Some(Type::parse(value)?);
        } else if is(call.args, at, "addr") {
            filter.address = Some(text());
        } else if is(call.args, at, "laddr") {
            filter.local_address = Some(text());
        } else if is(call.args, at, "user") {
            if value != b"default" {
                let user = quotable(value, usize::MAX);
                return Err(error(format!("ERR No such user '{user}'")));
            }
        } else if is(call.args, at, "skipme") {
            filter.also_me = match value.to_ascii_lowercase().as_slice() {
                b"yes" => false,
                b"no" => true,
                _ => return Err(SYNTAX_ERROR),
            };
        } else {
            return Err(SYNTAX_ERROR);
        }
        at += 2;
    }
    if at < call.args.len() { Err(SYNTAX_ERROR) } else { Ok(filter) }
}

impl Filter {
    fn means(&self, core: &Core, session: SessionId, me: SessionId) -> bool {
        let Some(state) = core.sessions.get(&session) else { return false };
        self.id.is_none_or(|id| id == state.id)
            && self.address.as_ref().is_none_or(|wanted| *wanted == address(state.id))
            && self.local_address.as_ref().is_none_or(|wanted| wanted == LOCAL_ADDRESS)
            && self.kind.is_none_or(|kind| kind.is_of(core, session))
            && (self.also_me || session != me)
    }
}

impl Core {
    /// Another client goes at once; the caller itself after its answer.
    fn kill(&mut self, session: SessionId, by: SessionId) {
        if session != by {
            self.forget(session);
        }
        self.closed.push(session);
    }
}
