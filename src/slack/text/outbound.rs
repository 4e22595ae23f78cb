//! Markdown as Devin writes it, to mrkdwn that is safe to post.
//!
//! All text is escaped, so that nothing in it can call anybody; the only brackets that leave are links made here, and
//! a link whose label looks like another address is written out, so that it cannot lie. Tables, images and nested
//! lists stay as they are typed: Slack has no form for them.

use url::Url;

use crate::domain::code::{FENCE, Span, spans};

/// Longest first line of a fenced block that is taken for a language.
const MAX_LANGUAGE_CHARS: usize = 20;

/// Slack's three special characters, made harmless. Once: text that is escaped already shows its entities.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Markdown as mrkdwn.
pub fn plain_to_mrkdwn(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut line = String::new();
    for span in spans(markdown) {
        match span {
            Span::Fenced(code) => {
                flush(&mut out, &mut line);
                out.push_str(FENCE);
                out.push_str(&escape(without_language(code)));
                out.push_str(FENCE);
            }
            // A link's label may hold code, so lines are put together again before they are read.
            Span::Inline(code) => line.extend(["`", code, "`"]),
            Span::Prose(prose) => line.push_str(prose),
        }
    }
    flush(&mut out, &mut line);
    out
}

fn flush(out: &mut String, prose: &mut String) {
    for line in prose.split_inclusive('\n') {
        write_line(out, line);
    }
    prose.clear();
}

/// The language after the opening mark would be shown as the first line of code.
fn without_language(code: &str) -> &str {
    match code.split_once('\n') {
        Some((first, rest)) if is_language(first.trim()) => code.get(code.len() - rest.len() - 1..).unwrap_or(rest),
        Some(_) | None => code,
    }
}

fn is_language(word: &str) -> bool {
    !word.is_empty()
        && word.chars().count() <= MAX_LANGUAGE_CHARS
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '#' | '.' | '_'))
}

fn write_line(out: &mut String, line: &str) {
    let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
    let text = body.trim_start();
    let indent = body.get(..body.len() - text.len()).unwrap_or_default();
    if let Some(title) = heading(text) {
        out.push('*');
        write_inline(out, &title.replace("**", ""));
        out.push('*');
    } else if let Some(item) = ["- ", "* ", "+ "].iter().find_map(|bullet| text.strip_prefix(bullet)) {
        out.push_str(indent);
        out.push_str("• ");
        write_inline(out, item);
    } else if let Some(quoted) = text.strip_prefix("> ") {
        // Slack's own quote mark, which is also the one character that may stay unescaped.
        out.push_str("> ");
        write_inline(out, quoted);
    } else {
        out.push_str(indent);
        write_inline(out, text);
    }
    out.push_str(end);
}

fn heading(text: &str) -> Option<&str> {
    let title = text.trim_start_matches('#');
    let depth = text.len() - title.len();
    let title = title.strip_prefix(' ')?.trim().trim_end_matches('#').trim_end();
    ((1..=6).contains(&depth) && !title.is_empty()).then_some(title)
}

fn write_inline(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '`' => code(out, rest),
            '[' => link(out, rest),
            '*' => marked(out, rest, "**", "*").or_else(|| marked(out, rest, "*", "_")),
            '~' => marked(out, rest, "~~", "~"),
            _ => None,
        };
        let taken = taken.unwrap_or_else(|| {
            let length = first.len_utf8();
            out.push_str(&escape(rest.get(..length).unwrap_or_default()));
            length
        });
        rest = rest.get(taken..).unwrap_or_default();
    }
}

/// Code at the start of a text; gives how many bytes it took.
fn code(out: &mut String, text: &str) -> Option<usize> {
    let (inside, after) = text.strip_prefix('`')?.split_once('`')?;
    if inside.is_empty() {
        return None;
    }
    out.extend(["`", &escape(inside), "`"]);
    Some(text.len() - after.len())
}

/// Emphasis at the start of a text, tight around its words.
fn marked(out: &mut String, text: &str, mark: &str, slack: &str) -> Option<usize> {
    let (inside, after) = text.strip_prefix(mark)?.split_once(mark)?;
    let tight = !inside.is_empty() && inside.trim() == inside && !inside.starts_with('*');
    if !tight || after.starts_with(char::is_alphanumeric) {
        return None;
    }
    out.push_str(slack);
    write_inline(out, inside);
    out.push_str(slack);
    Some(text.len() - after.len())
}

/// A link at the start of a text.
fn link(out: &mut String, text: &str) -> Option<usize> {
    let inside = text.strip_prefix('[')?;
    // Stops at the next bracket of either kind, so that many brackets in a row cost no more than one.
    let (label, rest) = inside.split_at_checked(inside.find(['[', ']'])?)?;
    let (address, after) = balanced(rest.strip_prefix("](")?)?;
    let url: Url = address.trim().parse().ok()?;
    if !matches!(url.scheme(), "https" | "http" | "mailto") {
        return None;
    }
    let target = url.as_str().replace('<', "%3C").replace('>', "%3E").replace('|', "%7C").replace('&', "&amp;");
    let label = label.replace(['`', '*'], "");
    if label.trim().is_empty() || label.trim() == address.trim() {
        out.extend(["<", &target, ">"]);
    } else if names_elsewhere(&label, &url) {
        out.extend([&escape(&label), " (<", &target, ">)"]);
    } else {
        out.extend(["<", &target, "|", &escape(&label).replace('|', "¦"), ">"]);
    }
    Some(text.len() - after.len())
}

/// An address up to its closing bracket, which may hold pairs of brackets itself.
fn balanced(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' if depth == 0 => return Some((text.get(..at)?, text.get(at + 1..)?)),
            ')' => depth -= 1,
            '\n' => return None,
            _ => {}
        }
    }
    None
}

/// Whether a label looks like the address of another host than the link's.
fn names_elsewhere(label: &str, url: &Url) -> bool {
    let own = url.host_str().unwrap_or_default();
    let host_like = |word: &str| {
        let word = word.rsplit_once("://").map_or(word, |(_, host)| host);
        let host = word.split(['/', '?', '#', ':']).next().unwrap_or_default().to_lowercase();
        let (name, top) = host.rsplit_once('.').unwrap_or_default();
        let domain = !name.is_empty() && top.len() >= 2 && top.chars().all(char::is_alphabetic);
        domain && host.trim_start_matches("www.") != own.trim_start_matches("www.")
    };
    // A file name looks like a host as well (`main.rs`); writing such a link out costs only beauty.
    label.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '"' | '@')).any(host_like)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn becomes(markdown: &str, mrkdwn: &str) {
        assert_eq!(plain_to_mrkdwn(markdown), mrkdwn);
    }

    #[test]
    fn emphasis_headings_and_lists_take_slacks_form() {
        becomes("**bold**, *italic*, ~~gone~~ and _kept_", "*bold*, _italic_, ~gone~ and _kept_");
        becomes("# Done\n\n## **All** of it ##\ntext", "*Done*\n\n*All of it*\ntext");
        becomes("- one\n  * two\n+ three\n1. four", "• one\n  • two\n• three\n1. four");
        becomes("2 * 3 * 4, a ** b, #5 and C#", "2 * 3 * 4, a ** b, #5 and C#");
        becomes("> quoted <b>", "> quoted &lt;b&gt;");
    }

    #[test]
    fn nothing_can_call_anybody() {
        becomes("<!channel> <@U1> & <!here|x>", "&lt;!channel&gt; &lt;@U1&gt; &amp; &lt;!here|x&gt;");
        becomes("`<!channel>` and ```\n<!here>\n```", "`&lt;!channel&gt;` and ```\n&lt;!here&gt;\n```");
        becomes("[<!channel>](https://loom.example)", "<https://loom.example/|&lt;!channel&gt;>");
    }

    #[test]
    fn code_keeps_its_marks_and_loses_its_language() {
        becomes("```rust\nlet a = **b;\n```", "```\nlet a = **b;\n```");
        becomes("```\nplain\n```", "```\nplain\n```");
        becomes("use `**kwargs` here", "use `**kwargs` here");
    }

    #[test]
    fn links_cannot_lie() {
        becomes("[the page](https://loom.example/a_(b))", "<https://loom.example/a_(b)|the page>");
        becomes("[https://good.example](https://evil.example/x)", "https://good.example (<https://evil.example/x>)");
        becomes("[good.example](https://evil.example)", "good.example (<https://evil.example/>)");
        becomes("[www.loom.example](https://loom.example)", "<https://loom.example/|www.loom.example>");
        becomes("[a|b](https://loom.example?x=1&y=|)", "<https://loom.example/?x=1&amp;y=%7C|a¦b>");
        becomes("[`fix`](https://loom.example)", "<https://loom.example/|fix>");
        becomes("[x](javascript:alert) and [y](relative)", "[x](javascript:alert) and [y](relative)");
        becomes("[ ] open, [x] done", "[ ] open, [x] done");
    }

    #[test]
    fn escaping_is_done_once_and_for_three_characters_only() {
        assert_eq!(escape("<a> & \"b\" 'c' &lt;"), "&lt;a&gt; &amp; \"b\" 'c' &amp;lt;");
    }

    proptest! {
        #[test]
        fn escaped_text_has_no_brackets(text: String) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>']));
        }

        #[test]
        fn no_markdown_calls_anybody(markdown in "[<>@#!|&*~`_()\\[\\]:/. \\nA-Zaé👋]{0,120}") {
            let out = plain_to_mrkdwn(&markdown);
            for call in ["<!", "<@", "<#"] {
                prop_assert!(!out.contains(call), "{}", out);
            }
        }

        #[test]
        fn links_stay_links(label in "[<>@!|a-z. ]{0,20}", path in "[<>|@!a-z]{0,20}") {
            let out = plain_to_mrkdwn(&format!("[{label}](https://loom.example/{path})"));
            for call in ["<!", "<@", "<#"] {
                prop_assert!(!out.contains(call), "{}", out);
            }
            prop_assert!(out.contains("https://loom.example/"));
        }
    }
}
