//! What can be asked for besides the task: everything that Devin's create request takes, as people and channels say it.
//!
//! A playbook stands here as it was named, until the session starts; from then on by the title that Devin gives it.
//! Values of secrets never stand here: only the names and ids of those that Devin keeps.

use serde::{Deserialize, Serialize};

use super::{
    near,
    vocabulary::{Mode, Word},
};

/// Most tags that somebody can give: Devin takes 50, and three are ours.
pub const MAX_TAGS: usize = 47;
/// Longest value, in characters.
const MAX_VALUE_CHARS: usize = 200;
/// Our own tags begin so: with one of them a session would be taken for that of another thread.
const OUR_TAGS: &str = "bobbin";
/// Instead of a list: none of them.
const NONE: &str = "none";

/// What can be asked for besides the task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Repositories, `owner/name`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repos: Vec<String>,
    /// How Devin works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The playbook: its title, its macro (`!name`) or its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    /// The playbook of the sessions that this one starts, as above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub child_playbook: Option<String>,
    /// Title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Tags, without ours.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The most that the session may use, in ACUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acu: Option<u32>,
    /// The machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Ids of knowledge notes; an empty list: none at all; `None`: all that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge: Option<Vec<String>>,
    /// Names or ids of the organisation's secrets; an empty list: none at all; `None`: all that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<String>>,
    /// The form of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Schema>,
    /// Whether approvals are skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_approval: Option<bool>,
    /// Other sessions that this one should know of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// Whether the machine is kept when the session stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumable: Option<bool>,
    /// Whether a second session is wanted, in a thread of its own.
    #[serde(skip_serializing_if = "is_false")]
    pub new_thread: bool,
}

/// The form of the result, by its name in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The name.
    pub name: String,
    /// Whether Devin has to deliver it; otherwise it may.
    pub required: bool,
}

/// A value that its word does not take. A secret's is not kept: somebody may have typed the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invalid {
    /// The word.
    pub word: Word,
    /// The value; empty for a secret's.
    pub found: String,
    /// What was probably meant.
    pub nearest: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Options {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These words over a channel's defaults: what is said replaces what is not, except that tags are added.
    #[must_use]
    pub fn over(self, defaults: Self) -> Self {
        let mut tags = defaults.tags;
        tags.extend(self.tags);
        Self {
            repos: if self.repos.is_empty() { defaults.repos } else { self.repos },
            mode: self.mode.or(defaults.mode),
            playbook: self.playbook.or(defaults.playbook),
            child_playbook: self.child_playbook.or(defaults.child_playbook),
            title: self.title.or(defaults.title),
            tags: distinct(tags),
            acu: self.acu.or(defaults.acu),
            platform: self.platform.or(defaults.platform),
            knowledge: self.knowledge.or(defaults.knowledge),
            secrets: self.secrets.or(defaults.secrets),
            schema: self.schema.or(defaults.schema),
            skip_approval: self.skip_approval.or(defaults.skip_approval),
            links: if self.links.is_empty() { defaults.links } else { self.links },
            resumable: self.resumable.or(defaults.resumable),
            new_thread: self.new_thread || defaults.new_thread,
        }
    }

    /// Takes one value: adds it where several can be given, and otherwise replaces what was there.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when the word does not take it; then nothing has changed.
    pub fn set(&mut self, word: Word, value: &str) -> Result<(), Invalid> {
        let value = value.trim();
        let good = value.chars().count() <= MAX_VALUE_CHARS && !value.is_empty() && !value.contains(char::is_control);
        let taken = if good { self.take(word, value) } else { None };
        taken.ok_or_else(|| Invalid::new(word, value))
    }

    fn take(&mut self, word: Word, value: &str) -> Option<()> {
        match word {
            Word::Repo => add(&mut self.repos, repository(value)?),
            Word::Mode => self.mode = Some(Mode::find(&value.to_lowercase())?),
            Word::Playbook => self.playbook = Some(value.to_owned()),
            Word::ChildPlaybook => self.child_playbook = Some(value.to_owned()),
            Word::Title => self.title = Some(value.to_owned()),
            Word::Tag => self.tag(value)?,
            Word::Acu => self.acu = Some(value.parse().ok().filter(|acus| *acus > 0)?),
            Word::Platform => self.platform = Some(value.to_owned()),
            Word::Knowledge => add_or_none(&mut self.knowledge, value)?,
            Word::Secret => add_or_none(&mut self.secrets, value)?,
            Word::Schema => self.schema = Some(Schema::read(value)?),
            Word::Approval => self.skip_approval = Some(approval(value)?),
            Word::Link => add(&mut self.links, session_link(value)?),
            Word::Resumable => self.resumable = Some(yes_or_no(value)?),
        }
        Some(())
    }

    fn tag(&mut self, tag: &str) -> Option<()> {
        let ours = tag.to_lowercase().starts_with(OUR_TAGS);
        (!ours && self.tags.len() < MAX_TAGS).then(|| add(&mut self.tags, tag.to_owned()))
    }
}

impl Schema {
    /// `name`, or `name!` where the result has to be delivered.
    pub fn read(value: &str) -> Option<Self> {
        let name = value.strip_suffix('!').unwrap_or(value);
        is_name(name).then(|| Self { name: name.to_owned(), required: name.len() != value.len() })
    }
}

impl Invalid {
    pub(super) fn new(word: Word, found: &str) -> Self {
        let modes = || Mode::ALL.iter().map(|mode| mode.name());
        let nearest = match word {
            Word::Mode => near::nearest(found, modes()),
            Word::Approval => near::nearest(found, ["skip", "ask"].into_iter()),
            Word::Repo
            | Word::Playbook
            | Word::Title
            | Word::Tag
            | Word::Acu
            | Word::Platform
            | Word::Knowledge
            | Word::Secret
            | Word::Schema
            | Word::ChildPlaybook
            | Word::Link
            | Word::Resumable => None,
        };
        let found = if word == Word::Secret { String::new() } else { found.chars().take(MAX_VALUE_CHARS).collect() };
        Self { word, found, nearest: nearest.map(str::to_owned) }
    }
}

/// Whether a word of this kind might have been followed by this value, when the word itself is misspelt. Words that take
/// any text tell nothing.
pub(super) fn is_plausible(word: Word, value: &str) -> Option<bool> {
    match word {
        Word::Repo => Some(repository(value).is_some()),
        Word::Mode => Some(near::nearest(value, Mode::ALL.iter().map(|mode| mode.name())).is_some()),
        Word::Acu => Some(value.parse::<u32>().is_ok()),
        Word::Approval => Some(near::nearest(value, ["skip", "ask"].into_iter()).is_some()),
        Word::Resumable => Some(yes_or_no(value).is_some()),
        Word::Link => Some(session_link(value).is_some()),
        // Too short for a slip to be told from another word.
        Word::Tag => Some(false),
        Word::Playbook
        | Word::Title
        | Word::Platform
        | Word::Knowledge
        | Word::Secret
        | Word::Schema
        | Word::ChildPlaybook => None,
    }
}

fn add(list: &mut Vec<String>, value: String) {
    if !list.contains(&value) {
        list.push(value);
    }
}

fn add_or_none(list: &mut Option<Vec<String>>, value: &str) -> Option<()> {
    if value.eq_ignore_ascii_case(NONE) {
        *list = Some(Vec::new());
        return Some(());
    }
    is_name(value).then(|| add(list.get_or_insert_default(), value.to_owned()))
}

fn distinct(list: Vec<String>) -> Vec<String> {
    let mut kept = Vec::new();
    for value in list {
        add(&mut kept, value);
    }
    kept
}

/// Letters, digits and the marks of names and ids; nothing that a pasted secret would be full of.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// `owner/name`, also with groups between them, and also as its address in the browser.
fn repository(value: &str) -> Option<String> {
    let path = match address(value).split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => value,
    };
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let mut parts = 0;
    let plain = path.split('/').all(|part| {
        parts += 1;
        is_name(part) && part != "." && part != ".."
    });
    (plain && (2..=5).contains(&parts)).then(|| path.to_owned())
}

/// A session: its address, or its id.
fn session_link(value: &str) -> Option<String> {
    let address = address(value);
    let web = address.starts_with("https://") && address.contains("/sessions/");
    let id = address.strip_prefix("devin-").unwrap_or(address);
    let id = id.len() >= 8 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    (web || id).then(|| address.to_owned())
}

/// The address in a Markdown link, which is what becomes of one that Slack has recognised; other text as it is.
fn address(value: &str) -> &str {
    let link = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(')'));
    link.and_then(|rest| rest.split_once("](")).map_or(value, |(_, url)| url)
}

fn approval(value: &str) -> Option<bool> {
    match value.to_lowercase().as_str() {
        "skip" => Some(true),
        "ask" => Some(false),
        _ => None,
    }
}

fn yes_or_no(value: &str) -> Option<bool> {
    match value.to_lowercase().as_str() {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(word: Word, values: &[&str]) -> Options {
        let mut options = Options::default();
        for value in values {
            options.set(word, value).unwrap();
        }
        options
    }

    fn refused(word: Word, value: &str) -> Invalid {
        let mut options = Options::default();
        let invalid = options.set(word, value).unwrap_err();
        assert!(options.is_empty(), "{options:?}");
        invalid
    }

    #[test]
    fn a_repository_can_be_pasted_from_the_browser() {
        for text in [
            "acme/api",
            "https://github.com/acme/api",
            "https://github.com/acme/api.git",
            "[github.com/acme/api](http://github.com/acme/api)",
        ] {
            assert_eq!(set(Word::Repo, &[text]).repos, ["acme/api"], "{text}");
        }
        assert_eq!(set(Word::Repo, &["acme/api", "acme/web", "acme/api"]).repos, ["acme/api", "acme/web"]);
        for text in ["api", "acme/", "/api", "acme/a b", "../..", "a/b/c/d/e/f", ""] {
            refused(Word::Repo, text);
        }
    }

    #[test]
    fn a_value_out_of_form_is_refused_with_the_one_that_was_meant() {
        assert_eq!(refused(Word::Mode, "fats").nearest.as_deref(), Some("fast"));
        assert_eq!(refused(Word::Approval, "skp").nearest.as_deref(), Some("skip"));
        for acu in ["ten", "0", "-1", "1.5", "99999999999"] {
            assert_eq!(refused(Word::Acu, acu).found, acu);
        }
        refused(Word::Resumable, "maybe");
        refused(Word::Link, "3");
        refused(Word::Title, &"x".repeat(201));
    }

    #[test]
    fn nobody_can_give_a_session_a_tag_of_ours() {
        refused(Word::Tag, "bobbin-thread:T1/C1/1700000000.000100");
        refused(Word::Tag, "Bobbin");
        let mut options = Options::default();
        for number in 0..MAX_TAGS {
            options.set(Word::Tag, &format!("t{number}")).unwrap();
        }
        options.set(Word::Tag, "one too many").unwrap_err();
    }

    #[test]
    fn what_looks_like_a_secrets_value_is_not_kept() {
        let invalid = refused(Word::Secret, "TOKEN=hunter2");
        assert_eq!(invalid.found, "");
        assert_eq!(set(Word::Secret, &["NPM_TOKEN", "secret-5e"]).secrets.unwrap(), ["NPM_TOKEN", "secret-5e"]);
        assert_eq!(set(Word::Knowledge, &["none"]).knowledge, Some(Vec::new()));
    }

    #[test]
    fn words_replace_defaults_and_add_to_the_tags() {
        let mut defaults = set(Word::Repo, &["acme/api"]);
        defaults.set(Word::Tag, "backend").unwrap();
        defaults.set(Word::Mode, "lite").unwrap();
        defaults.set(Word::Acu, "5").unwrap();
        let mut words = set(Word::Repo, &["acme/web"]);
        words.set(Word::Tag, "urgent").unwrap();
        words.set(Word::Acu, "10").unwrap();
        let both = words.over(defaults);
        assert_eq!((both.repos, both.tags), (vec!["acme/web".to_owned()], vec!["backend".into(), "urgent".into()]));
        assert_eq!((both.mode, both.acu), (Some(Mode::Lite), Some(10)));
    }

    #[test]
    fn a_stored_form_is_read_and_leaves_out_what_was_not_said() {
        let sample = r#"{"repos":["acme/api"],"mode":"fast","playbook":"PR review","acu":10,"knowledge":[],"schema":{"name":"report","required":true},"skip_approval":true,"resumable":false,"new_thread":true}"#;
        let options: Options = serde_json::from_str(sample).unwrap();
        assert_eq!(serde_json::to_string(&options).unwrap(), sample);
        assert_eq!(serde_json::to_string(&Options::default()).unwrap(), "{}");
    }
}
