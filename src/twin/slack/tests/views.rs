//! Modals and the Home tab: how the app opens them, what people do in them, and what an answer does to them.

use super::support::*;

fn text(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

fn input(block: &str, element: &Value) -> Value {
    json!({ "type": "input", "block_id": block, "label": text(block), "element": element })
}

fn modal(title: &str, blocks: &Value) -> Value {
    json!({
        "type": "modal", "callback_id": "start", "title": text(title), "submit": text("Start"), "blocks": blocks,
        "private_metadata": "m", "notify_on_close": true,
    })
}

/// A form with one of each that the bot asks for.
fn form() -> Value {
    let option = |value: &str| json!({ "text": text(value), "value": value });
    let mode = json!({ "type": "static_select", "action_id": "mode", "options": [option("fast"), option("lite")] });
    let limit = json!({ "type": "number_input", "action_id": "limit", "is_decimal_allowed": false, "min_value": "1" });
    let place = json!({
        "type": "conversations_select", "action_id": "place", "default_to_current_conversation": true,
        "response_url_enabled": true,
    });
    let mut limited = input("acu", &limit);
    limited["optional"] = json!(true);
    let stop = json!({ "type": "button", "action_id": "more", "text": text("More") });
    modal(
        "Start",
        &json!([
            input("prompt", &json!({ "type": "plain_text_input", "action_id": "task", "max_length": 10 })),
            input("how", &mode),
            limited,
            input("where", &place),
            input("playbook", &json!({ "type": "external_select", "action_id": "book", "min_query_length": 0 })),
            { "type": "actions", "block_id": "row", "elements": [stop] },
        ]),
    )
}

/// Ada presses the lightning; the app opens this.
async fn opened(twin: &Arc<SlackTwin>, view: Value) -> Value {
    let trigger = lightning(twin);
    call(twin, "views.open", json!({ "trigger_id": trigger, "view": view })).await
}

fn lightning(twin: &SlackTwin) -> String {
    twin.shortcut(&user(ADA), "new_session").unwrap();
    payloads(twin).pop().unwrap()["trigger_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_trigger_works_once_within_three_seconds() {
    let (twin, clock) = slack();
    let view = modal("One", &json!([]));
    let open = |trigger: &str| call(&twin, "views.open", json!({ "trigger_id": trigger, "view": view }));
    assert_eq!(open("made.up").await["error"], "invalid_trigger_id");
    let used = lightning(&twin);
    let answer = open(&used).await;
    assert_eq!(
        (&answer["view"]["root_view_id"], &answer["view"]["callback_id"]),
        (&answer["view"]["id"], &json!("start"))
    );
    assert_eq!(open(&used).await["error"], "exchanged_trigger_id");
    let late = lightning(&twin);
    clock.advance(4);
    assert_eq!(open(&late).await["error"], "expired_trigger_id");
    let huge = modal("One", &json!([{ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(260_000) } }]));
    let answer = call(&twin, "views.open", json!({ "trigger_id": "made.up", "view": huge })).await;
    assert_eq!(answer["error"], "view_too_large");
}

#[tokio::test]
async fn only_what_is_done_in_a_modal_puts_another_on_top_and_three_is_the_most() {
    let (twin, _) = slack();
    let trigger = lightning(&twin);
    let view = || {
        modal(
            "One",
            &json!([{ "type": "actions", "block_id": "row", "elements": [
        { "type": "button", "action_id": "more", "text": text("More") }] }]),
        )
    };
    let push = |trigger: String| call(&twin, "views.push", json!({ "trigger_id": trigger, "view": view() }));
    assert_eq!(push(trigger).await["error"], "invalid_trigger_id");
    let root = opened(&twin, view()).await["view"]["id"].clone();
    let mut answers = Vec::new();
    for _ in 0..3 {
        twin.choose(&user(ADA), Spot::Modal, "more", &[]).unwrap();
        let payload = payloads(&twin).remove(0);
        assert_eq!((&payload["container"]["type"], &payload["response_url"]), (&json!("view"), &Value::Null));
        answers.push(push(payload["trigger_id"].as_str().unwrap().to_owned()).await);
    }
    assert_eq!((&answers[0]["view"]["root_view_id"], &answers[0]["view"]["previous_view_id"]), (&root, &root));
    assert_eq!(answers[2]["error"], "push_limit_reached");
    twin.close_modal(&user(ADA), false).unwrap();
    let closed = payloads(&twin);
    assert_eq!((&closed[0]["type"], &closed[0]["is_cleared"]), (&json!("view_closed"), &json!(false)));
    assert_eq!((&closed[0]["view"]["private_metadata"], &closed[0]["trigger_id"]), (&json!("m"), &Value::Null));
    twin.close_modal(&user(ADA), true).unwrap();
    assert_eq!(payloads(&twin).len(), 2, "one for each that was still open");
    assert_eq!(twin.modal(&user(ADA)), None);
}

#[tokio::test]
async fn an_update_names_the_view_and_its_version_and_keeps_what_was_written() {
    let (twin, _) = slack();
    let mut view = form();
    view["external_id"] = json!("mine");
    let answer = opened(&twin, view.clone()).await;
    let hash = answer["view"]["hash"].clone();
    let twice = opened(&twin, view.clone()).await;
    assert_eq!(twice["error"], "duplicate_external_id");
    twin.fill(&user(ADA), "task", &["Fix it"]).unwrap();
    view["title"] = text("Other");
    let update = |args: Value| call(&twin, "views.update", args);
    assert_eq!(update(json!({ "external_id": "mine", "hash": hash, "view": view })).await["ok"], true);
    assert_eq!(update(json!({ "external_id": "mine", "hash": hash, "view": view })).await["error"], "hash_conflict");
    assert_eq!(update(json!({ "external_id": "theirs", "view": view })).await["error"], "not_found");
    assert_eq!(update(json!({ "view": view })).await["error"], "invalid_arguments");
    let shown = twin.modal(&user(ADA)).unwrap();
    assert_eq!((shown.title(), &shown.values()["prompt"]["task"]["value"]), ("Other", &json!("Fix it")));
}

#[tokio::test]
async fn a_submission_carries_what_was_filled_in_and_stays_open_until_a_good_answer() {
    let (twin, _) = slack();
    twin.command(&user(ADA), &channel(BACKEND), "/devin", "new").unwrap();
    let body = twin.take_due().unwrap().body;
    let trigger = url::form_urlencoded::parse(&body).find(|(name, _)| name == "trigger_id").unwrap().1.into_owned();
    call(&twin, "views.open", json!({ "trigger_id": trigger, "view": form() })).await;
    let ada = user(ADA);
    assert_eq!(twin.submit(&ada), Err(ActError::Refused("prompt must be filled in".into())));
    assert!(twin.fill(&ada, "task", &["far too long a task"]).is_err());
    assert!(twin.fill(&ada, "mode", &["ultra"]).is_err(), "not an option");
    assert!(twin.fill(&ada, "acu", &["0"]).is_err(), "below the least");
    for (input, value) in [("task", "Fix it"), ("mode", "lite"), ("acu", "5")] {
        twin.fill(&ada, input, &[value]).unwrap();
    }
    assert!(twin.fill(&ada, "book", &["pb-1"]).is_err(), "not offered yet");
    twin.suggest(&ada, "book", "re").unwrap();
    let option = json!({ "text": text("Review"), "value": "pb-1" });
    answered(&twin, 200, &json!({ "options": [option] }));
    twin.fill(&ada, "book", &["pb-1"]).unwrap();
    assert!(twin.pending().is_empty(), "inputs tell nothing before the submission");
    twin.submit(&ada).unwrap();
    let delivery = twin.pending()[0].clone();
    let payload = payloads(&twin).remove(0);
    let values = &payload["view"]["state"]["values"];
    assert_eq!(values["prompt"]["task"], json!({ "type": "plain_text_input", "value": "Fix it" }));
    assert_eq!(values["how"]["mode"]["selected_option"]["value"], "lite");
    assert_eq!(values["where"]["place"]["selected_conversation"], BACKEND);
    assert_eq!(payload["response_urls"][0]["channel_id"], BACKEND);
    twin.settle(delivery, Err(Undelivered::Timeout));
    assert!(twin.modal(&ada).unwrap().trouble, "late");
    for (status, body) in [
        (503, Value::Null),
        (200, json!({ "response_action": "errors", "errors": { "row": "no input" } })),
        (200, json!({ "response_action": "update", "view": { "type": "modal" } })),
        (200, json!({ "text": "thanks" })),
    ] {
        twin.submit(&ada).unwrap();
        answered(&twin, status, &body);
        assert!(twin.modal(&ada).unwrap().trouble, "{status} {body}");
    }
    twin.submit(&ada).unwrap();
    answered(&twin, 200, &json!({ "response_action": "errors", "errors": { "how": "not in this channel" } }));
    let shown = twin.modal(&ada).unwrap();
    assert_eq!((shown.trouble, shown.errors["how"].as_str()), (false, "not in this channel"));
    twin.submit(&ada).unwrap();
    answered(&twin, 200, &json!({ "response_action": "push", "view": modal("Sure?", &json!([])) }));
    assert_eq!(twin.modal(&ada).unwrap().title(), "Sure?");
    twin.submit(&ada).unwrap();
    answered(&twin, 200, &json!({ "response_action": "update", "view": modal("Done", &json!([])) }));
    assert_eq!(twin.modal(&ada).unwrap().title(), "Done");
    twin.submit(&ada).unwrap();
    answered(&twin, 200, &Value::Null);
    assert_eq!(twin.modal(&ada).unwrap().title(), "Start", "the one below");
    twin.submit(&ada).unwrap();
    answered(&twin, 200, &json!({ "response_action": "clear" }));
    assert_eq!(twin.modal(&ada), None);
}

#[tokio::test]
async fn the_home_tab_belongs_to_one_person_and_its_buttons_work() {
    let (twin, _) = slack();
    let button = json!({ "type": "button", "action_id": "open", "text": text("Open"), "value": "s1" });
    let view = json!({ "type": "home", "blocks": [{ "type": "actions", "block_id": "row", "elements": [button] }] });
    let publish =
        |view: &Value, hash: Value| call(&twin, "views.publish", json!({ "user_id": ADA, "view": view, "hash": hash }));
    let first = publish(&view, Value::Null).await;
    let second = publish(&view, first["view"]["hash"].clone()).await;
    assert_eq!(first["view"]["id"], second["view"]["id"]);
    assert_eq!(publish(&view, first["view"]["hash"].clone()).await["error"], "hash_conflict");
    assert_eq!(publish(&modal("No", &json!([])), Value::Null).await["error"], "invalid_arguments");
    assert_eq!(twin.home(&user(GRACE)), None);
    twin.open_home(&user(ADA), "home").unwrap();
    let event = events(&twin).remove(0);
    assert_eq!((&event["event"]["tab"], &event["event"]["view"]["id"]), (&json!("home"), &first["view"]["id"]));
    twin.choose(&user(ADA), Spot::Home, "open", &[]).unwrap();
    let payload = payloads(&twin).remove(0);
    assert_eq!((&payload["actions"][0]["value"], &payload["view"]["type"]), (&json!("s1"), &json!("home")));
    twin.change(|state| state.features.home_tab = false);
    assert_eq!(publish(&view, Value::Null).await["error"], "not_enabled");
}

#[tokio::test]
async fn a_select_in_a_message_says_what_was_chosen() {
    let (twin, _) = slack();
    let option = |value: &str| json!({ "text": text(value), "value": value });
    let select = json!({ "type": "static_select", "action_id": "pick", "options": [option("a"), option("b")] });
    let blocks = json!([{ "type": "section", "block_id": "s", "text": text("Which?"), "accessory": select }]);
    let ts = post(&twin, json!({ "channel": BACKEND, "text": "Which?", "blocks": blocks })).await;
    events(&twin);
    let (place, ada) = (channel(BACKEND), user(ADA));
    let spot = Spot::Message(&place, &ts);
    assert!(twin.choose(&ada, spot, "pick", &["c"]).is_err());
    twin.choose(&ada, spot, "pick", &["b"]).unwrap();
    let payload = payloads(&twin).remove(0);
    assert_eq!(payload["actions"][0]["selected_option"]["value"], "b");
    assert_eq!(payload["state"]["values"]["s"]["pick"]["selected_option"]["value"], "b");
    assert_eq!(payload["actions"][0]["options"], Value::Null);
}

#[tokio::test]
async fn what_only_one_person_sees_can_be_pressed_replaced_and_taken_away() {
    let (twin, _) = slack();
    let button = json!({ "type": "button", "action_id": "yes", "text": text("Yes") });
    let blocks = json!([{ "type": "actions", "block_id": "row", "elements": [button] }]);
    let args = json!({ "channel": BACKEND, "user": ADA, "text": "Stop it?", "blocks": blocks });
    let ts: Ts = call(&twin, "chat.postEphemeral", args).await["message_ts"].as_str().unwrap().parse().unwrap();
    assert!(twin.press(&user(GRACE), &channel(BACKEND), &ts, "yes").is_err(), "not hers");
    twin.press(&user(ADA), &channel(BACKEND), &ts, "yes").unwrap();
    let payload = payloads(&twin).remove(0);
    assert_eq!((&payload["container"]["is_ephemeral"], &payload["message"]), (&json!(true), &Value::Null));
    let path = payload["response_url"].as_str().unwrap().strip_prefix("http://slack.invalid").unwrap().to_owned();
    let respond = |body: Value| raw(&twin, posted(&path, "application/json", body.to_string()));
    let bad = json!({ "replace_original": true, "text": "x", "blocks": [{ "type": "nothing" }] });
    assert_eq!(respond(bad).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(respond(json!({ "replace_original": true })).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(respond(json!({ "replace_original": true, "text": "Stopped." })).await.status(), StatusCode::OK);
    let shown = twin.read(|state| state.ephemerals.clone());
    assert_eq!((shown.len(), shown[0].text.as_str(), shown[0].blocks.len()), (1, "Stopped.", 0));
    assert_eq!(respond(json!({ "delete_original": true })).await.status(), StatusCode::OK);
    assert_eq!(twin.read(|state| state.ephemerals.len()), 0);
    assert_eq!(events(&twin).len(), 0, "nobody hears of what one person sees");
}
