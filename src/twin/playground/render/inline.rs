//! Text within a line: emphasis, code, links, mentions, emoji. One scanner for Slack's mrkdwn and for Markdown,
//! because they differ only in which marks mean what and in how a link is written.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{Directory, broadcast, emoji, escape, escaped, link, mention_channel, mention_user, unescape};

/// Deepest nesting of emphasis that is followed; deeper marks stay text, so that hostile input cannot grow the stack.
const MAX_DEPTH: u8 = 6;
/// Longest emoji short name looked for, in bytes; Slack's own longest is shorter.
const MAX_EMOJI_BYTES: usize = 60;

/// Whose marks are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Slack's: `*bold* _italic_ ~strike~ <url|label>`.
    Mrkdwn,
    /// Markdown's: `**bold** *italic* ~~strike~~ [label](url)`.
    Markdown,
}

impl Dialect {
    /// Marks with their elements, longer marks first.
    fn marks(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Mrkdwn => &[("*", "strong"), ("_", "em"), ("~", "del")],
            Self::Markdown => {
                &[("**", "strong"), ("__", "strong"), ("~~", "del"), ("*", "em"), ("_", "em"), ("~", "del")]
            }
        }
    }
}

/// Appends one or more lines as HTML.
pub(super) fn inline(out: &mut String, dir: &Directory, dialect: Dialect, text: &str) {
    Scanner { out, dir, dialect, depth: 0 }.scan(text);
}

struct Scanner<'a> {
    out: &'a mut String,
    dir: &'a Directory,
    dialect: Dialect,
    depth: u8,
}

impl Scanner<'_> {
    fn scan(&mut self, text: &str) {
        let mut rest = text;
        let mut before: Option<char> = None;
        while let Some(c) = rest.chars().next() {
            let after = self.special(c, rest, before).unwrap_or_else(|| self.literal(c, rest));
            before = rest.get(..rest.len() - after.len()).and_then(|taken| taken.chars().next_back());
            rest = after;
        }
    }

    /// Takes a construct at the start of `rest` and returns what follows it; `None` when there is none.
    fn special<'t>(&mut self, c: char, rest: &'t str, before: Option<char>) -> Option<&'t str> {
        match c {
            '`' => self.code(rest),
            '<' => self.angle(rest),
            ':' => self.emoji(rest),
            '[' if self.dialect == Dialect::Markdown => self.bracket(rest),
            'h' if self.dialect == Dialect::Markdown && !before.is_some_and(char::is_alphanumeric) => {
                self.bare_address(rest)
            }
            '*' | '_' | '~' => self.emphasis(rest, before),
            _ => None,
        }
    }

    fn literal<'t>(&mut self, c: char, rest: &'t str) -> &'t str {
        // Slack keeps `&`, `<` and `>` of a person as entities; printing them escaped again would show `&amp;`.
        for (entity, shown) in [("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
            if c == '&'
                && let Some(after) = rest.strip_prefix(entity)
            {
                escape(self.out, shown);
                return after;
            }
        }
        if c == '\n' {
            self.out.push_str("<br>");
        } else {
            escape(self.out, c.encode_utf8(&mut [0; 4]));
        }
        rest.get(c.len_utf8()..).unwrap_or_default()
    }

    fn code<'t>(&mut self, rest: &'t str) -> Option<&'t str> {
        let (code, after) = rest.strip_prefix('`')?.split_once('`')?;
        if code.is_empty() || code.contains('\n') {
            return None;
        }
        let _ok = write!(self.out, "<code>{}</code>", escaped(&unescape(code)));
        Some(after)
    }

    fn angle<'t>(&mut self, rest: &'t str) -> Option<&'t str> {
        let (token, after) = rest.strip_prefix('<')?.split_once('>')?;
        let (target, label) = match token.split_once('|') {
            Some((target, label)) => (target, Some(label)),
            None => (token, None),
        };
        if let Some(user) = target.strip_prefix('@') {
            mention_user(self.out, self.dir, user, label);
        } else if let Some(channel) = target.strip_prefix('#') {
            mention_channel(self.out, self.dir, channel, label);
        } else if let Some(command) = target.strip_prefix('!') {
            self.command(command, label);
        } else {
            let address = unescape(target);
            self.dir.href(&address)?;
            let shown = label.map_or_else(|| address.trim_start_matches("mailto:").to_owned(), unescape);
            link(self.out, self.dir, &address, &escaped(&shown));
        }
        Some(after)
    }

    fn command(&mut self, command: &str, label: Option<&str>) {
        let mut parts = command.split('^');
        match parts.next() {
            Some("date") => {
                let stamp = parts.next().and_then(|seconds| seconds.parse().ok());
                let format = parts.next().unwrap_or_default();
                let fallback = label.map(unescape).unwrap_or_default();
                self.out.push_str(&escaped(&date(stamp, format).unwrap_or(fallback)));
            }
            Some("subteam") => broadcast(self.out, label.unwrap_or("group").trim_start_matches('@')),
            Some(range @ ("here" | "channel" | "everyone")) => broadcast(self.out, range),
            _ => self.out.push_str(&escaped(&unescape(label.unwrap_or(command)))),
        }
    }

    fn emoji<'t>(&mut self, rest: &'t str) -> Option<&'t str> {
        let tail = rest.strip_prefix(':')?;
        let end = tail.bytes().take(MAX_EMOJI_BYTES).position(|b| b == b':' || b.is_ascii_whitespace())?;
        let (name, after) = (tail.get(..end)?, tail.get(end..)?.strip_prefix(':')?);
        self.out.push_str(&emoji(name)?);
        Some(after)
    }

    fn bracket<'t>(&mut self, rest: &'t str) -> Option<&'t str> {
        let (label, tail) = rest.strip_prefix('[')?.split_once("](")?;
        let (address, after) = tail.split_once(')')?;
        if label.contains('\n') || address.contains(char::is_whitespace) {
            return None;
        }
        let mut inner = String::new();
        if self.depth < MAX_DEPTH - 1 {
            Scanner { out: &mut inner, dir: self.dir, dialect: self.dialect, depth: MAX_DEPTH - 1 }.scan(label);
        } else {
            escape(&mut inner, label);
        }
        // A label may itself be an address; a link inside a link is not HTML.
        if inner.contains("<a ") {
            inner = escaped(label);
        }
        link(self.out, self.dir, address, &inner);
        Some(after)
    }

    fn bare_address<'t>(&mut self, rest: &'t str) -> Option<&'t str> {
        if self.depth == MAX_DEPTH || !(rest.starts_with("https://") || rest.starts_with("http://")) {
            return None;
        }
        let end =
            rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | ')' | ']')).unwrap_or(rest.len());
        let address = rest.get(..end)?.trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_']);
        self.dir.href(address)?;
        link(self.out, self.dir, address, &escaped(address));
        rest.get(address.len()..)
    }

    fn emphasis<'t>(&mut self, rest: &'t str, before: Option<char>) -> Option<&'t str> {
        if self.depth >= MAX_DEPTH || before.is_some_and(char::is_alphanumeric) {
            return None;
        }
        self.dialect.marks().iter().find_map(|(mark, element)| {
            let tail = rest.strip_prefix(mark)?;
            let end = closing(tail, mark)?;
            let (inner, after) = (tail.get(..end)?, tail.get(end + mark.len()..)?);
            let _open = write!(self.out, "<{element}>");
            Scanner { out: self.out, dir: self.dir, dialect: self.dialect, depth: self.depth + 1 }.scan(inner);
            let _close = write!(self.out, "</{element}>");
            Some(after)
        })
    }
}

/// Where the closing mark stands: on the same line, after a letter, before a boundary, outside code and links.
fn closing(tail: &str, mark: &str) -> Option<usize> {
    if tail.starts_with(char::is_whitespace) {
        return None;
    }
    let mut at = 0;
    let mut before = None;
    while let Some(rest) = tail.get(at..) {
        let c = rest.chars().next()?;
        if c == '\n' {
            return None;
        }
        let skipped = match c {
            '`' => span(rest, '`'),
            '<' => span(rest, '>'),
            _ => None,
        };
        if let Some(length) = skipped {
            at += length;
            before = Some(c);
            continue;
        }
        if let Some(after) = rest.strip_prefix(mark) {
            let opens = before.is_none_or(char::is_whitespace);
            if !opens && !after.starts_with(char::is_alphanumeric) && !after.starts_with(mark) {
                return Some(at);
            }
        }
        before = Some(c);
        at += c.len_utf8();
    }
    None
}

/// Length of a span that begins with one mark and ends with `end` on the same line.
fn span(rest: &str, end: char) -> Option<usize> {
    let inner = rest.get(1..)?;
    let length = inner.find(end)?;
    (!inner.get(..length)?.contains('\n')).then_some(length + 2)
}

/// A date in the words of its format string; in UTC, as nobody's time zone is known here.
pub(super) fn date(seconds: Option<i64>, format: &str) -> Option<String> {
    let at = Timestamp::from_second(seconds?).ok()?;
    let known = [
        ("{date_short_pretty}", "%b %-d, %Y"),
        ("{date_long_pretty}", "%A, %B %-d, %Y"),
        ("{date_pretty}", "%B %-d, %Y"),
        ("{date_short}", "%b %-d, %Y"),
        ("{date_long}", "%A, %B %-d, %Y"),
        ("{date_num}", "%Y-%m-%d"),
        ("{date}", "%B %-d, %Y"),
        ("{time_secs}", "%H:%M:%S"),
        ("{time}", "%H:%M"),
        ("{ago}", "%H:%M"),
    ];
    let filled = known.iter().fold(format.to_owned(), |text, (token, pattern)| {
        if text.contains(token) { text.replace(token, &at.strftime(pattern).to_string()) } else { text }
    });
    (!filled.is_empty()).then_some(filled)
}
