//! The form that starts a session: what its parts are called, what was filled in, and what is wrong with that.
//!
//! It is read twice: at the door, which answers at once what is wrong (Slack shows it beside the field), and by whoever
//! starts the session. So these rules know neither a store nor a clock, and what they say is said here.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use crate::domain::{
    ids::ChannelId,
    words::{self, Invalid, Options, Problem, Word},
};

/// The form's `callback_id`.
pub const NEW_SESSION: &str = "new_session";
/// The `action_id` of every part: the block says which part it is.
pub const VALUE: &str = "value";
/// Longest key of a session secret, in characters, as Devin has it.
const MAX_KEY_CHARS: usize = 256;
/// Session secrets that one form may carry.
const MAX_SECRETS: usize = 20;

/// One part of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What Devin shall do.
    Task,
    /// Repositories.
    Repos,
    /// The channel in which it reports.
    Channel,
    /// A playbook.
    Playbook,
    /// The mode.
    Mode,
    /// The most ACUs.
    Acu,
    /// The title.
    Title,
    /// Tags.
    Tags,
    /// The machine.
    Platform,
    /// Knowledge notes.
    Knowledge,
    /// Secrets for this session alone.
    Secrets,
}

impl Part {
    /// Its `block_id`.
    pub fn block_id(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Repos => "repos",
            Self::Channel => "channel",
            Self::Playbook => "playbook",
            Self::Mode => "mode",
            Self::Acu => "acu",
            Self::Title => "title",
            Self::Tags => "tags",
            Self::Platform => "platform",
            Self::Knowledge => "knowledge",
            Self::Secrets => "session_secrets",
        }
    }

    /// The word that says the same in a message, and whether several values can stand in the part.
    fn word(self) -> Option<(Word, bool)> {
        match self {
            Self::Task | Self::Channel | Self::Secrets => None,
            Self::Repos => Some((Word::Repo, true)),
            Self::Playbook => Some((Word::Playbook, false)),
            Self::Mode => Some((Word::Mode, false)),
            Self::Acu => Some((Word::Acu, false)),
            Self::Title => Some((Word::Title, false)),
            Self::Tags => Some((Word::Tag, true)),
            Self::Platform => Some((Word::Platform, false)),
            Self::Knowledge => Some((Word::Knowledge, true)),
        }
    }
}

/// The parts that say what a word could say as well.
const WORDED: [Part; 8] =
    [Part::Repos, Part::Playbook, Part::Mode, Part::Acu, Part::Title, Part::Tags, Part::Platform, Part::Knowledge];

/// What was filled in, as it was typed. It is shown nowhere.
#[derive(Clone)]
pub struct Filled {
    values: Map<String, Value>,
}

/// What a form that is in order asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// What was typed as the task, words and all.
    pub task: String,
    /// The same behind the words for what was chosen beside it. A word in the task goes over those before it.
    pub in_words: String,
    /// The channel in which to report.
    pub channel: ChannelId,
}

/// A secret for one session.
#[derive(Debug, Clone)]
pub struct SessionSecret {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: SecretString,
}

/// What is wrong with a part. Its words are shown beside the field, where nothing is formatted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// No task.
    NothingAsked,
    /// No channel.
    NoChannel,
    /// A value that is not taken.
    Value(Invalid),
    /// A word in the task that is near one of ours, or belongs to Devin's own app.
    Word(Problem),
    /// A line of the secrets that is not `KEY=value`; the line itself is never repeated.
    SecretLine {
        /// Which, from 1 on.
        line: usize,
    },
    /// More secrets than a form may carry.
    TooManySecrets,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingAsked => f.write_str("Say what Devin shall do."),
            Self::NoChannel => f.write_str("Choose the channel in which I shall report."),
            Self::Value(invalid) => value(f, invalid),
            Self::Word(Problem::Value(invalid)) => {
                write!(f, "{}=: ", invalid.word.name())?;
                value(f, invalid)
            }
            Self::Word(Problem::Near { found, meant }) => {
                write!(f, "I don't know {found}. Did you mean {meant}? Put it in `backticks` to send it as it is.")
            }
            Self::Word(Problem::AppOnly(word)) => write!(f, "!{} {}", word.name(), word.help()),
            Self::SecretLine { line } => write!(f, "Line {line} is not KEY=value. Write one secret on each line."),
            Self::TooManySecrets => write!(f, "At most {MAX_SECRETS} secrets fit here."),
        }
    }
}

fn value(f: &mut fmt::Formatter<'_>, invalid: &Invalid) -> fmt::Result {
    if let Some(nearest) = &invalid.nearest {
        return write!(f, "Did you mean {nearest}?");
    }
    match invalid.word {
        Word::Repo => f.write_str("Write repositories as owner/name, with commas between them."),
        Word::Acu => f.write_str("Write a whole number of ACUs, 1 or more."),
        Word::Tag => f.write_str("A tag is short and does not begin with bobbin; there can be 47 of them."),
        Word::Mode
        | Word::Playbook
        | Word::Title
        | Word::Platform
        | Word::Knowledge
        | Word::Secret
        | Word::Schema
        | Word::Approval
        | Word::ChildPlaybook
        | Word::Link
        | Word::Resumable => f.write_str(&invalid.word.help().replace('`', "")),
    }
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Filled {
    /// Takes `view.state.values`.
    pub fn new(values: Map<String, Value>) -> Self {
        Self { values }
    }

    /// The text of a part, or what was chosen in it.
    pub fn text(&self, part: Part) -> &str {
        let element = self.values.get(part.block_id()).and_then(|block| block.get(VALUE));
        let text = |pointer: &str| element.and_then(|e| e.pointer(pointer)).and_then(Value::as_str);
        let found =
            text("/value").or_else(|| text("/selected_option/value")).or_else(|| text("/selected_conversation"));
        found.unwrap_or_default().trim()
    }

    /// The secrets as they were typed, or sealed; `None` when there are none.
    pub fn secrets(&self) -> Option<SecretString> {
        Some(self.text(Part::Secrets)).filter(|text| !text.is_empty()).map(SecretString::from)
    }

    /// The secrets, when they were sealed; in clear they never leave the door.
    pub fn sealed_secrets(&self) -> Option<String> {
        Some(self.text(Part::Secrets)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// What it asks for, without its secrets.
    ///
    /// # Errors
    ///
    /// What is wrong, each with its part; one for each part, because Slack shows no more.
    pub fn brief(&self) -> Result<Brief, Vec<(Part, Wrong)>> {
        let mut wrong = Vec::new();
        let mut options = Options::default();
        for part in WORDED {
            wrong.extend(self.set(&mut options, part).map(|invalid| (part, Wrong::Value(invalid))));
        }
        let task = self.text(Part::Task);
        let said = words::read(task);
        if let Some(problem) = said.problems.into_iter().next() {
            wrong.push((Part::Task, Wrong::Word(problem)));
        } else if said.task.trim().is_empty() {
            wrong.push((Part::Task, Wrong::NothingAsked));
        }
        match self.text(Part::Channel).parse() {
            Ok(channel) if wrong.is_empty() => Ok(Brief { task: task.to_owned(), in_words: self.in_words(), channel }),
            Ok(_) => Err(wrong),
            Err(_) => {
                wrong.push((Part::Channel, Wrong::NoChannel));
                Err(wrong)
            }
        }
    }

    fn set(&self, options: &mut Options, part: Part) -> Option<Invalid> {
        self.worded(part).find_map(|(word, value)| options.set(word, value).err())
    }

    /// What a part says, as words with their values.
    fn worded(&self, part: Part) -> impl Iterator<Item = (Word, &str)> {
        let text = self.text(part);
        part.word().into_iter().flat_map(move |(word, several)| {
            let parts = text.split(move |c| several && matches!(c, ',' | '\n'));
            parts.map(str::trim).filter(|value| !value.is_empty()).map(move |value| (word, value))
        })
    }

    fn in_words(&self) -> String {
        let words = WORDED.into_iter().flat_map(|part| self.worded(part));
        let words = words.map(|(word, value)| format!("{}={}", word.name(), quoted(value)));
        words.chain([self.text(Part::Task).to_owned()]).collect::<Vec<_>>().join(" ")
    }
}

/// A value as it stands behind its word: in quotes of a kind that it does not have itself.
fn quoted(value: &str) -> String {
    let quote = if value.contains('"') { '\'' } else { '"' };
    format!("{quote}{}{quote}", value.replace(quote, "’"))
}

/// Reads secrets, one `KEY=value` on each line.
///
/// # Errors
///
/// What is wrong with them; never their text.
pub fn session_secrets(typed: &SecretString) -> Result<Vec<SessionSecret>, Wrong> {
    let mut secrets = Vec::new();
    for (at, line) in typed.expose_secret().lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = || Wrong::SecretLine { line: at + 1 };
        let (key, value) = line.split_once('=').ok_or_else(wrong)?;
        let (key, value) = (key.trim(), value.trim());
        let key_is_good = (1..=MAX_KEY_CHARS).contains(&key.chars().count())
            && !key.contains(|c: char| c.is_whitespace() || c.is_control());
        if !key_is_good || value.is_empty() {
            return Err(wrong());
        }
        secrets.push(SessionSecret { key: key.to_owned(), value: value.into() });
    }
    if secrets.len() > MAX_SECRETS { Err(Wrong::TooManySecrets) } else { Ok(secrets) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(parts: &[(Part, &str)]) -> Filled {
        let element = |part: Part, text: &str| match part {
            Part::Channel => json!({ "type": "conversations_select", "selected_conversation": text }),
            Part::Mode | Part::Playbook => json!({ "type": "static_select", "selected_option": { "value": text } }),
            Part::Task
            | Part::Repos
            | Part::Acu
            | Part::Title
            | Part::Tags
            | Part::Platform
            | Part::Knowledge
            | Part::Secrets => json!({ "type": "plain_text_input", "value": text }),
        };
        let values =
            parts.iter().map(|(part, text)| (part.block_id().to_owned(), json!({ VALUE: element(*part, text) })));
        Filled::new(values.collect())
    }

    fn wrong(parts: &[(Part, &str)]) -> Vec<String> {
        let wrong = filled(parts).brief().unwrap_err();
        wrong.iter().map(|(part, wrong)| format!("{}: {wrong}", part.block_id())).collect()
    }

    #[test]
    fn a_form_in_order_is_a_brief() {
        let brief = filled(&[
            (Part::Task, "Fix the login test mode=lite"),
            (Part::Channel, "C1"),
            (Part::Repos, "acme/api, acme/web"),
            (Part::Mode, "fast"),
            (Part::Acu, "5"),
            (Part::Tags, "login,flaky"),
            (Part::Title, "Say \"hi\", it's late"),
        ])
        .brief()
        .unwrap();
        assert_eq!((brief.task.as_str(), brief.channel.as_str()), ("Fix the login test mode=lite", "C1"));
        let said = words::read(&brief.in_words);
        assert_eq!((said.task.trim(), said.problems.len()), ("Fix the login test", 0), "{}", brief.in_words);
        assert_eq!(said.options.repos, ["acme/api", "acme/web"]);
        assert_eq!((said.options.acu, said.options.tags.len()), (Some(5), 2));
        assert_eq!(said.options.mode, Some(words::Mode::Lite), "a word in the task goes over what was chosen");
        assert_eq!(said.options.title.as_deref(), Some("Say \"hi\", it’s late"));
    }

    #[test]
    fn what_is_wrong_is_said_at_its_part() {
        insta::assert_snapshot!(wrong(&[(Part::Repos, "api"), (Part::Acu, "many"), (Part::Tags, "bobbin-x")]).join("\n"), @"
        repos: Write repositories as owner/name, with commas between them.
        acu: Write a whole number of ACUs, 1 or more.
        tags: A tag is short and does not begin with bobbin; there can be 47 of them.
        task: Say what Devin shall do.
        channel: Choose the channel in which I shall report.
        ");
        insta::assert_snapshot!(wrong(&[(Part::Channel, "C1"), (Part::Task, "fix it rep=acme/api")]).join("\n"), @"task: I don't know rep=. Did you mean repo=? Put it in `backticks` to send it as it is.");
        insta::assert_snapshot!(wrong(&[(Part::Channel, "C1"), (Part::Task, "mode=fats fix it")]).join("\n"), @"task: mode=: Did you mean fast?");
        insta::assert_snapshot!(wrong(&[(Part::Channel, "C1"), (Part::Task, "!ask what is this")]).join("\n"), @"task: !ask asks Devin's code search without a session, which its API does not offer.");
        insta::assert_snapshot!(wrong(&[(Part::Channel, "C1"), (Part::Task, "mode=fast")]).join("\n"), @"task: Say what Devin shall do.");
    }

    #[test]
    fn secrets_stand_on_lines_and_are_never_repeated() {
        let read = |text: &str| session_secrets(&SecretString::from(text));
        let good = read("TOKEN=hunter2\n\n  KEY = a=b ").unwrap();
        let shown: Vec<_> = good.iter().map(|s| (s.key.as_str(), s.value.expose_secret())).collect();
        assert_eq!(shown, [("TOKEN", "hunter2"), ("KEY", "a=b")]);
        assert!(!format!("{good:?}").contains("hunter2"));
        for text in ["hunter2", "=hunter2", "A KEY=hunter2", "OK=1\nTOKEN="] {
            let wrong = read(text).unwrap_err().to_string();
            assert!(wrong.starts_with("Line ") && !wrong.contains("hunter2"), "{wrong}");
        }
        assert_eq!(read(&"K=v\n".repeat(21)).unwrap_err(), Wrong::TooManySecrets);
    }
}
