//! Glob patterns as KEYS, SCAN and PSUBSCRIBE take them (`src/util.c` `stringmatchlen`), with its
//! oddities: a class that is not closed ends with the pattern, a range works in both directions.

/// Whether all of `text` matches `pattern`.
pub(super) fn matches(mut pattern: &[u8], mut text: &[u8]) -> bool {
    while let Some((first, rest)) = pattern.split_first() {
        if text.is_empty() && *first != b'*' {
            return false;
        }
        match first {
            b'*' => {
                let rest = skip_stars(rest);
                return rest.is_empty() || (0..=text.len()).any(|at| matches(rest, &text[at..]));
            }
            b'?' => {}
            b'[' => {
                let (found, after) = class(rest, text[0]);
                if !found {
                    return false;
                }
                pattern = after;
                text = &text[1..];
                continue;
            }
            b'\\' if !rest.is_empty() => {
                if rest[0] != text[0] {
                    return false;
                }
                pattern = &rest[1..];
                text = &text[1..];
                continue;
            }
            literal if *literal == text[0] => {}
            _ => return false,
        }
        pattern = rest;
        text = &text[1..];
    }
    text.is_empty()
}

fn skip_stars(mut pattern: &[u8]) -> &[u8] {
    while let [b'*', rest @ ..] = pattern {
        pattern = rest;
    }
    pattern
}

/// Whether `byte` is in the class that `pattern` continues after its `[`, and what follows it.
fn class(pattern: &[u8], byte: u8) -> (bool, &[u8]) {
    let (negated, mut rest) = match pattern {
        [b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut found = false;
    loop {
        match rest {
            [b'\\', literal, after @ ..] => {
                found |= *literal == byte;
                rest = after;
            }
            [b']', after @ ..] => {
                rest = after;
                break;
            }
            [] => break,
            [start, b'-', end, after @ ..] => {
                let (low, high) = (start.min(end), start.max(end));
                found |= (low..=high).contains(&&byte);
                rest = after;
            }
            [literal, after @ ..] => {
                found |= *literal == byte;
                rest = after;
            }
        }
    }
    (found != negated, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_what_they_match_on_the_real_server() {
        let rows: &[(&str, &str, bool)] = &[
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*c", "abbc", true),
            ("a**c", "ac", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[c-a]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[abc", "a", true),
            ("[", "a", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a\\", "a\\", true),
            ("[\\]]", "]", true),
            ("lock:*", "lock:1", true),
            ("a*", "ba", false),
        ];
        for (pattern, text, expected) in rows {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), *expected, "{pattern} {text}");
        }
    }
}
