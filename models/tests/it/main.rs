//! Transcripts: commands in, RESP bytes out, through both codecs and the model.
//!
//! A line `> ` is a command of connection 1 with the quoting of an inline command, `2> ` one of
//! connection 2; `2>> ` are raw bytes, escaped. After it come the bytes that each connection got,
//! escaped: `< ` for connection 1, `2< ` for connection 2, and `2x` if the server closed it. A
//! connection opens with its first line; `2-` is its end from the client's side. A line `@ 1500` lets
//! both clocks of the server run for that many milliseconds, with its timer ticking. `! name value`
//! is a setting that the server starts with. `#` starts a comment. Each file starts with an empty
//! server at a fixed time. All rows were recorded from a real 7.0.15, except in `model.txt`, which
//! says for each row why it differs.

use std::fmt::Write;
use std::time::Duration;

mod server;

use server::Server;

/// Splits `12> x` into the number (1 without one), the sign and the rest.
fn parse(line: &str) -> (u64, &str, &str) {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let connection = if digits == 0 { 1 } else { line[..digits].parse().expect("a small number") };
    let rest = &line[digits..];
    let (sign, text) = rest.split_once(' ').unwrap_or((rest, ""));
    (connection, sign, text)
}

/// What was sent, with what came back.
#[derive(Default)]
struct Exchange {
    line: usize,
    what: String,
    expected: String,
    got: String,
}

fn replay(name: &str, transcript: &str) {
    let settings = transcript.lines().filter_map(|line| line.strip_prefix("! "));
    let settings = settings.map(|row| row.split_once(' ').expect("a name and a value"));
    let settings =
        settings.map(|(name, value)| (name.trim_start_matches("--").to_owned(), value.to_owned()));
    let mut server = Server::start(settings.collect());
    let mut exchanges: Vec<Exchange> = Vec::new();
    for (index, line) in transcript.lines().enumerate() {
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let (connection, sign, text) = parse(line);
        match sign {
            "<" | "x" => {
                let exchange = exchanges.last_mut().expect("something was sent before");
                writeln!(exchange.expected, "  {line}").expect("a string takes it");
                continue;
            }
            ">" => server.send_command(connection, text),
            ">>" => server.send_bytes(connection, &unescape(text)),
            "-" => server.disconnect(connection),
            "@" => server.run_for(Duration::from_millis(text.parse().expect("milliseconds"))),
            _ => panic!("{name}:{}: {line}", index + 1),
        }
        let (what, got) = (line.to_owned(), server.received());
        exchanges.push(Exchange { line: index + 1, what, got, expected: String::new() });
    }
    let wrong: Vec<String> = (exchanges.iter())
        .filter(|exchange| exchange.expected != exchange.got)
        .map(|Exchange { line, what, expected, got }| {
            format!("{name}:{line}: {what}\n{expected}{got}")
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} differ: what was sent, real server's answer, model's answer:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The other direction of `escape_ascii`.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        (bytes, rest) = match (first, after) {
            (b'\\', [b'x', digits @ ..]) => {
                let digits = std::str::from_utf8(&digits[..2]).expect("two digits");
                bytes.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
                (bytes, &after[3..])
            }
            (b'\\', [escaped, after @ ..]) => {
                bytes.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => *other,
                });
                (bytes, after)
            }
            _ => {
                bytes.push(*first);
                (bytes, after)
            }
        };
    }
    bytes
}

macro_rules! transcripts {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let name = concat!(stringify!($name), ".txt");
            replay(name, include_str!(concat!("transcripts/", stringify!($name), ".txt")));
        }
    )*};
}

transcripts! {
    strings keys connection locks scripts random lists hashes sets sorted_sets databases libraries
    model sessions subscriptions transactions blocking waits busy resp3 administration protocol
}
