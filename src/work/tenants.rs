//! The handles of each workspace and Devin organisation: whoever handles a mailbox gets those of its own, and has no way
//! to any other's.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

use super::{organisations::Organisation, task::Deps};
use crate::{
    devin::Devin,
    domain::{ids::TeamId, mailbox::Mailbox, routing::Routing},
    slack::{Slack, wire},
    store::{Bell, Leased, StoreError},
    tenancy::Installations,
};

/// An organisation beside the one for all.
#[derive(Debug, Clone)]
pub struct Other {
    /// Devin as that organisation.
    pub devin: Devin,
    /// Rung when something was sent to it.
    pub nudge: Bell,
}

/// Makes a client for a workspace.
pub type SlackOf = Box<dyn Fn(&TeamId) -> Slack + Send + Sync>;

/// The handles of all.
pub struct Tenants {
    base: Arc<Deps>,
    /// By the names of the organisations; the one for all is in `base`.
    others: BTreeMap<String, Other>,
    routing: Arc<Routing>,
    /// Where workspaces install; otherwise there is one, and `base` speaks there.
    installed: Option<(Arc<Installations>, SlackOf)>,
    made: Mutex<HashMap<Tenant, Arc<Deps>>>,
    /// Workspaces whose organisation at Slack is known.
    placed: Mutex<HashMap<TeamId, TeamId>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Tenant {
    team: Option<TeamId>,
    organisation: Option<String>,
}

impl std::fmt::Debug for Tenants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tenants").field("routing", &self.routing).finish_non_exhaustive()
    }
}

impl Tenants {
    /// One workspace with `base`'s client, or those that `installed` knows; and the organisations beside `base`'s.
    pub fn new(
        base: Arc<Deps>,
        others: BTreeMap<String, Other>,
        routing: Arc<Routing>,
        installed: Option<(Arc<Installations>, SlackOf)>,
    ) -> Self {
        Self { base, others, routing, installed, made: Mutex::default(), placed: Mutex::default() }
    }

    /// What all have in common.
    pub(super) fn base(&self) -> &Arc<Deps> {
        &self.base
    }

    /// The handles for a mailbox.
    pub(super) fn of(&self, mailbox: &Mailbox) -> Arc<Deps> {
        let organisation = self.routing.of(mailbox).filter(|name| self.others.contains_key(*name));
        let many = self.installed.is_some() || !self.others.is_empty();
        let team = many.then(|| mailbox.team().clone());
        if team.is_none() && organisation.is_none() {
            return self.base.clone();
        }
        let tenant = Tenant { team, organisation: organisation.map(str::to_owned) };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry(tenant).or_insert_with_key(|tenant| Arc::new(self.make(tenant))).clone()
    }

    /// The client for a workspace.
    pub(super) fn slack(&self, team: &TeamId) -> Slack {
        self.of(&Mailbox::Workspace { team: team.clone() }).slack.clone()
    }

    fn make(&self, tenant: &Tenant) -> Deps {
        let other = tenant.organisation.as_ref().and_then(|name| self.others.get(name)).cloned();
        let Other { devin, nudge } =
            other.unwrap_or_else(|| Other { devin: self.base.devin.clone(), nudge: self.base.nudge.clone() });
        let installed = self.installed.as_ref().zip(tenant.team.as_ref());
        let slack = installed.map_or_else(|| self.base.slack.clone(), |((_, slack_of), team)| slack_of(team));
        let people = self.base.people.with(slack.clone(), devin.clone(), tenant.organisation.as_deref());
        let organisations = tenant.team.as_ref().map(|team| self.organisations(team, &slack)).unwrap_or_default();
        let base = Deps::clone(&self.base);
        Deps { slack, devin, people, nudge, organisations, me: OnceCell::new(), ..base }
    }

    /// A workspace's own organisation, and those that have channels.
    fn organisations(&self, team: &TeamId, slack: &Slack) -> Arc<[Organisation]> {
        if self.others.is_empty() {
            return Arc::default();
        }
        let own = self.routing.workspaces.get(team).filter(|name| self.others.contains_key(*name));
        let others = self.others.keys().filter(|name| Some(*name) != own).map(Some);
        let made = [own].into_iter().chain(others).filter_map(|name| {
            let channels = self.routing.channels.iter().filter(|(_, of)| Some(*of) == name);
            let channels: Vec<_> = channels.map(|(channel, _)| channel.clone()).collect();
            if name != own && channels.is_empty() {
                return None;
            }
            let other = name.and_then(|name| self.others.get(name));
            let devin = other.map_or_else(|| self.base.devin.clone(), |other| other.devin.clone());
            let people = self.base.people.with(slack.clone(), devin.clone(), name.map(String::as_str));
            Some(Organisation { name: name.cloned(), channels, devin, people })
        });
        made.collect()
    }

    /// Whether anything may be done for a mailbox: not where its workspace is not invited (any more). What ends an
    /// installation is always heard.
    pub(super) async fn admits(&self, mailbox: &Mailbox) -> Result<bool, StoreError> {
        match (&self.installed, mailbox) {
            (Some((installations, _)), Mailbox::Thread(_) | Mailbox::Person { .. }) => {
                installations.admits(mailbox.team()).await
            }
            (Some(_), Mailbox::Workspace { .. }) | (None, _) => Ok(true),
        }
    }

    /// Notices what a turn's input says of its workspace: that it is of an organisation at Slack which installed us for all
    /// of its workspaces.
    pub(super) async fn notice(&self, leased: &Leased) -> Result<(), StoreError> {
        let (Some((installations, _)), Some(input)) = (&self.installed, &leased.input) else { return Ok(()) };
        let team = leased.lease.mailbox.team();
        let Some(enterprise) = wire::enterprise_install(input.body.bytes()).filter(|enterprise| enterprise != team)
        else {
            return Ok(());
        };
        let known = self.placed.lock().unwrap_or_else(PoisonError::into_inner).get(team).cloned();
        if known.as_ref() != Some(&enterprise) {
            installations.note_enterprise(team, &enterprise).await?;
            self.placed.lock().unwrap_or_else(PoisonError::into_inner).insert(team.clone(), enterprise);
        }
        Ok(())
    }
}
