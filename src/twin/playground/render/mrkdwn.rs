//! Slack's mrkdwn: fences and quotes here, everything within a line in `inline`.

use super::{
    Directory, escape, escaped,
    inline::{Dialect, inline},
    unescape,
};

/// The mark around preformatted text.
const FENCE: &str = "```";

/// A `mrkdwn` text as HTML.
pub fn mrkdwn(dir: &Directory, text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once(FENCE) {
        let Some((code, after)) = tail.split_once(FENCE) else { break };
        quoted(&mut out, dir, before.strip_suffix('\n').unwrap_or(before));
        out.push_str("<pre>");
        escape(&mut out, &unescape(code.trim_matches('\n')));
        out.push_str("</pre>");
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    quoted(&mut out, dir, rest);
    out
}

/// A `plain_text` as HTML: only emoji and line breaks mean something.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once(':') {
        out.push_str(&escaped(before));
        let known = tail.split_once(':').and_then(|(name, after)| Some((super::emoji(name)?, after)));
        if let Some((drawn, after)) = known {
            out.push_str(&drawn);
            rest = after;
        } else {
            out.push(':');
            rest = tail;
        }
    }
    out.push_str(&escaped(rest));
    out.replace('\n', "<br>")
}

/// Lines with the quoted ones gathered into block quotes.
fn quoted(out: &mut String, dir: &Directory, text: &str) {
    if text.is_empty() {
        return;
    }
    let mut run: Vec<&str> = Vec::new();
    let mut quoting = false;
    for line in text.split('\n') {
        let quote = line.strip_prefix("&gt;").or_else(|| line.strip_prefix('>'));
        if quote.is_some() != quoting {
            flush(out, dir, &mut run, quoting);
            quoting = quote.is_some();
        }
        run.push(quote.map_or(line, |inner| inner.strip_prefix(' ').unwrap_or(inner)));
    }
    flush(out, dir, &mut run, quoting);
}

fn flush(out: &mut String, dir: &Directory, run: &mut Vec<&str>, quoting: bool) {
    if run.is_empty() {
        return;
    }
    if quoting {
        out.push_str("<blockquote>");
    }
    inline(out, dir, Dialect::Mrkdwn, &run.join("\n"));
    if quoting {
        out.push_str("</blockquote>");
    }
    run.clear();
}
