//! The answers that a message offers: numbered or lettered options at its end, after a question.
//!
//! Read with caution. A list of what was done must not turn into buttons, so there has to be a question right before
//! the options, or one right after them that asks for a choice; the options have to be counted from the first on; and
//! nothing else may follow. Whoever would rather say something else simply says it.

/// Fewest and most options.
const OPTIONS: std::ops::RangeInclusive<usize> = 2..=9;
/// Longest first line of an option, in characters: longer ones are paragraphs.
const MAX_OPTION_CHARS: usize = 300;
/// Longest question after the options, in characters.
const MAX_CLOSING_CHARS: usize = 300;
/// Deepest indent of an option; what stands deeper belongs to the option above.
const MAX_INDENT: usize = 3;
/// Words by which a sentence asks for a choice.
const CHOOSING: [&str; 9] =
    ["which", "prefer", "choose", "option", "pick", "should i", "would you like", "do you want", "let me know"];

/// One answer that a message offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// How it is counted, such as `2` or `B`.
    pub mark: String,
    /// Its words, as they stand in the message.
    pub words: String,
}

impl Choice {
    /// What is answered when it is chosen: the words, and the mark that the message itself uses for them.
    pub fn answer(&self) -> String {
        format!("{}. {}", self.mark, self.words)
    }

    /// The answer without Markdown's marks, at most so many characters.
    pub fn label(&self, most_chars: usize) -> String {
        let plain: String = self.answer().chars().filter(|c| !matches!(c, '*' | '`')).collect();
        if plain.chars().count() <= most_chars {
            return plain;
        }
        let cut: String = plain.chars().take(most_chars.saturating_sub(1)).collect();
        format!("{}…", cut.trim_end())
    }
}

/// Reads the answers that a message offers; none where it is not certain that it asks for a choice.
pub fn read(message: &str) -> Vec<Choice> {
    let lines: Vec<&str> = message.trim_end().lines().collect();
    if message.contains("```") && in_code_at_the_end(&lines) {
        return Vec::new();
    }
    let (body, closing) = without_closing(&lines);
    let Some((before, choices)) = options(body) else { return Vec::new() };
    let asked = match closing {
        Some(closing) => is_question(closing) && asks_for_choice(closing),
        None => false,
    };
    if asked || (closing.is_none() && leads(before)) { choices } else { Vec::new() }
}

fn in_code_at_the_end(lines: &[&str]) -> bool {
    lines.iter().filter(|line| line.trim_start().starts_with("```")).count() % 2 == 1
}

/// The lines up to the last option, and what is said after it.
fn without_closing<'l>(lines: &'l [&'l str]) -> (&'l [&'l str], Option<&'l str>) {
    let Some((last, body)) = lines.split_last() else { return (lines, None) };
    let set_off = body.last().is_some_and(|line| line.trim().is_empty());
    let indented = last.starts_with([' ', '\t']);
    if option(last).is_none() && set_off && !indented && last.chars().count() <= MAX_CLOSING_CHARS {
        (body, Some(last))
    } else {
        (lines, None)
    }
}

/// The options at the end of the lines, and the last line before them.
fn options<'l>(lines: &'l [&'l str]) -> Option<(&'l str, Vec<Choice>)> {
    let mut found: Vec<Choice> = Vec::new();
    let mut rest = lines;
    while let Some((line, above)) = rest.split_last() {
        rest = above;
        if let Some(choice) = option(line) {
            let first = matches!(choice.mark.as_str(), "1" | "A" | "a");
            found.push(choice);
            if first {
                break;
            }
        } else if !line.trim().is_empty() && !line.starts_with([' ', '\t']) {
            return None;
        }
        if found.len() > *OPTIONS.end() {
            return None;
        }
    }
    found.reverse();
    let before = rest.iter().rev().find(|line| !line.trim().is_empty())?;
    let counted =
        found.iter().enumerate().all(|(at, choice)| Some(choice.mark.as_str()) == mark_at(choice, at).as_deref());
    (OPTIONS.contains(&found.len()) && counted).then_some((*before, found))
}

/// The mark that the option at this place has to have.
fn mark_at(choice: &Choice, at: usize) -> Option<String> {
    let at = u8::try_from(at).ok()?;
    let first = choice.mark.chars().next()?;
    let base = if first.is_ascii_digit() {
        b'1'
    } else if first.is_ascii_uppercase() {
        b'A'
    } else {
        b'a'
    };
    Some(char::from(base + at).to_string())
}

/// Reads a line such as `1. Use main`, `- **B)** Keep it` or `Option C: Both`.
fn option(line: &str) -> Option<Choice> {
    let indent = line.chars().take_while(|c| *c == ' ').count();
    let mut text = line.trim();
    if indent > MAX_INDENT || line.starts_with('\t') {
        return None;
    }
    for bullet in ["- ", "* ", "+ ", "• "] {
        text = text.strip_prefix(bullet).unwrap_or(text);
    }
    let bold = text.strip_prefix("**");
    let text = bold.unwrap_or(text);
    let named = ["Option ", "option "].iter().find_map(|word| text.strip_prefix(word));
    let text = named.unwrap_or(text);
    let mark = text.chars().next().filter(char::is_ascii_alphanumeric)?;
    let text = text.strip_prefix(mark)?;
    let early = bold.and_then(|_| text.strip_prefix("**"));
    let text = early.unwrap_or(text).strip_prefix(['.', ')', ':'])?;
    // A bold mark may close before or after its stop, or only after the words.
    let text = if bold.is_some() && early.is_none() { text.strip_prefix("**").unwrap_or(text) } else { text };
    let words = text.strip_prefix(' ')?.trim();
    let whole = words.matches("**").count() % 2 == 1;
    let words = if whole { words.replacen("**", "", 1) } else { words.to_owned() };
    let fits = !words.is_empty() && words.chars().count() <= MAX_OPTION_CHARS;
    fits.then(|| Choice { mark: mark.to_string(), words: words.trim().to_owned() })
}

/// Whether a line leads to options.
fn leads(line: &str) -> bool {
    let opens = line.trim_end_matches(['*', '_', ' ']).ends_with(':') && asks_for_choice(line);
    is_question(line) || opens
}

fn is_question(line: &str) -> bool {
    line.contains(['?', '？'])
}

fn asks_for_choice(line: &str) -> bool {
    let line = line.to_lowercase();
    CHOOSING.iter().any(|word| line.contains(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answers(message: &str) -> Vec<String> {
        read(message).iter().map(Choice::answer).collect()
    }

    #[test]
    fn options_after_a_question_are_answers() {
        assert_eq!(answers("Which branch shall I use?\n\n1. main\n2. release/2.4"), ["1. main", "2. release/2.4"]);
        assert_eq!(
            answers("How shall I go on?\nA) Keep it\n   with a flag\n\nB) Drop `old()`\nC) Both"),
            ["A. Keep it", "B. Drop `old()`", "C. Both"]
        );
        assert_eq!(answers("Should I:\n- **1.** wait\n- **2.** go on\n"), ["1. wait", "2. go on"]);
        assert_eq!(answers("Ok?\n**Option A: Redis**\n**Option B:** Postgres"), ["A. Redis", "B. Postgres"]);
        assert_eq!(answers("Two ways:\n\n1. this\n2. that\n\nWhich do you prefer?"), ["1. this", "2. that"]);
        assert_eq!(answers("どちらにしますか？\n1. はい\n2. いいえ"), ["1. はい", "2. いいえ"]);
    }

    #[test]
    fn a_list_that_asks_nothing_is_no_choice() {
        for message in [
            "I did this:\n1. the test\n2. the fix",
            "I did this:\n1. the test\n2. the fix\n\nShall I merge?",
            "Which?\n1. only one",
            "Which?\n2. from\n3. the middle",
            "Which?\n1. one\n3. three",
            "Which?\n1. one\n2. two\n\nBy the way, CI is red.",
            "1. no\n2. question",
            "Which?\n1. a\n2. b\n3. c\n4. d\n5. e\n6. f\n7. g\n8. h\n9. i\n10. j",
            "Which?\n```\n1. in\n2. code\n",
            "Is it 1. or 2.?",
            "",
        ] {
            assert_eq!(answers(message), Vec::<String>::new(), "{message}");
        }
    }

    #[test]
    fn a_label_is_short_and_plain() {
        let choice = Choice { mark: "B".to_owned(), words: format!("**Use** `redis` {}", "x".repeat(100)) };
        let label = choice.label(75);
        assert_eq!(label.chars().count(), 75);
        assert!(label.starts_with("B. Use redis x") && label.ends_with('…'), "{label}");
    }

    proptest! {
        #[test]
        fn what_is_offered_stands_in_the_message(message in "([A-D1-9a ][.):]? ?[a-z*?: ]{0,8}\n){0,12}") {
            let choices = read(&message);
            prop_assert!(choices.is_empty() || OPTIONS.contains(&choices.len()));
            for choice in choices {
                let bare = |text: &str| text.replace("**", "");
                prop_assert!(bare(&message).contains(&bare(&choice.words)), "{:?} in {:?}", choice, message);
            }
        }
    }
}
