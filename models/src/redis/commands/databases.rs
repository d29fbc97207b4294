//! Many keys at once, and keys that change their name or their database (`src/db.c`).

use super::super::keyspace::{DATABASES, Event, Expiry};
use super::super::{Core, Reply, glob};
use super::args::{int, is, within};
use super::scan::{self, Scan};
use super::{Call, Outcome, SYNTAX_ERROR};

const NO_SUCH_KEY: Reply = Reply::error("ERR no such key");
const OUT_OF_RANGE: Reply = Reply::error("ERR DB index is out of range");
const SAME_OBJECT: Reply = Reply::error("ERR source and destination objects are the same");

/// `KEYS pattern`, in the order of the keys; the real server's is that of a hash table.
pub(super) fn keys(core: &mut Core, call: &Call<'_>) -> Outcome {
    let live = core.keyspace.live(call.author.now_ms);
    let matching = live.filter(|(key, _)| glob::matches(&call.args[1], key));
    Ok(Reply::bulks(matching.map(|(key, _)| key.clone())))
}

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`.
pub(super) fn scan(core: &mut Core, call: &Call<'_>) -> Outcome {
    let cursor = scan::cursor(call, 1)?;
    let scan = Scan::parse(call, 2, true)?;
    let keys = core.keyspace.records().keys().map(|key| (key.clone(), ()));
    let (mut page, next) = scan.page(keys, cursor);
    let shows = |kind: &str| scan.kind.is_none_or(|it| it.eq_ignore_ascii_case(kind.as_bytes()));
    page.retain(|(key, ())| {
        // What the pattern leaves out is not looked at, so it does not expire by that.
        if !scan.shows(key) {
            return false;
        }
        let record = core.keyspace.peek(key, call.author.now_ms);
        record.is_some_and(|record| shows(record.value.type_name()))
    });
    Ok(scan.reply((page, next), |(key, ()), shown| shown.push(Reply::Bulk(key))))
}

/// `RANDOMKEY`.
pub(super) fn randomkey(core: &mut Core, call: &Call<'_>) -> Outcome {
    let count = core.keyspace.live(call.author.now_ms).count();
    if count == 0 {
        return Ok(Reply::Null);
    }
    let place = core.chance.below(count);
    let drawn = core.keyspace.live(call.author.now_ms).nth(place);
    Ok(drawn.map_or(Reply::Null, |(key, _)| Reply::Bulk(key.clone())))
}

/// `TOUCH key...`.
pub(super) fn touch(core: &mut Core, call: &Call<'_>) -> Outcome {
    let keys = call.args.iter().skip(1);
    let there = keys.filter(|key| core.keyspace.get(key, call.author.now_ms).is_some()).count();
    Ok(Reply::Integer(there as i64))
}

/// `RENAME key newkey`.
pub(super) fn rename(core: &mut Core, call: &Call<'_>) -> Outcome {
    change_name(core, call, false).map(|_| Reply::OK)
}

/// `RENAMENX key newkey`.
pub(super) fn renamenx(core: &mut Core, call: &Call<'_>) -> Outcome {
    change_name(core, call, true).map(Reply::flag)
}

/// `renameGenericCommand`: the expiry moves along. False if the new name is taken.
fn change_name(core: &mut Core, call: &Call<'_>, only_free: bool) -> Result<bool, Reply> {
    let (from, to, now_ms) = (&call.args[1], &call.args[2], call.author.now_ms);
    let record = core.keyspace.get(from, now_ms).ok_or(NO_SUCH_KEY)?.clone();
    if from == to {
        return Ok(!only_free);
    }
    let taken = core.keyspace.get(to, now_ms).is_some();
    if taken && only_free {
        return Ok(false);
    }
    let expiry = record.expires_at.map_or(Expiry::Clear, Expiry::At);
    core.keyspace.store(to, record.value, expiry, call.author);
    if taken {
        // The real server deletes the old one without a word and then adds the new one.
        core.keyspace.notify(to, Event::NEW);
    }
    core.keyspace.remove_as(from, call.author, Event::generic("rename_from"));
    core.keyspace.notify(to, Event::generic("rename_to"));
    Ok(true)
}

/// `COPY source destination [DB index] [REPLACE]`.
pub(super) fn copy(core: &mut Core, call: &Call<'_>) -> Outcome {
    let here = core.keyspace.selected();
    let (mut there, mut replace, mut index) = (here, false, 3);
    while index < call.args.len() {
        if is(call.args, index, "replace") {
            replace = true;
        } else if is(call.args, index, "db") && index + 1 < call.args.len() {
            there = database(int(&call.args[index + 1])?)?;
            index += 1;
        } else {
            return Err(SYNTAX_ERROR);
        }
        index += 1;
    }
    let (from, to) = (&call.args[1], &call.args[2]);
    if here == there && from == to {
        return Err(SAME_OBJECT);
    }
    let Some(record) = core.keyspace.get(from, call.author.now_ms).cloned() else {
        return Ok(Reply::flag(false));
    };
    core.keyspace.select(there);
    let taken = core.keyspace.get(to, call.author.now_ms).is_some();
    if replace || !taken {
        let expiry = record.expires_at.map_or(Expiry::Clear, Expiry::At);
        core.keyspace.store(to, record.value, expiry, call.author);
        if taken {
            core.keyspace.notify(to, Event::NEW);
        }
        core.keyspace.notify(to, Event::generic("copy_to"));
    }
    core.keyspace.select(here);
    Ok(Reply::flag(replace || !taken))
}

/// `MOVE key index`.
pub(super) fn move_key(core: &mut Core, call: &Call<'_>) -> Outcome {
    let (key, here) = (&call.args[1], core.keyspace.selected());
    let there = database(int(&call.args[2])?)?;
    if here == there {
        return Err(SAME_OBJECT);
    }
    let Some(record) = core.keyspace.get(key, call.author.now_ms).cloned() else {
        return Ok(Reply::flag(false));
    };
    core.keyspace.select(there);
    let free = core.keyspace.get(key, call.author.now_ms).is_none();
    if free {
        let expiry = record.expires_at.map_or(Expiry::Clear, Expiry::At);
        core.keyspace.store(key, record.value, expiry, call.author);
        core.keyspace.select(here);
        core.keyspace.remove_as(key, call.author, Event::generic("move_from"));
        core.keyspace.select(there);
        core.keyspace.notify(key, Event::generic("move_to"));
    }
    core.keyspace.select(here);
    Ok(Reply::flag(free))
}

/// `SWAPDB index index`.
pub(super) fn swapdb(core: &mut Core, call: &Call<'_>) -> Outcome {
    let (least, most) = (i64::from(i32::MIN), i64::from(i32::MAX));
    let wrong = Reply::error("ERR invalid first DB index");
    let one = within(&call.args[1], least, most, wrong)?;
    let wrong = Reply::error("ERR invalid second DB index");
    let other = within(&call.args[2], least, most, wrong)?;
    let (one, other) = (database(one)?, database(other)?);
    core.keyspace.swap(one, other, call.author);
    Ok(Reply::OK)
}

/// The database of that number, which must be there.
fn database(index: i64) -> Result<usize, Reply> {
    usize::try_from(index).ok().filter(|index| *index < DATABASES).ok_or(OUT_OF_RANGE)
}
