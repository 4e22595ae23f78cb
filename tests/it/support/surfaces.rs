//! What people see beside messages, as text: modals, the Home tab, answers that only they see, and the conversation with
//! the bot.

use std::{fmt::Write as _, fs};

use bobbin::{
    domain::ids::{ChannelId, Ts, UserId},
    store::Store as _,
    twin::slack::View,
};
use serde_json::Value;

use super::world::{World, id};
use crate::store::redis;

impl World {
    /// The modal that somebody sees; empty when there is none.
    pub(crate) fn modal(&self, user: &str) -> String {
        self.slack.modal(&id(user)).map(|view| self.plain(&view)).unwrap_or_default()
    }

    /// Somebody's Home tab; empty when there is none.
    pub(crate) fn home(&self, user: &str) -> String {
        self.slack.home(&id(user)).map(|view| self.plain(&view)).unwrap_or_default()
    }

    /// What only this person was shown, in order.
    pub(crate) fn whispers(&self, user: &str) -> Vec<String> {
        let user = id::<UserId>(user);
        let all = self.slack.read(|state| {
            state.ephemerals.iter().filter(|e| e.user == user).map(|e| e.text.clone()).collect::<Vec<_>>()
        });
        all.iter().map(|text| self.without_addresses(text)).collect()
    }

    /// What the bot wrote to this person directly, in order.
    pub(crate) fn written_to(&mut self, user: &str) -> Vec<String> {
        let channel = self.slack.direct(&id(user)).unwrap();
        let posts: Vec<(Ts, String)> = self.slack.read(|state| {
            let bot = state.app.bot_user.clone();
            let all = state.channels[&channel].messages.iter();
            all.filter(|m| m.user == bot && !m.deleted).map(|m| (m.ts.clone(), m.text.clone())).collect()
        });
        posts
            .into_iter()
            .map(|(ts, text)| {
                self.looked_at(ts);
                text
            })
            .collect()
    }

    /// The newest message that begins a thread in a channel.
    pub(crate) fn newest_root(&self, channel: &str) -> Ts {
        let channel = id::<ChannelId>(channel);
        self.slack.read(|state| {
            let mut roots = state.channels[&channel].messages.iter();
            roots.rfind(|m| m.thread_ts.as_ref().is_none_or(|root| *root == m.ts)).unwrap().ts.clone()
        })
    }

    /// All that the world's store has, in clear.
    pub(crate) fn dump(&self) -> String {
        let mut text = String::new();
        for entry in fs::read_dir(self.folder()).unwrap() {
            text.push_str(&String::from_utf8_lossy(&fs::read(entry.unwrap().path()).unwrap()));
        }
        if text.is_empty() { redis::contents() } else { text }
    }

    /// What was set aside.
    pub(crate) async fn store_dead(&self) -> Vec<String> {
        self.store.dead(10).await.unwrap().into_iter().map(|dead| dead.why).collect()
    }

    /// Somebody fills in the modal they see.
    pub(crate) fn fill(&self, user: &str, parts: &[(&str, &str)]) {
        for (part, value) in parts {
            self.slack.fill(&id(user), part, &[value]).unwrap();
        }
    }

    /// Somebody sends the modal they see; everything that follows happens.
    pub(crate) async fn submit(&mut self, user: &str) {
        self.slack.submit(&id(user)).unwrap();
        self.settle().await;
    }

    fn plain(&self, view: &View) -> String {
        let mut text = String::new();
        if !view.title().is_empty() {
            writeln!(text, "[{}]", view.title()).unwrap();
        }
        let values = view.values();
        for block in view.blocks() {
            writeln!(text, "{}", shown(block, view, &values)).unwrap();
        }
        self.without_addresses(&text)
    }

    /// Addresses of sessions and of this world, and times, differ from run to run.
    fn without_addresses(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for session in self.devin.sessions() {
            text = text.replace(session.id.bare(), "SESSION");
        }
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("<!date^") {
            out.push_str(before);
            out.push_str("TIME");
            rest = after.split_once('>').map_or("", |(_, rest)| rest);
        }
        out.push_str(rest);
        without_stamps(&out).replace(&self.base, "BASE")
    }
}

/// A text with what is different from run to run in the addresses of messages taken out of them.
pub(crate) fn without_stamps(text: &str) -> String {
    let mut parts = text.split("/p");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..16).filter(|stamp| stamp.bytes().all(|b| b.is_ascii_digit())) {
            Some(stamp) => out.extend(["/TS", part.get(stamp.len()..).unwrap_or_default()]),
            None => out.extend(["/p", part]),
        }
    }
    let mut parts = out.split("thread_ts=");
    let mut without = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        without.extend(["thread_ts=TS", part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')]);
    }
    without
}

/// One block as a line.
fn shown(block: &Value, view: &View, values: &Value) -> String {
    let text = |value: &Value| value["text"].as_str().unwrap_or_default().replace('\n', " / ");
    let block_id = block["block_id"].as_str().unwrap_or_default();
    match block["type"].as_str().unwrap_or_default() {
        "section" => text(&block["text"]),
        "header" => format!("# {}", text(&block["text"])),
        "divider" => "---".to_owned(),
        "context" => format!("({})", text(&block["elements"][0])),
        "actions" => {
            let button = |element: &Value| format!("<{}>", text(&element["text"]));
            block["elements"].as_array().unwrap().iter().map(button).collect::<Vec<_>>().join(" ")
        }
        "input" => {
            let element = &values[block_id]["value"];
            let filled = [&element["value"], &element["selected_conversation"], &element["selected_option"]["value"]];
            let filled = filled.into_iter().find_map(Value::as_str).unwrap_or_default();
            let error = view.errors.get(block_id).map(|error| format!(" !! {error}")).unwrap_or_default();
            format!("{}: {filled}{error}", text(&block["label"])).trim_end().to_owned()
        }
        other => other.to_owned(),
    }
}
