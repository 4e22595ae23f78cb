//! Finding words in a text. A word stands between white space (an option may have brackets around it); the marks of a
//! sentence right behind it go with it.

use std::ops::Range;

use super::{
    Invalid, Problem, Said,
    near::is_near,
    options::is_plausible,
    vocabulary::{AppWord, Bang, Order, Word},
};
use crate::domain::code::{Span, spans};

/// Marks of a sentence that may follow a word.
const MARKS: [char; 6] = [',', ';', '.', ':', '!', '?'];
/// Quotation marks, straight, curly and pointed, of either kind.
const QUOTES: [&[char]; 2] = [&['"', '“', '”', '„', '«', '»'], &['\'', '‘', '’', '‚']];
/// What takes no room and may be anywhere in pasted text.
const INVISIBLE: [char; 8] =
    ['\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}'];
/// Joins emojis, so that in a value it may mean something.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];
/// Longest text in quotes that is looked through for its end, in characters.
const MAX_QUOTED_CHARS: usize = 256;
/// From this many letters on, a word behind an exclamation mark may have another letter and still be ours.
const BANG_SWAPS: usize = 5;
/// From this many letters on, so may the name of an option.
const KEY_SWAPS: usize = 8;
/// Names of options shorter than this are common words with a letter too few.
const MIN_FREE_KEY: usize = 5;

/// What a text says.
pub fn read(text: &str) -> Said {
    read_knowing(text, &[])
}

/// What a text says, where `macros` are playbooks' (without the exclamation mark).
pub fn read_knowing(text: &str, macros: &[&str]) -> Said {
    let mut reader = Reader { text, macros, cuts: Vec::new(), said: Said::default() };
    let mut at = 0;
    for span in spans(text) {
        at += match span {
            Span::Fenced(code) => code.len() + 6,
            Span::Inline(code) => code.len() + 2,
            Span::Prose(prose) => {
                reader.prose(at, at + prose.len());
                prose.len()
            }
        };
    }
    let mut said = reader.said;
    said.task = without(text, &reader.cuts);
    said.order = if reader.cuts.is_empty() { Order::read(text) } else { None };
    said
}

#[derive(Debug)]
struct Reader<'a> {
    text: &'a str,
    macros: &'a [&'a str],
    /// What is not part of the task, in order.
    cuts: Vec<Range<usize>>,
    said: Said,
}

/// `name=value` as it was found.
#[derive(Debug)]
struct Pair<'a> {
    name: String,
    value: String,
    /// In quotes a comma separates nothing.
    quoted: bool,
    /// What follows its end.
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn part(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn prose(&mut self, from: usize, to: usize) {
        let mut at = from;
        loop {
            let rest = self.part(at, to);
            at += rest.len() - rest.trim_start().len();
            let rest = rest.trim_start();
            if rest.is_empty() {
                return;
            }
            let end = at + rest.find(char::is_whitespace).unwrap_or(rest.len());
            let stands_alone = self.part(0, at).chars().next_back().is_none_or(char::is_whitespace)
                && self.part(end, self.text.len()).chars().next().is_none_or(char::is_whitespace);
            let after = if stands_alone { self.word(at, end, to) } else { None };
            at = after.unwrap_or(end);
        }
    }

    /// Reads the word there; gives where it ends when that is not where white space begins.
    fn word(&mut self, at: usize, end: usize, to: usize) -> Option<usize> {
        let token = self.part(at, end);
        if token.contains('`') {
            return None;
        }
        let plain = visible(token).to_lowercase();
        if plain.trim_end_matches(MARKS) == "(aside)" {
            self.said.aside = true;
            self.cuts.push(at..end);
            return None;
        }
        if let Some(bang) = visible(token).strip_prefix('!') {
            self.bang(bang.trim_end_matches(MARKS), at..end);
            return None;
        }
        let at = if token.starts_with('(') { at + 1 } else { at };
        let pair = pair(self.part(at, end), self.part(at, to))?;
        let end = to - pair.rest.len();
        self.option(&pair, at..end);
        Some(end)
    }

    fn option(&mut self, pair: &Pair<'_>, place: Range<usize>) {
        let Some(word) = Word::find(&pair.name) else {
            if let Some(meant) = meant(pair) {
                self.said.problems.push(Problem::Near { found: format!("{}=", pair.name), meant });
            }
            return;
        };
        self.cuts.push(place);
        if !pair.quoted && QUOTES.iter().any(|quotes| pair.value.starts_with(*quotes)) {
            return self.said.problems.push(Problem::Value(Invalid::new(word, &pair.value)));
        }
        let several = matches!(word, Word::Repo | Word::Tag | Word::Knowledge | Word::Secret | Word::Link);
        let values: Vec<&str> = if several && !pair.quoted && !pair.value.is_empty() {
            pair.value.split(',').filter(|value| !value.is_empty()).collect()
        } else {
            vec![&pair.value]
        };
        for value in values {
            self.set(word, value);
        }
    }

    fn set(&mut self, word: Word, value: &str) {
        if let Err(invalid) = self.said.options.set(word, value) {
            self.said.problems.push(Problem::Value(invalid));
        }
    }

    fn bang(&mut self, word: &str, place: Range<usize>) {
        if let Some(name) = word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if is_macro(name) {
                self.cuts.push(place);
                self.said.options.playbook = Some(format!("!{name}"));
            }
            return;
        }
        let small = word.to_lowercase();
        if !is_macro(word) {
            return;
        }
        if let Some(name) = self.macros.iter().find(|name| name.to_lowercase() == small) {
            self.cuts.push(place);
            self.said.options.playbook = Some(format!("!{name}"));
        } else if let Some(bang) = Bang::find(&small) {
            self.cuts.push(place);
            self.apply(bang);
        } else if let Some(word) = AppWord::find(&small) {
            self.cuts.push(place);
            self.said.problems.push(Problem::AppOnly(word));
        } else {
            self.said.bangs.push(word.to_owned());
            if let Some(bang) = Bang::ALL.iter().find(|bang| is_near(&small, bang.name(), BANG_SWAPS)) {
                let meant = format!("!{}", bang.name());
                self.said.problems.push(Problem::Near { found: format!("!{word}"), meant });
            }
        }
    }

    fn apply(&mut self, bang: Bang) {
        match bang {
            Bang::Fast | Bang::Lite | Bang::Ultra | Bang::Fusion | Bang::Normal => self.said.options.mode = bang.mode(),
            Bang::Windows => self.set(Word::Platform, Bang::Windows.name()),
            Bang::New => self.said.options.new_thread = true,
            Bang::Aside => self.said.aside = true,
        }
    }
}

/// Reads `name=value` at the beginning of a line's rest. `token` ends where white space begins; a value in quotes may go
/// on behind that.
fn pair<'a>(token: &'a str, line: &'a str) -> Option<Pair<'a>> {
    let (name, value) = token.split_once('=')?;
    let from = name.len() + 1;
    let name = visible(name).to_lowercase().replace('_', "-");
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
        return None;
    }
    if let Some((value, rest)) = line.get(from..).and_then(quoted) {
        return Some(Pair { name, value, quoted: true, rest: rest.trim_start_matches(MARKS) });
    }
    // A mark that closes the sentence is none of the value, except the `!` by which a schema is required.
    let inside = unbracketed(value);
    let required = name == Word::Schema.name() && inside.trim_end_matches(['.', ',', ';', ':', '?']).ends_with('!');
    let mut kept = visible_value(inside.trim_end_matches(MARKS));
    if required {
        kept.push('!');
    }
    let rest = line.get(from + inside.len()..).unwrap_or_default();
    Some(Pair { name, value: kept, quoted: false, rest })
}

/// A value without the closing brackets, and what follows them, that were opened before it.
fn unbracketed(value: &str) -> &str {
    let bare = value.trim_end_matches(MARKS);
    let surplus = bare.matches(')').count() > bare.matches('(').count();
    if surplus { bare.trim_end_matches(')') } else { value }
}

/// A value in quotes at the beginning of a text, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches(INVISIBLE);
    let opening = text.chars().next()?;
    let closing = QUOTES.into_iter().find(|quotes| quotes.contains(&opening))?;
    let inside = text.get(opening.len_utf8()..)?;
    for (at, mark) in inside.char_indices().take(MAX_QUOTED_CHARS).filter(|(_, c)| closing.contains(c)) {
        let rest = inside.get(at + mark.len_utf8()..)?;
        let behind = rest.trim_start_matches(MARKS).chars().next();
        if behind.is_none_or(|c| c.is_whitespace() || c == ')') {
            return Some((visible_value(inside.get(..at)?), rest));
        }
    }
    None
}

/// What was probably meant by an option that does not exist; `None` when it seems to be ordinary text.
fn meant(pair: &Pair<'_>) -> Option<String> {
    let near = |word: &Word| word.spellings().iter().any(|spelling| is_near(&pair.name, spelling, KEY_SWAPS));
    let fits = |word: &Word| match is_plausible(*word, &pair.value) {
        Some(plausible) => plausible,
        None => word.name().len() >= MIN_FREE_KEY && !pair.value.is_empty(),
    };
    let word = Word::ALL.iter().find(|word| near(word) && fits(word))?;
    let mode = Invalid::new(*word, &pair.value).nearest.unwrap_or_default();
    Some(format!("{}={mode}", word.name()))
}

fn visible(text: &str) -> String {
    text.replace(INVISIBLE, "")
}

fn visible_value(text: &str) -> String {
    text.replace(|c| INVISIBLE.contains(&c) && !JOINERS.contains(&c), "").trim().to_owned()
}

fn is_macro(name: &str) -> bool {
    name.starts_with(char::is_alphabetic) && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// The text without what was cut: one of two spaces goes along, and so does a line that holds nothing else.
fn without(text: &str, cuts: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for cut in cuts {
        out.push_str(text.get(at..cut.start).unwrap_or_default());
        let mut rest = text.get(cut.end..).unwrap_or_default();
        // Brackets that only held options go with them.
        if let (Some(before), Some(behind)) = (out.trim_end().strip_suffix('('), rest.strip_prefix(')')) {
            out.truncate(before.len());
            rest = behind.trim_start_matches(MARKS);
        }
        if out.is_empty() || out.ends_with(char::is_whitespace) {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() && c != '\n');
        }
        if rest.is_empty() || rest.starts_with('\n') {
            let kept = out.trim_end_matches(|c: char| c.is_whitespace() && c != '\n').len();
            out.truncate(kept);
        }
        if out.is_empty() || out.ends_with('\n') {
            rest = rest.strip_prefix('\n').unwrap_or(rest);
        }
        at = text.len() - rest.len();
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out.trim().to_owned()
}

#[cfg(test)]
mod tests;
