//! Buttons, shortcuts and modals: what somebody pressed belongs to the thread that it is about, or else to the person.

use super::{Decided, Decision, submission};
use crate::{
    domain::{
        mailbox::{Mailbox, ThreadKey},
        press,
    },
    receive::form,
    slack::{
        brief::{Filled, NEW_SESSION},
        trigger::Surface,
        wire::interaction::{
            Actor, BlockActions, Interaction, MessageAction, SEND_TO_SESSION, START_DEVIN, START_HERE, START_SESSION,
            Shortcut, ViewEvent,
        },
    },
    store::{Admit, seal::Seal},
};

/// Decides about an interaction.
pub(crate) fn interaction(seal: &Seal, body: &[u8]) -> Decided {
    if form::field(body, "ssl_check").as_deref() == Some("1") {
        return Decision::Ignore("ssl_check").into();
    }
    match Interaction::from_form(body) {
        Ok(Interaction::MessageAction(action)) if [START_HERE, SEND_TO_SESSION].contains(&&*action.callback_id) => {
            on_message(*action)
        }
        Ok(Interaction::Shortcut(shortcut)) if shortcut.callback_id == START_DEVIN => global(shortcut),
        Ok(Interaction::MessageAction(_) | Interaction::Shortcut(_)) => Decision::Ignore("shortcut").into(),
        Ok(Interaction::BlockActions(actions)) => {
            let in_view = actions.view.is_some();
            let decided = pressed(*actions);
            if in_view { Decided { instead: submission::without_secrets(body), ..decided } } else { decided }
        }
        Ok(Interaction::ViewSubmission(view)) => submitted(seal, *view, body),
        // Nothing waits for a modal that was dismissed, and none of our selects asks for its options.
        Ok(Interaction::ViewClosed(_) | Interaction::BlockSuggestion(_)) => Decision::Ignore("view").into(),
        Ok(Interaction::Other { .. }) => Decision::Ignore("interaction_type").into(),
        Err(error) => {
            Decided { instead: submission::unreadable(body), ..Decision::Malformed(error.to_string()).into() }
        }
    }
}

fn on_message(action: MessageAction) -> Decided {
    let root = action.message.thread_ts.unwrap_or(action.message.ts);
    let thread = ThreadKey { team: action.actor.team, channel: action.channel, root };
    let seen = action.trigger_id.iter().map(|id| format!("action:{id}")).collect();
    let opens = action.trigger_id.filter(|_| action.callback_id == SEND_TO_SESSION);
    Decided {
        opens: opens.map(|trigger| (trigger, Surface::SendToSession)),
        ..Decision::Offer { mailbox: Mailbox::Thread(thread), seen, admit: Admit::Always }.into()
    }
}

fn global(shortcut: Shortcut) -> Decided {
    let seen = shortcut.trigger_id.iter().map(|id| format!("action:{id}")).collect();
    Decided {
        opens: shortcut.trigger_id.map(|trigger| (trigger, Surface::NewSession)),
        ..Decision::Offer { mailbox: person(shortcut.actor), seen, admit: Admit::Always }.into()
    }
}

/// A button or select. One without a value is a link, which the person's own client follows.
fn pressed(actions: BlockActions) -> Decided {
    let Some(action) = actions.actions.into_iter().next() else { return Decision::Ignore("no_action").into() };
    let Some(value) = action.chosen() else { return Decision::Ignore("link_button").into() };
    let seen = actions.trigger_id.iter().map(|id| format!("press:{id}")).collect();
    let mailbox = match (press::split(value), actions.container.channel) {
        (Some((root, _)), Some(channel)) => Mailbox::Thread(ThreadKey { team: actions.actor.team, channel, root }),
        (Some(_) | None, _) => person(actions.actor),
    };
    let opens = actions.trigger_id.filter(|_| action.action_id == START_SESSION);
    Decided {
        opens: opens.map(|trigger| (trigger, Surface::NewSession)),
        ..Decision::Offer { mailbox, seen, admit: Admit::Always }.into()
    }
}

/// A modal that was sent. The same one is not sent twice.
fn submitted(seal: &Seal, event: ViewEvent, body: &[u8]) -> Decided {
    let seen = vec![format!("view:{}", event.view.id)];
    let mut instead = None;
    if event.view.callback_id == NEW_SESSION {
        if let Some(errors) = submission::wrong(&Filled::new(event.view.state.values)) {
            return Decision::Answer("form_errors", errors).into();
        }
        instead = submission::sealed(seal, &event.actor.team, &event.actor.user, body);
    }
    let offer = Decision::Offer { mailbox: person(event.actor), seen, admit: Admit::Always };
    Decided { instead, ..offer.into() }
}

fn person(actor: Actor) -> Mailbox {
    Mailbox::Person { team: actor.team, user: actor.user }
}
