//! What differs between two readings of the configuration, by the names an operator knows, and which of it holds at once.

use std::{
    collections::BTreeMap,
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use secrecy::ExposeSecret as _;

use super::{Config, Source, keys::KEYS};

/// Keys that are taken over while it runs; the tables of channels are as well.
const AT_ONCE: [&str; 4] = ["BOBBIN_SLACK_SIGNING_SECRETS", WORKSPACES, "BOBBIN_MAX_FILE", "BOBBIN_LOG"];
/// Who may install; a table of their own invites as well.
const WORKSPACES: &str = "BOBBIN_SLACK_WORKSPACES";
/// Taken over as well where there is a sign-in already.
const ADMINS: &str = "BOBBIN_ADMINS";

/// What was given for each key, so that two readings can be compared. Values are not kept: some are secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Given(BTreeMap<&'static str, u64>);

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").finish_non_exhaustive()
    }
}

/// What changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Holds at once.
    pub taken_over: Vec<&'static str>,
    /// Holds after a new start.
    pub for_a_restart: Vec<&'static str>,
}

impl Given {
    pub(super) fn of(source: &Source) -> Self {
        let given = KEYS.iter().map(|key| {
            let mut hasher = DefaultHasher::new();
            source.text(key.name).hash(&mut hasher);
            (key.name, hasher.finish())
        });
        Self(given.collect())
    }
}

impl Config {
    /// What is different in a newer reading.
    pub fn changes_to(&self, newer: &Self) -> Changes {
        let mut changes = Changes::default();
        let signs_in = !self.console.admins.is_empty();
        let differing = newer.given.0.iter().filter(|(key, value)| self.given.0.get(*key) != Some(*value));
        (changes.taken_over, changes.for_a_restart) =
            differing.map(|(key, _)| *key).partition(|key| AT_ONCE.contains(key) || (signs_in && *key == ADMINS));
        let (old, new) = (&self.rules, &newer.rules);
        let tables = [
            ("defaults", old.defaults != new.defaults),
            ("channels", old.channels != new.channels),
            ("schemas", old.schemas != new.schemas),
            ("reactions", old.reactions != new.reactions),
            // Who may install, by a table of their own.
            ("workspaces", self.slack.invited != newer.slack.invited && !changes.taken_over.contains(&WORKSPACES)),
        ];
        changes.taken_over.extend(tables.into_iter().filter_map(|(name, differs)| differs.then_some(name)));
        let tenancy = [
            ("organisations", organisations(self) != organisations(newer)),
            ("workspaces.*.organisation", self.routing.workspaces != newer.routing.workspaces),
            ("channels.*.organisation", self.routing.channels != newer.routing.channels),
        ];
        changes.for_a_restart.extend(tenancy.into_iter().filter_map(|(name, differs)| differs.then_some(name)));
        changes
    }
}

fn organisations(config: &Config) -> Vec<(&str, &str, &str)> {
    let all = config.organisations.iter();
    all.map(|one| (one.name.as_str(), one.id.as_str(), one.key.expose_secret())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)], file: &str) -> Config {
        let usual =
            [("BOBBIN_SLACK_BOT_TOKEN", "xoxb-1"), ("BOBBIN_DEVIN_API_KEY", "cog_x"), ("BOBBIN_DEVIN_ORG_ID", "org-1")];
        Config::from_values_and_file(usual.into_iter().chain(values.iter().copied()), file).unwrap()
    }

    #[test]
    fn what_changed_is_named_with_whether_it_holds_at_once() {
        let secrets = |text| ("BOBBIN_SLACK_SIGNING_SECRETS", text);
        let before = read(&[secrets("old")], "[defaults]\ntags = ['a']");
        assert_eq!(before.changes_to(&before.clone()), Changes::default());
        let after = read(
            &[secrets("new,old"), ("BOBBIN_LOG", "debug"), ("BOBBIN_POLL_INTERVAL", "5s")],
            "BOBBIN_MAX_FILE = 5\n[defaults]\ntags = ['b']\n[schemas.r]\njson = '{}'\n[channels.C1]\nmentions_only = true\n\
             organisation = 'next'\n[reactions]\nzzz = 'mute'\n[organisations.next]\nid = 'org-2'\nkey = 'cog_y'\n\
             [workspaces.T1]\norganisation = 'next'",
        );
        let changes = before.changes_to(&after);
        let at_once = [
            "BOBBIN_LOG",
            "BOBBIN_MAX_FILE",
            "BOBBIN_SLACK_SIGNING_SECRETS",
            "defaults",
            "channels",
            "schemas",
            "reactions",
            "workspaces",
        ];
        assert_eq!(changes.taken_over, at_once);
        let later = ["BOBBIN_POLL_INTERVAL", "organisations", "workspaces.*.organisation", "channels.*.organisation"];
        assert_eq!(changes.for_a_restart, later);
        assert!(!format!("{before:?}").contains("old"));
    }

    #[test]
    fn operators_change_at_once_where_anybody_signs_in_already() {
        let app = [
            ("BOBBIN_SLACK_CLIENT_ID", "1.2"),
            ("BOBBIN_SLACK_CLIENT_SECRET", "s"),
            ("BOBBIN_PUBLIC_URL", "https://x"),
        ];
        let with = |admins| {
            read(&[&[("BOBBIN_SLACK_SIGNING_SECRETS", "s"), ("BOBBIN_ADMINS", admins)], &app[..]].concat(), "")
        };
        assert_eq!(with("T1/U1").changes_to(&with("T1/U2")).taken_over, ["BOBBIN_ADMINS"]);
        assert_eq!(with("").changes_to(&with("T1/U2")).for_a_restart, ["BOBBIN_ADMINS"]);
    }
}
