//! The words themselves. What stands above a word as its doc comment is what people read about it: the macro makes both
//! from one line, so that a word without help does not compile.

/// An enum of words: `ALL` of them, each with its `name`, the `spellings` it is known by, and its `help`.
macro_rules! vocabulary {
    ($(#[doc = $doc:literal])+ $name:ident {
        $($(#[doc = $help:literal])+ $variant:ident = $word:literal $(| $other:literal)*,)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[doc = $help])+ $variant,)+
        }

        impl $name {
            /// Every one there is, in the order in which help names them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word as it is written.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Every way to write it: its name, then what else it is known by.
            pub const fn spellings(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => &[$word $(, $other)*],)+
                }
            }

            /// What people read about it: its doc comment.
            pub fn help(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($help),+).trim_ascii_start(),)+
                }
            }

            /// The one that is written so, in small letters.
            pub fn find(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.spellings().contains(&text))
            }
        }
    };
}

pub(in crate::domain) use vocabulary;

vocabulary!(
    /// An option with a value, `name=value`, anywhere in what somebody writes.
    Word {
        /// The repository to work in, `owner/name`. Can be given several times.
        Repo = "repo" | "repos",
        /// How Devin works: `normal`, `fast`, `lite`, `ultra` or `fusion`.
        Mode = "mode" | "devin-mode",
        /// The playbook to follow: its name in quotes, its macro or its id. `![macro]` says the same.
        Playbook = "playbook" | "playbook-id",
        /// The session's title, in quotes when it has spaces.
        Title = "title",
        /// A tag on the session. Can be given several times.
        Tag = "tag" | "tags",
        /// The most ACUs that the session may use; it is suspended when it reaches them.
        Acu = "acu" | "acus" | "max-acu" | "max-acu-limit",
        /// The machine it runs on, such as `windows`, or the name of an outpost pool.
        Platform = "platform",
        /// The id of a knowledge note to use; `none` for no knowledge at all. Can be given several times.
        Knowledge = "knowledge" | "knowledge-ids",
        /// The name or id of a secret that Devin keeps for the organisation, never its value; `none` for no secrets. Can
        /// be given several times.
        Secret = "secret" | "secrets" | "secret-ids",
        /// The form of the result, by its name in the configuration; with a final `!` Devin must deliver it.
        Schema = "schema",
        /// `skip`: Devin does not wait for approvals, where the channel allows that. `ask`: it does.
        Approval = "approval",
        /// The playbook for the sessions that this one starts.
        ChildPlaybook = "child-playbook" | "child-playbook-id",
        /// Another session that this one should know of: its address or id. Can be given several times.
        Link = "link" | "links" | "session-links",
        /// `no`: the machine is thrown away when the session stops, and it cannot be woken.
        Resumable = "resumable",
    }
);

vocabulary!(
    /// A word with an exclamation mark before it, anywhere in what somebody writes.
    Bang {
        /// The same as `mode=fast`.
        Fast = "fast",
        /// The same as `mode=lite`.
        Lite = "lite",
        /// The same as `mode=ultra`.
        Ultra = "ultra",
        /// The same as `mode=fusion`.
        Fusion = "fusion",
        /// The same as `mode=normal`.
        Normal = "normal",
        /// The same as `platform=windows`.
        Windows = "windows",
        /// In a thread that has a session: starts a second one, in a thread of its own.
        New = "new",
        /// This message is not for Devin and is not passed on; `(aside)` says the same.
        Aside = "aside",
    }
);

vocabulary!(
    /// A word of Devin's own Slack app that its API has nothing for. What is said about it is its help.
    AppWord {
        /// asks Devin's code search without a session, which its API does not offer.
        Ask = "ask",
        /// starts a deep search, which Devin's API does not offer.
        Deep = "deep",
        /// chooses a model, which Devin's API does not offer; it has modes: `!fast`, `!lite`, `!ultra`, `!fusion`, `!normal`.
        Swe = "swe",
        /// calls Devin's data analyst, which its API does not offer.
        Dana = "dana" | "data",
        /// belongs to Devin's data analyst, which its API does not offer.
        Discovery = "discovery",
        /// puts the thread into another channel. Mention me there, or use `/devin new`.
        Channel = "channel",
    }
);

vocabulary!(
    /// How Devin works.
    Mode {
        /// The usual way.
        Normal = "normal",
        /// Quicker.
        Fast = "fast",
        /// Cheaper.
        Lite = "lite",
        /// More thorough.
        Ultra = "ultra",
        /// Several models together.
        Fusion = "fusion",
    }
);

vocabulary!(
    /// What people tell us about a thread or about themselves: a message, or a mention, that consists of just this.
    Order {
        /// What the session is doing, as whom it runs and what it has used.
        Status = "status" | "what's the status" | "what is the status",
        /// Ends the session for good; you are asked first.
        Stop = "stop" | "terminate" | "exit" | "stop the session" | "stop this session",
        /// Puts the session to sleep; any message wakes it.
        Sleep = "sleep" | "go to sleep",
        /// Puts the session away: it sleeps, and takes nothing until it is taken out again.
        Archive = "archive" | "archive this" | "archive the session" | "archive this session",
        /// Takes an archived session out again.
        Unarchive = "unarchive" | "unarchive this" | "unarchive the session" | "unarchive this session",
        /// No more posts in this thread, except when Devin needs somebody; the card stays up to date.
        Mute = "mute" | "mute this" | "mute this thread" | "mute the thread",
        /// Posts in this thread again.
        Unmute = "unmute" | "unmute this" | "unmute this thread" | "unmute the thread",
        /// From now on only messages that mention me are passed on.
        Mentions = "mentions" | "mentions only" | "only mentions",
        /// Separates this thread from its session, which goes on without it.
        Detach = "detach" | "unlink" | "unsync",
        /// What became of your last message, and of those before it.
        Why = "why",
        /// All words there are.
        Help = "help" | "commands",
        /// Your sessions, with their state and a link.
        List = "list" | "list my sessions" | "my sessions",
        /// As whom your sessions run, or why they would not.
        Whoami = "whoami" | "who am i",
    }
);

impl Word {
    /// The values that it takes.
    pub const fn takes(self) -> &'static str {
        match self {
            Self::Repo => "owner/name",
            Self::Mode => "normal, fast, lite, ultra or fusion",
            Self::Playbook | Self::ChildPlaybook => "a playbook's name (in quotes), macro or id",
            Self::Title => "up to 200 characters, in quotes when there are spaces",
            Self::Tag => "up to 200 characters that do not begin with bobbin, and 47 tags at most",
            Self::Acu => "a whole number from 1",
            Self::Platform => "a name such as windows",
            Self::Knowledge => "the id of a knowledge note, or none",
            Self::Secret => "the name or id of a secret that Devin keeps (never its value), or none",
            Self::Schema => "the name of a schema in the configuration, with a final ! where it must be delivered",
            Self::Approval => "skip or ask",
            Self::Link => "a session's address or id",
            Self::Resumable => "yes or no",
        }
    }
}

impl Bang {
    /// The mode that it stands for.
    pub(super) const fn mode(self) -> Option<Mode> {
        match self {
            Self::Fast => Some(Mode::Fast),
            Self::Lite => Some(Mode::Lite),
            Self::Ultra => Some(Mode::Ultra),
            Self::Fusion => Some(Mode::Fusion),
            Self::Normal => Some(Mode::Normal),
            Self::Windows | Self::New | Self::Aside => None,
        }
    }
}

impl Order {
    /// The order that a whole message gives: just the words, in any case, perhaps with a final mark.
    ///
    /// `Why?` is none: with its question mark it is something that people ask Devin.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let words = text.trim_end_matches(['.', '!', '?', '…']);
        let plain = words.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase().replace('’', "'");
        Self::find(&plain).filter(|order| *order != Self::Why || !text.ends_with('?'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_says_what_it_does_in_one_sentence_or_more() {
        let helps = Word::ALL.iter().map(|w| w.help()).chain(Bang::ALL.iter().map(|w| w.help()));
        for help in helps.chain(Order::ALL.iter().map(|w| w.help())).chain(AppWord::ALL.iter().map(|w| w.help())) {
            assert!(help.ends_with('.') && help.len() > 10 && !help.contains("  "), "{help:?}");
        }
        assert_eq!(Word::Mode.help(), "How Devin works: `normal`, `fast`, `lite`, `ultra` or `fusion`.");
    }

    #[test]
    fn an_order_is_the_whole_message() {
        for (text, order) in [
            ("stop", Order::Stop),
            ("  Stop! ", Order::Stop),
            ("STATUS?", Order::Status),
            ("What’s the status?", Order::Status),
            ("mute this\u{a0}thread", Order::Mute),
            ("who am I?", Order::Whoami),
            ("why", Order::Why),
        ] {
            assert_eq!(Order::read(text), Some(order), "{text}");
        }
        for text in ["stop the tests", "please stop", "why?", "Why not", "", "?", "status: all green"] {
            assert_eq!(Order::read(text), None, "{text}");
        }
    }
}
