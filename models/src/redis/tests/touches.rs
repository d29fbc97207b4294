//! The list of what happens to keys: what WATCH, notifications and blocked clients go by.

use super::keyspace::{Class, Touch};
use super::*;

fn touches(server: &Server) -> Vec<Touch> {
    server.redis.core.borrow_mut().keyspace.take_touches()
}

fn names(server: &Server) -> Vec<String> {
    let touches = touches(server);
    touches.iter().map(|touch| touch.event.name.to_owned()).collect()
}

#[test]
fn nothing_is_listed_until_somebody_asks() {
    let mut server = Server::start(Persistence::None);
    server.run(0, 1, "SET k v");
    assert_eq!(touches(&server), []);
    server.redis.core.borrow_mut().keyspace.want_touches(true);
    server.run(0, 1, "SET k v");
    assert_eq!(names(&server), ["set"]);
}

#[test]
fn events_come_in_the_order_of_the_real_server() {
    let mut server = Server::start(Persistence::None);
    server.redis.core.borrow_mut().keyspace.want_touches(true);
    let rows: &[(&str, &[&str])] = &[
        ("SET k v PX 100", &["new", "set", "expire"]),
        ("DEL k", &["del"]),
        ("RPUSH a 1", &["new", "rpush"]),
        ("RPOPLPUSH a b", &["new", "lpush", "rpop", "del"]),
        ("LMOVE b b LEFT RIGHT", &["rpush", "lpop"]),
        ("LTRIM b 1 0", &["ltrim", "del"]),
        ("SET k v PX 1", &["new", "set", "expire"]),
    ];
    for (command, expected) in rows {
        server.run(0, 1, command);
        assert_eq!(names(&server), *expected, "{command}");
    }
    server.run(50, 1, "SET k v");
    assert_eq!(names(&server), ["expired", "new", "set"]);
    server.run(50, 1, "FLUSHALL");
    let [flushed] = &touches(&server)[..] else { panic!("one key") };
    assert_eq!((flushed.database, &flushed.key[..]), (0, &b"k"[..]));
    assert!(flushed.event.class == Class::Silent && flushed.event.class.is_modification());
}

/// What a real 7.0.15 notified of while it was sent random commands.
#[test]
fn events_are_those_of_the_real_server() {
    let mut server = Server::start(Persistence::None);
    server.redis.core.borrow_mut().keyspace.want_touches(true);
    let mut wrong = Vec::new();
    let mut told = Vec::new();
    let mut command = "";
    for line in include_str!("events.txt").lines().chain(["> PING"]) {
        if let Some(event) = line.strip_prefix("~ ") {
            told.push(event.to_owned());
        } else if let Some(next) = line.strip_prefix("> ") {
            let seen = spelled(&touches(&server));
            if seen != told {
                wrong.push(format!("{command}\n  {told:?}\n  {seen:?}"));
            }
            told.clear();
            command = next;
            let mut bytes = bytes::BytesMut::from(format!("{command}\r\n").as_bytes());
            let request = resp::decode_request(&mut bytes).expect("a command").expect("whole");
            // Time passed between the commands there too, as GT and LT can tell.
            server.send(server.now + 10, 1, request);
        }
    }
    assert!(wrong.is_empty(), "command, real events, model's:\n{}", wrong.join("\n"));
}

fn spelled(touches: &[Touch]) -> Vec<String> {
    let told = touches.iter().filter(|touch| touch.event.class != Class::Silent);
    told.map(|touch| {
        format!("{} {} {}", touch.database, touch.event.name, touch.key.escape_ascii())
    })
    .collect()
}
