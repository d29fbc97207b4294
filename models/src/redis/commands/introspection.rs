//! `COMMAND ...` (`src/server.c`, `src/db.c` `getKeysFromCommand`).
//!
//! What is told of a command was recorded from a real 7.0.15, RESP3 bytes with tabs for line ends, for
//! all of its commands; those that are modelled are shown.

use bytes::BytesMut;

use super::super::{Core, Reply, glob, number, resp};
use super::args::is;
use super::{Call, Command, Outcome, Run, SYNTAX_ERROR, arity_fits, find, help, reads, row};
use crate::redis::request::Request;

static RECORDED: &str = include_str!("introspection/commands.txt");

/// COMMAND and its subcommands.
pub(super) const COMMAND: Command =
    Command { arity: -1, ..row("command", -1, Run::Container(Some(all), MEMBERS)) };

const MEMBERS: &[Command] = &[
    reads("command|count", 2, |_, _| Ok(Reply::Integer(super::COMMANDS.len() as i64))),
    // Documentation is not kept; clients accept none.
    reads("command|docs", -2, |_, _| Ok(Reply::Map(Vec::new()))),
    reads("command|getkeys", -4, getkeys),
    reads("command|help", 2, |_, _| Ok(help::text("command"))),
    reads("command|info", -2, info),
    reads("command|list", -2, list),
];

/// What is known of one command: a list of ten things, its name first.
fn recorded(name: &str) -> Option<Vec<Reply>> {
    let line = RECORDED.lines().find(|line| line.split('\t').nth(2) == Some(name))?;
    let mut bytes = BytesMut::from(format!("{}\r\n", line.replace('\t', "\r\n")).as_bytes());
    match resp::decode_reply(&mut bytes) {
        Ok(Some(Reply::Array(fields))) => Some(fields),
        _ => None,
    }
}

/// `COMMAND`.
fn all(_: &mut Core, _: &Call<'_>) -> Outcome {
    let known = super::COMMANDS.iter().filter_map(|command| recorded(command.name));
    Ok(Reply::Array(known.map(Reply::Array).collect()))
}

/// `COMMAND INFO [name...]`: null for an unknown one.
fn info(core: &mut Core, call: &Call<'_>) -> Outcome {
    if call.args.len() == 2 {
        return all(core, call);
    }
    let told = call.args.iter().skip(2).map(|name| {
        let fields = find(name).and_then(|command| recorded(command.name));
        fields.map_or(Reply::Null, Reply::Array)
    });
    Ok(Reply::Array(told.collect()))
}

/// `COMMAND LIST [FILTERBY MODULE name|ACLCAT category|PATTERN pattern]`.
fn list(_: &mut Core, call: &Call<'_>) -> Outcome {
    let filter = call.args.get(4);
    let wanted: Box<dyn Fn(&str) -> bool> = match filter {
        None if call.args.len() == 2 => Box::new(|_| true),
        Some(filter) if call.args.len() == 5 && is(call.args, 2, "filterby") => {
            if is(call.args, 3, "pattern") {
                Box::new(|name| glob::matches(filter, name.as_bytes()))
            } else if is(call.args, 3, "aclcat") {
                let category = format!("@{}", String::from_utf8_lossy(filter).to_lowercase());
                Box::new(move |name| {
                    recorded(name).is_some_and(|fields| has(&fields[6], &category))
                })
            } else if is(call.args, 3, "module") {
                Box::new(|_| false)
            } else {
                return Err(SYNTAX_ERROR);
            }
        }
        _ => return Err(SYNTAX_ERROR),
    };
    let names = super::COMMANDS.iter().map(|command| command.name).filter(|name| wanted(name));
    Ok(Reply::Array(names.map(Reply::text).collect()))
}

fn has(fields: &Reply, wanted: &str) -> bool {
    let (Reply::Array(words) | Reply::Set(words)) = fields else { return false };
    words.iter().any(|word| matches!(word, Reply::Simple(word) if word == wanted))
}

/// `COMMAND GETKEYS command argument...`.
fn getkeys(_: &mut Core, call: &Call<'_>) -> Outcome {
    let request = Request::new(call.args.iter().skip(2));
    let Some(command) = find(&request[0]) else {
        return Err(Reply::error("ERR Invalid command specified"));
    };
    if !arity_fits(command.arity, request.len()) {
        return Err(Reply::error("ERR Invalid number of arguments specified for command"));
    }
    let keys = key_places(command.name, &request);
    if keys.is_empty() {
        return Err(Reply::error("ERR The command has no key arguments"));
    }
    Ok(Reply::Array(keys.into_iter().filter_map(|at| request.get(at)).map(Reply::copied).collect()))
}

/// Where the keys are: after a number that counts them, or from the first to the last by steps.
fn key_places(name: &str, request: &Request) -> Vec<usize> {
    let counted = match name {
        "eval" | "eval_ro" | "evalsha" | "evalsha_ro" | "blmpop" | "bzmpop" => Some((None, 2)),
        "zunionstore" | "zinterstore" | "zdiffstore" => Some((Some(1), 2)),
        "lmpop" | "zmpop" | "sintercard" | "zintercard" | "zunion" | "zinter" | "zdiff" => {
            Some((None, 1))
        }
        _ => None,
    };
    if let Some((target, at)) = counted {
        let count = request.get(at).and_then(number::parse).unwrap_or(0).max(0) as usize;
        let end = (at + 1).saturating_add(count).min(request.len());
        return target.into_iter().chain(at + 1..end).collect();
    }
    let Some(fields) = recorded(name) else { return Vec::new() };
    let [Reply::Integer(first), Reply::Integer(last), Reply::Integer(step)] = fields[3..6] else {
        return Vec::new();
    };
    let last = if last < 0 { request.len() as i64 + last } else { last };
    if first <= 0 || step <= 0 {
        return Vec::new();
    }
    (first..=last).step_by(step as usize).map(|at| at as usize).collect()
}
