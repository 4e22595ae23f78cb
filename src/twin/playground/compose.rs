//! What somebody types becomes what Slack keeps: names become mentions, addresses links, and `&`, `<`, `>` entities.
//! A real client does this with a menu; here the names are looked up when the message is sent.

use crate::{
    domain::ids::{ChannelId, UserId},
    twin::slack,
};

/// Marks that end an address in running text.
const ADDRESS_ENDS: &[char] = &[' ', '\n', '\t', '<', '>', '"', ')'];

/// The text as Slack keeps it.
pub(super) fn compose(state: &slack::State, typed: &str) -> String {
    let names = names(state);
    let mut out = String::with_capacity(typed.len());
    let mut rest = typed.trim();
    let mut before: Option<char> = None;
    while let Some(c) = rest.chars().next() {
        let boundary = !before.is_some_and(char::is_alphanumeric);
        let special = if boundary { special(state, &names, rest) } else { None };
        let after = if let Some((written, after)) = special {
            out.push_str(&written);
            after
        } else {
            push_escaped(&mut out, c);
            rest.get(c.len_utf8()..).unwrap_or_default()
        };
        before = rest.get(..rest.len() - after.len()).and_then(|taken| taken.chars().next_back());
        rest = after;
    }
    out
}

/// A kept text as its author typed it, to be edited.
pub(super) fn typed(state: &slack::State, kept: &str) -> String {
    let mut out = String::new();
    let mut rest = kept;
    while let Some((before, after)) = rest.split_once('<') {
        let Some((inner, tail)) = after.split_once('>') else { break };
        out.push_str(before);
        let inner = inner.split('|').next().unwrap_or_default();
        match inner.split_at_checked(1) {
            Some(("@", id)) => {
                let user = id.parse::<UserId>().ok().and_then(|id| state.users.get(&id));
                let name = user.map_or(id, |user| if user.real_name.is_empty() { &user.name } else { &user.real_name });
                out.push('@');
                out.push_str(name);
            }
            Some(("#", id)) => {
                let channel = id.parse::<ChannelId>().ok().and_then(|id| state.channels.get(&id));
                out.push('#');
                out.push_str(channel.map_or(id, |channel| &channel.name));
            }
            Some(("!", range)) => {
                out.push('@');
                out.push_str(range);
            }
            Some(_) | None => out.push_str(inner),
        }
        rest = tail;
    }
    out.push_str(rest);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Names people may be called by, longest first, so that `@Ada Lovelace` is not taken for `@Ada`.
fn names(state: &slack::State) -> Vec<(String, UserId)> {
    let mut names: Vec<(String, UserId)> = Vec::new();
    names.push((state.app.name.to_lowercase(), state.app.bot_user.clone()));
    for user in state.users.values() {
        let first = user.real_name.split(' ').next().unwrap_or_default();
        for name in [user.real_name.as_str(), user.name.as_str(), first] {
            if !name.is_empty() {
                names.push((name.to_lowercase(), user.id.clone()));
            }
        }
    }
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    names
}

/// A mention, channel or address at the start of `rest`, as Slack writes it, and what follows.
fn special<'t>(state: &slack::State, names: &[(String, UserId)], rest: &'t str) -> Option<(String, &'t str)> {
    if let Some(tail) = rest.strip_prefix('@') {
        for range in ["here", "channel", "everyone"] {
            if let Some(after) = word(tail, range) {
                return Some((format!("<!{range}>"), after));
            }
        }
        return names.iter().find_map(|(name, id)| Some((format!("<@{id}>"), word(tail, name)?)));
    }
    if let Some(tail) = rest.strip_prefix('#') {
        let mut channels: Vec<_> = state.channels.values().filter(|c| !c.name.is_empty()).collect();
        channels.sort_by_key(|c| std::cmp::Reverse(c.name.len()));
        return channels.iter().find_map(|c| Some((format!("<#{}>", c.id), word(tail, &c.name)?)));
    }
    if rest.starts_with("https://") || rest.starts_with("http://") {
        let end = rest.find(ADDRESS_ENDS).unwrap_or(rest.len());
        let address = rest.get(..end)?.trim_end_matches(['.', ',', ';', ':', '!', '?']);
        return Some((format!("<{}>", address.replace('&', "&amp;")), rest.get(address.len()..)?));
    }
    None
}

/// What follows a word that stands at the start, in any case, and ends there.
fn word<'t>(text: &'t str, wanted: &str) -> Option<&'t str> {
    let head = text.get(..wanted.len())?;
    let after = text.get(wanted.len()..)?;
    let ends = !after.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_');
    (head.to_lowercase() == wanted.to_lowercase() && ends).then_some(after)
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        other => out.push(other),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        clock::{Clock, SystemClock},
        twin::world,
    };

    #[test]
    fn typed_text_becomes_what_slack_keeps() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let slack = world(&clock).unwrap().slack;
        let written = |typed: &str| slack.read(|state| compose(state, typed));
        assert_eq!(written("@Bobbin, ask @ada lovelace."), "<@U0BOBBIN>, ask <@U0ADA>.");
        assert_eq!(written("@here see #backend and #backendless"), "<!here> see <#C0BACKEND> and #backendless");
        assert_eq!(written("mail@ada @adam"), "mail@ada @adam");
        assert_eq!(written("a < b && c > d"), "a &lt; b &amp;&amp; c &gt; d");
        assert_eq!(written("(see https://x.test/?a=1&b=2)."), "(see <https://x.test/?a=1&amp;b=2>).");
        for text in ["@Bobbin ask @Ada Lovelace in #backend", "a < b && https://x.test/?a=1&b=2", "@here"] {
            assert_eq!(slack.read(|state| typed(state, &compose(state, text))), text);
        }
        assert_eq!(written("  @Åda ü\n@LINUS "), "@Åda ü\n<@U0LINUS>");
    }
}
