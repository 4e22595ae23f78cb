//! What people are told about their own messages on the way into a session, and what Devin is told when one was edited
//! after it had gone.

use askama::Template;
use jiff::Timestamp;

use super::{Said, notice::refusal, say};
use crate::domain::{
    fate::{Became, Fate, Later, REMEMBERED, Rule},
    ids::Ts,
    link::Ended,
};

/// Longest part of an earlier message that is quoted in its correction, in characters.
const QUOTED_CHARS: usize = 120;

/// A sentence about a message on its way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inbound<'a> {
    /// A message was deleted that the session has already.
    DeletedTooLate,
    /// A message was edited of which nobody knows any more what became of it.
    EditTooLate,
    /// Somebody's messages could not be sent for a day.
    GivenUp {
        /// Whose.
        name: &'a str,
    },
    /// Nothing is known of any message of theirs.
    NoneKnown {
        /// Whether they asked for the session.
        requester: bool,
    },
    /// What became of a message.
    Became {
        /// That.
        fate: &'a Fate,
        /// Whether it was met in the session.
        seen: bool,
    },
}

/// A time, as each reader's own clock shows it.
#[derive(Debug, Default)]
struct When {
    second: i64,
    text: String,
}

impl When {
    fn at(at: Timestamp) -> Self {
        Self { second: at.as_second(), text: at.strftime("%H:%M UTC").to_string() }
    }

    fn of(ts: &Ts) -> Self {
        Self::at(Timestamp::from_second(ts.second()).unwrap_or_default())
    }
}

#[derive(Template)]
#[template(path = "voice/inbound.mrkdwn", config = ".askama.toml")]
struct InboundText<'a> {
    this: &'a Inbound<'a>,
    written: When,
    since: When,
    later: When,
    refusal: String,
    remembered: usize,
}

/// The words about a message on its way in.
pub fn inbound(this: &Inbound<'_>) -> Said {
    let fate = match this {
        Inbound::Became { fate, .. } => Some(*fate),
        Inbound::DeletedTooLate | Inbound::EditTooLate | Inbound::GivenUp { .. } | Inbound::NoneKnown { .. } => None,
    };
    let why = match fate.map(|fate| &fate.became) {
        Some(Became::Refused { why }) => refusal(*why).text,
        _ => String::new(),
    };
    let later = fate.and_then(|fate| fate.later).map(|later| match later {
        Later::Corrected { at } | Later::Deleted { at } => When::at(at),
    });
    Said::text(say(&InboundText {
        this,
        written: fate.map(|fate| When::of(&fate.ts)).unwrap_or_default(),
        since: fate.map(|fate| When::at(fate.at)).unwrap_or_default(),
        later: later.unwrap_or_default(),
        refusal: why,
        remembered: REMEMBERED,
    }))
}

/// The words about several messages, a line for each.
pub fn each_inbound(these: &[Inbound<'_>]) -> Said {
    let lines: Vec<String> = these.iter().map(|this| inbound(this).text).collect();
    Said::text(lines.join("\n"))
}

/// What Devin is told, in Markdown, when somebody edited a message that it has: which message, and what it says now.
pub fn correction(before: &str, now: &str) -> String {
    let line = before.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut quoted: String = line.chars().take(QUOTED_CHARS).collect();
    if quoted.len() < line.len() {
        quoted.push('…');
    }
    let which = if quoted.is_empty() { String::new() } else { format!(" (“{quoted}”)") };
    if now.trim().is_empty() {
        return format!("I take back my earlier message{which}; please pass over it.");
    }
    format!("Correction of my earlier message{which}: {now}")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use insta::assert_snapshot;

    use super::*;
    use crate::domain::standing::Refusal;

    fn fate(became: Became, later: Option<Later>) -> Fate {
        let at = Timestamp::from_second(1_700_000_002).unwrap();
        let (ts, user) = ("1700000000.000100".parse().unwrap(), "U0ADA".parse().unwrap());
        Fate { ts, user, at, became, later }
    }

    #[test]
    fn every_fate_reads_well() {
        let at = Timestamp::from_second(1_700_000_060).unwrap();
        let sent = || Became::Sent { runs_as: "Ada <Lovelace>".to_owned(), digest: "00ff".to_owned() };
        let fates = [
            (Became::Waiting, None),
            (sent(), None),
            (sent(), Some(Later::Corrected { at })),
            (sent(), Some(Later::Deleted { at })),
            (Became::Withdrawn, None),
            (Became::Refused { why: Refusal::NoAccount }, None),
            (Became::Over { how: Ended::Exited }, None),
            (Became::Over { how: Ended::Failed }, None),
            (Became::Over { how: Ended::Archived }, None),
            (Became::Over { how: Ended::Vanished }, None),
            (Became::NotTaken { why: "Missing permission <!here>".to_owned() }, None),
            (Became::Empty, None),
            (Became::Kept { by: Rule::Aside }, None),
            (Became::Kept { by: Rule::MentionsOnly }, None),
        ];
        let mut text = String::new();
        for (became, later) in fates {
            let fate = fate(became, later);
            let seen = later.is_some();
            writeln!(text, "{}", inbound(&Inbound::Became { fate: &fate, seen }).text).unwrap();
        }
        for this in [
            Inbound::DeletedTooLate,
            Inbound::EditTooLate,
            Inbound::GivenUp { name: "Ada & co" },
            Inbound::NoneKnown { requester: false },
            Inbound::NoneKnown { requester: true },
        ] {
            writeln!(text, "{}", inbound(&this).text).unwrap();
        }
        assert!(!text.contains("<!here>") && !text.contains("<Love"), "{text}");
        assert_snapshot!(text, @"
        :hourglass_flowing_sand: Your message of <!date^1700000000^{time}|22:13 UTC> waits a moment for what you may add, and then goes to Devin.
        :incoming_envelope: Your message of <!date^1700000000^{time}|22:13 UTC> was sent into the session at <!date^1700000002^{time}|22:13 UTC>, as Ada &lt;Lovelace&gt;. Devin took it; among the session's messages I have not met it yet.
        :incoming_envelope: Your message of <!date^1700000000^{time}|22:13 UTC> was sent into the session at <!date^1700000002^{time}|22:13 UTC>, as Ada &lt;Lovelace&gt;. It stands in the session. You edited it, and Devin was told the new words at <!date^1700000060^{time}|22:14 UTC>.
        :incoming_envelope: Your message of <!date^1700000000^{time}|22:13 UTC> was sent into the session at <!date^1700000002^{time}|22:13 UTC>, as Ada &lt;Lovelace&gt;. It stands in the session. You deleted it at <!date^1700000060^{time}|22:14 UTC>; Devin has it all the same.
        :wastebasket: Your message of <!date^1700000000^{time}|22:13 UTC> never reached Devin: you deleted it before it had gone.
        :no_entry_sign: Your message of <!date^1700000000^{time}|22:13 UTC> was not passed on. I can't start Devin for you: nobody in the Devin organisation has the e-mail address of your Slack account. Ask a Devin administrator to invite that address; I look again after ten minutes.
        :checkered_flag: Your message of <!date^1700000000^{time}|22:13 UTC> was not passed on: the session had ended.
        :checkered_flag: Your message of <!date^1700000000^{time}|22:13 UTC> was not passed on: the session had failed.
        :checkered_flag: Your message of <!date^1700000000^{time}|22:13 UTC> was not passed on: the session was archived; unarchive it and send the message again.
        :checkered_flag: Your message of <!date^1700000000^{time}|22:13 UTC> was not passed on: Devin no longer knew the session.
        :warning: Your message of <!date^1700000000^{time}|22:13 UTC> did not reach Devin. The reason: _Missing permission &lt;!here&gt;_. Send it again when that is put right.
        :paperclip: Your message of <!date^1700000000^{time}|22:13 UTC> had nothing that could be passed on: no words, and none of its files.
        :speech_balloon: Your message of <!date^1700000000^{time}|22:13 UTC> was not passed on: it is marked as an aside.
        :speech_balloon: Your message of <!date^1700000000^{time}|22:13 UTC> was not passed on: in this thread only messages that mention me are. Mention me in it.
        :wave: Devin already has the message that you deleted; deleting it here takes nothing back. If it matters, tell Devin in this thread to pass over it.
        :wave: Your edit was not passed on: that message is too far back for me to know what became of it. Write what has changed as a new message.
        :x: For a day I could not reach Devin with what Ada &amp; co wrote here (the messages marked :warning:), and stopped trying. Please send it again.
        :grey_question: I remember no message of yours in this thread. I keep in mind what became of the last 30 messages here.
        :grey_question: I remember no message of yours in this thread after the one that started this session. I keep in mind what became of the last 30 messages here.
        ");
    }

    #[test]
    fn a_correction_says_of_which_message_and_what_it_says_now() {
        assert_eq!(correction("use main", "use *dev*"), "Correction of my earlier message (“use main”): use *dev*");
        assert_eq!(correction("", "use dev"), "Correction of my earlier message: use dev");
        assert_eq!(correction("a\nb", " "), "I take back my earlier message (“a b”); please pass over it.");
        let long = correction(&"word ".repeat(100), "x");
        assert!(long.contains("…”): x") && long.chars().count() < 180, "{long}");
    }
}
