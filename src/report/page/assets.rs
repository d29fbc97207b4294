//! The page's own style and script, and the policy that lets nothing else in.
//!
//! Small files, put together here; no library, nothing fetched. The policy names both by their
//! digests, so that whatever might slip into a page by way of a name or a message stays text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use crate::report::scene::sign;
use crate::report::svg::{PALETTE, SIGNS, STYLE};
use crate::report::timeline::MarkKind;

const STYLES: [&str; 6] = [
    PALETTE,
    include_str!("css/palette.css"),
    STYLE,
    include_str!("css/page.css"),
    include_str!("css/figure.css"),
    include_str!("css/print.css"),
];

const SCRIPTS: [&str; 8] = [
    "\"use strict\";\n(() => {\n",
    include_str!("js/data.js"),
    include_str!("js/scale.js"),
    include_str!("js/paint.js"),
    include_str!("js/figure.js"),
    include_str!("js/tools.js"),
    include_str!("js/events.js"),
    include_str!("js/input.js"),
];

/// A whole page.
pub(super) fn page(title: &str, body: &Markup) -> String {
    let style = STYLES.concat();
    let script = SCRIPTS.concat() + include_str!("js/page.js") + "})();\n";
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        source(&style),
        source(&script)
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(&style)) }
            }
            body {
                svg.signs width="0" height="0" aria-hidden="true" { (PreEscaped(SIGNS)) }
                script #kinds type="application/json" { (PreEscaped(kinds())) }
                (body)
                (help())
                script { (PreEscaped(&script)) }
            }
        }
    };
    page.into_string()
}

/// A text as a source that a policy allows.
fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// The kinds of marks, as the script's `SIGNS`.
fn kinds() -> String {
    let kinds = MarkKind::LEGEND.map(|(kind, meaning)| (sign(kind), meaning, kind.rank()));
    serde_json::to_string(&kinds).expect("texts and numbers become JSON")
}

const KEYS: [(&str, &str); 13] = [
    ("← →", "move in time; with Shift further"),
    ("+ −", "zoom; the wheel too, while the picture has the focus or with Ctrl"),
    ("0", "back to the stretch that explains the violation"),
    ("a, Home, End", "all of it, its beginning, its end"),
    ("j k or ↓ ↑", "next event, event before"),
    ("e", "next event that proves a violation"),
    ("Enter", "to the details of the event"),
    ("m", "messages on or off; click a lane's name for its own"),
    ("/", "find an event by words of its text"),
    ("n N", "next one found, the one before"),
    ("Tab", "from part to part; arrow keys go from cell to cell of the table"),
    ("Esc", "let go of the event; close what is open"),
    ("?", "this list"),
];

fn help() -> Markup {
    html! {
        dialog #help aria-labelledby="help-title" {
            div.sheet {
                button.close type="button" data-close aria-label="close" { "✕" }
                h2 #help-title { "Keys" }
                dl.glossary {
                    @for (keys, meaning) in KEYS { dt { kbd { (keys) } } dd { (meaning) } }
                }
            }
        }
    }
}
