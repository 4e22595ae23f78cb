//! One workspace and one organisation with the same people in them: what the demo, the playground and the tests begin
//! with.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    devin::{DevinTwin, Key, Member, OrgSecret, Playbook, Principal},
    manifest,
    slack::{App, Channel, ChannelKind, Email, SlackTwin, Team, User, UserKind},
};
use crate::{
    clock::Clock,
    domain::ids::{InvalidId, TeamId, UserId},
};

/// The app's bot token.
pub const BOT_TOKEN: &str = "xoxb-demo-not-a-secret";
/// The app's app-level token, which opens sockets.
pub const APP_TOKEN: &str = "xapp-demo-not-a-secret";
/// Signs what the twin sends.
pub const SIGNING_SECRET: &str = "demo-signing-secret-not-a-secret";
/// The service user's key at Devin.
pub const DEVIN_KEY: &str = "cog_demonotasecret";
/// The organisation at Devin.
pub const ORG: &str = "org-acme";
/// The workspace.
pub const TEAM: &str = "T0ACME";
/// The app.
pub const APP: &str = "A0BOBBIN";
/// The bot as a user.
pub const BOT_USER: &str = "U0BOBBIN";
/// The bot as a bot.
pub const BOT_ID: &str = "B0BOBBIN";
/// Ada Lovelace: a full member, known to Devin under the same e-mail.
pub const ADA: &str = "U0ADA";
/// Grace Hopper: known to Devin through a group of the identity provider only.
pub const GRACE: &str = "U0GRACE";
/// Linus: has no account at Devin.
pub const LINUS: &str = "U0LINUS";
/// Gil: a guest of several channels.
pub const GIL: &str = "U0GIL";
/// Sol: a guest of one channel.
pub const SOL: &str = "U0SOL";
/// Stella: from the workspace [`OTHER_TEAM`], through a shared channel.
pub const STELLA: &str = "U0STELLA";
/// Dana: deactivated.
pub const DANA: &str = "U0DANA";
/// Uma: has not confirmed her e-mail.
pub const UMA: &str = "U0UMA";
/// Noah: has no e-mail.
pub const NOAH: &str = "U0NOAH";
/// Another bot.
pub const DEPLOY_BOT: &str = "U0DEPLOY";
/// The workspace Stella is from.
pub const OTHER_TEAM: &str = "T0OTHER";
/// `#general`: everybody, without the bot.
pub const GENERAL: &str = "C0GENERAL";
/// `#backend`: with the bot.
pub const BACKEND: &str = "C0BACKEND";
/// `#shared-partner`: shared with [`OTHER_TEAM`], with the bot.
pub const SHARED: &str = "C0SHARED";
/// `#ops`: private, with the bot.
pub const OPS: &str = "C0OPS";
/// `#attic`: archived.
pub const ATTIC: &str = "C0ATTIC";
/// Another workspace, which installs the app by itself.
pub const NEIGHBOURS: &str = "T0NEXT";
/// Its one channel with the bot.
pub const NEXT_DOOR: &str = "C0NEXT";
/// Olga, a member there.
pub const OLGA: &str = "U0OLGA";
/// Their organisation at Devin.
pub const OTHER_ORG: &str = "org-next";
/// The service user's key there.
pub const OTHER_DEVIN_KEY: &str = "cog_demonext";
/// Olga at Devin.
pub const OLGA_AT_DEVIN: &str = "user-olga";
/// The app's client id.
pub const CLIENT_ID: &str = "1000.2000";
/// The app's client secret.
pub const CLIENT_SECRET: &str = "demo-client-secret-not-a-secret";
/// Ada at Devin.
pub const ADA_AT_DEVIN: &str = "user-ada";
/// Grace at Devin.
pub const GRACE_AT_DEVIN: &str = "okta|grace";

/// Scopes beyond those of the manifest, for tests that look at the workspace with the bot's eyes.
const MORE_SCOPES: &[&str] = &["im:write", "team:read"];

/// Permissions that the service user needs.
const PERMISSIONS: &[&str] = &[
    "UseDevinSessions",
    "ViewOrgSessions",
    "ManageOrgSessions",
    "ImpersonateOrgSessions",
    "ViewOrgMembership",
    "ViewOrgPlaybooks",
    "ViewOrgSecrets",
];

/// Both twins.
#[derive(Debug, Clone)]
pub struct World {
    /// Slack.
    pub slack: Arc<SlackTwin>,
    /// Devin.
    pub devin: Arc<DevinTwin>,
}

/// A workspace and an organisation with the same people; see the constants of this module for their ids.
///
/// # Errors
///
/// None in practice: the ids are this module's own.
pub fn world(clock: &Arc<dyn Clock>) -> Result<World, InvalidId> {
    let slack = workspace(clock)?;
    for user in people(clock.now())? {
        slack.add_user(user);
    }
    for channel in channels(clock.now())? {
        slack.add_channel(channel);
    }
    slack.add_token(BOT_TOKEN, &[manifest::scopes().as_slice(), MORE_SCOPES].concat());
    slack.add_token(APP_TOKEN, &["connections:write"]);
    slack.change(|state| state.features = manifest::features());
    Ok(World { slack: Arc::new(slack), devin: Arc::new(organisation(clock)?) })
}

/// A workspace beside the first, in which the app is not installed yet, and its organisation at Devin.
///
/// # Errors
///
/// None in practice: the ids are this module's own.
pub fn neighbours(clock: &Arc<dyn Clock>) -> Result<World, InvalidId> {
    let now = clock.now();
    let team = Team { id: NEIGHBOURS.parse()?, name: "Next".to_owned(), domain: "next".to_owned() };
    let slack = installable(clock, team)?;
    for (id, name, address, kind) in
        [(OLGA, "Olga", "olga@next.example", UserKind::Member), (BOT_USER, "Bobbin", "", UserKind::Bot)]
    {
        slack.add_user(User {
            id: id.parse()?,
            team: NEIGHBOURS.parse()?,
            name: name.to_lowercase(),
            real_name: name.to_owned(),
            email: (!address.is_empty()).then(|| Email { address: address.to_owned(), confirmed: true }),
            kind,
            deleted: false,
            tz: "Europe/London".to_owned(),
            updated: now,
        });
    }
    let everybody = || members(&[OLGA, BOT_USER]);
    slack.add_channel(empty(NEXT_DOOR, "next", ChannelKind::Public, everybody()?, now)?);
    slack.add_channel(empty("D0OLGA", "", ChannelKind::Direct(OLGA.parse()?), everybody()?, now)?);
    slack.change(|state| state.features = manifest::features());
    let devin = DevinTwin::new(Arc::clone(clock), OTHER_ORG.parse()?);
    devin.change(|state| {
        let principal = Principal::ServiceUser {
            id: "service-user-next".to_owned(),
            name: "bobbin".to_owned(),
            org: OTHER_ORG.parse().ok(),
        };
        let permissions = PERMISSIONS.iter().map(|&name| name.to_owned()).collect();
        state.keys.insert(OTHER_DEVIN_KEY.to_owned(), Key { principal, permissions });
    });
    let olga = Member {
        id: OLGA_AT_DEVIN.parse()?,
        email: Some("olga@next.example".to_owned()),
        name: Some("Olga".to_owned()),
    };
    devin.change(|state| state.users = vec![olga]);
    Ok(World { slack: Arc::new(slack), devin: Arc::new(devin) })
}

fn workspace(clock: &Arc<dyn Clock>) -> Result<SlackTwin, InvalidId> {
    installable(clock, Team { id: TEAM.parse()?, name: "Acme".to_owned(), domain: "acme".to_owned() })
}

fn installable(clock: &Arc<dyn Clock>, team: Team) -> Result<SlackTwin, InvalidId> {
    let app = App {
        id: APP.to_owned(),
        bot_user: BOT_USER.parse()?,
        bot_id: BOT_ID.to_owned(),
        name: "bobbin".to_owned(),
        signing_secret: SIGNING_SECRET.to_owned(),
        verification_token: "demo-verification-token".to_owned(),
    };
    let slack = SlackTwin::new(Arc::clone(clock), team, app);
    slack.change(|state| {
        CLIENT_ID.clone_into(&mut state.oauth.client_id);
        CLIENT_SECRET.clone_into(&mut state.oauth.client_secret);
    });
    Ok(slack)
}

fn organisation(clock: &Arc<dyn Clock>) -> Result<DevinTwin, InvalidId> {
    let devin = DevinTwin::new(Arc::clone(clock), ORG.parse()?);
    let principal = Principal::ServiceUser {
        id: "service-user-bobbin".to_owned(),
        name: "bobbin".to_owned(),
        org: Some(ORG.parse()?),
    };
    let member = |id: &str, email: &str, name: &str| -> Result<Member, InvalidId> {
        Ok(Member { id: id.parse()?, email: Some(email.to_owned()), name: Some(name.to_owned()) })
    };
    let ada = member(ADA_AT_DEVIN, "ada@acme.example", "Ada Lovelace")?;
    let grace = member(GRACE_AT_DEVIN, "grace@acme.example", "Grace Hopper")?;
    let uma = member("user-uma", "uma@acme.example", "Uma")?;
    let gil = member("user-gil", "gil@agency.example", "Gil")?;
    let dana = member("user-dana", "dana@acme.example", "Dana")?;
    devin.change(|state| {
        let permissions = PERMISSIONS.iter().map(|&name| name.to_owned()).collect();
        state.keys.insert(DEVIN_KEY.to_owned(), Key { principal, permissions });
        state.users = vec![ada, uma, gil, dana];
        state.idp_users = vec![grace];
        state.playbooks.push(Playbook {
            id: "playbook-review".to_owned(),
            title: "Review a pull request".to_owned(),
            body: "Read the diff, run the tests, comment.".to_owned(),
            macro_name: Some("!review".to_owned()),
        });
        state.secrets.push(OrgSecret { id: "secret-npm".to_owned(), key: "NPM_TOKEN".to_owned() });
    });
    Ok(devin)
}

fn people(now: Timestamp) -> Result<Vec<User>, InvalidId> {
    use UserKind::{Bot, Guest, Member, SingleChannelGuest, Stranger};
    let mut people = Vec::new();
    for (id, name, real_name, address, kind) in [
        (ADA, "ada", "Ada Lovelace", "ada@acme.example", Member),
        (GRACE, "grace", "Grace Hopper", "grace@acme.example", Member),
        (LINUS, "linus", "Linus", "linus@acme.example", Member),
        (GIL, "gil", "Gil", "gil@agency.example", Guest),
        (SOL, "sol", "Sol", "sol@agency.example", SingleChannelGuest),
        (STELLA, "stella", "Stella", "", Stranger),
        (DANA, "dana", "Dana", "dana@acme.example", Member),
        (UMA, "uma", "Uma", "uma@acme.example", Member),
        (NOAH, "noah", "Noah", "", Member),
        (DEPLOY_BOT, "deploybot", "Deploy Bot", "", Bot),
        (BOT_USER, "bobbin", "Bobbin", "", Bot),
    ] {
        let team: TeamId = if kind == Stranger { OTHER_TEAM } else { TEAM }.parse()?;
        let email = Email { address: address.to_owned(), confirmed: id != UMA };
        people.push(User {
            id: id.parse()?,
            team,
            name: name.to_owned(),
            real_name: real_name.to_owned(),
            email: (!address.is_empty()).then_some(email),
            kind,
            deleted: id == DANA,
            tz: "Europe/London".to_owned(),
            updated: now,
        });
    }
    Ok(people)
}

fn channels(now: Timestamp) -> Result<Vec<Channel>, InvalidId> {
    let staff = [ADA, GRACE, LINUS, UMA, NOAH];
    let mut channels = Vec::new();
    for (id, name, kind, extra) in [
        (GENERAL, "general", ChannelKind::Public, &[GIL, DEPLOY_BOT][..]),
        (BACKEND, "backend", ChannelKind::Public, &[GIL, SOL, DEPLOY_BOT, BOT_USER]),
        (SHARED, "shared-partner", ChannelKind::Public, &[STELLA, BOT_USER]),
        (OPS, "ops", ChannelKind::Private, &[BOT_USER]),
        (ATTIC, "attic", ChannelKind::Public, &[BOT_USER]),
    ] {
        let members = members(staff.iter().chain(extra))?;
        let mut channel = empty(id, name, kind, members, now)?;
        channel.archived = id == ATTIC;
        if id == SHARED {
            channel.shared_with = vec![OTHER_TEAM.parse()?];
        }
        channels.push(channel);
    }
    for id in staff.iter().chain(&[GIL, SOL]) {
        let direct = id.replacen('U', "D", 1);
        let kind = ChannelKind::Direct(id.parse()?);
        channels.push(empty(&direct, "", kind, members([id, &BOT_USER])?, now)?);
    }
    Ok(channels)
}

fn members<'a>(ids: impl IntoIterator<Item = &'a &'a str>) -> Result<BTreeSet<UserId>, InvalidId> {
    ids.into_iter().map(|id| id.parse()).collect()
}

fn empty(
    id: &str,
    name: &str,
    kind: ChannelKind,
    members: BTreeSet<UserId>,
    created: Timestamp,
) -> Result<Channel, InvalidId> {
    Ok(Channel {
        id: id.parse()?,
        name: name.to_owned(),
        kind,
        shared_with: Vec::new(),
        archived: false,
        members,
        messages: Vec::new(),
        statuses: BTreeMap::new(),
        created,
    })
}
