//! The calls to Slack, each failing in every way.

use bobbin::twin::FaultAction;
use insta::assert_snapshot;

use super::{Trouble, table, trouble};

/// Slack's own ways of refusing: one code of each class, and one that nobody has heard of.
fn refusals() -> Vec<Trouble> {
    let codes = [
        "ratelimited",
        "token_revoked",
        "missing_scope",
        "channel_not_found",
        "invalid_blocks",
        "internal_error",
        "gremlins",
    ];
    codes.map(|code| trouble(code, FaultAction::OkFalse(code.to_owned()))).to_vec()
}

/// What a workspace without agent sessions says.
fn not_here() -> Vec<Trouble> {
    let codes = ["feature_disabled", "not_authorized", "unknown_method"];
    codes.map(|code| trouble(code, FaultAction::OkFalse(code.to_owned()))).to_vec()
}

#[tokio::test]
async fn f20_agents_sessions_setstatus_in_mention() {
    let refusals = [refusals(), not_here()].concat();
    assert_snapshot!(table("mention", "agents.sessions.setStatus", refusals).await, @"
    1x, later: refused
    2x, done: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; internal_error
    1x, done: bare yes; bare yes, undone; missing_scope; channel_not_found; invalid_blocks; gremlins; feature_disabled; not_authorized; unknown_method
    ");
}

#[tokio::test]
async fn f20_agents_sessions_setstatus_in_change() {
    let refusals = [refusals(), not_here()].concat();
    assert_snapshot!(table("change", "agents.sessions.setStatus", refusals).await, @"
    1x, done: refused; bare yes; bare yes, undone; token_revoked; channel_not_found; invalid_blocks; gremlins
    2x, done: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; internal_error
    1x, no reaction, reaction left behind: missing_scope; feature_disabled; not_authorized; unknown_method
    ");
}

#[tokio::test]
async fn f20_auth_test_in_mention() {
    assert_snapshot!(table("mention", "auth.test", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; internal_error
    1x, no card, no reaction, no session, set aside: missing_scope; channel_not_found; invalid_blocks; gremlins
    ");
}

#[tokio::test]
async fn f20_reactions_add_in_mention() {
    assert_snapshot!(table("mention", "reactions.add", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; internal_error
    1x, done: bare yes
    1x, no reaction: bare yes, undone; missing_scope; channel_not_found; invalid_blocks; gremlins
    ");
}

#[tokio::test]
async fn f20_users_info_in_mention() {
    assert_snapshot!(table("mention", "users.info", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; internal_error
    1x, no card, no session, set aside, told “:x: I may not look people up in Slack, so I can't know as wh…”: missing_scope; channel_not_found; invalid_blocks; gremlins
    ");
}

#[tokio::test]
async fn f20_conversations_info_in_mention() {
    assert_snapshot!(table("mention", "conversations.info", refusals()).await, @"
    1x, later: refused
    1x, done: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; missing_scope; channel_not_found; invalid_blocks; internal_error; gremlins
    ");
}

#[tokio::test]
async fn f20_chat_getpermalink_in_mention() {
    assert_snapshot!(table("mention", "chat.getPermalink", refusals()).await, @"
    1x, later: refused
    1x, done: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; missing_scope; channel_not_found; invalid_blocks; internal_error; gremlins
    ");
}

#[tokio::test]
async fn f20_conversations_history_in_mention() {
    assert_snapshot!(table("mention", "conversations.history", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; internal_error
    1x, done: token_revoked; missing_scope; channel_not_found; invalid_blocks; gremlins
    ");
}

#[tokio::test]
async fn f20_chat_postmessage_in_mention() {
    assert_snapshot!(table("mention", "chat.postMessage", refusals()).await, @"
    1x, later: refused; reset after; slow; processed 20 s late; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    2x, later: reset before; 429; 429 for 7 s; bare yes, undone; 500 before; 502 before; 503 before; ratelimited; token_revoked; internal_error
    1x, no card: missing_scope; channel_not_found; gremlins
    2x, done: invalid_blocks
    ");
}

#[tokio::test]
async fn f20_chat_postmessage_in_change() {
    assert_snapshot!(table("change", "chat.postMessage", refusals()).await, @"
    3x, later: refused; reset after; slow; processed 20 s late; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    4x, later: reset before; 429; 429 for 7 s; bare yes, undone; 500 before; 502 before; 503 before; ratelimited; token_revoked; internal_error
    3x, not told “Which branch?”: missing_scope; gremlins
    1x, card not up to date, not told “:arrow_heading_up: Pull request opened: <https://github.com/…”, not told “:raised_hand: <@U0ADA> Devin needs you: it is waiting for yo…”, not told “Which branch?”: channel_not_found
    4x, done: invalid_blocks
    ");
}

#[tokio::test]
async fn f20_chat_postmessage_in_reply_to_what_is_over() {
    assert_snapshot!(table("reply to what is over", "chat.postMessage", refusals()).await, @"
    1x, later: refused; reset after; slow; processed 20 s late; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    2x, later: reset before; 429; 429 for 7 s; bare yes, undone; 500 before; 502 before; 503 before; ratelimited; token_revoked; internal_error
    1x, not told “:checkered_flag: Your message was not passed on: this sessio…”: missing_scope; channel_not_found; invalid_blocks; gremlins
    ");
}

#[tokio::test]
async fn f20_conversations_replies_in_mention_in_a_thread() {
    assert_snapshot!(table("mention in a thread", "conversations.replies", refusals()).await, @"
    2x, later: refused
    2x, done: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; missing_scope; channel_not_found; invalid_blocks; internal_error; gremlins
    ");
}

#[tokio::test]
async fn f20_chat_update_in_change() {
    assert_snapshot!(table("change", "chat.update", refusals()).await, @"
    1x, done: refused; bare yes; token_revoked
    2x, done: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; missing_scope; invalid_blocks; internal_error; gremlins
    1x, card not up to date: bare yes, undone; channel_not_found
    ");
}

#[tokio::test]
async fn f20_chat_postephemeral_in_refusal() {
    assert_snapshot!(table("refusal", "chat.postEphemeral", refusals()).await, @"
    1x, later: refused
    1x, not whispered: reset before; bare yes, undone; 500 before; 502 before; 503 before; channel_not_found; internal_error; gremlins
    1x, done: reset after; slow; processed 20 s late; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    2x, later: 429; 429 for 7 s; ratelimited; token_revoked
    1x, not whispered, set aside: missing_scope; invalid_blocks
    ");
}

#[tokio::test]
async fn f20_reactions_remove_in_silent_refusal() {
    assert_snapshot!(table("silent refusal", "reactions.remove", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; internal_error
    1x, done: bare yes
    1x, reaction left behind: bare yes, undone; missing_scope; channel_not_found; invalid_blocks; gremlins
    ");
}

#[tokio::test]
async fn f20_hooks_in_command() {
    assert_snapshot!(table("command", "hooks", refusals()).await, @"
    1x, later: refused
    1x, not whispered: reset before; bare yes, undone; 500 before; 502 before; 503 before; channel_not_found; internal_error; gremlins
    1x, done: reset after; slow; processed 20 s late; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    2x, later: 429; 429 for 7 s; ratelimited; token_revoked
    1x, not whispered, set aside: missing_scope; invalid_blocks
    ");
}

#[tokio::test]
async fn f20_files_in_mention_with_a_file() {
    assert_snapshot!(table("mention with a file", "files", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after
    1x, done: cut JSON; wrong types; a list; bare yes; bare yes, undone; ratelimited; token_revoked; missing_scope; channel_not_found; invalid_blocks; internal_error; gremlins
    ");
}

#[tokio::test]
async fn f20_conversations_info_in_shortcut_where_we_are_not() {
    assert_snapshot!(table("shortcut where we are not", "conversations.info", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; internal_error
    1x, not whispered, set aside: missing_scope; invalid_blocks; gremlins
    1x, done: channel_not_found
    ");
}

#[tokio::test]
async fn f20_chat_delete_in_post_that_goes_astray() {
    assert_snapshot!(table("post that goes astray", "chat.delete", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; internal_error
    1x, done: bare yes; bare yes, undone; missing_scope; channel_not_found; invalid_blocks; gremlins
    ");
}

#[tokio::test]
async fn f20_views_open_in_form() {
    assert_snapshot!(table("form", "views.open", refusals()).await, @"
    1x, later: refused
    2x, done: reset before; processed 20 s late; 429; 429 for 7 s; bare yes, undone; 500 before; 502 before; 503 before; ratelimited; token_revoked; missing_scope; channel_not_found; invalid_blocks; internal_error; gremlins
    1x, done: reset after; slow; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    ");
}

#[tokio::test]
async fn f20_views_update_in_form() {
    assert_snapshot!(table("form", "views.update", refusals()).await, @"
    2x, later: refused
    3x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; internal_error
    2x, done: bare yes; bare yes, undone
    1x, set aside: missing_scope; channel_not_found; invalid_blocks; gremlins
    ");
}

#[tokio::test]
async fn f20_views_publish_in_home_tab() {
    assert_snapshot!(table("Home tab", "views.publish", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; internal_error
    1x, done: bare yes; bare yes, undone; missing_scope; channel_not_found; gremlins
    1x, set aside: invalid_blocks
    ");
}

#[tokio::test]
async fn f20_assistant_threads_setsuggestedprompts_in_conversation_with_us() {
    assert_snapshot!(table("conversation with us", "assistant.threads.setSuggestedPrompts", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; internal_error
    1x, done: bare yes; bare yes, undone; missing_scope; channel_not_found; invalid_blocks; gremlins
    ");
}

#[tokio::test]
async fn f20_assistant_threads_settitle_in_direct_message() {
    assert_snapshot!(table("direct message", "assistant.threads.setTitle", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; internal_error
    1x, done: bare yes; bare yes, undone; missing_scope; channel_not_found; invalid_blocks; gremlins
    ");
}

#[tokio::test]
async fn f20_chat_postmessage_in_form_that_is_sent() {
    assert_snapshot!(table("form that is sent", "chat.postMessage", refusals()).await, @"
    2x, later: refused; reset after; slow; processed 20 s late; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    3x, later: reset before; 429; 429 for 7 s; bare yes, undone; 500 before; 502 before; 503 before; ratelimited; token_revoked; internal_error
    2x, + > fix the login test, no card, no reaction, no session, not told “:speech_balloon: *Ada Lovelace* asks Devin:”, told “:no_entry_sign: Slack did not let me post in <#C0BACKEND>, s…”: missing_scope; invalid_blocks; gremlins
    2x, + > fix the login test, no card, no reaction, no session, not told “:speech_balloon: *Ada Lovelace* asks Devin:”, told “:wave: I am not in <#C0BACKEND>, so I could not report there…”: channel_not_found
    ");
}

#[tokio::test]
async fn f20_chat_postmessage_in_message_that_is_handed_over() {
    assert_snapshot!(table("message that is handed over", "chat.postMessage", refusals()).await, @"
    1x, done: refused
    2x, later: reset before; 429; 429 for 7 s; bare yes, undone; 500 before; 502 before; 503 before; ratelimited; token_revoked; internal_error
    1x, later: reset after; slow; processed 20 s late; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    2x, not marked as sent, not sent, not told “:paperclip: *Ada Lovelace* hands over <https://acme.slack.co…”, told “:wave: That session is no longer tied to a thread, so I coul…”: missing_scope; channel_not_found; invalid_blocks; gremlins
    ");
}

#[tokio::test]
async fn f20_files_getuploadurlexternal_in_words_and_files() {
    assert_snapshot!(table("words and files", "files.getUploadURLExternal", refusals()).await, @"
    2x, later: refused
    3x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; internal_error
    2x, not told “(file devin-message.md)”, told “:warning: Slack did not take the file with the whole message…”: missing_scope; channel_not_found; invalid_blocks; gremlins
    ");
}

#[tokio::test]
async fn f20_upload_in_words_and_files() {
    assert_snapshot!(table("words and files", "upload", refusals()).await, @"
    2x, later: refused
    3x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; ratelimited; token_revoked; internal_error
    2x, done: bare yes
    2x, not told “(file devin-message.md)”, told “:warning: Slack did not take the file with the whole message…”: bare yes, undone; missing_scope; channel_not_found; invalid_blocks; gremlins
    ");
}

#[tokio::test]
async fn f20_files_completeuploadexternal_in_words_and_files() {
    assert_snapshot!(table("words and files", "files.completeUploadExternal", refusals()).await, @"
    2x, later: refused; reset after; slow; processed 20 s late; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    3x, later: reset before; 429; 429 for 7 s; bare yes, undone; 500 before; 502 before; 503 before; ratelimited; token_revoked; internal_error
    2x, not told “(file devin-message.md)”, told “:warning: Slack did not take the file with the whole message…”: missing_scope; invalid_blocks; gremlins
    1x, not told “(file devin-message.md)”, not told “(file report.txt)”: channel_not_found
    ");
}

#[tokio::test]
async fn f20_chat_postmessage_in_words_and_files() {
    assert_snapshot!(table("words and files", "chat.postMessage", refusals()).await, @"
    1x, later: refused; reset after; slow; processed 20 s late; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    2x, later: reset before; 429; 429 for 7 s; bare yes, undone; 500 before; 502 before; 503 before; ratelimited; token_revoked; internal_error
    1x, - , - :page_facing_up: This is the beginning of a long message (20000 characters). All of it is in the file below., not told “word word word word word word word word word word word word …”: missing_scope; gremlins
    1x, - , - :page_facing_up: This is the beginning of a long message (20000 characters). All of it is in the file below., not told “(file devin-message.md)”, not told “(file report.txt)”, not told “word word word word word word word word word word word word …”: channel_not_found
    2x, done: invalid_blocks
    ");
}
