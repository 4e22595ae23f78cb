//! What a file's message says about itself. Messages that show files carry no metadata, so the same facts stand in the
//! id of their first block, which is free text and comes back with the message.

use serde_json::{Map, Value};

use crate::slack::ThreadMessage;

/// How an id of ours begins.
const KIND: &str = "bobbin_relay";
/// Separates the facts.
const SEPARATOR: char = '|';
/// Longest id of a block, in characters.
const MAX_ID_CHARS: usize = 255;

/// The facts on a file's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    /// Of which session, without its prefix.
    pub(super) session: String,
    /// Which part of what is relayed.
    pub(super) part: usize,
    /// The mark by which a lost attempt is found.
    pub(super) mark: String,
    /// What it belongs to: Devin's message, or the file itself.
    pub(super) event: String,
}

impl Label {
    /// As the id of a block. An event's id that is too long for it is left out: then the mark alone tells.
    pub(super) fn block_id(&self) -> String {
        let Self { session, part, mark, event } = self;
        let id = [KIND, session, &part.to_string(), mark, event].join(&SEPARATOR.to_string());
        if id.chars().count() <= MAX_ID_CHARS {
            id
        } else {
            [KIND, session, "0", mark, ""].join(&SEPARATOR.to_string())
        }
    }

    /// Reads a message's.
    pub(super) fn of(message: &ThreadMessage) -> Option<Self> {
        let id = message.blocks.as_ref()?.get(0)?.get("block_id")?.as_str()?;
        let mut facts = id.splitn(5, SEPARATOR);
        if facts.next()? != KIND {
            return None;
        }
        let (session, part, mark, event) = (facts.next()?, facts.next()?, facts.next()?, facts.next()?);
        let (session, mark, event) = (session.to_owned(), mark.to_owned(), event.to_owned());
        Some(Self { session, part: part.parse().ok()?, mark, event })
    }

    /// The facts as metadata would have them.
    pub(super) fn facts(&self) -> Map<String, Value> {
        let named = [
            ("session_id", self.session.clone()),
            ("event_id", self.event.clone()),
            ("part", self.part.to_string()),
            ("key", self.mark.clone()),
        ];
        named.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(id: &str) -> ThreadMessage {
        serde_json::from_value(json!({ "ts": "1.0", "blocks": [{ "type": "rich_text", "block_id": id }] })).unwrap()
    }

    fn label(event: &str) -> Label {
        Label { session: "0f3a".to_owned(), part: 2, mark: "00ff".to_owned(), event: event.to_owned() }
    }

    #[test]
    fn a_label_is_read_back_from_its_block() {
        for event in ["ev_1", "ev|1", ""] {
            assert_eq!(Label::of(&message(&label(event).block_id())), Some(label(event)));
        }
        let long = label(&"e".repeat(300)).block_id();
        assert!(long.chars().count() <= MAX_ID_CHARS);
        assert_eq!(Label::of(&message(&long)).unwrap().mark, "00ff");
    }

    #[test]
    fn other_blocks_have_none() {
        for id in ["b0001", "bobbin_relay", "bobbin_relay|a|b|c|d", "bobbin_card|a|1|c|d"] {
            assert_eq!(Label::of(&message(id)), None, "{id}");
        }
    }
}
