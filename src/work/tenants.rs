//! The handles of each workspace and Devin organisation: whoever handles a mailbox gets those of its own, and has no way
//! to any other's.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

use super::task::Deps;
use crate::{
    devin::Devin,
    domain::{ids::TeamId, mailbox::Mailbox, routing::Routing},
    slack::{Slack, wire},
    store::{Leased, StoreError},
    tenancy::Installations,
};

/// Makes a client for a workspace.
pub type SlackOf = Box<dyn Fn(&TeamId) -> Slack + Send + Sync>;

/// The handles of all.
pub struct Tenants {
    base: Arc<Deps>,
    /// By the names of the organisations; the one for all is in `base`.
    devins: BTreeMap<String, Devin>,
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
        devins: BTreeMap<String, Devin>,
        routing: Arc<Routing>,
        installed: Option<(Arc<Installations>, SlackOf)>,
    ) -> Self {
        Self { base, devins, routing, installed, made: Mutex::default(), placed: Mutex::default() }
    }

    /// What all have in common.
    pub(super) fn base(&self) -> &Arc<Deps> {
        &self.base
    }

    /// The handles for a mailbox.
    pub(super) fn of(&self, mailbox: &Mailbox) -> Arc<Deps> {
        let organisation = self.routing.of(mailbox).filter(|name| self.devins.contains_key(*name));
        let team = self.installed.as_ref().map(|_| mailbox.team().clone());
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
        let own = tenant.organisation.as_ref().and_then(|name| self.devins.get(name));
        let devin = own.unwrap_or(&self.base.devin).clone();
        let installed = self.installed.as_ref().zip(tenant.team.as_ref());
        let slack = installed.map_or_else(|| self.base.slack.clone(), |((_, slack_of), team)| slack_of(team));
        let people = self.base.people.with(slack.clone(), devin.clone(), tenant.organisation.as_deref());
        let base = Deps::clone(&self.base);
        Deps { slack, devin, people, me: OnceCell::new(), ..base }
    }

    /// Notices what a turn's input says of its workspace: the organisation at Slack that it belongs to, which may have
    /// installed us for all of its workspaces.
    pub(super) async fn notice(&self, leased: &Leased) -> Result<(), StoreError> {
        let (Some((installations, _)), Some(input)) = (&self.installed, &leased.input) else { return Ok(()) };
        let team = leased.lease.mailbox.team();
        let Some(enterprise) = wire::enterprise(input.body.bytes()).filter(|enterprise| enterprise != team) else {
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
