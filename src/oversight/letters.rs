//! Dead letters: what was set aside, and putting it back or forgetting it.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Actor, Oversight, OversightError, Result};
use crate::{
    domain::{ids::InputId, mailbox::Mailbox},
    store::{Cursor, Dead, Door},
};

/// What was set aside, without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its id.
    pub id: InputId,
    /// Through which door it came.
    pub door: Door,
    /// When it came.
    pub came: Timestamp,
    /// When it was set aside.
    pub at: Timestamp,
    /// From which mailbox; without one it cannot be put back.
    pub mailbox: Option<Mailbox>,
    /// Why.
    pub why: String,
    /// How often it was tried.
    pub attempts: u32,
    /// How long its body is.
    pub bytes: usize,
    /// The shape of its body: the names in it, without their values.
    pub shape: Vec<String>,
}

/// A page of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterPage {
    /// Newest first.
    pub letters: Vec<Letter>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

/// Names of a body that are shown.
const SHAPE_MAX: usize = 80;

impl Oversight {
    /// Dead letters, newest first.
    pub async fn letters(&self, after: Option<&Cursor>, limit: usize) -> Result<LetterPage> {
        let dead = self.store.letters(after, limit).await?;
        let next = dead.last().filter(|_| dead.len() == limit).map(|last| Cursor::new(last.at, &last.input.id));
        Ok(LetterPage { letters: dead.iter().map(letter).collect(), next })
    }

    /// One of them, without what it says.
    pub async fn letter(&self, id: &InputId) -> Result<Option<Letter>> {
        Ok(self.store.letter(id).await?.as_ref().map(letter))
    }

    /// What was set aside under the reference that somebody was given for it.
    pub async fn referred_to(&self, reference: &str) -> Result<Option<Letter>> {
        for name in names(reference) {
            if let Some(letter) = self.letter(&name).await? {
                return Ok(Some(letter));
            }
        }
        Ok(None)
    }

    /// What it says: looking at it is recorded first.
    pub async fn letter_body(&self, actor: &Actor, id: &InputId) -> Result<Option<Vec<u8>>> {
        let Some(dead) = self.store.letter(id).await? else { return Ok(None) };
        self.act(actor, ("letters.read", id.as_str()), "", Vec::new()).await?;
        Ok(Some(dead.input.body.bytes().to_vec()))
    }

    /// Puts one back at the end of its mailbox.
    pub async fn replay_letter(&self, actor: &Actor, id: &InputId) -> Result<()> {
        let letter = self.asked_for(id).await?;
        if letter.mailbox.is_none() {
            return Err(OversightError::Refused(format!(
                "{id} could not be read when it came, so it has no mailbox to go back to. It can only be dropped."
            )));
        }
        self.act(actor, ("letters.replay", id.as_str()), &letter.why, Vec::new()).await?;
        if !self.store.replay_dead(id).await? {
            return Err(gone(id));
        }
        self.bell.notify_one();
        Ok(())
    }

    /// Forgets one.
    pub async fn drop_letter(&self, actor: &Actor, id: &InputId) -> Result<()> {
        let letter = self.asked_for(id).await?;
        self.act(actor, ("letters.drop", id.as_str()), &letter.why, Vec::new()).await?;
        if self.store.drop_dead(id).await? { Ok(()) } else { Err(gone(id)) }
    }

    async fn asked_for(&self, id: &InputId) -> Result<Letter> {
        self.letter(id).await?.ok_or_else(|| gone(id))
    }
}

/// The ids that a reference may mean: as it is, and as older programs wrote it.
fn names(reference: &str) -> Vec<InputId> {
    let reference = reference.trim().trim_matches('`');
    let hyphenated = reference.parse::<Uuid>().ok().map(|uuid| uuid.hyphenated().to_string());
    [Some(reference.to_owned()), hyphenated].into_iter().flatten().filter_map(|name| name.parse().ok()).collect()
}

fn gone(id: &InputId) -> OversightError {
    OversightError::Refused(format!("Nothing is set aside as {id} any more: somebody put it back or dropped it."))
}

fn letter(dead: &Dead) -> Letter {
    let body = dead.input.body.bytes();
    Letter {
        id: dead.input.id.clone(),
        door: dead.input.door,
        came: dead.input.at,
        at: dead.at,
        mailbox: dead.mailbox.clone(),
        why: dead.why.clone(),
        attempts: dead.attempts,
        bytes: body.len(),
        shape: shape(body),
    }
}

/// The names in a body, by their paths: what it is about without what it says.
fn shape(body: &[u8]) -> Vec<String> {
    let mut paths = Vec::new();
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) {
        name(&value, "", &mut paths);
    } else {
        paths.extend(url::form_urlencoded::parse(body).map(|(key, _)| key.into_owned()).filter(|key| is_name(key)));
    }
    paths.truncate(SHAPE_MAX);
    paths
}

fn name(value: &serde_json::Value, path: &str, paths: &mut Vec<String>) {
    let Some(fields) = value.as_object() else { return };
    for (key, value) in fields.iter().filter(|(key, _)| is_name(key)) {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if paths.len() < SHAPE_MAX {
            paths.push(path.clone());
            name(value, &path, paths);
        }
    }
}

/// Whether this is a field's name and not something that a person wrote.
fn is_name(key: &str) -> bool {
    key.len() <= 40 && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_found_however_it_was_written() {
        let (new, old) = ("01936c4e7a507cc09d2b0f3f6b1f7a11", "01936c4e-7a50-7cc0-9d2b-0f3f6b1f7a11");
        let found = |text: &str| names(text).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found(&format!(" `{new}` ")), [new, old]);
        assert_eq!(found(&format!("{new}-begin")), [format!("{new}-begin")]);
        assert_eq!(found(""), [] as [&str; 0]);
    }

    #[test]
    fn a_shape_has_names_and_no_words() {
        let body = br#"{"event":{"type":"app_mention","text":"the secret plan"},"Dear diary":1}"#;
        assert_eq!(shape(body), ["event", "event.text", "event.type"]);
        assert_eq!(shape(b"command=%2Fdevin&text=the+secret+plan"), ["command", "text"]);
        assert_eq!(shape(&[0xff, 0x00]), [] as [&str; 0]);
    }
}
