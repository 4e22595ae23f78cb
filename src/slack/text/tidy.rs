//! What is put right in a text before and after it is read as Markdown.

use super::piece::{Run, Style};

/// The text without what terminals hide or turns round, and with one kind of line end.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' if letters.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            '\u{1b}' if letters.peek() == Some(&'[') => {
                letters.next();
                while letters.next_if(|c| c.is_ascii_digit() || matches!(c, ';' | '?')).is_some() {}
                letters.next_if(char::is_ascii_alphabetic);
            }
            '\n' | '\t' => out.push(letter),
            letter if letter.is_control() => {}
            // Turns what follows round, an address as well.
            '\u{202d}' | '\u{202e}' => out.push(char::REPLACEMENT_CHARACTER),
            letter => out.push(letter),
        }
    }
    out
}

/// Takes white space off both ends.
pub(super) fn trim(runs: &mut Vec<Run>) {
    let only_space = runs.len() == 1 && runs.iter().all(|run| run.text == " ");
    if only_space {
        return;
    }
    if let Some(first) = runs.first_mut().filter(|first| !first.style.has(Style::CODE)) {
        first.text = first.text.trim_start_matches('\n').to_owned();
    }
    if let Some(last) = runs.last_mut().filter(|last| !last.style.has(Style::CODE)) {
        last.text = last.text.trim_end().to_owned();
    }
    runs.retain(|run| !run.text.is_empty());
}

/// Whether a tag only ends a line.
pub(super) fn is_break(html: &str) -> bool {
    let name = html.trim_matches(|c: char| matches!(c, '<' | '>' | '/') || c.is_whitespace());
    name.eq_ignore_ascii_case("br")
}
