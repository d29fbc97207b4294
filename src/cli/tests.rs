//! What the documents tell people to type is what this build understands.

use std::fs;
use std::path::Path;

use clap::{CommandFactory, Parser};
use yaml_rust2::{Yaml, YamlLoader};

use super::Cli;

/// Files whose commands are checked.
const DOCUMENTS: &[&str] = &[
    "README.md",
    "docs/ARCHITECTURE.md",
    "docs/ci/README.md",
    "docs/ci/github-actions.yml",
    "docs/ci/gitlab-ci.yml",
    "reports/README.md",
];

#[test]
fn the_definition_makes_sense() {
    Cli::command().debug_assert();
}

#[test]
fn every_documented_command_is_one() {
    let mut checked = 0;
    for document in DOCUMENTS {
        let commands = commands(document);
        assert!(!document.starts_with("docs/ci") || !commands.is_empty(), "{document}");
        for command in commands {
            let words: Vec<_> = words(&command).collect();
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("{document}: {command}\n{error}");
            }
            for file in words.iter().filter(|word| word.starts_with("scenarios")) {
                assert!(top().join(file).exists(), "{document}: {command}: no {file}");
            }
            checked += 1;
        }
    }
    assert!(checked >= 8, "only {checked} commands were found");
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All picklock commands of a document, each on one line, from `picklock` on.
fn commands(document: &str) -> Vec<String> {
    let text = fs::read_to_string(top().join(document)).expect("a document that is there");
    let scripts = match document.ends_with(".yml") {
        true => YamlLoader::load_from_str(&text)
            .unwrap_or_else(|error| panic!("{document}: {error}"))
            .iter()
            .flat_map(strings)
            .collect(),
        false => shell_blocks(&text),
    };
    let lines = scripts.iter().flat_map(|script| script.lines());
    let command = |line: &str| {
        let line = line.trim();
        let line = line.strip_prefix("cargo ").unwrap_or(line);
        line.starts_with("picklock ").then(|| line.to_owned())
    };
    lines.filter_map(command).collect()
}

/// Every text in a YAML document: a folded one comes as the shell will see it.
fn strings(yaml: &Yaml) -> Vec<String> {
    match yaml {
        Yaml::String(text) => vec![text.clone()],
        Yaml::Array(items) => items.iter().flat_map(strings).collect(),
        Yaml::Hash(entries) => entries.iter().flat_map(|(_, value)| strings(value)).collect(),
        _ => Vec::new(),
    }
}

/// The blocks of shell commands of a Markdown document.
fn shell_blocks(text: &str) -> Vec<String> {
    let blocks = text.split("\n```sh\n").skip(1);
    blocks.map(|block| block.split("\n```").next().unwrap_or_default().to_owned()).collect()
}

/// The words of a command up to a comment or a redirection, as a shell would pass them on.
fn words(command: &str) -> impl Iterator<Item = String> {
    let ends = |word: &&str| !["#", ">", "|", "&&", "2>"].contains(word);
    let words = command.split_whitespace().take_while(ends);
    words.map(|word| filled_in(word.trim_matches(['"', '\''])))
}

/// A word with a number for each variable: `1/1` for `$CI_NODE_INDEX/$CI_NODE_TOTAL`.
fn filled_in(word: &str) -> String {
    let mut parts = word.split('$');
    let before = parts.next().unwrap_or_default().to_owned();
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    parts.fold(before, |text, part| text + "1" + part.trim_start_matches(is_name))
}
