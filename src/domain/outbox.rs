//! What people said in a thread that has a session and that has not gone into it yet. Short messages wait for a moment
//! here, so that several typed in one breath reach Devin as one; whatever must keep its place behind them ends the wait.
//! It is a part of the link, so that a process that dies takes nothing of it along.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::{DevinUserId, Ts, UserId};

/// Messages of one person that follow each other within this time go as one.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// However fast somebody types on, the first message waits no longer than this.
const LONGEST: SignedDuration = SignedDuration::from_secs(6);
/// A message that comes later than this after it was written has had its time: what followed it is here, too. So nothing
/// waits behind an outage, and none is held by a clock that stands still because it was set back.
const LATE: i64 = 10;
/// A longer message is no part of a burst and goes at once, in characters.
const SHORT_CHARS: usize = 600;
/// What waits goes at once when it has grown to this, in characters.
const MOST_CHARS: usize = 4_000;
/// The same, in messages.
const MOST_MESSAGES: usize = 20;
/// What stands between messages that go as one: in Markdown, each is a paragraph of its own.
pub const BETWEEN: &str = "\n\n";

/// One message on its way into the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The message in the thread.
    pub ts: Ts,
    /// Who wrote it.
    pub user: UserId,
    /// As whom it is sent.
    pub devin: DevinUserId,
    /// Their name, as people read it.
    pub name: String,
    /// Its words, as Devin gets them.
    pub words: String,
    /// Its files, by their addresses at Devin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// When it was taken in.
    pub since: Timestamp,
    /// Set for the correction of a message that has gone: it stands alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub corrects: bool,
}

impl Waiting {
    /// Whether another message may still join it: long ones, files, corrections and what comes late wait for nobody.
    pub fn is_held(&self) -> bool {
        let is_late = self.since.as_second() - self.ts.second() > LATE;
        !self.corrects && !is_late && self.files.is_empty() && self.words.chars().count() <= SHORT_CHARS
    }

    fn joins(&self, first: &Self) -> bool {
        self.devin == first.devin && !self.corrects && !first.corrects
    }
}

/// When what waits is to be sent: a moment after the last message, and at once where one of them waits for nobody or the
/// wait has grown too long.
pub fn due(waiting: &[Waiting]) -> Option<Timestamp> {
    let (first, last) = (waiting.first()?, waiting.last()?);
    let chars: usize = waiting.iter().map(|one| one.words.chars().count()).sum();
    if chars > MOST_CHARS || waiting.len() >= MOST_MESSAGES || !waiting.iter().all(Waiting::is_held) {
        return Some(first.since);
    }
    Some(after(last.since, PAUSE).min(after(first.since, LONGEST)))
}

/// How many of the first messages go as one: those of the same person, without anybody else's between them.
pub fn together(waiting: &[Waiting]) -> usize {
    let Some(first) = waiting.first() else { return 0 };
    1 + waiting.iter().skip(1).take_while(|one| one.joins(first)).count()
}

/// The words of messages that go as one.
pub fn words(parcel: &[Waiting]) -> String {
    let words: Vec<&str> = parcel.iter().map(|one| one.words.as_str()).filter(|words| !words.is_empty()).collect();
    words.join(BETWEEN)
}

/// Whether these words, of one message, are a part of what was sent as one.
pub fn is_part(words: &str, sent: &str) -> bool {
    let framed = |text: &str| format!("{BETWEEN}{}{BETWEEN}", text.trim());
    framed(sent).contains(&framed(words))
}

fn after(at: Timestamp, time: SignedDuration) -> Timestamp {
    at.saturating_add(time).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn says(who: &str, second: i64, words: &str) -> Waiting {
        Waiting {
            ts: format!("17000000{second:02}.000100").parse().unwrap(),
            user: who.parse().unwrap(),
            devin: format!("user-{who}").parse().unwrap(),
            name: who.to_owned(),
            words: words.to_owned(),
            files: Vec::new(),
            since: at(second),
            corrects: false,
        }
    }

    #[test]
    fn what_waits_goes_two_seconds_after_the_last_message_and_six_after_the_first() {
        assert_eq!(due(&[]), None);
        assert_eq!(due(&[says("U1", 0, "a")]), Some(at(2)));
        assert_eq!(due(&[says("U1", 0, "a"), says("U2", 1, "b")]), Some(at(3)));
        let typing: Vec<Waiting> = (0..6).map(|second| says("U1", second, "more")).collect();
        assert_eq!(due(&typing), Some(at(6)));
    }

    #[test]
    fn long_words_files_corrections_what_comes_late_and_a_full_box_wait_for_nobody() {
        let long = says("U1", 1, &"x".repeat(SHORT_CHARS + 1));
        let files = Waiting { files: vec!["https://files.example/1".to_owned()], ..says("U1", 1, "see") };
        let corrects = Waiting { corrects: true, ..says("U1", 1, "Correction") };
        let late = Waiting { ts: "1699999980.000100".parse().unwrap(), ..says("U1", 1, "hello") };
        for one in [long, files, corrects, late] {
            assert!(!one.is_held());
            assert_eq!(due(&[says("U1", 0, "a"), one]), Some(at(0)));
        }
        let many = vec![says("U1", 0, "a"); MOST_MESSAGES];
        assert_eq!(due(&many), Some(at(0)));
        let much = vec![says("U1", 0, &"x".repeat(SHORT_CHARS)); 1 + MOST_CHARS / SHORT_CHARS];
        assert_eq!(due(&much), Some(at(0)));
    }

    #[test]
    fn messages_of_one_person_go_as_one_and_others_keep_their_place() {
        let all = [says("U1", 0, "a"), says("U1", 1, "b"), says("U2", 1, "c"), says("U1", 2, "d")];
        assert_eq!(together(&all), 2);
        assert_eq!(words(&all[..2]), "a\n\nb");
        assert_eq!(together(&all[2..]), 1);
        let corrected = [says("U1", 0, "a"), Waiting { corrects: true, ..says("U1", 1, "b") }, says("U1", 1, "c")];
        assert_eq!((together(&corrected), together(&corrected[1..]), together(&[])), (1, 1, 0));
    }

    #[test]
    fn a_message_is_found_again_in_what_it_was_sent_in() {
        assert!(is_part("a", "a") && is_part("a", "b\n\na") && is_part("b\n\nc", "a\n\nb\n\nc\n\nd"));
        assert!(!is_part("a", "b and a") && !is_part("a", "b\na") && !is_part("a\n\nc", "a\n\nb\n\nc"));
    }

    /// Stored forms that exist already are read for ever.
    #[test]
    fn stored_messages_are_read() {
        let held = r#"{"ts":"1700000000.000100","user":"U1","devin":"user-1","name":"Ada","words":"use main","since":"2026-11-24T02:00:00Z"}"#;
        let whole = r#"{"ts":"1700000000.000100","user":"U1","devin":"user-1","name":"Ada","words":"","files":["https://files.example/1"],"since":"2026-11-24T02:00:00Z","corrects":true}"#;
        for stored in [held, whole] {
            let waiting: Waiting = serde_json::from_str(stored).unwrap();
            assert_eq!(serde_json::to_string(&waiting).unwrap(), stored);
        }
    }
}
