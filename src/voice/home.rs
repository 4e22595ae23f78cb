//! The Home tab: what somebody's sessions are doing, as whom they run, and how to start one.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Group, Identity, Mine, RunsAs, Said,
    card::is_web,
    modal::{plain, section},
};
use crate::{
    domain::standing::Standing,
    slack::{text, wire::interaction::START_SESSION},
};

/// Sessions that are shown: each takes two of the hundred blocks.
const MAX_SHOWN: usize = 40;

/// What the tab shows.
#[derive(Debug, Clone)]
pub enum Home<'a> {
    /// Somebody for whom we act.
    Linked {
        /// As whom.
        runs_as: &'a RunsAs,
        /// Their sessions, in the order of a list.
        mine: &'a [Mine],
    },
    /// Somebody for whom we don't, or can't now; in words.
    Told(&'a Said),
}

/// The tab as it is at a time.
pub fn home(home: &Home<'_>, now: Timestamp) -> Value {
    let mut blocks = vec![json!({ "type": "header", "text": plain("Your Devin sessions") })];
    match home {
        Home::Linked { runs_as, mine } => linked(&mut blocks, runs_as, mine),
        Home::Told(said) => blocks.push(section(&said.text)),
    }
    let (second, clock) = (now.as_second(), now.strftime("%H:%M UTC"));
    let updated = format!(
        "Updated <!date^{second}^{{date_short_pretty}} {{time}}|{clock}>. `/devin help` says all that I can do."
    );
    blocks.push(context(&updated));
    json!({ "type": "home", "blocks": blocks })
}

/// Puts a line below the heading of the tab.
pub fn home_banner(view: &mut Value, line: &Said) {
    if let Some(blocks) = view.get_mut("blocks").and_then(Value::as_array_mut) {
        blocks.insert(1.min(blocks.len()), section(&line.text));
    }
}

fn linked(blocks: &mut Vec<Value>, runs_as: &RunsAs, mine: &[Mine]) {
    const HOW: &str =
        "To start one, mention me in a channel, write to me directly, use `/devin new`, or press the button.";
    let who = match runs_as.0.as_slice() {
        [Identity { is: Standing::Linked(person), .. }] => {
            format!("You are linked: your sessions run as *{}*.", text::escape(&person.name))
        }
        _ => super::runs_as(runs_as).text,
    };
    blocks.push(section(&format!("{who} {HOW}")));
    blocks.push(json!({ "type": "actions", "block_id": "start", "elements": [{
        "type": "button", "action_id": START_SESSION, "value": START_SESSION, "style": "primary",
        "text": plain("Start a session"),
    }]}));
    let shown = mine.get(..MAX_SHOWN).unwrap_or(mine);
    for group in Group::ALL {
        let of_group: Vec<&Mine> = shown.iter().filter(|one| one.group() == group).collect();
        if of_group.is_empty() {
            continue;
        }
        blocks.push(json!({ "type": "divider" }));
        blocks.push(section(&format!("*{}*", group.heading())));
        blocks.extend(of_group.into_iter().flat_map(session));
    }
    if mine.is_empty() {
        blocks.push(section("You have no sessions that were started from Slack yet."));
    }
    if mine.len() > shown.len() {
        blocks.push(context(&format!("and {} more in Devin", mine.len() - shown.len())));
    }
}

/// One session: its title with its state, and where to go.
fn session(one: &Mine) -> Vec<Value> {
    let changed = Timestamp::from_second(one.updated_at).unwrap_or_default();
    let since = format!("<!date^{}^{{date_short_pretty}} {{time}}|{}>", one.updated_at, changed.strftime("%H:%M UTC"));
    let name = text::escape(&one.name());
    let place = one.organisation.as_deref().map(|of| format!(" · in _{}_", text::escape(of))).unwrap_or_default();
    let words = section(&format!("*{name}*\n{}{place} · changed {since}", one.status()));
    let button = |(action_id, text, url): (&str, &str, &str)| json!({ "type": "button", "action_id": action_id, "text": plain(text), "url": url });
    let thread = one.permalink.as_deref().unwrap_or_default();
    let places = [("open_thread", "Go to thread", thread), ("open_session", "Open in Devin", one.url.as_str())];
    let buttons: Vec<Value> = places.into_iter().filter(|(_, _, url)| is_web(url)).map(button).collect();
    let actions = (!buttons.is_empty()).then(|| json!({ "type": "actions", "elements": buttons }));
    [words].into_iter().chain(actions).collect()
}

fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": text, "verbatim": true }] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{phase::State, status::Status};

    #[test]
    fn however_many_sessions_there_are_the_tab_has_room_and_counts_the_rest() {
        let one = Mine {
            session: "0f3a".parse().unwrap(),
            title: "Fix the <!channel> login".to_owned(),
            url: "https://app.devin.ai/sessions/0f3a".to_owned(),
            state: State::new(Status::Running, None),
            thread: None,
            permalink: None,
            organisation: Some("research".to_owned()),
            updated_at: 0,
        };
        let mine: Vec<Mine> = std::iter::repeat_n(one, 200).collect();
        let refused = Identity {
            organisation: "research".to_owned(),
            channels: vec!["C1".parse().unwrap()],
            is: Standing::Refused { why: crate::domain::standing::Refusal::NoAccount },
        };
        let runs_as = RunsAs(vec![refused.clone(), refused]);
        let view = home(&Home::Linked { runs_as: &runs_as, mine: &mine }, Timestamp::UNIX_EPOCH);
        let blocks = view["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 100, "{} blocks", blocks.len());
        let text = view.to_string();
        assert!(text.contains("and 160 more in Devin") && !text.contains("<!channel>"), "{text}");
    }
}
