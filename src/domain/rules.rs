//! What the configuration says about channels and people, as the rooms read it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    ids::ChannelId,
    phase::Phase,
    words::{Options, vocabulary},
};

vocabulary!(
    /// What a reaction on the card or on the asking message means.
    ReactionOrder {
        /// Asks whether the session shall be stopped.
        Stop = "stop",
        /// Mutes the thread, and unmutes it when the reaction is taken away.
        Mute = "mute",
    }
);

vocabulary!(
    /// A kind of post that a channel can do without. What wants a person (a question, an approval, a failure, a limit)
    /// is always posted.
    Topic {
        /// What Devin says.
        Words = "words",
        /// Pull requests, and what becomes of them.
        PullRequests = "pull_requests",
        /// That a session has done its task.
        Finished = "finished",
        /// That a session fell asleep.
        Asleep = "asleep",
        /// That a session is over or was archived.
        Ended = "ended",
    }
);

/// What a channel is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tell(BTreeSet<&'static str>);

/// What holds in one channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelRules {
    /// What a session is started with, unless somebody says otherwise.
    pub options: Options,
    /// Whether only replies that mention the bot are passed on, unless the thread was set otherwise.
    pub mentions_only: bool,
    /// What is posted.
    pub tell: Tell,
    /// Whether people may let a session skip approvals.
    pub skip_approval: bool,
}

/// What the configuration says of one channel, or of all; what is not said is as everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelSettings {
    /// As in [`ChannelRules`].
    pub options: Options,
    /// As in [`ChannelRules`].
    pub mentions_only: Option<bool>,
    /// As in [`ChannelRules`].
    pub tell: Option<Tell>,
    /// As in [`ChannelRules`].
    pub skip_approval: Option<bool>,
}

/// The rules of this installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// What holds everywhere.
    pub defaults: ChannelSettings,
    /// What holds in single channels.
    pub channels: BTreeMap<ChannelId, ChannelSettings>,
    /// Forms of results (JSON Schema, draft 7) by name.
    pub schemas: BTreeMap<String, Value>,
    /// Reactions that are orders, by their names without colons.
    pub reactions: BTreeMap<String, ReactionOrder>,
    /// Largest file that is passed on, in bytes. Held in memory on its way, so it bounds what one message can cost us.
    pub max_file_bytes: usize,
}

impl Rules {
    /// What holds in a channel: its own settings over those for all.
    pub fn of(&self, channel: &ChannelId) -> ChannelRules {
        let own = self.channels.get(channel).cloned().unwrap_or_default();
        let all = self.defaults.clone();
        ChannelRules {
            options: own.options.over(all.options),
            mentions_only: own.mentions_only.or(all.mentions_only).unwrap_or_default(),
            tell: own.tell.or(all.tell).unwrap_or_default(),
            skip_approval: own.skip_approval.or(all.skip_approval).unwrap_or_default(),
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            defaults: ChannelSettings::default(),
            channels: BTreeMap::new(),
            schemas: BTreeMap::new(),
            reactions: [("x", ReactionOrder::Stop), ("mute", ReactionOrder::Mute)]
                .map(|(name, order)| (name.to_owned(), order))
                .into(),
            max_file_bytes: 20 * 1024 * 1024,
        }
    }
}

impl Default for Tell {
    /// Everything.
    fn default() -> Self {
        Self::only(Topic::ALL.iter().copied())
    }
}

impl Tell {
    /// These, and what wants a person.
    pub fn only(topics: impl IntoIterator<Item = Topic>) -> Self {
        Self(topics.into_iter().map(Topic::name).collect())
    }

    /// Whether posts of this kind are made.
    pub fn has(&self, topic: Topic) -> bool {
        self.0.contains(topic.name())
    }

    /// Whether entering this phase is posted.
    pub fn has_phase(&self, phase: &Phase) -> bool {
        match phase {
            Phase::Done => self.has(Topic::Finished),
            Phase::Asleep(_) => self.has(Topic::Asleep),
            Phase::Over | Phase::Archived => self.has(Topic::Ended),
            Phase::Starting
            | Phase::Working
            | Phase::Waking
            | Phase::YourTurn
            | Phase::NeedsApproval
            | Phase::Held(_)
            | Phase::FailedAsleep
            | Phase::Failed
            | Phase::Unheard => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{phase::Sleep, words::Word};

    #[test]
    fn a_channels_settings_go_over_those_for_all() {
        let mut rules = Rules::default();
        let channel: ChannelId = "C0A".parse().unwrap();
        rules.defaults.options.set(Word::Repo, "acme/api").unwrap();
        rules.defaults.skip_approval = Some(true);
        rules.defaults.mentions_only = Some(true);
        let mut own = ChannelSettings { mentions_only: Some(false), ..ChannelSettings::default() };
        own.options.set(Word::Repo, "acme/web").unwrap();
        rules.channels.insert(channel.clone(), own);
        let here = rules.of(&channel);
        assert_eq!(
            (here.options.repos, here.mentions_only, here.skip_approval),
            (vec!["acme/web".into()], false, true)
        );
        let elsewhere = rules.of(&"C0B".parse().unwrap());
        assert_eq!((elsewhere.options.repos, elsewhere.mentions_only), (vec!["acme/api".into()], true));
    }

    #[test]
    fn what_wants_a_person_is_always_told() {
        let nothing = Tell::only([]);
        assert!(nothing.has_phase(&Phase::YourTurn) && nothing.has_phase(&Phase::Failed));
        assert!(!nothing.has_phase(&Phase::Done) && !nothing.has(Topic::Words));
        assert!(Tell::default().has_phase(&Phase::Asleep(Sleep::Inactivity)));
    }
}
