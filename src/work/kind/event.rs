//! Events as kinds of input.

use jiff::Timestamp;

use super::{Edited, HomeOpened, Kind, Reacted, Speech, thread};
use crate::{
    domain::mailbox::Mailbox,
    slack::{
        text,
        wire::event::{Event, EventEnvelope, MessageEvent},
    },
};

pub(super) fn read(mailbox: &Mailbox, body: &[u8]) -> Result<Kind, String> {
    let EventEnvelope { event, authorization, is_ext_shared_channel, enterprise_id, event_time, .. } =
        EventEnvelope::parse(body).map_err(|e| e.to_string())?;
    let bot = authorization.filter(|a| a.is_bot).and_then(|a| a.user_id);
    // Outside a shared channel everybody is of the house; on Enterprise Grid only the profile tells.
    let may_be_outside = is_ext_shared_channel && enterprise_id.is_none();
    match event {
        // Mentions often come without the message's files, so that an empty list says nothing.
        Event::Mention(event) => {
            let files = Some(event.message.files.clone()).filter(|files| !files.is_empty());
            speech(mailbox, *event, may_be_outside).map(|s| Kind::Speech(Speech { addressed: true, files, ..s }))
        }
        Event::Message(event) => {
            let mentions_us = bot.is_some_and(|bot| text::mentions(&event.message.text, &bot));
            let direct = event.channel.is_direct() || event.channel_type.as_deref() == Some("im");
            let addressed = mentions_us || direct;
            speech(mailbox, *event, may_be_outside).map(|s| Kind::Speech(Speech { addressed, ..s }))
        }
        Event::UserChanged(change) => match mailbox {
            Mailbox::Person { team, user } if *user == change.id => {
                Ok(Kind::ProfileChanged { team: team.clone(), user: user.clone() })
            }
            Mailbox::Person { .. } | Mailbox::Thread(_) | Mailbox::Workspace { .. } => {
                Err("a profile in somebody else's mailbox".to_owned())
            }
        },
        Event::MessageChanged { now, before } => {
            let mentions_us = bot.is_some_and(|bot| text::mentions(&now.message.text, &bot));
            let addressed = mentions_us || now.channel.is_direct();
            let before = before.map(|message| message.text);
            speech(mailbox, *now, may_be_outside)
                .map(|s| Kind::Edited(Edited { now: Speech { addressed, edited: true, ..s }, before }))
        }
        Event::MessageDeleted { deleted, .. } => Ok(Kind::Deleted { ts: deleted }),
        Event::AgentStopped { user, .. } => Ok(Kind::Stopped { user }),
        Event::HomeOpened { user, channel, tab } => {
            let team = mailbox.team().clone();
            Ok(Kind::HomeOpened(HomeOpened { team, user, channel, messages: tab.as_deref() == Some("messages") }))
        }
        Event::Reaction { user, name, channel, ts, added } => {
            let team = mailbox.team().clone();
            Ok(Kind::Reacted(Reacted { team, user, channel, ts, name, added }))
        }
        Event::Uninstalled => Ok(ended(mailbox, "app_uninstalled", event_time)),
        Event::TokensRevoked { bots } if bots.is_empty() => Ok(Kind::Nothing),
        Event::TokensRevoked { .. } => Ok(ended(mailbox, "tokens_revoked", event_time)),
        Event::MemberJoined { .. } | Event::ChannelIdChanged { .. } | Event::Other { .. } => {
            Err("an event without a handler".to_owned())
        }
    }
}

/// The mailbox is the installation's own. A time that Slack did not give is now: it happened before.
fn ended(mailbox: &Mailbox, why: &'static str, event_time: Option<i64>) -> Kind {
    let at = event_time.and_then(|second| Timestamp::from_second(second.saturating_add(1)).ok());
    Kind::Ended { team: mailbox.team().clone(), why, at: at.unwrap_or(Timestamp::MAX) }
}

fn speech(mailbox: &Mailbox, event: MessageEvent, may_be_outside: bool) -> Result<Speech, String> {
    let message = event.message;
    let thread = thread(mailbox)?;
    let home = message.user_team.or(message.source_team).or(message.team);
    Ok(Speech {
        from_outside: may_be_outside && home.is_some_and(|home| home != thread.team),
        thread,
        user: message.user.ok_or("a message without an author")?,
        ts: message.ts,
        text: message.text,
        addressed: false,
        response_url: None,
        files: Some(message.files),
        edited: message.edited.is_some(),
    })
}
