//! Several Devin organisations: each with a key of its own, and which workspaces and channels belong to which.

use std::collections::BTreeMap;

use secrecy::SecretString;
use toml::{Table, Value};

use super::{Source, rules::choice};
use crate::domain::{
    ids::{ChannelId, OrgId, TeamId},
    routing::Routing,
};

/// An organisation beside the one for all.
#[derive(Debug, Clone)]
pub struct Organisation {
    /// What the configuration calls it.
    pub name: String,
    /// Its id.
    pub id: OrgId,
    /// Key of a service user there.
    pub key: SecretString,
}

/// Names an organisation in the tables of channels and workspaces.
pub(super) const KEY: &str = "organisation";

/// What the file says of tenants.
#[derive(Debug, Default)]
pub(super) struct Tenancy {
    /// Organisations beside the one for all.
    pub(super) organisations: Vec<Organisation>,
    /// Which workspaces and channels belong to them.
    pub(super) routing: Routing,
    /// Workspaces that have a table.
    pub(super) workspaces: Vec<TeamId>,
}

impl Tenancy {
    /// Reads `[organisations.…]`, `[workspaces.…]`, and what the tables of channels say of organisations.
    pub(super) fn read(source: &mut Source) -> Self {
        let tables = source.tenancy_tables();
        let organisations = organisations(source, tables.organisations);
        let names: Vec<String> = organisations.iter().map(|one| one.name.clone()).collect();
        let (workspaces, of) = workspaces(source, tables.workspaces, &names);
        let channels = of_channels(source, tables.channels, &names);
        Self { organisations, routing: Routing { workspaces: of, channels }, workspaces }
    }
}

fn organisations(source: &mut Source, tables: Table) -> Vec<Organisation> {
    let mut organisations: Vec<Organisation> = Vec::new();
    for (name, value) in tables {
        let path = format!("organisations.{name}");
        let Value::Table(table) = value else {
            source.problem(&path, value.type_str(), "a table");
            continue;
        };
        let read = organisation(source, &path, &name, table);
        if let Some(twin) = read.as_ref().and_then(|read| organisations.iter().find(|other| other.id == read.id)) {
            source.problem(&format!("{path}.id"), &format!("the id of {:?}", twin.name), "each organisation once");
        }
        organisations.extend(read);
    }
    organisations
}

/// The workspaces that have a table, and to which organisations they belong.
fn workspaces(source: &mut Source, tables: Table, names: &[String]) -> (Vec<TeamId>, BTreeMap<TeamId, String>) {
    let (mut all, mut of) = (Vec::new(), BTreeMap::new());
    for (name, value) in tables {
        let path = format!("workspaces.{name}");
        // What is said in an organisation of Enterprise Grid is said in one of its workspaces.
        let team = name.parse::<TeamId>().ok().filter(|team| team.as_str().starts_with('T'));
        match (team, value) {
            (Some(team), Value::Table(table)) => {
                of.extend(of_workspace(source, &path, table, names).map(|of| (team.clone(), of)));
                all.push(team);
            }
            (Some(_), other) => source.problem(&path, other.type_str(), "a table"),
            (None, _) => {
                let allowed = "a workspace's id, T…; those of an organisation of Enterprise Grid have a table each";
                source.problem(&path, &format!("{name:?}"), allowed);
            }
        }
    }
    (all, of)
}

fn organisation(source: &mut Source, path: &str, name: &str, table: Table) -> Option<Organisation> {
    let (mut id, mut key) = (None, None);
    for (field, value) in table {
        let path = format!("{path}.{field}");
        match (field.as_str(), value.as_str()) {
            ("id", Some(text)) => {
                id = text.parse::<OrgId>().ok();
                if id.is_none() {
                    source.problem(&path, &format!("{text:?}"), "an organisation id, org-… (Devin: Settings)");
                }
            }
            ("key", Some(text)) => key = Some(SecretString::from(text)),
            ("key_file", Some(file)) => match std::fs::read_to_string(source.beside(file)) {
                Ok(text) => key = Some(SecretString::from(text.trim())),
                Err(error) => source.problem(&path, &format!("{file:?} ({error})"), "a file that can be read"),
            },
            ("id" | "key" | "key_file", None) => source.problem(&path, value.type_str(), "a string"),
            _ => {
                let names = || ["id", "key", "key_file"].into_iter();
                source.problem(&path, "a key that does not exist", &choice(&field, names));
            }
        }
    }
    let key = key.filter(|key: &SecretString| !secrecy::ExposeSecret::expose_secret(key).is_empty());
    if key.is_none() {
        source.problem(&format!("{path}.key"), "nothing usable", "a service user's key, cog_…, as key or in key_file");
    }
    if id.is_none() {
        source.problem(&format!("{path}.id"), "nothing usable", "an organisation id, org-…");
    }
    Some(Organisation { name: name.to_owned(), id: id?, key: key? })
}

fn of_workspace(source: &mut Source, path: &str, table: Table, names: &[String]) -> Option<String> {
    let mut found = None;
    for (field, value) in table {
        let path = format!("{path}.{field}");
        if field == KEY {
            found = named(source, &path, &value, names);
        } else {
            source.problem(&path, "a key that does not exist", KEY);
        }
    }
    found
}

fn of_channels(source: &mut Source, channels: Vec<(String, Value)>, names: &[String]) -> BTreeMap<ChannelId, String> {
    let mut found = BTreeMap::new();
    for (channel, value) in channels {
        let name = named(source, &format!("channels.{channel}.{KEY}"), &value, names);
        // A channel whose id cannot be read is complained about where the rest of its table is read.
        found.extend(channel.parse().ok().zip(name));
    }
    found
}

fn named(source: &mut Source, path: &str, value: &Value, names: &[String]) -> Option<String> {
    let text = value.as_str().unwrap_or_default();
    if names.iter().any(|name| name == text) {
        return Some(text.to_owned());
    }
    let allowed = choice(text, || names.iter().map(String::as_str));
    source.problem(path, &value.to_string(), &format!("a name of the table organisations: {allowed}"));
    None
}
