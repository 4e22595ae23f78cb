//! From Slack's JSON to HTML: pure functions, so that what a person sees is tested without a browser.
//!
//! They return finished HTML that the templates print as it is, therefore every piece of foreign text goes through
//! [`escape`] here and nowhere else, and an address becomes a link only after [`Directory::href`] let it pass.

mod blocks;
mod controls;
mod elements;
mod emojis;
mod inline;
mod markdown;
mod mrkdwn;
mod rich_text;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

pub use self::{
    blocks::{Filled, Place, Spot, blocks},
    emojis::{PICKER, glyph},
    markdown::markdown,
    mrkdwn::{mrkdwn, plain},
};

/// What the renderer must know about the world around a message.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    /// Shown names by user id.
    pub users: BTreeMap<String, String>,
    /// Channel names without `#` by channel id.
    pub channels: BTreeMap<String, String>,
    /// Bare ids of the sessions that the page can show itself.
    pub sessions: BTreeSet<String>,
    /// Whose eyes these are: mentions of this user stand out.
    pub viewer: String,
    /// Query string of the page without `session`, for links that stay on the page.
    pub query: String,
    /// Host of the workspace, whose links to messages stay on the page.
    pub host: String,
}

impl Directory {
    /// The address for a link, or nothing when it must not become one: only web and mail addresses may.
    ///
    /// The address of a session that the page knows becomes the page's own, because the stand-in Devin has no web app.
    pub fn href(&self, address: &str) -> Option<String> {
        let parsed = url::Url::parse(address).ok()?;
        if !matches!(parsed.scheme(), "http" | "https" | "mailto") {
            return None;
        }
        let segments: Vec<&str> = parsed.path_segments().map(Iterator::collect).unwrap_or_default();
        if let [.., "sessions", id] = segments.as_slice() {
            let bare = id.strip_prefix("devin-").unwrap_or(id);
            if self.sessions.contains(bare) {
                let session: String = url::form_urlencoded::byte_serialize(bare.as_bytes()).collect();
                return Some(format!("/playground?{}&session={session}&pane=devin", self.query));
            }
        }
        if let ["archives", channel, message] = segments.as_slice()
            && parsed.host_str() == Some(self.host.as_str())
        {
            return self.message(channel, message.strip_prefix('p')?, &parsed);
        }
        Some(parsed.to_string())
    }

    /// The page's own address for a message of the workspace: its thread.
    fn message(&self, channel: &str, digits: &str, address: &url::Url) -> Option<String> {
        let (seconds, micros) = digits.split_at_checked(digits.len().checked_sub(6)?)?;
        let root = address.query_pairs().find(|(name, _)| name == "thread_ts").map(|(_, root)| root.into_owned());
        let root = root.unwrap_or_else(|| format!("{seconds}.{micros}"));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("channel", channel)
            .append_pair("thread", &root)
            .append_pair("as", &self.viewer)
            .append_pair("pane", "thread")
            .finish();
        Some(format!("/playground?{query}"))
    }
}

/// Appends text so that HTML takes it as text, in elements and in quoted attributes.
pub(super) fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

/// Text made safe for HTML.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(&mut out, text);
    out
}

/// Undoes the three escapes that Slack keeps in `text` (`&amp;`, `&lt;`, `&gt;`).
pub(super) fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Appends a link around finished HTML, or the HTML alone when the address must not become a link.
fn link(out: &mut String, dir: &Directory, address: &str, inner: &str) {
    match dir.href(address) {
        Some(href) => {
            let target = if href.starts_with('/') { "" } else { r#" target="_blank" rel="noopener noreferrer""# };
            let _ok = write!(out, r#"<a href="{}"{target}>{inner}</a>"#, escaped(&href));
        }
        None => out.push_str(inner),
    }
}

/// An emoji by its short name, as HTML; `None` when the name is not known.
///
/// The name stands beside the glyph, because the style sheet shows it where no font has emoji.
pub fn emoji(name: &str) -> Option<String> {
    let (glyph, name) = (glyph(name)?, escaped(name));
    Some(format!(r#"<span class="emoji" data-name="{name}" title=":{name}:">{glyph}</span>"#))
}

/// Appends a mention of a person.
fn mention_user(out: &mut String, dir: &Directory, id: &str, label: Option<&str>) {
    let name = dir.users.get(id).map(String::as_str).or(label).unwrap_or(id);
    let class = if id == dir.viewer { "mention mention-me" } else { "mention" };
    let _ok = write!(out, r#"<span class="{class}">@{}</span>"#, escaped(name));
}

/// Appends a mention of a channel.
fn mention_channel(out: &mut String, dir: &Directory, id: &str, label: Option<&str>) {
    let name = dir.channels.get(id).map(String::as_str).or(label).unwrap_or(id);
    let _ok = write!(out, r#"<span class="mention">#{}</span>"#, escaped(name));
}

/// Appends a call to many (`here`, `channel`, `everyone`).
fn broadcast(out: &mut String, range: &str) {
    let _ok = write!(out, r#"<span class="mention mention-me">@{}</span>"#, escaped(range));
}

#[cfg(test)]
mod tests;
