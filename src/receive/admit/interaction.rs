//! Buttons, shortcuts and modals: what somebody pressed belongs to the thread that it is about, or else to the person.

use super::Decision;
use crate::{
    domain::{
        ids::UserId,
        mailbox::{Mailbox, ThreadKey},
        press,
    },
    receive::form,
    slack::wire::interaction::{
        Actor, BlockActions, Interaction, MessageAction, SEND_TO_SESSION, START_DEVIN, START_HERE, Shortcut, ViewEvent,
    },
    store::Admit,
};

/// Decides about an interaction.
pub(crate) fn interaction(body: &[u8]) -> Decision {
    if form::field(body, "ssl_check").as_deref() == Some("1") {
        return Decision::Ignore("ssl_check");
    }
    match Interaction::from_form(body) {
        Ok(Interaction::MessageAction(action)) if [START_HERE, SEND_TO_SESSION].contains(&&*action.callback_id) => {
            on_message(*action)
        }
        Ok(Interaction::Shortcut(shortcut)) if shortcut.callback_id == START_DEVIN => global(shortcut),
        Ok(Interaction::MessageAction(_) | Interaction::Shortcut(_)) => Decision::Ignore("shortcut"),
        Ok(Interaction::BlockActions(actions)) => pressed(*actions),
        Ok(Interaction::ViewSubmission(view)) => submitted(*view),
        Ok(Interaction::ViewClosed(_) | Interaction::BlockSuggestion(_)) => Decision::Ignore("view"),
        Ok(Interaction::Other { .. }) => Decision::Ignore("interaction_type"),
        Err(error) => Decision::Malformed(error.to_string()),
    }
}

fn on_message(action: MessageAction) -> Decision {
    let root = action.message.thread_ts.unwrap_or(action.message.ts);
    let thread = ThreadKey { team: action.actor.team, channel: action.channel, root };
    let seen = action.trigger_id.iter().map(|id| format!("action:{id}")).collect();
    Decision::Offer { mailbox: Mailbox::Thread(thread), seen, admit: Admit::Always }
}

fn global(shortcut: Shortcut) -> Decision {
    let seen = shortcut.trigger_id.iter().map(|id| format!("action:{id}")).collect();
    Decision::Offer { mailbox: person(shortcut.actor), seen, admit: Admit::Always }
}

/// A button or select. One without a value is a link, which the person's own client follows.
fn pressed(actions: BlockActions) -> Decision {
    let Some(action) = actions.actions.into_iter().next() else { return Decision::Ignore("no_action") };
    let value = action.value.or(action.selected_option.map(|option| option.value));
    let Some(value) = value else { return Decision::Ignore("link_button") };
    let seen = actions.trigger_id.iter().map(|id| format!("press:{id}")).collect();
    let mailbox = match (press::split(&value), actions.container.channel) {
        (Some((root, _)), Some(channel)) => Mailbox::Thread(ThreadKey { team: actions.actor.team, channel, root }),
        (Some(_) | None, _) => person(actions.actor),
    };
    Decision::Offer { mailbox, seen, admit: Admit::Always }
}

/// A modal that was sent. The same one is not sent twice.
fn submitted(event: ViewEvent) -> Decision {
    let seen = vec![format!("view:{}", event.view.id)];
    Decision::Offer { mailbox: person(event.actor), seen, admit: Admit::Always }
}

fn person(actor: Actor) -> Mailbox {
    let Actor { team, user, .. }: Actor = actor;
    let user: UserId = user;
    Mailbox::Person { team, user }
}
