//! Modals: the form that starts a session, the one that sends a message into a session, and what stands in them until
//! they are filled.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Mine, Said};
use crate::{
    domain::{ids::ChannelId, words::Mode},
    slack::{
        brief::{NEW_SESSION, Part, VALUE},
        text,
        trigger::Surface,
    },
};

/// The `callback_id` of the modal that sends a message into a session.
pub const SEND_TO_SESSION: &str = "send_to_session";
/// The `action_id` of the button that shows the rest of the form.
pub const MORE_OPTIONS: &str = "more_options";
/// The block in which a session is chosen.
pub const SESSION_BLOCK: &str = "session";
/// The block with words to go with the message.
pub const NOTE_BLOCK: &str = "note";

/// Most options of a select. <https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element>
const MAX_OPTIONS: usize = 100;
/// Longest text of an option, in characters.
const MAX_OPTION_CHARS: usize = 75;
/// Longest value of an option, in characters.
const MAX_OPTION_VALUE_CHARS: usize = 150;
/// Longest text of a field, in characters.
const MAX_INPUT_CHARS: usize = 3_000;
/// Longest text of a section, in characters.
const MAX_SECTION_CHARS: usize = 3_000;

/// What the form shows.
#[derive(Debug, Clone)]
pub struct NewSession<'a> {
    /// The name under which it is found again.
    pub external_id: &'a str,
    /// What comes back with it.
    pub private_metadata: &'a str,
    /// As whom the session will run.
    pub runs_as: &'a str,
    /// The channel that is chosen at first.
    pub channel: Option<&'a ChannelId>,
    /// Playbooks to choose from, `None` when they can't be listed.
    pub playbooks: Option<&'a [Choice]>,
    /// Whether the rest of the form shows.
    pub more: bool,
    /// The channel that was chosen, when I am not in it.
    pub not_inside: Option<&'a ChannelId>,
}

/// Something to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What stands there.
    pub text: String,
    /// What is meant.
    pub value: String,
}

/// A modal that is opened at once, to be filled in a moment.
pub fn loading(surface: Surface, external_id: &str) -> Value {
    let title = match surface {
        Surface::NewSession => NEW_TITLE,
        Surface::SendToSession => SEND_TITLE,
    };
    told(title, external_id, &Said::text(":hourglass_flowing_sand: One moment…".to_owned()))
}

const NEW_TITLE: &str = "Start a Devin session";
const SEND_TITLE: &str = "Send to a session";

/// A modal that says something and asks nothing.
pub fn notice_view(surface: Surface, external_id: &str, said: &Said) -> Value {
    let title = match surface {
        Surface::NewSession => NEW_TITLE,
        Surface::SendToSession => SEND_TITLE,
    };
    told(title, external_id, said)
}

fn told(title: &str, external_id: &str, said: &Said) -> Value {
    json!({
        "type": "modal", "title": plain(title), "close": plain("Close"), "external_id": external_id,
        "blocks": [section(&said.text)],
    })
}

/// The form that starts a session.
pub fn new_session(form: &NewSession<'_>) -> Value {
    let mut blocks = vec![
        input(
            Part::Task,
            "What shall Devin do?",
            false,
            &text_field(Some("Fix the flaky login test and open a pull request")),
            Some("Options work here too, such as repo=owner/name, mode=fast or playbook=name."),
        ),
        input(Part::Repos, "Repositories", true, &line("owner/name, owner/other"), None),
        channel(form.channel),
    ];
    if let Some(channel) = form.not_inside {
        blocks.push(section(&format!(
            ":warning: I am not in <#{channel}>, so I can't report there. Write `/invite @bobbin` there first, or choose \
             another channel."
        )));
    }
    blocks.extend(form.playbooks.and_then(playbooks));
    blocks.push(input(Part::Mode, "Mode", true, &select("Devin's usual way", modes()), None));
    blocks.push(input(
        Part::Acu,
        "ACU limit",
        true,
        &line("for example 10"),
        Some("The session is suspended when it has used so much."),
    ));
    if form.more {
        blocks.extend(rest());
    } else {
        blocks.push(json!({ "type": "actions", "block_id": "more", "elements": [{
            "type": "button", "action_id": MORE_OPTIONS, "value": MORE_OPTIONS, "text": plain("More options"),
        }]}));
    }
    let footer = format!(
        "Runs as *{}*. I post in the channel that you asked; everybody there can follow.",
        escaped(form.runs_as)
    );
    blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": footer, "verbatim": true }] }));
    json!({
        "type": "modal", "callback_id": NEW_SESSION, "external_id": form.external_id,
        "private_metadata": form.private_metadata,
        "title": plain(NEW_TITLE), "submit": plain("Start"), "close": plain("Cancel"), "blocks": blocks,
    })
}

/// The part of the form that few people need.
fn rest() -> Vec<Value> {
    vec![
        input(Part::Title, "Title", true, &line("made from the task"), None),
        input(Part::Tags, "Tags", true, &line("login, flaky"), None),
        input(Part::Platform, "Machine", true, &line("for example windows"), None),
        input(Part::Knowledge, "Knowledge notes", true, &line("ids, or none"), None),
        input(
            Part::Secrets,
            "Secrets for this session",
            true,
            &json!({
                "type": "plain_text_input", "action_id": VALUE, "multiline": true, "max_length": MAX_INPUT_CHARS,
                "placeholder": plain("KEY=value, one on each line"),
            }),
            Some("Sealed at once, given to this session alone, and forgotten as soon as Devin has them."),
        ),
    ]
}

/// The modal in which somebody chooses the session that a message goes into.
pub fn send_to_session(external_id: &str, private_metadata: &str, excerpt: &str, open: &[Mine]) -> Value {
    let choices = open.iter().take(MAX_OPTIONS).filter_map(|one| {
        let value = one.thread.as_ref()?.tag();
        Some(Choice { text: format!("{} · {}", without_emoji(&one.status()), one.name()), value })
    });
    let quoted: Vec<String> = escaped(excerpt).lines().map(|line| format!("> {line}")).collect();
    let message = if quoted.is_empty() { ":paperclip: A message without words".to_owned() } else { quoted.join("\n") };
    let mut blocks = vec![
        section(&message),
        block(SESSION_BLOCK, "Which session?", false, &select("Choose a session", choices.collect()), None),
        block(NOTE_BLOCK, "Words to go with it", true, &text_field(None), None),
    ];
    if open.len() > MAX_OPTIONS {
        blocks.push(section(&format!("Your {MAX_OPTIONS} newest ones are listed.")));
    }
    json!({
        "type": "modal", "callback_id": SEND_TO_SESSION, "external_id": external_id,
        "private_metadata": private_metadata,
        "title": plain(SEND_TITLE), "submit": plain("Send"), "close": plain("Cancel"), "blocks": blocks,
    })
}

fn text_field(placeholder: Option<&str>) -> Value {
    let mut field = json!({
        "type": "plain_text_input", "action_id": VALUE, "multiline": true, "max_length": MAX_INPUT_CHARS,
    });
    if let Value::Object(fields) = &mut field {
        fields.extend(placeholder.map(|text| ("placeholder".to_owned(), plain(text))));
    }
    field
}

fn channel(chosen: Option<&ChannelId>) -> Value {
    let mut element = json!({
        "type": "conversations_select", "action_id": VALUE, "placeholder": plain("Choose a channel"),
        "filter": { "include": ["public", "private"], "exclude_bot_users": true },
    });
    if let Value::Object(fields) = &mut element {
        match chosen.filter(|channel| !channel.is_direct()) {
            Some(channel) => fields.insert("initial_conversation".to_owned(), json!(channel)),
            None => fields.insert("default_to_current_conversation".to_owned(), json!(true)),
        };
    }
    let mut block = input(Part::Channel, "Where shall I report?", false, &element, None);
    if let Value::Object(fields) = &mut block {
        // I look whether I am there as soon as it is chosen.
        fields.insert("dispatch_action".to_owned(), json!(true));
    }
    block
}

fn playbooks(known: &[Choice]) -> Option<Value> {
    let fits = |choice: &&Choice| choice.value.chars().count() <= MAX_OPTION_VALUE_CHARS;
    let choices: Vec<Choice> = known.iter().filter(fits).take(MAX_OPTIONS).cloned().collect();
    let hint = (known.len() > choices.len()).then_some("There are more: write playbook=name in the task for those.");
    (!choices.is_empty()).then(|| input(Part::Playbook, "Playbook", true, &select("None", choices), hint))
}

fn modes() -> Vec<Choice> {
    let choice =
        |mode: &Mode| Choice { text: format!("{}: {}", mode.name(), mode.help()), value: mode.name().to_owned() };
    Mode::ALL.iter().map(choice).collect()
}

fn select(placeholder: &str, choices: Vec<Choice>) -> Value {
    let option = |choice: Choice| json!({ "text": plain(&short(&choice.text)), "value": choice.value });
    let options: Vec<Value> = choices.into_iter().map(option).collect();
    json!({ "type": "static_select", "action_id": VALUE, "placeholder": plain(placeholder), "options": options })
}

fn line(placeholder: &str) -> Value {
    json!({
        "type": "plain_text_input", "action_id": VALUE, "max_length": MAX_INPUT_CHARS, "placeholder": plain(placeholder),
    })
}

fn input(part: Part, label: &str, optional: bool, element: &Value, hint: Option<&str>) -> Value {
    block(part.block_id(), label, optional, element, hint)
}

fn block(block_id: &str, label: &str, optional: bool, element: &Value, hint: Option<&str>) -> Value {
    let mut block = json!({
        "type": "input", "block_id": block_id, "label": plain(label), "optional": optional, "element": element,
    });
    if let Value::Object(fields) = &mut block {
        fields.extend(hint.map(|hint| ("hint".to_owned(), plain(hint))));
    }
    block
}

pub(super) fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

pub(super) fn section(text: &str) -> Value {
    let text: String = text.chars().take(MAX_SECTION_CHARS).collect();
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } })
}

/// What was chosen or typed in a block.
pub fn chosen_in(values: &serde_json::Map<String, Value>, block_id: &str) -> String {
    let element = values.get(block_id).and_then(|block| block.get(VALUE));
    let text = |pointer: &str| element.and_then(|e| e.pointer(pointer)).and_then(Value::as_str);
    text("/value").or_else(|| text("/selected_option/value")).unwrap_or_default().trim().to_owned()
}

fn escaped(words: &str) -> String {
    text::escape(words)
}

/// What fits into an option.
fn short(text: &str) -> String {
    if text.chars().count() <= MAX_OPTION_CHARS {
        return text.to_owned();
    }
    text.chars().take(MAX_OPTION_CHARS - 1).chain(['…']).collect()
}

/// A state without its emoji: options show none.
fn without_emoji(status: &str) -> &str {
    status.strip_prefix(':').and_then(|rest| rest.split_once(": ")).map_or(status, |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(playbooks: &[Choice]) -> Value {
        new_session(&NewSession {
            external_id: "input-1",
            private_metadata: "{}",
            runs_as: "Ada *Lovelace* <!here>",
            channel: None,
            playbooks: Some(playbooks),
            more: false,
            not_inside: None,
        })
    }

    fn block<'a>(view: &'a Value, block_id: &str) -> Option<&'a Value> {
        view["blocks"].as_array().unwrap().iter().find(|block| block["block_id"] == block_id)
    }

    #[test]
    fn more_playbooks_than_a_select_takes_are_pointed_to() {
        let many: Vec<Choice> = (0..150)
            .map(|n| Choice { text: format!("{n} {}", "long ".repeat(40)), value: format!("playbook-{n}") })
            .collect();
        let view = form(&many);
        let select = block(&view, "playbook").unwrap();
        let options = select["element"]["options"].as_array().unwrap();
        assert_eq!(options.len(), MAX_OPTIONS);
        assert!(options.iter().all(|one| one["text"]["text"].as_str().unwrap().chars().count() <= MAX_OPTION_CHARS));
        assert!(select["hint"]["text"].as_str().unwrap().contains("write playbook=name in the task"));
        assert!(block(&form(&[]), "playbook").is_none(), "a select without options is refused");
    }

    #[test]
    fn a_name_in_the_form_cannot_ping() {
        assert!(form(&[]).to_string().contains("&lt;!here&gt;"));
    }

    #[test]
    fn a_message_without_words_can_be_handed_over() {
        let view = send_to_session("input-1", "{}", "", &[]);
        assert_eq!(view["blocks"][0]["text"]["text"], ":paperclip: A message without words");
    }
}
