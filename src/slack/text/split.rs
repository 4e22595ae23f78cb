//! Cutting a long text into posts.
//!
//! Cuts prefer the end of a paragraph, then of a line, then a space; they never fall into one of Slack's tokens or
//! entities, and a fenced block that is cut is closed and opened again. Characters are counted, not bytes, as Slack does.

use crate::domain::code::FENCE;

/// Shortest part: below this a fence and one word would not fit together.
const MIN_PART_CHARS: usize = 40;

/// Longest opening line of a fenced block that is repeated; a longer one is no language but text.
const MAX_OPENER_CHARS: usize = 16;

/// Longest entity that Slack knows (`&amp;`).
const MAX_ENTITY_CHARS: usize = 5;

/// Cuts a text into parts of at most `max_chars` characters (at least 40). Put together without the added fences, the
/// parts are the text; an empty text has none.
pub fn split(text: &str, max_chars: usize) -> Vec<String> {
    let max_chars = max_chars.max(MIN_PART_CHARS);
    let mut parts = Vec::new();
    let mut rest = text;
    let mut open: Option<String> = None;
    while !rest.is_empty() {
        let prefix = open.as_ref().map(|opener| format!("{FENCE}{opener}\n")).unwrap_or_default();
        let room = max_chars - prefix.chars().count();
        let Some(limit) = nth_char(rest, room) else {
            parts.push(prefix + rest);
            break;
        };
        // Room for the line that closes a block: only the cut decides whether it is needed.
        let limit = if rest.contains(FENCE) || open.is_some() {
            nth_char(rest, room - FENCE.len() - 1).unwrap_or(limit)
        } else {
            limit
        };
        let (head, tail) = rest.split_at_checked(cut(rest, limit)).unwrap_or((rest, ""));
        open = still_open(open, head);
        let mut part = prefix + head;
        if open.is_some() {
            part.push_str(if head.ends_with('\n') { "" } else { "\n" });
            part.push_str(FENCE);
        }
        parts.push(part);
        rest = tail;
    }
    parts
}

/// Where the character with this number begins; `None` when the text ends before or there.
fn nth_char(text: &str, number: usize) -> Option<usize> {
    text.char_indices().nth(number).map(|(at, _)| at)
}

/// The best place for a cut at or before a limit, never at the start.
fn cut(text: &str, limit: usize) -> usize {
    let window = text.get(..limit).unwrap_or(text);
    let after = |found: Option<usize>, length: usize| found.map(|at| at + length).filter(|at| *at > limit / 2);
    let wanted = after(window.rfind("\n\n"), 2)
        .or_else(|| after(window.rfind('\n'), 1))
        .or_else(|| after(window.rfind(' '), 1))
        .unwrap_or(limit);
    let safe = outside_entity(text, outside_token(text, outside_fence(text, wanted)));
    if safe == 0 { wanted.max(first_char(text)) } else { safe }
}

fn first_char(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// Moves a cut before the back-ticks that it would separate.
fn outside_fence(text: &str, at: usize) -> usize {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    if after.starts_with('`') { before.trim_end_matches('`').len() } else { at }
}

/// Moves a cut before the token that it would fall into.
fn outside_token(text: &str, at: usize) -> usize {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let Some(start) = before.rfind('<') else { return at };
    let inside = before.get(start..).is_some_and(|token| !token.contains(['>', '\n']));
    let ends = after.split('\n').next().is_some_and(|line| line.contains('>'));
    if inside && ends { start } else { at }
}

/// Moves a cut before the entity that it would fall into.
fn outside_entity(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    let Some(start) = before.rfind('&') else { return at };
    let entity = text.get(start..).unwrap_or_default();
    match entity.find(';') {
        Some(end) if end < MAX_ENTITY_CHARS && start + end >= at => start,
        Some(_) | None => at,
    }
}

/// The opening line of the block that is open after a text.
fn still_open(mut open: Option<String>, text: &str) -> Option<String> {
    for line in text.lines() {
        let mut pieces = line.split(FENCE);
        pieces.next();
        for piece in pieces {
            open = match open {
                Some(_) => None,
                None => Some(if piece.chars().count() <= MAX_OPENER_CHARS { piece.to_owned() } else { String::new() }),
            };
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_text_is_one_part_and_an_empty_one_none() {
        assert_eq!(split("short", 100), ["short"]);
        assert!(split("", 100).is_empty());
    }

    #[test]
    fn cuts_prefer_paragraphs_then_lines_then_spaces() {
        let text = format!("{}\n\n{}\n{}", "a".repeat(30), "b".repeat(5), "c".repeat(30));
        assert_eq!(split(&text, 40), [format!("{}\n\n", "a".repeat(30)), format!("bbbbb\n{}", "c".repeat(30))]);
        let words = "word ".repeat(20);
        assert!(split(&words, 42).iter().all(|part| part.ends_with(' ')));
    }

    #[test]
    fn a_block_that_is_cut_is_closed_and_opened_again() {
        let text = format!("before\n```rust\n{}```\nafter", "let a = 1;\n".repeat(10));
        let parts = split(&text, 60);
        assert!(parts.len() > 2);
        for part in &parts {
            assert_eq!(part.matches(FENCE).count() % 2, 0, "{part}");
            assert!(part.chars().count() <= 60, "{part}");
        }
        assert!(parts[1].starts_with("```rust\nlet a"), "{}", parts[1]);
        assert_eq!(parts.concat().matches("let a = 1;").count(), 10);
    }

    #[test]
    fn tokens_and_entities_stay_whole() {
        let text = format!("{}<https://loom.example/page|the page> {}&amp; x", "x".repeat(30), "y".repeat(38));
        let parts = split(&text, 41);
        assert_eq!(parts.concat(), text);
        assert!(parts.iter().any(|part| part.contains("<https://loom.example/page|the page>")), "{parts:?}");
        assert!(parts.iter().any(|part| part.contains("&amp;")), "{parts:?}");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_too_long(text in "[a-zé👋<>&; \\n]{0,400}", max in 0_usize..120) {
            let parts = split(&text, max);
            prop_assert_eq!(parts.concat(), text);
            for part in &parts {
                prop_assert!(!part.is_empty() && part.chars().count() <= max.max(MIN_PART_CHARS));
            }
        }

        #[test]
        fn with_blocks_only_fences_are_added(text in "([a-z \\n]{0,30}(```)?){0,12}", max in 40_usize..120) {
            let parts = split(&text, max);
            let bare = |text: &str| text.replace(FENCE, "").replace('\n', "");
            let content: String = parts.iter().map(|part| bare(part)).collect();
            let added: usize = parts.iter().map(|part| part.chars().count()).sum();
            prop_assert!(added >= text.chars().count());
            // An opener is repeated with its word, so content may grow but keeps its order.
            let mut letters = content.chars();
            prop_assert!(bare(&text).chars().all(|wanted| letters.any(|found| found == wanted)));
            for part in &parts {
                prop_assert!(part.chars().count() <= max, "{}", part);
            }
        }
    }
}
