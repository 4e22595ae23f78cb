//! Which Devin organisation a mailbox belongs to: its channel's, else its workspace's, else the one that is configured for
//! all.

use std::collections::BTreeMap;

use super::{
    ids::{ChannelId, TeamId},
    mailbox::Mailbox,
};

/// The organisations by the names that the configuration gives them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routing {
    /// Of whole workspaces.
    pub workspaces: BTreeMap<TeamId, String>,
    /// Of single channels.
    pub channels: BTreeMap<ChannelId, String>,
}

impl Routing {
    /// The organisation's name; `None`: the one for all.
    pub fn of(&self, mailbox: &Mailbox) -> Option<&str> {
        let (team, channel) = match mailbox {
            Mailbox::Thread(thread) => (&thread.team, Some(&thread.channel)),
            Mailbox::Person { team, .. } | Mailbox::Workspace { team } => (team, None),
        };
        let of_channel = channel.and_then(|channel| self.channels.get(channel));
        of_channel.or_else(|| self.workspaces.get(team)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channels_organisation_goes_before_its_workspaces() {
        let routing = Routing {
            workspaces: [("T1".parse().unwrap(), "one".to_owned())].into(),
            channels: [("C2".parse().unwrap(), "two".to_owned())].into(),
        };
        let of = |mailbox: &str| routing.of(&mailbox.parse().unwrap()).map(str::to_owned);
        assert_eq!(of("thread:T1/C2/1.000001").as_deref(), Some("two"));
        assert_eq!(of("thread:T1/C1/1.000001").as_deref(), Some("one"));
        assert_eq!(of("person:T1/U1").as_deref(), Some("one"));
        assert_eq!(of("thread:T9/C9/1.000001"), None);
    }
}
