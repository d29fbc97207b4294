//! `#!lua flags=...` at the start of a script (`src/script.c` `scriptFlags`, `src/eval.c`
//! `evalExtractShebangFlags`).

use crate::redis::reply::Reply;

/// Flags about memory, replicas and clusters: known, and without meaning for the one server here.
const OTHER_FLAGS: [&str; 4] = ["allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys"];

/// Whether the script promises not to write, and its text without the first line's characters; the
/// line itself stays, so that errors name the right one.
pub(super) fn parse(text: &[u8]) -> Result<(bool, &[u8]), Reply> {
    if !text.starts_with(b"#!") {
        return Ok((false, text));
    }
    let Some(end) = text.iter().position(|byte| *byte == b'\n') else {
        return Err(Reply::error("ERR Invalid script shebang"));
    };
    let line = String::from_utf8_lossy(&text[..end]);
    let mut words = line.split_ascii_whitespace();
    match words.next() {
        Some("#!lua") => {}
        other => {
            let engine = other.unwrap_or_default();
            let text = format!("ERR Unexpected engine in script shebang: {engine}");
            return Err(Reply::Error(text.into()));
        }
    }
    let mut read_only = false;
    for word in words {
        let Some(flags) = word.strip_prefix("flags=") else {
            let text = format!("ERR Unknown lua shebang option: {word}");
            return Err(Reply::Error(text.into()));
        };
        for flag in flags.split(',').filter(|flag| !flag.is_empty()) {
            match flag {
                "no-writes" => read_only = true,
                flag if OTHER_FLAGS.contains(&flag) => {}
                flag => {
                    let text = format!("ERR Unexpected flag in script shebang: {flag}");
                    return Err(Reply::Error(text.into()));
                }
            }
        }
    }
    Ok((read_only, &text[end..]))
}
