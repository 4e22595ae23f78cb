//! What the app is sent when people do something.

use super::support::*;

#[test]
fn a_mention_is_two_events_with_one_timestamp() {
    let (twin, _) = slack();
    let said = format!("<@{BOT_USER}> fix it");
    let ts = twin.say(&user(ADA), &channel(BACKEND), &said, SayOptions::default()).unwrap();
    let found = events(&twin);
    assert_eq!(kinds(&found), ["app_mention", "message"]);
    assert_eq!((&found[0]["event"]["ts"], &found[1]["event"]["ts"]), (&json!(ts), &json!(ts)));
    assert_eq!(found[0]["event"]["client_msg_id"], found[1]["event"]["client_msg_id"]);
    assert_ne!(found[0]["event_id"], found[1]["event_id"]);
    assert_eq!(found[1]["event"]["channel_type"], "channel");
    assert_eq!(found[0]["authorizations"][0]["user_id"], BOT_USER);
    assert_eq!(found[0]["event"]["blocks"][0]["elements"][0]["elements"][0]["user_id"], BOT_USER);
    twin.change(|state| state.mention_order = MentionOrder::MessageFirst);
    twin.say(&user(ADA), &channel(BACKEND), &said, SayOptions::default()).unwrap();
    assert_eq!(kinds(&events(&twin)), ["message", "app_mention"]);
}

#[test]
fn what_is_heard_depends_on_where_it_is_said() {
    let (twin, _) = slack();
    let said = format!("<@{BOT_USER}> hello");
    twin.say(&user(ADA), &channel("D0ADA"), &said, SayOptions::default()).unwrap();
    let direct = events(&twin);
    assert_eq!((kinds(&direct), &direct[0]["event"]["channel_type"]), (vec!["message".into()], &json!("im")));
    twin.say(&user(ADA), &channel(GENERAL), &said, SayOptions::default()).unwrap();
    assert_eq!(kinds(&events(&twin)), Vec::<String>::new(), "the bot is not in #general");
    twin.say(&user(STELLA), &channel(SHARED), &said, SayOptions::default()).unwrap();
    let shared = events(&twin);
    assert_eq!(shared[0]["is_ext_shared_channel"], true);
    assert_eq!((&shared[0]["event"]["user_team"], &shared[0]["team_id"]), (&json!(OTHER_TEAM), &json!(TEAM)));
    let outside = twin.say(&user(STELLA), &channel(BACKEND), "hi", SayOptions::default());
    assert_eq!(outside, Err(ActError::NotMember(user(STELLA), channel(BACKEND))));
}

#[test]
fn an_edit_that_mentions_is_a_change_and_another_mention() {
    let (twin, _) = slack();
    let place = channel(BACKEND);
    let ts = twin.say(&user(ADA), &place, "hello", SayOptions::default()).unwrap();
    events(&twin);
    twin.edit(&user(ADA), &place, &ts, &format!("<@{BOT_USER}> hello")).unwrap();
    let found = events(&twin);
    assert_eq!(kinds(&found), ["message/message_changed", "app_mention"]);
    assert_eq!(found[0]["event"]["previous_message"]["text"], "hello");
    assert_eq!((&found[1]["event"]["ts"], found[1]["event"]["edited"].is_object()), (&json!(ts), true));
    twin.delete(&user(ADA), &place, &ts).unwrap();
    assert_eq!(events(&twin)[0]["event"]["deleted_ts"], json!(ts));
}

#[tokio::test]
async fn the_bots_own_posts_and_updates_come_back_as_events() {
    let (twin, _) = slack();
    let ts = post(&twin, json!({ "channel": BACKEND, "text": format!("<@{BOT_USER}>") })).await;
    call(&twin, "chat.update", json!({ "channel": BACKEND, "ts": ts, "text": "b" })).await;
    let found = events(&twin);
    assert_eq!(kinds(&found), ["message", "message/message_changed"]);
    let own = &found[0]["event"];
    assert_eq!((&own["bot_id"], &own["app_id"], &own["user"]), (&json!(BOT_ID), &json!(APP), &json!(BOT_USER)));
    assert_eq!(found[1]["event"]["message"]["bot_id"], BOT_ID);
}

#[test]
fn an_event_that_is_not_taken_is_sent_three_times_more() {
    let (twin, clock) = slack();
    twin.say(&user(ADA), &channel(BACKEND), "hi", SayOptions::default()).unwrap();
    let mut seen = Vec::new();
    for wait in [0, 0, 60, 300] {
        clock.advance(wait);
        let delivery = twin.take_due().unwrap();
        seen.push(twin.outgoing(&delivery));
        let sent = twin.settle(delivery, Ok(Answered { status: 503, ..Answered::default() }));
        assert_eq!(usize::from(sent.attempt), seen.len() - 1);
    }
    assert!(twin.pending().is_empty(), "given up");
    let header = |at: usize, name: &str| seen[at].headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
    assert_eq!(header(0, "x-slack-retry-num"), None);
    assert_eq!(header(3, "x-slack-retry-num").as_deref(), Some("3"));
    assert_eq!(header(3, "x-slack-retry-reason").as_deref(), Some("http_error"));
    assert!(seen.iter().all(|request| request.body == seen[0].body), "the same event_id each time");
    assert_ne!(header(0, "x-slack-signature"), header(3, "x-slack-signature"), "signed anew");
}

#[tokio::test]
async fn retries_wait_for_their_time_and_buttons_have_none() {
    let (twin, clock) = slack();
    twin.say(&user(ADA), &channel(BACKEND), "hi", SayOptions::default()).unwrap();
    let timeout = |_: Outgoing| async { Err(Undelivered::Timeout) };
    twin.deliver_next(timeout).await.unwrap();
    twin.deliver_next(timeout).await.unwrap();
    assert_eq!(twin.deliver_next(timeout).await, None, "the second retry waits a minute");
    clock.advance(61);
    let third = twin.deliver_next(|_| async { Ok(Answered { status: 200, ..Answered::default() }) }).await.unwrap();
    assert_eq!((third.attempt, third.again), (2, None));
    twin.command(&user(ADA), &channel(GENERAL), "/devin", "help").unwrap();
    let lost = twin.deliver_next(timeout).await.unwrap();
    assert_eq!((lost.door, lost.again), (Door::Commands, None));
}

#[tokio::test]
async fn a_button_brings_a_response_url_that_works_five_times_for_half_an_hour() {
    let (twin, clock) = slack();
    let button = json!({ "type": "button", "action_id": "stop", "value": "v", "text": { "type": "plain_text", "text": "Stop" } });
    let blocks = json!([{ "type": "actions", "block_id": "row", "elements": [button] }]);
    let ts = post(&twin, json!({ "channel": BACKEND, "text": "card", "blocks": blocks })).await;
    events(&twin);
    let place = channel(BACKEND);
    assert_eq!(twin.press(&user(ADA), &place, &ts, "go"), Err(ActError::NoButton("go".into())));
    twin.press(&user(ADA), &place, &ts, "stop").unwrap();
    let body = twin.pending()[0].body.clone();
    let (_, payload) = url::form_urlencoded::parse(&body).next().unwrap();
    let payload: Value = serde_json::from_str(&payload).unwrap();
    assert_eq!(payload["actions"][0]["value"], "v");
    assert_eq!(payload["actions"][0]["block_id"], "row");
    assert_eq!(payload["container"]["message_ts"], json!(ts));
    let url = payload["response_url"].as_str().unwrap();
    let path = url.strip_prefix("http://slack.invalid").unwrap().to_owned();
    let respond = || raw(&twin, posted(&path, "application/json", json!({ "text": "done" }).to_string()));
    for _ in 0..5 {
        assert_eq!(respond().await.status(), StatusCode::OK);
    }
    assert_eq!(respond().await.status(), StatusCode::NOT_FOUND);
    assert_eq!(twin.read(|state| state.ephemerals.len()), 5);
    twin.change(|state| state.hooks.values_mut().for_each(|hook| hook.uses_left = 5));
    clock.advance(1801);
    assert_eq!(respond().await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_command_is_answered_in_place_and_not_shared_with_strangers() {
    let (twin, _) = slack();
    assert_eq!(twin.command(&user(STELLA), &channel(SHARED), "/devin", ""), Err(ActError::NotAllowed(user(STELLA))));
    twin.command(&user(ADA), &channel(GENERAL), "/devin", "list &c").unwrap();
    let delivery = twin.take_due().unwrap();
    let form: Vec<_> = url::form_urlencoded::parse(&delivery.body).into_owned().collect();
    assert!(form.contains(&("text".into(), "list &c".into())));
    let body = json!({ "response_type": "ephemeral", "text": "nothing runs" }).to_string().into_bytes();
    twin.settle(delivery, Ok(Answered { status: 200, no_retry: false, body }));
    let shown = twin.read(|state| state.ephemerals.clone());
    assert_eq!((shown.len(), shown[0].text.as_str(), &shown[0].user), (1, "nothing runs", &user(ADA)));
}

#[test]
fn a_changed_profile_is_told() {
    let (twin, _) = slack();
    twin.change_user(&user(LINUS), |linus| linus.deleted = true).unwrap();
    let event = events(&twin).remove(0);
    assert_eq!((&event["event"]["type"], &event["event"]["user"]["deleted"]), (&json!("user_change"), &json!(true)));
    assert_eq!(twin.command(&user(LINUS), &channel(BACKEND), "/devin", ""), Err(ActError::NotAllowed(user(LINUS))));
}
