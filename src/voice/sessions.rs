//! A person's sessions as a list: for the Home tab, and as the answer to whoever asks for it; and as whom they run.

use askama::Template;

use super::{Aside, Said, aside, card::is_web, refusal, say, transition::status};
use crate::{
    domain::{
        ids::{ChannelId, SessionId},
        mailbox::ThreadKey,
        phase::{Phase, State},
        standing::Standing,
    },
    slack::text,
};

/// Longest name in a list: one line of it.
const MAX_NAME_CHARS: usize = 100;
/// Sessions that a list shows before the rest is counted.
const MAX_LISTED: usize = 20;

/// One session of a person's.
#[derive(Debug, Clone, PartialEq)]
pub struct Mine {
    /// Which.
    pub session: SessionId,
    /// Its title; empty when it has none.
    pub title: String,
    /// Its page in the web app.
    pub url: String,
    /// What it is doing.
    pub state: State,
    /// Its thread, where it has one in this installation.
    pub thread: Option<ThreadKey>,
    /// The thread's address.
    pub permalink: Option<String>,
    /// Its organisation in words, where there are several.
    pub organisation: Option<String>,
    /// When it last changed, in seconds.
    pub updated_at: i64,
}

/// Who somebody is in one organisation.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// The organisation in words.
    pub organisation: String,
    /// The channels that belong to it; of the workspace's own, none are named.
    pub channels: Vec<ChannelId>,
    /// As whom sessions run there, or why they do not.
    pub is: Standing,
}

impl Identity {
    fn name(&self) -> Option<&str> {
        match &self.is {
            Standing::Linked(person) => Some(&person.name),
            Standing::Refused { .. } => None,
        }
    }

    fn why_not(&self) -> Option<String> {
        match &self.is {
            Standing::Linked(_) => None,
            Standing::Refused { why } => Some(refusal(*why).text),
        }
    }
}

/// As whom somebody's sessions run: in the workspace's own organisation first.
#[derive(Debug, Clone, PartialEq)]
pub struct RunsAs(pub Vec<Identity>);

/// An organisation in words, by its name in the configuration.
pub fn organisation(name: Option<&str>) -> String {
    name.unwrap_or("default").to_owned()
}

#[derive(Template)]
#[template(path = "voice/runs_as.mrkdwn", config = ".askama.toml")]
struct RunsAsText<'a> {
    identities: &'a [Identity],
}

/// As whom somebody's sessions run.
pub fn runs_as(runs_as: &RunsAs) -> Said {
    if let [Identity { is: Standing::Linked(person), .. }] = runs_as.0.as_slice() {
        return aside(&Aside::RunsAs { name: person.name.clone() });
    }
    Said::text(say(&RunsAsText { identities: &runs_as.0 }))
}

/// What sessions have in common for whoever looks at a list of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// It waits for a person.
    Waiting,
    /// It is held, or in a state that nobody knows: somebody should look.
    Stuck,
    /// It works.
    Working,
    /// Its task is done, or it sleeps: a message wakes it.
    Resting,
    /// It is over.
    Over,
}

impl Group {
    /// Every group, in the order of a list.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Stuck, Self::Working, Self::Resting, Self::Over];

    /// What stands above it.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting for you",
            Self::Stuck => "Needs a look",
            Self::Working => "Working",
            Self::Resting => "Finished or asleep: a message wakes them",
            Self::Over => "Over",
        }
    }
}

impl Mine {
    /// Where it stands in a list.
    pub fn group(&self) -> Group {
        match Phase::of(&self.state) {
            Phase::YourTurn | Phase::NeedsApproval => Group::Waiting,
            Phase::Held(_) | Phase::FailedAsleep | Phase::Unheard => Group::Stuck,
            Phase::Starting | Phase::Working | Phase::Waking => Group::Working,
            Phase::Done | Phase::Asleep(_) => Group::Resting,
            Phase::Over | Phase::Failed | Phase::Archived => Group::Over,
        }
    }

    /// Whether a message can be sent into it.
    pub fn takes_messages(&self) -> bool {
        self.group() != Group::Over
    }

    /// Its title on one line, as plain text.
    pub fn name(&self) -> String {
        let words = self.title.split_whitespace().collect::<Vec<_>>().join(" ");
        match words.chars().count() {
            0 => "Devin session".to_owned(),
            1..=MAX_NAME_CHARS => words,
            _ => words.chars().take(MAX_NAME_CHARS).chain(['…']).collect(),
        }
    }

    /// Its state in a few words.
    pub fn status(&self) -> String {
        status(&self.state)
    }

    /// Its title as a link to the web app, in mrkdwn.
    pub fn linked_name(&self) -> String {
        let name = text::escape(&self.name());
        if is_web(&self.url) { format!("<{}|{name}>", text::escape(&self.url)) } else { name }
    }
}

#[derive(Template)]
#[template(path = "voice/sessions.mrkdwn", config = ".askama.toml")]
struct List<'a> {
    groups: Vec<(&'static str, Vec<Line<'a>>)>,
    more: usize,
}

struct Line<'a> {
    name: String,
    status: String,
    organisation: Option<&'a str>,
    permalink: Option<&'a str>,
}

/// A person's sessions in words, those that wait for them first.
pub fn sessions(mine: &[Mine]) -> Said {
    let shown = mine.get(..MAX_LISTED).unwrap_or(mine);
    let groups = Group::ALL.into_iter().filter_map(|group| {
        let of_group = shown.iter().filter(|one| one.group() == group);
        let lines: Vec<Line<'_>> = of_group
            .map(|one| Line {
                name: one.linked_name(),
                status: one.status(),
                organisation: one.organisation.as_deref(),
                permalink: one.permalink.as_deref().filter(|url| is_web(url)),
            })
            .collect();
        Some((group.heading(), lines)).filter(|(_, lines)| !lines.is_empty())
    });
    Said::text(say(&List { groups: groups.collect(), more: mine.len() - shown.len() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        standing::{Linked, Refusal, Source},
        status::{Detail, Status},
    };

    fn one(title: &str, status: Status, detail: Option<Detail>) -> Mine {
        Mine {
            session: "0f3a".parse().unwrap(),
            title: title.to_owned(),
            url: "https://app.devin.ai/sessions/0f3a".to_owned(),
            state: State::new(status, detail),
            thread: None,
            permalink: Some("https://acme.slack.com/archives/C1/p1700000000000100".to_owned()),
            organisation: None,
            updated_at: 0,
        }
    }

    #[test]
    fn where_there_are_several_organisations_each_session_names_its_own() {
        let one = one("Fix it", Status::Running, None);
        let mine = Mine { organisation: Some(organisation(Some("research & <co>"))), ..one };
        insta::assert_snapshot!(sessions(&[mine]).text, @"
        *Working*
        • <https://app.devin.ai/sessions/0f3a|Fix it> · :gear: Working · in _research &amp; &lt;co&gt;_ · <https://acme.slack.com/archives/C1/p1700000000000100|thread>
        ");
    }

    #[test]
    fn whoever_asks_who_they_are_is_told_it_for_each_organisation() {
        let linked = |name: &str| {
            Standing::Linked(Linked {
                devin: "user-1".parse().unwrap(),
                name: name.to_owned(),
                source: Source::Members,
            })
        };
        let of = |name: Option<&str>, channels: &[&str], is: Standing| Identity {
            organisation: organisation(name),
            channels: channels.iter().map(|id| id.parse().unwrap()).collect(),
            is,
        };
        let one = runs_as(&RunsAs(vec![of(None, &[], linked("Ada"))]));
        assert_eq!(one, aside(&Aside::RunsAs { name: "Ada".to_owned() }));
        let several = vec![
            of(None, &[], linked("Ada <Lovelace>")),
            of(Some("research"), &["C1", "C2"], linked("Ada")),
            of(Some("agency"), &["C3"], Standing::Refused { why: Refusal::NoAccount }),
        ];
        insta::assert_snapshot!(runs_as(&RunsAs(several)).text, @"
        :bust_in_silhouette: As whom your sessions run depends on the channel; I find the accounts by the e-mail address of your Slack profile.
        • Wherever nothing else is said (organisation _default_): as *Ada &lt;Lovelace&gt;*
        • In <#C1>, <#C2> (organisation _research_): as *Ada*
        • In <#C3> (organisation _agency_): not at all. I can't start Devin for you: nobody in the Devin organisation has the e-mail address of your Slack account. Ask a Devin administrator to invite that address; I look again after ten minutes.
        ");
    }

    #[test]
    fn who_waits_stands_first_and_titles_cannot_ping() {
        let mine = [
            one("Fix the <!channel> login", Status::Running, Some(Detail::WaitingForUser)),
            one("", Status::Running, None),
            one("Old", Status::Exit, None),
        ];
        insta::assert_snapshot!(sessions(&mine).text, @"
        *Waiting for you*
        • <https://app.devin.ai/sessions/0f3a|Fix the &lt;!channel&gt; login> · :raised_hand: Waiting for your answer · <https://acme.slack.com/archives/C1/p1700000000000100|thread>
        *Working*
        • <https://app.devin.ai/sessions/0f3a|Devin session> · :gear: Working · <https://acme.slack.com/archives/C1/p1700000000000100|thread>
        *Over*
        • <https://app.devin.ai/sessions/0f3a|Old> · :checkered_flag: Ended · <https://acme.slack.com/archives/C1/p1700000000000100|thread>
        ");
    }

    #[test]
    fn nobody_without_sessions_is_left_without_a_next_step() {
        insta::assert_snapshot!(sessions(&[]).text, @"You have no sessions that were started from Slack. Mention me with a task, write to me directly, or use `/devin new`.");
    }
}
