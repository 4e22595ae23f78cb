//! The scripts and how one is called: by hash, and with its text when the server does not know the hash (after a
//! restart, a failover or `SCRIPT FLUSH`). `EVAL` instead of `SCRIPT LOAD` as the second try, because it runs and
//! loads in one round trip, on the very node that lacked the script.

use std::borrow::Cow;

use redis::{Cmd, Script, cmd};

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// Every script, with its hash.
        #[derive(Debug)]
        pub(super) struct Scripts {
            $($(#[$doc])* pub(super) $name: Source,)+
        }

        impl Scripts {
            /// Hashes every script once.
            pub(super) fn new() -> Self {
                Self { $($name: Source::new(include_str!(concat!("scripts/", stringify!($name), ".lua"))),)+ }
            }
        }
    };
}

scripts!(
    accept,
    backlog,
    check,
    /// Commit, and bury.
    commit,
    dead,
    defer,
    discard,
    drop_dead,
    forget,
    hold,
    lease,
    recall,
    /// Begin, and finish.
    record,
    remember,
    renew,
    replay_dead,
    set_aside,
    state,
    tracked,
    tracked_counts,
);

/// One script.
#[derive(Debug)]
pub(super) struct Source {
    text: &'static str,
    hash: String,
}

impl Source {
    fn new(text: &'static str) -> Self {
        Self { text, hash: Script::new(text).get_hash().to_owned() }
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
        self.command("EVAL", self.script.text)
    }

    fn command(&self, verb: &str, script: &str) -> Cmd {
        let mut command = cmd(verb);
        command.arg(script).arg(1).arg(&self.base);
        for argument in &self.arguments {
            command.arg(argument.as_ref());
        }
        command
    }
}
