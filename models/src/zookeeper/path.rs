//! Which paths can be (`common/PathUtils.java`), and where their parents are.

use super::code::Code;

/// Refuses what cannot be the path of a node.
///
/// # Errors
/// If it does not begin with a slash, ends with one, or has an empty name, a dot or two for a name, or a
/// character in it that is a control character or no text at all.
pub(super) fn validate(path: &str) -> Result<(), Code> {
    if path == "/" {
        return Ok(());
    }
    let names = path.strip_prefix('/').ok_or(Code::BadArguments)?;
    let well_named = names.split('/').all(|name| !matches!(name, "" | "." | ".."));
    if well_named && path.chars().all(is_allowed) { Ok(()) } else { Err(Code::BadArguments) }
}

/// No control character, and nothing from the surrogates up to the end of the private plane: a character
/// beyond U+FFFF is two surrogates in Java, so it is none that is allowed.
fn is_allowed(c: char) -> bool {
    let refused = matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}');
    !refused && c < '\u{fff0}'
}

/// The parent's path and the node's own name; the root's parent is the root.
///
/// # Errors
/// If there is no slash in it, or a zero character.
pub(super) fn split(path: &str) -> Result<(&str, &str), Code> {
    if path.contains('\0') {
        return Err(Code::BadArguments);
    }
    let (parent, name) = path.rsplit_once('/').ok_or(Code::BadArguments)?;
    Ok((or_root(parent), name))
}

/// The root is also known by the empty path (`server/DataTree.java`).
pub(super) fn or_root(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

/// Whether the server keeps it for itself: it cannot be deleted (`DataTree.isSpecialPath`).
pub(super) fn is_special(path: &str) -> bool {
    matches!(path, "/" | "/zookeeper" | "/zookeeper/quota" | "/zookeeper/config")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_slash_and_names() {
        for good in ["/", "/a", "/a/b", "/a.b", "/...", "/ä", "/a b", "/zookeeper/config"] {
            assert_eq!(validate(good), Ok(()), "{good:?}");
        }
        let bad = [
            "",
            "a",
            "/a/",
            "//",
            "/a//b",
            "/.",
            "/a/..",
            "/./a",
            "/a\0",
            "/\u{1}",
            "/\u{85}",
            "/\u{1f512}",
        ];
        for bad in bad {
            assert_eq!(validate(bad), Err(Code::BadArguments), "{bad:?}");
        }
    }

    #[test]
    fn the_parent_of_a_top_node_is_the_root() {
        assert_eq!(split("/a"), Ok(("/", "a")));
        assert_eq!(split("/a/b-"), Ok(("/a", "b-")));
        assert_eq!(split("/a/"), Ok(("/a", "")));
        assert_eq!(split("a"), Err(Code::BadArguments));
    }
}
