//! The scripts and how one is called: by hash, and with its text when the server does not know the hash (after a
//! restart, a failover or `SCRIPT FLUSH`). `EVAL` instead of `SCRIPT LOAD` as the second try, because it runs and
//! loads in one round trip, on the very node that lacked the script.

use std::borrow::Cow;

use redis::{Cmd, Script, cmd};

/// What scripts that know the time begin with.
const COMMON: &str = include_str!("scripts/common.lua");

macro_rules! scripts {
    (plain: $($(#[$doc:meta])* $name:ident),+; timed: $($(#[$timed_doc:meta])* $timed:ident),+;) => {
        /// Every script, with its hash.
        #[derive(Debug)]
        pub(super) struct Scripts {
            $($(#[$doc])* pub(super) $name: Source,)+
            $($(#[$timed_doc])* pub(super) $timed: Source,)+
        }

        impl Scripts {
            /// Hashes every script once.
            pub(super) fn new() -> Self {
                Self {
                    $($name: Source::new(include_str!(concat!("scripts/", stringify!($name), ".lua")).to_owned()),)+
                    $($timed: Source::timed(include_str!(concat!("scripts/", stringify!($timed), ".lua"))),)+
                }
            }
        }
    };
}

scripts!(
    plain:
        check,
        dead,
        drop_dead,
        forget,
        founded,
        letter,
        letters,
        listed_counts,
        /// Listed mailboxes, and rows of registers.
        page,
        /// Begin, and finish.
        record,
        row,
        state,
        tracked,
        tracked_counts,
        unlisted;
    timed:
        accept,
        adopt,
        backlog,
        /// Commit, and bury.
        commit,
        defer,
        discard,
        enlist,
        found,
        hold,
        inside,
        lease,
        met,
        pace,
        recall,
        register,
        remember,
        renew,
        replay_dead,
        set_aside;
);

/// One script.
#[derive(Debug)]
pub(super) struct Source {
    text: String,
    hash: String,
}

impl Source {
    fn new(text: String) -> Self {
        let hash = Script::new(&text).get_hash().to_owned();
        Self { text, hash }
    }

    /// A script behind [`COMMON`]; its first line, which names its flags, has to stay the first.
    fn timed(text: &str) -> Self {
        let (flags, rest) = text.split_once('\n').unwrap_or((text, ""));
        Self::new(format!("{flags}\n{COMMON}\n{rest}"))
    }
}

/// A script with its arguments.
pub(super) struct Call<'a> {
    script: &'a Source,
    base: String,
    arguments: Vec<Cow<'a, [u8]>>,
}

impl<'a> Call<'a> {
    /// A call on the shard with this base key.
    pub(super) fn new(script: &'a Source, base: String) -> Self {
        Self { script, base, arguments: Vec::new() }
    }

    /// Adds a text.
    pub(super) fn text(mut self, text: &'a str) -> Self {
        self.arguments.push(Cow::Borrowed(text.as_bytes()));
        self
    }

    /// Adds something that has to be printed first: a number, an id.
    pub(super) fn printed(mut self, value: &impl ToString) -> Self {
        self.arguments.push(Cow::Owned(value.to_string().into_bytes()));
        self
    }

    /// Adds a switch.
    pub(super) fn switch(self, on: bool) -> Self {
        self.text(if on { "1" } else { "0" })
    }

    /// The key that decides which node of a Cluster runs it.
    pub(super) fn key(&self) -> &str {
        &self.base
    }

    /// The call by hash.
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.script.hash)
    }

    /// The call with the script's text.
    pub(super) fn by_text(&self) -> Cmd {
        self.command("EVAL", &self.script.text)
    }

    /// Two keys are declared, neither of which exists, although scripts use the first alone: while a Cluster moves the
    /// slot, Redis then refuses the call (TRYAGAIN). One key would be led to the node that the slot moves to, and the
    /// script would run there without the keys that have not arrived yet.
    fn command(&self, verb: &str, script: &str) -> Cmd {
        let mut command = cmd(verb);
        command.arg(script).arg(2).arg(&self.base).arg(format!("{}-", self.base));
        for argument in &self.arguments {
            command.arg(argument.as_ref());
        }
        command
    }
}
