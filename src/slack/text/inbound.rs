//! mrkdwn as people's messages carry it, to Markdown that Devin reads.
//!
//! Typed angle brackets arrive as entities, so a bare `<` always begins one of Slack's own tokens; for the same reason
//! entities are decoded last, once. Within code the only tokens are links that Slack made on its own, which become
//! again what was typed.

use std::{borrow::Cow, collections::HashMap};

use jiff::Timestamp;

use crate::domain::{
    code::{FENCE, Span, spans},
    ids::{ChannelId, UserId},
};

/// Longest token that is looked for: addresses are at most 3000 characters, labels similar.
const MAX_TOKEN_BYTES: usize = 8192;

/// What to call the people and channels that a text mentions.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// People.
    pub users: HashMap<UserId, String>,
    /// Channels.
    pub channels: HashMap<ChannelId, String>,
    /// The bot: its mention is the call, not a part of the task, and is removed.
    pub bot: Option<UserId>,
}

/// The people that a text mentions, each once, in order.
pub fn mentioned_users(text: &str) -> Vec<UserId> {
    collect(text, |token| match token {
        Token::User { id, .. } => id.parse().ok(),
        Token::Channel { .. } | Token::Command { .. } | Token::Link { .. } => None,
    })
}

/// The channels that a text mentions, each once, in order.
pub fn mentioned_channels(text: &str) -> Vec<ChannelId> {
    collect(text, |token| match token {
        Token::Channel { id, .. } => id.parse().ok(),
        Token::User { .. } | Token::Command { .. } | Token::Link { .. } => None,
    })
}

/// Whether a text mentions the bot.
pub fn mentions(text: &str, bot: &UserId) -> bool {
    mentioned_users(text).contains(bot)
}

/// The text as Markdown: the bot's mention removed, other mentions by name, links and emphasis in Markdown's form.
pub fn to_markdown(text: &str, names: &Names) -> String {
    let mut out = String::with_capacity(text.len());
    for span in spans(text) {
        match span {
            Span::Fenced(code) => wrap(&mut out, FENCE, &plain(code)),
            Span::Inline(code) => wrap(&mut out, "`", &plain(code)),
            Span::Prose(prose) => write_prose(&mut out, prose, names),
        }
    }
    out
}

/// One of Slack's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    User { id: &'a str, label: &'a str },
    Channel { id: &'a str, label: &'a str },
    Command { name: &'a str, label: &'a str },
    Link { url: &'a str, label: &'a str },
}

impl<'a> Token<'a> {
    /// Reads a token at the beginning of a text; also gives what follows it.
    fn at_start(text: &'a str) -> Option<(Self, &'a str)> {
        let rest = text.strip_prefix('<')?;
        // Stops at the next bracket of either kind, so that many brackets in a row cost no more than one.
        let end = rest.find(['<', '>', '\n']).filter(|&end| end <= MAX_TOKEN_BYTES)?;
        let (inside, after) = rest.split_at_checked(end)?;
        let after = after.strip_prefix('>')?;
        let (target, label) = inside.split_once('|').unwrap_or((inside, ""));
        let token = if let Some(id) = target.strip_prefix('@') {
            Self::User { id, label }
        } else if let Some(id) = target.strip_prefix('#') {
            Self::Channel { id, label }
        } else if let Some(name) = target.strip_prefix('!') {
            Self::Command { name, label }
        } else if target.contains(':') {
            Self::Link { url: target, label }
        } else {
            return None;
        };
        Some((token, after))
    }
}

fn collect<T: PartialEq>(text: &str, pick: impl Fn(Token<'_>) -> Option<T>) -> Vec<T> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('<') {
        let token = text.get(at..).and_then(Token::at_start);
        let new = token.and_then(|(token, _)| pick(token)).filter(|id| !found.contains(id));
        found.extend(new);
    }
    found
}

fn wrap(out: &mut String, mark: &str, inside: &str) {
    out.push_str(mark);
    out.push_str(inside);
    out.push_str(mark);
}

/// Code: links as they were typed, and no other change than the entities.
fn plain(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some((before, _)) = rest.split_once('<') {
        let from = rest.get(before.len()..).unwrap_or_default();
        out.push_str(before);
        rest = if let Some((Token::Link { url, label }, after)) = Token::at_start(from) {
            out.push_str(if label.is_empty() { url } else { label });
            after
        } else {
            out.push('<');
            from.get(1..).unwrap_or_default()
        };
    }
    out.push_str(rest);
    decode(&out).into_owned()
}

fn write_prose(out: &mut String, prose: &str, names: &Names) {
    let doubled = emphasis(prose);
    let mut skip_space = false;
    let mut at = 0;
    while let Some(rest) = prose.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some((token, after)) = Token::at_start(rest) {
            let before = out.len();
            write_token(out, token, names);
            at = prose.len() - after.len();
            // A removed mention takes one of the two spaces around it along.
            skip_space = out.len() == before && (out.is_empty() || out.ends_with(char::is_whitespace));
            continue;
        }
        let length = rest.char_indices().skip(1).map(|(next, _)| next).find(|&next| is_mark(rest, next));
        let (piece, _) = rest.split_at_checked(length.unwrap_or(rest.len())).unwrap_or((rest, ""));
        at += piece.len();
        let written = if skip_space { piece.strip_prefix(char::is_whitespace).unwrap_or(piece) } else { piece };
        skip_space = false;
        if doubled.binary_search(&(at - piece.len())).is_ok() {
            out.extend(piece.chars().next());
        }
        out.push_str(&decode(written));
    }
    if skip_space {
        out.truncate(out.trim_end().len());
    }
}

fn is_mark(text: &str, at: usize) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(['<', '*', '~']))
}

fn write_token(out: &mut String, token: Token<'_>, names: &Names) {
    match token {
        Token::User { id, .. } if names.bot.as_ref().is_some_and(|bot| bot.as_str() == id) => {}
        Token::User { id, label } => {
            let known = id.parse().ok().and_then(|id: UserId| names.users.get(&id)).map(String::as_str);
            out.push('@');
            out.push_str(known.unwrap_or(&decode(or(label, id))));
        }
        Token::Channel { id, label } => {
            let known = id.parse().ok().and_then(|id: ChannelId| names.channels.get(&id)).map(String::as_str);
            out.push('#');
            out.push_str(known.unwrap_or(&decode(or(label, id))));
        }
        Token::Command { name, label } => write_command(out, name, label),
        Token::Link { url, label } => write_link(out, &decode(url), &decode(label)),
    }
}

fn write_command(out: &mut String, name: &str, label: &str) {
    let label = decode(label);
    if let Some(date) = name.strip_prefix("date^") {
        return write_date(out, date, &label);
    }
    let name = name.strip_prefix("subteam^").unwrap_or(name);
    let shown = or(&label, name);
    if !shown.starts_with('@') {
        out.push('@');
    }
    out.push_str(shown);
}

/// A date, `<second>^<form>^<address>`, where the address may be missing. Readers see it in their own time zones; here it
/// is what the writer gave for clients that cannot show it so, else the time of Greenwich.
fn write_date(out: &mut String, date: &str, label: &str) {
    let mut parts = date.splitn(3, '^');
    let second = parts.next().and_then(|second| second.parse().ok());
    let at = second.and_then(|second| Timestamp::from_second(second).ok());
    let time = at.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default();
    let shown = or(label, &time);
    match parts.nth(1) {
        Some(url) => write_link(out, &decode(url), shown),
        None => out.push_str(shown),
    }
}

fn write_link(out: &mut String, url: &str, label: &str) {
    let address = url.strip_prefix("mailto:").unwrap_or(url);
    if label.is_empty() || label == url || label == address {
        return out.push_str(address);
    }
    let label = label.replace('[', "\\[").replace(']', "\\]");
    // Brackets in an address would end the link early.
    let url = if url.contains(['(', ')', ' ']) { format!("<{url}>") } else { url.to_owned() };
    out.extend(["[", &label, "](", &url, ")"]);
}

fn or<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

/// Slack's three entities, once: `&amp;lt;` is the text `&lt;`.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

/// Places of the `*` and `~` that emphasise, which Markdown doubles: pairs on one line, tight around words, with word
/// boundaries outside. Marks inside tokens are not marks.
fn emphasis(prose: &str) -> Vec<usize> {
    let mut pairs = Vec::new();
    let mut start = 0;
    for line in prose.split_inclusive('\n') {
        for mark in ['*', '~'] {
            pair_up(line, mark, start, &mut pairs);
        }
        start += line.len();
    }
    pairs.sort_unstable();
    pairs
}

fn pair_up(line: &str, mark: char, start: usize, pairs: &mut Vec<usize>) {
    let mut open: Option<usize> = None;
    let mut token_end = 0;
    let mut before: Option<char> = None;
    for (at, letter) in line.char_indices() {
        let rest = line.get(at..).unwrap_or_default();
        if at >= token_end
            && letter == '<'
            && let Some((_, after)) = Token::at_start(rest)
        {
            token_end = line.len() - after.len();
        }
        if at >= token_end && letter == mark {
            let after = rest.chars().nth(1);
            let tight = |side: Option<char>| side.is_some_and(|c| !c.is_whitespace() && c != mark);
            let bounded = |side: Option<char>| side.is_none_or(|c| !c.is_alphanumeric() && c != mark);
            if let Some(opened) = open.filter(|_| tight(before) && bounded(after)) {
                pairs.extend([start + opened, start + at]);
                open = None;
            } else if tight(after) && bounded(before) {
                open = Some(at);
            }
        }
        before = Some(letter);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names() -> Names {
        Names {
            users: HashMap::from([("U07LIN0001".parse().unwrap(), "Lin".to_owned())]),
            channels: HashMap::from([("C07DEPLOY1".parse().unwrap(), "deploy".to_owned())]),
            bot: Some("U07BOBBIN1".parse().unwrap()),
        }
    }

    #[track_caller]
    fn becomes(text: &str, markdown: &str) {
        assert_eq!(to_markdown(text, &names()), markdown);
    }

    #[test]
    fn the_bots_mention_is_removed_and_others_are_named() {
        becomes("<@U07BOBBIN1> fix it with <@U07LIN0001>", "fix it with @Lin");
        becomes("please <@U07BOBBIN1|bobbin> fix it", "please fix it");
        becomes("fix it <@U07BOBBIN1>", "fix it");
        becomes("fix it <@U07BOBBIN1>\nnow", "fix it now");
        becomes("<@U07BOBBIN1>", "");
        becomes("ask <@U0UNKNOWN|ada> or <@W0UNKNOWN>", "ask @ada or @W0UNKNOWN");
        becomes("in <#C07DEPLOY1|old-name> or <#C0OTHER|ops> or <#C0PRIVATE|>", "in #deploy or #ops or #C0PRIVATE");
    }

    #[test]
    fn groups_broadcasts_and_dates_become_words() {
        becomes("<!subteam^S1|@weavers> <!subteam^S2> <!here> <!channel|channel>", "@weavers @S2 @here @channel");
        becomes("ask <!subteam^S07WEAVERS|weavers> or <!everyone>", "ask @weavers or @everyone");
        becomes("at <!date^1700000000^{date_num} {time}|10:13 &lt;PM&gt;>.", "at 10:13 <PM>.");
        becomes(
            "at <!date^1700000000^{time}^https://x.example/a?b&amp;c|10:13 PM>",
            "at [10:13 PM](https://x.example/a?b&c)",
        );
        becomes("at <!date^1700000000^{date_num}>", "at 2023-11-14 22:13 UTC");
        becomes("at <!date^soon^{time}|noon>, not <!date^99999999999999^{time}>.", "at noon, not .");
    }

    #[test]
    fn links_are_bare_or_labelled() {
        becomes("<https://loom.example/a?b=1&amp;c=2>", "https://loom.example/a?b=1&c=2");
        becomes("<https://loom.example|https://loom.example>", "https://loom.example");
        becomes("<https://loom.example/x|the page>", "[the page](https://loom.example/x)");
        becomes("<https://loom.example/x_(y)|a [b]>", "[a \\[b\\]](<https://loom.example/x_(y)>)");
        becomes("<mailto:ada@loom.example|ada@loom.example>", "ada@loom.example");
        becomes("<mailto:ada@loom.example|Ada>", "[Ada](mailto:ada@loom.example)");
    }

    #[test]
    fn entities_are_decoded_once() {
        becomes("a &lt;b&gt; &amp; c", "a <b> & c");
        becomes("&amp;lt; &amp;amp;", "&lt; &amp;");
        becomes("&lt;@U07BOBBIN1&gt;", "<@U07BOBBIN1>");
    }

    #[test]
    fn emphasis_is_doubled_where_it_is_emphasis() {
        becomes("*bold* and _italic_ and ~gone~", "**bold** and _italic_ and ~~gone~~");
        becomes("(*bold*), *two words*.", "(**bold**), **two words**.");
        becomes("2*3*4 and a * b * c and ~5 and 1~2", "2*3*4 and a * b * c and ~5 and 1~2");
        becomes("*open\nclosed*", "*open\nclosed*");
        becomes("*see <https://x.example/*a*|the page>*", "**see [the page](https://x.example/*a*)**");
        becomes("*<@U07LIN0001>*", "**@Lin**");
    }

    #[test]
    fn code_keeps_its_marks() {
        becomes("run `*a* ~b~ &lt;c&gt;` now", "run `*a* ~b~ <c>` now");
        becomes("```\nif a &lt; b &amp;&amp; *p* {\n}\n```", "```\nif a < b && *p* {\n}\n```");
        becomes("`curl <https://loom.example/x>`", "`curl https://loom.example/x`");
        becomes("```ping <http://loom.example|loom.example>```", "```ping loom.example```");
        becomes("`&lt;@U07LIN0001&gt; &amp;amp; :tada:`", "`<@U07LIN0001> &amp; :tada:`");
        becomes("`mail <mailto:ada@loom.example|ada@loom.example>`", "`mail ada@loom.example`");
    }

    #[test]
    fn emoji_and_curly_quotes_stay() {
        becomes(":wave: “quoted” – ’s 👋", ":wave: “quoted” – ’s 👋");
        becomes(":+1::skin-tone-3: *:tada:*", ":+1::skin-tone-3: **:tada:**");
    }

    #[test]
    fn brackets_that_are_no_token_stay() {
        becomes("a < b, <nothing>, <@U1", "a < b, <nothing>, <@U1");
    }

    #[test]
    fn mentions_are_found_once_and_in_order() {
        let text = "<@U2> <@U1|a> <@U2> <#C1|x> <#C1> <@not an id> &lt;@U3&gt;";
        let ids = |ids: Vec<UserId>| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(ids(mentioned_users(text)), ["U2", "U1"]);
        assert_eq!(mentioned_channels(text).len(), 1);
        assert!(mentions(text, &"U1".parse().unwrap()) && !mentions(text, &"U3".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn text_without_marks_is_unchanged(text in "[^<>&*~`]{0,200}") {
            prop_assert_eq!(to_markdown(&text, &names()), text);
        }

        #[test]
        fn any_text_is_survived(text in "[<>@#!|&*~`_ \\nA-Za-zé👋;:^]{0,120}") {
            let _: String = to_markdown(&text, &names());
            let _: Vec<UserId> = mentioned_users(&text);
        }

        #[test]
        fn what_slack_escaped_arrives_as_typed(typed in "[a-z<>&;@#! \\n]{0,80}") {
            let sent = crate::slack::text::escape(&typed);
            prop_assert_eq!(to_markdown(&sent, &names()), typed);
        }
    }
}
