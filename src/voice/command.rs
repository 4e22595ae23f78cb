//! Answers that only one person sees: to the slash command, to shortcuts and to modals that could not be opened.

use askama::Template;

use super::{Said, say};
use crate::{
    domain::{ids::ChannelId, words::Order},
    slack::SuggestedPrompt,
};

/// Something that is said to one person alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aside {
    /// The command's word was probably meant to be another.
    DidYouMean {
        /// What was written.
        found: String,
        /// What was probably meant.
        meant: &'static str,
    },
    /// What was said belongs into a thread.
    InThread {
        /// What was said.
        order: Order,
    },
    /// As whom their sessions run.
    RunsAs {
        /// The name.
        name: String,
    },
    /// A session was asked for in this channel.
    Asked {
        /// Where.
        channel: ChannelId,
    },
    /// I am not in the channel.
    NotInside {
        /// Which; `None` where it was asked from.
        channel: Option<ChannelId>,
        /// What was asked for, so that it can be copied; empty where it still stands there.
        task: String,
    },
    /// Slack did not let me post in the channel.
    NotPosted {
        /// Which; `None` where it was asked from.
        channel: Option<ChannelId>,
        /// What was asked for, as above.
        task: String,
    },
    /// A modal could not be opened in time.
    TooLate {
        /// What to do again.
        again: Again,
    },
    /// The message goes into the session of its thread.
    HandedOver {
        /// The session's title; empty when it has none.
        session: String,
    },
    /// The secrets of a form can't be opened any more.
    UnreadableSecrets,
    /// The message that was to be handed over is no longer remembered.
    Forgotten,
    /// The session that was chosen has no thread any more.
    NoThread,
    /// There is no session to send anything to.
    NoneOpen,
    /// The answer takes longer.
    Patience,
    /// The Home tab can't be filled now.
    HomeLater,
    /// They installed the app.
    Welcome {
        /// Permissions that were not granted.
        missing: Vec<String>,
    },
}

/// What opens a modal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// The slash command.
    Command,
    /// The global shortcut.
    Shortcut,
    /// The shortcut on a message.
    MessageShortcut,
    /// The button on the Home tab.
    Home,
}

/// What the conversation with me proposes.
pub const SUGGESTED_PROMPTS: [SuggestedPrompt<'static>; 4] = [
    SuggestedPrompt { title: "Fix something", message: "Fix the flaky login test and open a pull request" },
    SuggestedPrompt { title: "Look into something", message: "Find out why the nightly build got slower this week" },
    SuggestedPrompt { title: "My sessions", message: "list" },
    SuggestedPrompt { title: "What can you do?", message: "help" },
];

#[derive(Template)]
#[template(path = "voice/aside.mrkdwn", config = ".askama.toml")]
struct AsideText<'a> {
    aside: &'a Aside,
}

/// The words to one person.
pub fn aside(aside: &Aside) -> Said {
    Said::text(say(&AsideText { aside }))
}

#[derive(Template)]
#[template(path = "voice/opening.mrkdwn", config = ".askama.toml")]
struct Opening<'a> {
    name: &'a str,
    from: Option<&'a str>,
    lines: Vec<&'a str>,
}

/// The message that opens a thread for a session which was not asked for by a message.
pub fn opening(name: &str, task: &str) -> Said {
    Said::text(say(&Opening { name, from: None, lines: task.lines().collect() }))
}

/// The message that stands for another one in the thread of the session that it was handed to.
pub fn handed_over(name: &str, permalink: &str, text: &str) -> Said {
    Said::text(say(&Opening { name, from: Some(permalink), lines: text.lines().collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_a_thread_pings_nobody() {
        insta::assert_snapshot!(opening("Ada <!here>", "Fix it, <@U0GRACE>\nnow").text, @"
        :speech_balloon: *Ada &lt;!here&gt;* asks Devin:
        > Fix it, &lt;@U0GRACE&gt;
        > now
        ");
        insta::assert_snapshot!(handed_over("Ada", "https://acme.slack.com/archives/C1/p1", "It fails").text, @"
        :paperclip: *Ada* hands over <https://acme.slack.com/archives/C1/p1|a message>:
        > It fails
        ");
    }

    #[test]
    fn every_aside_says_what_to_do_next() {
        let asides = [
            Aside::DidYouMean { found: "lsit".to_owned(), meant: "list" },
            Aside::InThread { order: Order::Stop },
            Aside::RunsAs { name: "Ada Lovelace".to_owned() },
            Aside::Asked { channel: "C1".parse().unwrap() },
            Aside::NotInside { channel: None, task: String::new() },
            Aside::NotInside { channel: "C1".parse().ok(), task: "Fix it\nnow".to_owned() },
            Aside::NotPosted { channel: "C1".parse().ok(), task: "Fix it".to_owned() },
            Aside::TooLate { again: Again::Command },
            Aside::TooLate { again: Again::Shortcut },
            Aside::TooLate { again: Again::MessageShortcut },
            Aside::TooLate { again: Again::Home },
            Aside::HandedOver { session: "Fix the login".to_owned() },
            Aside::HandedOver { session: String::new() },
            Aside::UnreadableSecrets,
            Aside::Forgotten,
            Aside::NoThread,
            Aside::NoneOpen,
            Aside::Patience,
            Aside::HomeLater,
            Aside::Welcome { missing: Vec::new() },
            Aside::Welcome { missing: vec!["files:read".to_owned(), "files:write".to_owned()] },
        ];
        let words: Vec<String> = asides.iter().map(|one| aside(one).text).collect();
        insta::assert_snapshot!(words.join("\n"), @"
        :thinking_face: I don't know `lsit`. Did you mean `/devin list`? To start a session with just that word as its task, write `/devin new lsit`.
        :wave: `stop` is said in the thread of a session: write `@bobbin stop` there. Slack allows no slash commands in threads. `/devin list` shows your sessions, with their threads.
        :bust_in_silhouette: Your sessions run as *Ada Lovelace* in Devin: I found that account by the e-mail address of your Slack profile.
        :white_check_mark: Asked in <#C1>. Follow it in the thread that I opened there.
        :wave: I am not in this conversation, so I could not report there, and started nothing. Invite me there with `/invite @bobbin` and do it again.
        :wave: I am not in <#C1>, so I could not report there, and started nothing. Invite me there with `/invite @bobbin` and do it again. So that nothing is lost, this was your task:
        > Fix it
        > now
        :no_entry_sign: Slack did not let me post in <#C1>, so I started nothing. An operator of Bobbin finds the reason in its log; in another channel it may work. So that nothing is lost, this was your task:
        > Fix it
        :hourglass: I was too slow: Slack lets me open a form for three seconds only, and they were over. Nothing was started. Please use `/devin new` again, or write the task right behind it, such as `/devin new fix the login test`.
        :hourglass: I was too slow: Slack lets me open a form for three seconds only, and they were over. Nothing was started. Please use the shortcut *Start Devin* again.
        :hourglass: I was too slow: Slack lets me open a form for three seconds only, and they were over. Nothing was started. Please use *Send to session* on that message again.
        :hourglass: I was too slow: Slack lets me open a form for three seconds only, and they were over. Nothing was started. Please press *Start a session* again.
        :incoming_envelope: This message goes into the session of its thread, *Fix the login*. The mark on it shows when Devin has it.
        :incoming_envelope: This message goes into the session of its thread. The mark on it shows when Devin has it.
        :closed_lock_with_key: I can't open the secrets that you gave with your task, because my own key was changed in the meantime. I started nothing; please fill in the form again.
        :hourglass: The form was open for longer than I remember the message for, so I sent nothing. Please use *Send to session* on that message again.
        :wave: That session is no longer tied to a thread, so I could not pass the message on. Open it from `/devin list` and write to it there.
        :wave: You have no session that takes messages. To start one with this message, use *Start Devin here* on it.
        :hourglass_flowing_sand: I can't reach Devin right now. I go on trying and answer here when I can.
        :hourglass_flowing_sand: I can't look up your sessions right now. I go on trying, and show them here when I can.
        :thread: *Bobbin is installed.* What to do next: invite me into a channel with `/invite @bobbin`, mention me with a task such as `@bobbin fix the flaky login test`, and see with `/devin whoami` as whom your sessions run. `/devin help` shows all words.
        :thread: *Bobbin is installed.* What to do next: invite me into a channel with `/invite @bobbin`, mention me with a task such as `@bobbin fix the flaky login test`, and see with `/devin whoami` as whom your sessions run. `/devin help` shows all words.
        :warning: I asked for more permissions than I got, so parts of me will not work: `files:read`, `files:write`. Install me again and allow them.
        ");
    }
}
