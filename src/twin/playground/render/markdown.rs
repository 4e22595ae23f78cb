//! The `markdown` block: the subset of Markdown that Slack documents for it. Written here and not with a parser,
//! because Slack's own mentions (`<@U…>`) must keep working inside it and raw HTML must never.

use std::fmt::Write as _;

use super::{
    Directory, escape,
    inline::{Dialect, inline},
};

/// A Markdown text as HTML.
pub fn markdown(dir: &Directory, text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let lines: Vec<&str> = text.lines().collect();
    let mut rest = lines.as_slice();
    while let Some((first, tail)) = rest.split_first() {
        rest = if first.trim().is_empty() { tail } else { block(&mut out, dir, first, rest) };
    }
    out
}

/// Appends the block that begins with `first` and returns the lines after it.
fn block<'l>(out: &mut String, dir: &Directory, first: &str, lines: &'l [&'l str]) -> &'l [&'l str] {
    let trimmed = first.trim();
    if let Some(level) = heading_level(trimmed) {
        let _open = write!(out, r#"<p class="md-h md-h{level}">"#);
        inline(out, dir, Dialect::Markdown, trimmed.trim_start_matches('#').trim());
        out.push_str("</p>");
        return lines.get(1..).unwrap_or_default();
    }
    if trimmed.starts_with("```") {
        return fence(out, lines);
    }
    if trimmed.len() >= 3 && (trimmed.chars().all(|c| c == '-') || trimmed.chars().all(|c| c == '*')) {
        out.push_str("<hr>");
        return lines.get(1..).unwrap_or_default();
    }
    if trimmed.starts_with('>') {
        let (run, after) = take(lines, |line| line.trim_start().starts_with('>'));
        let inner: Vec<&str> = run.iter().map(|line| line.trim_start().trim_start_matches('>').trim_start()).collect();
        out.push_str("<blockquote>");
        inline(out, dir, Dialect::Markdown, &inner.join("\n"));
        out.push_str("</blockquote>");
        return after;
    }
    if item(first).is_some() {
        return list(out, dir, lines);
    }
    if is_table(lines) {
        return table(out, dir, lines);
    }
    let (run, after) = take(lines, continues);
    let (run, after) = if run.is_empty() { lines.split_at(1) } else { (run, after) };
    out.push_str("<p>");
    inline(out, dir, Dialect::Markdown, &run.join("\n"));
    out.push_str("</p>");
    after
}

fn heading_level(line: &str) -> Option<usize> {
    let marks = line.bytes().take_while(|b| *b == b'#').count();
    let spaced = line.get(marks..).is_some_and(|tail| tail.starts_with(' '));
    (1..=6).contains(&marks).then_some(marks.min(3)).filter(|_| spaced)
}

fn fence<'l>(out: &mut String, lines: &'l [&'l str]) -> &'l [&'l str] {
    let body = lines.get(1..).unwrap_or_default();
    let (code, after) = take(body, |line| !line.trim_start().starts_with("```"));
    out.push_str("<pre>");
    escape(out, &code.join("\n"));
    out.push_str("</pre>");
    after.get(1..).unwrap_or_default()
}

fn list<'l>(out: &mut String, dir: &Directory, lines: &'l [&'l str]) -> &'l [&'l str] {
    let ordered = lines.first().and_then(|line| item(line)).is_some_and(|(ordered, ..)| ordered);
    let element = if ordered { "ol" } else { "ul" };
    let (run, after) = take(lines, |line| item(line).is_some_and(|(this, ..)| this == ordered));
    let _open = write!(out, "<{element}>");
    for (_, indent, text) in run.iter().filter_map(|line| item(line)) {
        let _item = write!(out, r#"<li class="indent-{}">"#, (indent / 2).min(3));
        let (mark, text) = match (text.strip_prefix("[ ] "), text.strip_prefix("[x] ")) {
            (Some(open), _) => ("☐ ", open),
            (_, Some(done)) => ("☑ ", done),
            _ => ("", text),
        };
        out.push_str(mark);
        inline(out, dir, Dialect::Markdown, text);
        out.push_str("</li>");
    }
    let _close = write!(out, "</{element}>");
    after
}

/// Whether a line is a list item: ordered or not, its indent in spaces, its text.
fn item(line: &str) -> Option<(bool, usize, &str)> {
    let text = line.trim_start();
    let indent = line.len() - text.len();
    for bullet in ["- ", "* ", "+ ", "• "] {
        if let Some(inner) = text.strip_prefix(bullet) {
            return Some((false, indent, inner));
        }
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let inner = text.get(digits..)?.strip_prefix(". ")?;
    (digits > 0 && digits < 4).then_some((true, indent, inner))
}

fn is_table(lines: &[&str]) -> bool {
    let [head, rule, ..] = lines else { return false };
    head.contains('|')
        && rule.contains("---")
        && rule.chars().all(|c| matches!(c, '|' | '-' | ':') || c.is_whitespace())
}

fn table<'l>(out: &mut String, dir: &Directory, lines: &'l [&'l str]) -> &'l [&'l str] {
    let (run, after) = take(lines, |line| line.contains('|'));
    out.push_str(r#"<div class="table-wrap"><table>"#);
    for (number, line) in run.iter().enumerate().filter(|(number, _)| *number != 1) {
        let cell = if number == 0 { "th" } else { "td" };
        out.push_str("<tr>");
        for text in line.trim().trim_matches('|').split('|') {
            let _open = write!(out, "<{cell}>");
            inline(out, dir, Dialect::Markdown, text.trim());
            let _close = write!(out, "</{cell}>");
        }
        out.push_str("</tr>");
    }
    out.push_str("</table></div>");
    after
}

/// Whether a line goes on with the paragraph before it.
fn continues(line: &str) -> bool {
    let text = line.trim();
    !text.is_empty()
        && !text.starts_with('>')
        && !text.starts_with("```")
        && heading_level(text).is_none()
        && item(line).is_none()
}

/// The lines from the start that satisfy a condition, and the others.
fn take<'l>(lines: &'l [&'l str], keep: impl Fn(&str) -> bool) -> (&'l [&'l str], &'l [&'l str]) {
    let end = lines.iter().position(|line| !keep(line)).unwrap_or(lines.len());
    lines.split_at(end)
}
