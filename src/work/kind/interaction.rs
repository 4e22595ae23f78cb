//! Interactions as kinds of input.

use super::{Kind, Pressed, Speech, thread};
use crate::{
    domain::mailbox::Mailbox,
    slack::wire::interaction::{BlockActions, Interaction, MessageAction, SEND_TO_SESSION},
};

pub(super) fn read(mailbox: &Mailbox, body: &[u8]) -> Result<Kind, String> {
    match Interaction::from_form(body).map_err(|e| e.to_string())? {
        Interaction::MessageAction(action) if action.callback_id == SEND_TO_SESSION => Ok(Kind::SendToSession(action)),
        Interaction::MessageAction(action) => shortcut(mailbox, *action).map(Kind::Speech),
        Interaction::BlockActions(actions) => pressed(*actions).map(Box::new).map(Kind::Pressed),
        Interaction::Shortcut(shortcut) => Ok(Kind::Shortcut(shortcut)),
        Interaction::ViewSubmission(event) => Ok(Kind::Submitted(event)),
        Interaction::ViewClosed(_) | Interaction::BlockSuggestion(_) | Interaction::Other { .. } => {
            Err("an interaction without a handler".to_owned())
        }
    }
}

/// The shortcut on a message asks for what the message says, as the person who used the shortcut.
fn shortcut(mailbox: &Mailbox, action: MessageAction) -> Result<Speech, String> {
    Ok(Speech {
        thread: thread(mailbox)?,
        user: action.actor.user,
        ts: action.message.ts,
        text: action.message.text,
        addressed: true,
        response_url: action.response_url,
        files: Some(action.message.files),
        edited: false,
        from_outside: false,
    })
}

fn pressed(actions: BlockActions) -> Result<Pressed, String> {
    let action = actions.actions.into_iter().next().ok_or("a press without an action")?;
    let value = action.chosen().ok_or("a press without a value")?.to_owned();
    Ok(Pressed {
        actor: actions.actor,
        action_id: action.action_id,
        block_id: action.block_id,
        value,
        container: actions.container,
        view: actions.view,
        trigger_id: actions.trigger_id,
        response_url: actions.response_url,
    })
}
