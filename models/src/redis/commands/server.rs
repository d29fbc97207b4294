//! The server about itself (`src/server.c`, `src/config.c`), as far as clients ask on connect.

use std::fmt::Write;

use bytes::Bytes;

use super::super::keyspace::DATABASES;
use super::super::persist::Persistence;
use super::super::{Core, Reply, VERSION, number};
use super::{Call, Outcome, SYNTAX_ERROR, Subcommand, run_subcommand};

/// `TIME`: the server's wall clock in seconds and microseconds.
pub(super) fn time(_: &mut Core, call: &Call<'_>) -> Outcome {
    let micros = call.now.wall.as_unix_nanos() / 1000;
    let text = |number: u64| Reply::Bulk(number::format(number as i64));
    Ok(Reply::Array(vec![text(micros / 1_000_000), text(micros % 1_000_000)]))
}

/// `DBSIZE`: expired keys that nobody has touched yet are counted.
pub(super) fn dbsize(core: &mut Core, _: &Call<'_>) -> Outcome {
    Ok(Reply::Integer(core.keyspace.records().len() as i64))
}

/// `FLUSHALL [ASYNC|SYNC]`.
pub(super) fn flushall(core: &mut Core, call: &Call<'_>) -> Outcome {
    let selected = core.keyspace.selected();
    for database in 0..DATABASES {
        core.keyspace.select(database);
        let flushed = flushdb(core, call);
        core.keyspace.select(selected);
        flushed?;
    }
    Ok(Reply::OK)
}

/// `FLUSHDB [ASYNC|SYNC]`.
pub(super) fn flushdb(core: &mut Core, call: &Call<'_>) -> Outcome {
    let is = |name: &str| call.args[1].eq_ignore_ascii_case(name.as_bytes());
    if call.args.len() > 2 || (call.args.len() == 2 && !is("ASYNC") && !is("SYNC")) {
        return Err(SYNTAX_ERROR);
    }
    core.keyspace.remove_all(call.author);
    Ok(Reply::OK)
}

/// `COMMAND` and `COMMAND DOCS`: nothing, which clients accept; the other forms are not modelled.
pub(super) fn command(core: &mut Core, call: &Call<'_>) -> Outcome {
    const TABLE: &[Subcommand<Core>] =
        &[Subcommand { name: "docs", arity: -2, handler: |_, _| Ok(Reply::Array(Vec::new())) }];
    if call.args.len() == 1 {
        return Ok(Reply::Array(Vec::new()));
    }
    run_subcommand(core, call, "command", TABLE)
}

/// `CONFIG ...`.
pub(super) fn config(core: &mut Core, call: &Call<'_>) -> Outcome {
    const TABLE: &[Subcommand<Core>] =
        &[Subcommand { name: "get", arity: -3, handler: config_get }];
    run_subcommand(core, call, "config", TABLE)
}

/// `CONFIG GET name...`: the few parameters that mean something here, by name or all by `*`.
fn config_get(core: &mut Core, call: &Call<'_>) -> Outcome {
    let appendonly = if core.persistence == Persistence::None { "no" } else { "yes" };
    let appendfsync = match core.persistence {
        Persistence::AofAlways => "always",
        Persistence::None | Persistence::AofEverysec => "everysec",
    };
    let parameters = [
        ("appendfsync", appendfsync),
        ("appendonly", appendonly),
        ("databases", "16"),
        ("hz", "10"),
        ("maxmemory", "0"),
        ("proto-max-bulk-len", "536870912"),
        ("save", ""),
        ("timeout", "0"),
    ];
    let asked = |name: &str| {
        let mut patterns = call.args.iter().skip(2);
        patterns.any(|pattern| pattern == b"*" || pattern.eq_ignore_ascii_case(name.as_bytes()))
    };
    let found = parameters.into_iter().filter(|(name, _)| asked(name));
    Ok(Reply::Array(found.flat_map(|(name, value)| [name, value]).map(Reply::text).collect()))
}

/// `INFO [section...]`: the fields that clients read, in Redis' sections and order.
pub(super) fn info(core: &mut Core, call: &Call<'_>) -> Outcome {
    let wanted = |section: &str| {
        let is = |asked: &[u8], name: &str| asked.eq_ignore_ascii_case(name.as_bytes());
        let everything =
            |asked| is(asked, "default") || is(asked, "all") || is(asked, "everything");
        call.args.len() == 1
            || call.args.iter().skip(1).any(|asked| is(asked, section) || everything(asked))
    };
    let mut text = String::new();
    for (section, write) in SECTIONS {
        if wanted(section) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            let _ = write!(text, "# {section}\r\n");
            write_fields(&mut text, &write(core, call));
        }
    }
    Ok(Reply::Bulk(Bytes::from(text)))
}

type Fields = Vec<(&'static str, String)>;
type Section = fn(&Core, &Call<'_>) -> Fields;

static SECTIONS: &[(&str, Section)] = &[
    ("Server", server_fields),
    ("Clients", |core, _| vec![("connected_clients", core.sessions.len().to_string())]),
    ("Persistence", persistence_fields),
    ("Stats", |core, _| vec![("total_commands_processed", core.commands.to_string())]),
    ("Replication", replication_fields),
    ("Keyspace", keyspace_fields),
];

fn write_fields(text: &mut String, fields: &Fields) {
    for (name, value) in fields {
        let _ = write!(text, "{name}:{value}\r\n");
    }
}

fn server_fields(core: &Core, call: &Call<'_>) -> Fields {
    let uptime = call.now.steady.since(core.started).as_secs();
    vec![
        ("redis_version", VERSION.to_owned()),
        ("redis_mode", "standalone".to_owned()),
        ("arch_bits", "64".to_owned()),
        ("server_time_usec", (call.now.wall.as_unix_nanos() / 1000).to_string()),
        ("uptime_in_seconds", uptime.to_string()),
        ("hz", "10".to_owned()),
    ]
}

fn persistence_fields(core: &Core, _: &Call<'_>) -> Fields {
    let aof = core.persistence != Persistence::None;
    vec![
        ("loading", "0".to_owned()),
        ("rdb_bgsave_in_progress", "0".to_owned()),
        ("aof_enabled", u8::from(aof).to_string()),
    ]
}

fn replication_fields(_: &Core, _: &Call<'_>) -> Fields {
    vec![
        ("role", "master".to_owned()),
        ("connected_slaves", "0".to_owned()),
        ("master_failover_state", "no-failover".to_owned()),
        ("master_repl_offset", "0".to_owned()),
    ]
}

fn keyspace_fields(core: &Core, _: &Call<'_>) -> Fields {
    let used = core.keyspace.sizes().zip(NAMES).filter(|((keys, _), _)| *keys > 0);
    used.map(|((keys, expires), name)| (name, format!("keys={keys},expires={expires},avg_ttl=0")))
        .collect()
}

const NAMES: [&str; DATABASES] = [
    "db0", "db1", "db2", "db3", "db4", "db5", "db6", "db7", "db8", "db9", "db10", "db11", "db12",
    "db13", "db14", "db15",
];
