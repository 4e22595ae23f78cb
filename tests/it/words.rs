//! Real-looking and hostile messages of Devin's as posts: each with its rendering beside it, each taken by Slack's limits,
//! and none of them able to call anybody, to lie, or to get lost.
//!
//! `NAME.slack.json` beside `NAME.md` is the reviewed rendering; where it differs, the failure shows the new one.

use std::{fs, path::Path};

use bobbin::{
    domain::choices,
    twin::slack::refused_blocks,
    voice::{self, Relay, Said},
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Most characters of a post's blocks as JSON.
const MAX_JSON_CHARS: usize = 10_000;
/// Most blocks of a post.
const MAX_BLOCKS: usize = 50;

fn blocks(post: &Said) -> &[Value] {
    post.blocks.as_ref().and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What is wrong with a post.
fn wrong(post: &Said) -> Vec<String> {
    let mut wrong = refused_blocks(blocks(post));
    let json = json!(post.blocks).to_string();
    if json.chars().count() > MAX_JSON_CHARS || blocks(post).len() > MAX_BLOCKS {
        wrong.push(format!("too long: {} characters, {} blocks", json.chars().count(), blocks(post).len()));
    }
    if post.text.trim().is_empty() || post.text.contains(['<', '\u{0}']) {
        wrong.push(format!("text that is empty, or not escaped: {}", post.text));
    }
    for block in blocks(post) {
        lies_and_calls(block, &mut wrong);
    }
    wrong
}

/// Elements that call somebody, and links whose label names another host.
fn lies_and_calls(value: &Value, wrong: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| lies_and_calls(item, wrong)),
        Value::Object(fields) => {
            let of = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
            match of("type") {
                "user" | "usergroup" | "broadcast" | "channel" | "emoji" | "markdown" => wrong.push(value.to_string()),
                // Only our own notes are mrkdwn, and nothing of Devin's stands in them.
                "mrkdwn" if !of("text").starts_with(":page_facing_up: This is the beginning") => {
                    wrong.push(value.to_string());
                }
                "link" => {
                    let host = of("url").split('/').nth(2).unwrap_or_default().to_lowercase();
                    let label = of("text").to_lowercase();
                    let good = ["http://", "https://", "mailto:"].iter().any(|scheme| of("url").starts_with(scheme));
                    let elsewhere = label.contains("good.example") && !host.ends_with("good.example");
                    if !good || elsewhere || host.contains('@') || label.contains(['\u{202e}', '\u{200b}']) {
                        wrong.push(value.to_string());
                    }
                }
                _ => {}
            }
            fields.values().for_each(|inner| lies_and_calls(inner, wrong));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// All that a reader sees, addresses included.
fn seen(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| seen(item, out)),
        Value::Object(fields) => {
            for name in ["text", "url", "language"] {
                if let Some(Value::String(text)) = fields.get(name) {
                    out.push_str(text);
                    out.push(' ');
                }
            }
            fields.values().for_each(|inner| seen(inner, out));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn rendering(markdown: &str) -> Value {
    let Relay { posts, goes_on } = voice::relay(markdown);
    let posts: Vec<Value> = posts.iter().map(|post| json!({ "text": post.text, "blocks": post.blocks })).collect();
    let choices: Vec<String> = choices::read(markdown).iter().map(choices::Choice::answer).collect();
    json!({ "posts": posts, "goes_on": goes_on, "choices": choices })
}

#[test]
fn every_message_of_the_corpus_reads_as_it_was_reviewed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/words");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    names.sort();
    assert!(names.len() >= 13, "only {} messages", names.len());
    let mut different = Vec::new();
    for path in names {
        let markdown = fs::read_to_string(&path).unwrap();
        for post in voice::relay(&markdown).posts {
            assert_eq!(wrong(&post), Vec::<String>::new(), "{}", path.display());
        }
        let now = serde_json::to_string_pretty(&rendering(&markdown)).unwrap() + "\n";
        let beside = path.with_extension("slack.json");
        if fs::read_to_string(&beside).ok().as_ref() != Some(&now) {
            different.push(format!("{}:\n{now}", beside.display()));
        }
    }
    assert!(different.is_empty(), "renderings that nobody reviewed:\n{}", different.join("\n"));
}

/// Pieces that hostile texts are made of; `{}` becomes a word that has to arrive.
const PIECES: [&str; 40] = [
    "{}",
    "{} ",
    "{}\n",
    "\n\n",
    "**{}**",
    "*{}",
    "_{}_",
    "~~{}~~",
    "`{}`",
    "``{}",
    "# {}\n",
    "{}\n===\n",
    "- {}\n",
    "    - {}\n",
    "1. {}\n",
    "7) {}\n",
    "- [ ] {}\n",
    "> {}\n",
    "```{}\n",
    "\n```\n",
    "~~~\n",
    "[{}](https://evil.example/{})",
    "[good.example {}](https://evil.example/{})",
    "![{}](https://evil.example/a.png)",
    "[{}](javascript:{})",
    "[{}]",
    "[{}]: https://loom.example/{}\n",
    "<!channel> {}",
    "<@U0ADA>{}",
    "<!here|{}>",
    "<b>{}</b>",
    "<!-- {} -->",
    "\n| {} | b |\n|---|---|\n| {} | {} | {} |\n",
    "https://loom.example/{}?a=b&c",
    "&lt;!channel&gt; {}",
    "\\*{}\\*",
    "---\n",
    "\u{202e}{}\u{200b}",
    "👩‍👩‍👧‍👦{}",
    "\t{}\n",
];

/// A text of such pieces, and the words in it.
fn hostile() -> impl Strategy<Value = (String, Vec<String>)> {
    prop::collection::vec((0..PIECES.len(), 0..3_usize), 1..60).prop_map(|chosen| {
        let (mut text, mut words) = (String::new(), Vec::new());
        for (piece, long) in chosen {
            let mut parts = PIECES.get(piece).copied().unwrap_or_default().split("{}");
            text.push_str(parts.next().unwrap_or_default());
            for part in parts {
                let word =
                    format!("w{}x{}", words.len(), "y".repeat([0, 40, 900].get(long).copied().unwrap_or_default()));
                text.push_str(&word);
                words.push(word);
                text.push_str(part);
            }
        }
        (text, words)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_devin_says_is_taken_calls_nobody_and_arrives((text, words) in hostile()) {
        let Relay { posts, goes_on } = voice::relay(&text);
        let mut shown = String::new();
        for post in &posts {
            prop_assert_eq!(wrong(post), Vec::<String>::new());
            seen(&json!(post.blocks), &mut shown);
        }
        if !goes_on {
            let joined: String = shown.chars().filter(|c| !c.is_whitespace()).collect();
            // A word that was cut between two posts may have something between its halves; nothing of it is lost.
            let count = |text: &str, letter: char| text.matches(letter).count();
            let (letters, all) = (count(&joined, 'y'), words.iter().map(|word| count(word, 'y')).sum::<usize>());
            for word in &words {
                let cut = posts.len() > 1 && letters >= all && count(&joined, 'x') >= words.len();
                prop_assert!(joined.contains(word.as_str()) || cut, "{} is not in {}", word, shown);
            }
        }
    }

    #[test]
    fn any_text_at_all_is_taken(text: String) {
        for post in voice::relay(&text).posts {
            prop_assert_eq!(wrong(&post), Vec::<String>::new());
        }
    }

    #[test]
    fn marks_of_every_kind_are_taken(text in "[<>@#!|&*~`_()\\[\\]:/. \\n\\\\A-Z0-9=+-]{0,200}") {
        for post in voice::relay(&text).posts {
            prop_assert_eq!(wrong(&post), Vec::<String>::new());
        }
    }
}
