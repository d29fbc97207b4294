//! `INFO` (`src/server.c` `genRedisInfoString`): the fields that clients and tools read.

use std::fmt::Write;

use super::super::keyspace::DATABASES;
use super::super::persist::Persistence;
use super::super::reply::Format;
use super::super::{Core, Reply, VERSION};
use super::{Call, Outcome};

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
    Ok(Reply::Verbatim(Format::Text, text.into()))
}

type Fields = Vec<(&'static str, String)>;
type Section = fn(&Core, &Call<'_>) -> Fields;

static SECTIONS: &[(&str, Section)] = &[
    ("Server", server_fields),
    ("Clients", clients_fields),
    ("Memory", memory_fields),
    ("Persistence", persistence_fields),
    ("Stats", stats_fields),
    ("Replication", replication_fields),
    ("Cluster", |_, _| vec![("cluster_enabled", "0".to_owned())]),
    ("Keyspace", keyspace_fields),
];

fn write_fields(text: &mut String, fields: &Fields) {
    for (name, value) in fields {
        let _ = write!(text, "{name}:{value}\r\n");
    }
}

fn clients_fields(core: &Core, _: &Call<'_>) -> Fields {
    vec![
        ("connected_clients", core.sessions.len().to_string()),
        ("cluster_connections", "0".to_owned()),
        ("maxclients", core.settings.get("maxclients").to_owned()),
        ("blocked_clients", core.blocked.len().to_string()),
        ("tracking_clients", "0".to_owned()),
    ]
}

fn memory_fields(core: &Core, _: &Call<'_>) -> Fields {
    vec![
        ("maxmemory", core.settings.get("maxmemory").to_owned()),
        ("maxmemory_policy", core.settings.get("maxmemory-policy").to_owned()),
    ]
}

fn stats_fields(core: &Core, _: &Call<'_>) -> Fields {
    vec![
        (
            "total_connections_received",
            (core.last_client_id - super::super::FIRST_CLIENT + 1).to_string(),
        ),
        ("total_commands_processed", core.commands.to_string()),
        ("pubsub_channels", core.channels.exact.len().to_string()),
        ("pubsub_patterns", core.channels.patterns.len().to_string()),
        ("pubsubshard_channels", core.channels.shard.len().to_string()),
    ]
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
        ("async_loading", "0".to_owned()),
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
