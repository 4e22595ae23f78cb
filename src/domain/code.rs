//! Cutting text into code and prose: within code nothing is a mark.
//!
//! An opening without its end is prose, as Slack shows it.

/// Marks a fenced block, in Slack's dialect and in Markdown alike; Slack wants no line of its own for it.
pub const FENCE: &str = "```";

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span<'a> {
    /// Between the marks of a fenced block, without them.
    Fenced(&'a str),
    /// Between two back-ticks on one line, without them.
    Inline(&'a str),
    /// Everything else.
    Prose(&'a str),
}

/// The parts of a text, in order.
pub fn spans(text: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut rest = text;
    while let Some((before, inside, after)) = between(rest, FENCE) {
        inline_spans(before, &mut spans);
        spans.push(Span::Fenced(inside));
        rest = after;
    }
    inline_spans(rest, &mut spans);
    spans
}

fn inline_spans<'a>(text: &'a str, spans: &mut Vec<Span<'a>>) {
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some((before, inside, after)) = between(rest, "`").filter(|(_, inside, _)| !inside.is_empty()) {
            push_prose(before, spans);
            spans.push(Span::Inline(inside));
            rest = after;
        }
        push_prose(rest, spans);
    }
}

fn push_prose<'a>(text: &'a str, spans: &mut Vec<Span<'a>>) {
    if !text.is_empty() {
        spans.push(Span::Prose(text));
    }
}

/// What stands before, between and after the first pair of a mark.
fn between<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let (before, rest) = text.split_once(mark)?;
    let (inside, after) = rest.split_once(mark)?;
    Some((before, inside, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_and_ticks_are_told_from_prose() {
        let found = spans("a `b` c\n```d `e`\nf``` g `h");
        let expected =
            [Span::Prose("a "), Span::Inline("b"), Span::Prose(" c\n"), Span::Fenced("d `e`\nf"), Span::Prose(" g `h")];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_opening_without_end_is_prose() {
        assert_eq!(spans("```a"), [Span::Prose("```a")]);
        assert_eq!(spans("`a\nb`"), [Span::Prose("`a\n"), Span::Prose("b`")]);
    }
}
