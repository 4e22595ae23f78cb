//! What passes and what does not: a token that cannot be renewed yet or never, a welcome that Slack did not take, and what
//! waits for a workspace that does not come back.

use std::time::Duration;

use axum::http::StatusCode;
use bobbin::{
    clock::Clock as _,
    twin::{
        FaultAction,
        world::{BOT_USER, NEIGHBOURS, NEXT_DOOR, OLGA, TEAM},
    },
};

use super::{Town, posts, say};
use crate::support::world::id;

/// A town whose neighbours' token has an hour left.
async fn of_an_old_token() -> Town {
    let town = Town::of_two().await;
    town.next.slack.change(|state| state.oauth.rotates = true);
    town.install(&town.next, OLGA).await;
    town.settle().await;
    town.clock.advance(Duration::from_hours(11));
    town
}

/// Olga asks for something; how much was said in its thread.
async fn ask(town: &Town) -> usize {
    let root = say(&town.next, OLGA, NEXT_DOOR, &format!("<@{BOT_USER}> fix the login test"));
    town.settle().await;
    posts(&town.next, NEXT_DOOR, &root).len()
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_yet_is_used_on_and_renewed_later() {
    let refused = |code: &str| FaultAction::OkFalse(code.to_owned());
    for fault in [
        FaultAction::Status(500),
        FaultAction::Status(403),
        FaultAction::RateLimited { after: None },
        FaultAction::DropBefore,
        refused("bad_client_secret"),
        refused("internal_error"),
    ] {
        let town = of_an_old_token().await;
        town.next.slack.faults().once("oauth.v2.access", fault.clone());
        assert_eq!(ask(&town).await, 1, "{fault:?}: the old token has some time left");
        assert!(town.known(NEIGHBOURS).await.gone.is_none(), "{fault:?}");
        town.clock.advance(Duration::from_mins(1));
        assert_eq!(ask(&town).await, 1, "{fault:?}");
        town.next.slack.change(|state| {
            let newest = state.tokens.keys().last().unwrap().clone();
            state.tokens.retain(|token, _| *token == newest);
        });
        town.clock.advance(Duration::from_mins(1));
        assert_eq!(ask(&town).await, 1, "{fault:?}: with the new one");
    }
}

#[tokio::test]
async fn a_renewal_that_fails_when_the_token_has_run_out_holds_what_waits_and_loses_nothing() {
    let town = of_an_old_token().await;
    town.clock.advance(Duration::from_hours(2));
    for _ in 0..3 {
        town.next.slack.faults().once("oauth.v2.access", FaultAction::Status(503));
    }
    assert_eq!(ask(&town).await, 1);
    assert!(town.next.slack.faults().waiting().is_empty() && town.known(NEIGHBOURS).await.gone.is_none());
}

#[tokio::test]
async fn a_token_that_is_never_renewed_ends_the_installation() {
    for code in ["invalid_refresh_token", "account_inactive", "token_revoked"] {
        let town = of_an_old_token().await;
        town.next.slack.faults().once("oauth.v2.access", FaultAction::OkFalse(code.to_owned()));
        assert_eq!(ask(&town).await, 0, "{code}");
        assert_eq!(town.known(NEIGHBOURS).await.gone.map(|gone| gone.why).as_deref(), Some(code));
        assert!(town.next.devin.sessions().is_empty(), "{code}");
    }
}

#[tokio::test]
async fn while_another_replica_renews_the_old_token_is_used() {
    let town = of_an_old_token().await;
    let right = format!("rotate:{NEIGHBOURS}");
    assert!(town.store.hold(&right, "another", Duration::from_mins(30)).await.unwrap());
    assert_eq!((ask(&town).await, town.next.slack.calls("oauth.v2.access")), (1, 1), "for the code alone");
    town.store.hold(&right, "another", Duration::ZERO).await.unwrap();
    town.clock.advance(Duration::from_mins(1));
    assert_eq!((ask(&town).await, town.next.slack.calls("oauth.v2.access")), (1, 2));
}

/// An end and a reinstallation at once: whoever comes second sees what the first one wrote.
#[tokio::test]
async fn an_installation_is_changed_by_one_at_a_time() {
    let town = Town::of_two().await;
    town.install(&town.next, OLGA).await;
    let (installations, at) = (town.installation(), town.clock.now());
    let right = format!("rotate:{NEIGHBOURS}");
    assert!(town.store.hold(&right, "another", Duration::from_mins(1)).await.unwrap());
    let neighbours = id(NEIGHBOURS);
    let another = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert!(town.known(NEIGHBOURS).await.gone.is_none(), "it waits for its turn");
        town.store.hold(&right, "another", Duration::ZERO).await.unwrap();
    };
    let (ended, ()) = tokio::join!(installations.end(&neighbours, "app_uninstalled", at), another);
    assert!(ended.unwrap() && town.known(NEIGHBOURS).await.gone.is_some());
}

#[tokio::test]
async fn a_welcome_that_slack_did_not_take_yet_is_said_later_and_once() {
    for fault in [
        FaultAction::RateLimited { after: Some(7) },
        FaultAction::OkFalse("ratelimited".to_owned()),
        FaultAction::OkFalse("token_expired".to_owned()),
        FaultAction::DropAfter,
    ] {
        let town = Town::of_two().await;
        town.next.slack.faults().once("chat.postMessage", fault.clone());
        town.install(&town.next, OLGA).await;
        town.settle().await;
        let direct = town.next.slack.direct(&id(OLGA)).unwrap();
        let told = town.next.slack.read(|state| state.channels[&direct].messages.len());
        assert_eq!(told, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn what_waits_for_a_workspace_that_does_not_come_back_is_set_aside_after_a_day() {
    let town = Town::of_two().await;
    town.install(&town.next, OLGA).await;
    town.settle().await;
    say(&town.next, OLGA, NEXT_DOOR, &format!("<@{BOT_USER}> fix the login test"));
    town.next.slack.uninstall();
    for _ in 0..23 {
        town.settle().await;
        assert_eq!(town.store.dead(9).await.unwrap().len(), 0, "it is kept for a day");
        town.clock.advance(Duration::from_hours(1));
    }
    town.clock.advance(Duration::from_hours(2));
    town.settle().await;
    assert_eq!(town.store.dead(9).await.unwrap().len(), 1);
    assert!(town.next.devin.sessions().is_empty());
}

/// The table of `auth.revoke`, which no thread's scene calls.
#[tokio::test]
async fn however_the_giving_back_of_a_strangers_token_fails_nothing_is_kept() {
    let refused = |code: &str| FaultAction::OkFalse(code.to_owned());
    let said = |text: &str| FaultAction::AnswerAfter(text.to_owned());
    for (fault, calls) in [
        (FaultAction::DropBefore, 2),
        (FaultAction::DropAfter, 2),
        (FaultAction::Status(500), 2),
        (FaultAction::StatusAfter(503), 2),
        (FaultAction::RateLimited { after: None }, 2),
        (FaultAction::Garbage, 2),
        (FaultAction::Answer(r#"{"ok":true}"#.to_owned()), 2),
        (said(r#"{"ok":"yes","revoked":7}"#), 2),
        (said("[]"), 2),
        (refused("gremlins"), 2),
        (refused("token_revoked"), 1),
    ] {
        let town = Town::with("", &[("BOBBIN_SLACK_WORKSPACES", TEAM)]).await;
        town.next.slack.faults().once("auth.revoke", fault.clone());
        let shown = town.install(&town.next, OLGA).await;
        assert_eq!(shown.status, StatusCode::FORBIDDEN, "{fault:?}: {}", shown.text);
        assert_eq!(town.next.slack.calls("auth.revoke"), calls, "{fault:?}");
        assert_eq!(town.installation().list().await.unwrap(), [], "{fault:?}");
    }
    let town = Town::with("", &[("BOBBIN_SLACK_WORKSPACES", TEAM)]).await;
    for _ in 0..3 {
        town.next.slack.faults().once("auth.revoke", FaultAction::Status(500));
    }
    assert_eq!(town.install(&town.next, OLGA).await.status, StatusCode::FORBIDDEN);
    assert_eq!(town.next.slack.calls("auth.revoke"), 3, "and no more");
}
