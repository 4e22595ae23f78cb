//! What only one person sees, and what they press.

use bobbin::{
    domain::ids::{ChannelId, Ts, UserId},
    twin::{slack::Ephemeral, world::BACKEND},
};
use serde_json::Value;

use super::world::{World, id};

impl World {
    /// What only this person saw last in `#backend`; a test that expects nothing new clears it first.
    pub(crate) fn private(&self, user: &str) -> String {
        let text = self.last_private(user).map(|shown| shown.text).unwrap_or_default();
        let sessions = self.devin.sessions();
        sessions.iter().fold(text, |text, session| text.replace(session.id.bare(), "SESSION"))
    }

    fn last_private(&self, user: &str) -> Option<Ephemeral> {
        let user = id::<UserId>(user);
        self.slack.read(|state| state.ephemerals.iter().rev().find(|shown| shown.user == user).cloned())
    }

    /// Nobody has seen anything yet.
    pub(crate) fn clear_private(&self) {
        self.slack.change(|state| state.ephemerals.clear());
    }

    /// Somebody presses a button of what only they saw last; everything that follows happens.
    pub(crate) async fn press_private(&mut self, user: &str, action: &str) {
        let ts = self.last_private(user).expect("something that only they see").ts;
        self.press(user, &ts, action).await;
    }

    /// Somebody presses a button in `#backend`; everything that follows happens.
    pub(crate) async fn press(&mut self, user: &str, ts: &Ts, action: &str) {
        self.slack.press(&id(user), &id::<ChannelId>(BACKEND), ts, action).unwrap();
        self.settle().await;
    }

    /// Puts a button under a post of ours, as somebody would who forges one.
    pub(crate) fn put_button(&self, ts: &Ts, action: &str, value: &str) {
        let button = serde_json::json!({"type": "actions", "block_id": "forged", "elements": [
            {"type": "button", "action_id": action, "value": value, "text": {"type": "plain_text", "text": "x"}},
        ]});
        let channel = id::<ChannelId>(BACKEND);
        self.slack.change(|state| {
            let messages = &mut state.channels.get_mut(&channel).unwrap().messages;
            messages.iter_mut().find(|m| m.ts == *ts).unwrap().blocks = vec![button];
        });
    }

    /// The value of a button of a post in `#backend`, while it has one.
    pub(crate) fn value_of(&self, ts: &Ts, action: &str) -> Option<String> {
        let channel = id::<ChannelId>(BACKEND);
        let message =
            self.slack.read(|state| state.channels[&channel].messages.iter().find(|m| m.ts == *ts).cloned())?;
        let elements = message.blocks.iter().flat_map(|block| block["elements"].as_array().into_iter().flatten());
        elements.clone().find(|e| e["action_id"] == action).and_then(|e| e["value"].as_str().map(str::to_owned))
    }

    /// The value of a button of what this person saw last.
    pub(crate) fn private_value(&self, user: &str, action: &str) -> String {
        let blocks = self.last_private(user).expect("something that only they see").blocks;
        let elements = blocks.iter().flat_map(|block| block["elements"].as_array().into_iter().flatten());
        let button = elements.clone().find(|e| e["action_id"] == action);
        button.and_then(|button: &Value| button["value"].as_str()).unwrap().to_owned()
    }
}
