//! The calls to Devin, each failing in every way.

use bobbin::twin::FaultAction;
use insta::assert_snapshot;

use super::{Trouble, common, table, table_of, trouble};

/// Devin's own ways of refusing.
fn refusals() -> Vec<Trouble> {
    [400, 401, 402, 403, 404, 409, 422]
        .map(|status| trouble(&status.to_string(), FaultAction::Problem(status)))
        .to_vec()
}

#[tokio::test]
async fn f20_members_users_in_mention() {
    assert_snapshot!(table("mention", "members.users", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after
    1x, no card, no session, set aside, told “:x: I may not look people up in Devin, so I can't know as wh…”: 400; 402; 403; 409; 422
    1x, no card, no session, set aside, told “:x: Devin refuses my key (401), so I did nothing. An operato…”: 401
    1x, no card, no session, set aside, told “:x: Devin does not know what I asked it for, so I did nothin…”: 404
    ");
}

#[tokio::test]
async fn f20_members_idp_users_in_direct_message() {
    assert_snapshot!(table("direct message", "members.idp-users", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after
    1x, no card, no session, set aside, told “:x: I may not look people up in Devin, so I can't know as wh…”: 400; 402; 403; 409; 422
    1x, no card, no session, set aside, told “:x: Devin refuses my key (401), so I did nothing. An operato…”: 401
    1x, no card, no session, set aside, told “:x: Devin does not know what I asked it for, so I did nothin…”: 404
    ");
}

#[tokio::test]
async fn f20_sessions_create_in_mention() {
    assert_snapshot!(table("mention", "sessions.create", refusals()).await, @"
    1x, later: refused; reset after; slow; processed 20 s late; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    2x, later: reset before; 429; 429 for 7 s; bare yes, undone; 500 before; 502 before; 503 before
    1x, no card, no session, set aside, told “:x: Devin did not accept this. It says: _Bad Request_. Chang…”: 400
    1x, no card, no session, set aside, told “:x: Devin refuses my key (401), so I did nothing. An operato…”: 401
    1x, no card, no session, set aside, told “:x: Devin refused because of a limit or of billing. It says:…”: 402
    1x, no card, no session, set aside, told “:x: Devin does not allow this (403): starting a session, as …”: 403
    1x, no card, no session, set aside, told “:x: Devin does not know what I asked it for, so I did nothin…”: 404
    1x, no card, no session, set aside, told “:x: Devin did not accept this. It says: _Conflict_. Change y…”: 409
    1x, no card, no session, set aside, told “:x: Devin did not accept this. It says: _Unprocessable Entit…”: 422
    ");
}

#[tokio::test]
async fn f20_attachments_upload_in_mention_with_a_file() {
    assert_snapshot!(table("mention with a file", "attachments.upload", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after
    1x, no file, told “:paperclip: Not passed on to Devin: `trace.log` (Devin did n…”: 400; 401; 402; 403; 404; 409; 422
    ");
}

#[tokio::test]
async fn f20_messages_send_in_long_reply() {
    assert_snapshot!(table("long reply", "messages.send", refusals()).await, @"
    1x, later: refused; reset after; slow; processed 20 s late; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    2x, later: reset before; 429; 429 for 7 s; bare yes, undone; 500 before; 502 before; 503 before
    1x, marked as not sent, not marked as sent, not sent, set aside, told “:x: Devin did not accept this. It says: _Bad Request_. Chang…”: 400
    1x, marked as not sent, not marked as sent, not sent, set aside, told “:x: Devin refuses my key (401), so I did nothing. An operato…”: 401
    1x, marked as not sent, not marked as sent, not sent, set aside, told “:x: Devin refused because of a limit or of billing. It says:…”: 402
    1x, marked as not sent, not marked as sent, not sent, set aside, told “:x: Devin does not allow this (403): sending a message into …”: 403
    1x, marked as not sent, not marked as sent, not sent, set aside, told “:x: Devin does not know what I asked it for, so I did nothin…”: 404
    1x, marked as not sent, not marked as sent, not sent, set aside, told “:x: Devin did not accept this. It says: _Conflict_. Change y…”: 409
    1x, marked as not sent, not marked as sent, not sent, set aside, told “:x: Devin did not accept this. It says: _Unprocessable Entit…”: 422
    ");
}

/// A short message is sent by the turn after the one that took it in, when there is no input left to set aside.
#[tokio::test]
async fn f20_messages_send_in_reply() {
    let troubles = common().into_iter().filter(|trouble| trouble.fault.is_some()).chain(refusals()).collect();
    assert_snapshot!(table_of("reply", "messages.send", troubles).await, @"
    2x, later: reset before; 429; 429 for 7 s; bare yes, undone; 500 before; 502 before; 503 before
    1x, later: reset after; slow; processed 20 s late; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    1x, marked as not sent, not marked as sent, not sent, told “:x: Devin did not accept this. It says: _Bad Request_. Chang…”: 400
    1x, marked as not sent, not marked as sent, not sent, told “:x: Devin refuses my key (401), so I did nothing. An operato…”: 401
    1x, marked as not sent, not marked as sent, not sent, told “:x: Devin refused because of a limit or of billing. It says:…”: 402
    1x, marked as not sent, not marked as sent, not sent, told “:x: Devin does not allow this (403): sending a message into …”: 403
    1x, marked as not sent, not marked as sent, not sent, told “:x: Devin does not know what I asked it for, so I did nothin…”: 404
    1x, marked as not sent, not marked as sent, not sent, told “:x: Devin did not accept this. It says: _Conflict_. Change y…”: 409
    1x, marked as not sent, not marked as sent, not sent, told “:x: Devin did not accept this. It says: _Unprocessable Entit…”: 422
    ");
}

#[tokio::test]
async fn f20_messages_list_in_change() {
    assert_snapshot!(table("change", "messages.list", refusals()).await, @"
    4x, done: refused
    5x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after
    4x, in another order: 400; 401; 402; 403; 404; 409; 422
    ");
}

#[tokio::test]
async fn f20_sessions_list_in_change() {
    assert_snapshot!(table("change", "sessions.list", refusals()).await, @"
    0x, done: refused
    1x, done: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; 400; 401; 402; 403; 404; 409; 422
    ");
}

#[tokio::test]
async fn f20_sessions_get_in_reply_to_what_is_over() {
    assert_snapshot!(table("reply to what is over", "sessions.get", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; 400; 401; 402; 403; 409; 422
    1x, card not up to date, not told “:checkered_flag: Your message was not passed on: this sessio…”, told “:ghost: Your message was not passed on: Devin no longer know…”: 404
    ");
}

#[tokio::test]
async fn f20_sessions_terminate_in_late_double() {
    assert_snapshot!(table("late double", "sessions.terminate", refusals()).await, @"
    1x, done: refused; reset after; slow; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    2x, done: reset before; processed 20 s late; 429; 429 for 7 s; bare yes, undone; 500 before; 502 before; 503 before; 400; 401; 402; 403; 404; 409; 422
    ");
}

#[tokio::test]
async fn f20_playbooks_list_in_form() {
    assert_snapshot!(table("form", "playbooks.list", refusals()).await, @"
    1x, later: refused
    1x, done: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; 400; 401; 402; 403; 404; 409; 422
    ");
}

#[tokio::test]
async fn f20_playbooks_list_in_mention_with_options() {
    assert_snapshot!(table("mention with options", "playbooks.list", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after
    1x, + Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine., + • I can't look up what `playbook=` names. Devin says: _Bad Request_. Write its id instead, or let a Devin administrator give my service user that permission., no card, no session, told “:raised_hand: I started nothing yet:”: 400
    1x, no card, no session, set aside, told “:x: Devin refuses my key (401), so I did nothing. An operato…”: 401
    1x, + Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine., + • I can't look up what `playbook=` names. Devin says: _Payment Required_. Write its id instead, or let a Devin administrator give my service user that permission., no card, no session, told “:raised_hand: I started nothing yet:”: 402
    1x, + Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine., + • I can't look up what `playbook=` names. Devin says: _Forbidden_. Write its id instead, or let a Devin administrator give my service user that permission., no card, no session, told “:raised_hand: I started nothing yet:”: 403
    1x, + Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine., + • I can't look up what `playbook=` names. Devin says: _not found_. Write its id instead, or let a Devin administrator give my service user that permission., no card, no session, told “:raised_hand: I started nothing yet:”: 404
    1x, + Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine., + • I can't look up what `playbook=` names. Devin says: _Conflict_. Write its id instead, or let a Devin administrator give my service user that permission., no card, no session, told “:raised_hand: I started nothing yet:”: 409
    1x, + Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine., + • I can't look up what `playbook=` names. Devin says: _Unprocessable Entity_. Write its id instead, or let a Devin administrator give my service user that permission., no card, no session, told “:raised_hand: I started nothing yet:”: 422
    ");
}

#[tokio::test]
async fn f20_secrets_list_in_mention_with_options() {
    assert_snapshot!(table("mention with options", "secrets.list", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; a list; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after
    1x, + Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine., + • I can't look up what `secret=` names. Devin says: _Bad Request_. Write its id instead, or let a Devin administrator give my service user that permission., no card, no session, told “:raised_hand: I started nothing yet:”: 400
    1x, no card, no session, set aside, told “:x: Devin refuses my key (401), so I did nothing. An operato…”: 401
    1x, + Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine., + • I can't look up what `secret=` names. Devin says: _Payment Required_. Write its id instead, or let a Devin administrator give my service user that permission., no card, no session, told “:raised_hand: I started nothing yet:”: 402
    1x, + Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine., + • I can't look up what `secret=` names. Devin says: _Forbidden_. Write its id instead, or let a Devin administrator give my service user that permission., no card, no session, told “:raised_hand: I started nothing yet:”: 403
    1x, + Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine., + • I can't look up what `secret=` names. Devin says: _not found_. Write its id instead, or let a Devin administrator give my service user that permission., no card, no session, told “:raised_hand: I started nothing yet:”: 404
    1x, + Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine., + • I can't look up what `secret=` names. Devin says: _Conflict_. Write its id instead, or let a Devin administrator give my service user that permission., no card, no session, told “:raised_hand: I started nothing yet:”: 409
    1x, + Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine., + • I can't look up what `secret=` names. Devin says: _Unprocessable Entity_. Write its id instead, or let a Devin administrator give my service user that permission., no card, no session, told “:raised_hand: I started nothing yet:”: 422
    ");
}

#[tokio::test]
async fn f20_attachments_list_in_words_and_files() {
    assert_snapshot!(table("words and files", "attachments.list", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; cut JSON; wrong types; bare yes; bare yes, undone; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after
    1x, done: a list; 400; 401; 402; 403; 404; 409; 422
    ");
}

#[tokio::test]
async fn f20_attachments_download_in_words_and_files() {
    assert_snapshot!(table("words and files", "attachments.download", refusals()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after; 400; 401; 402; 403; 404; 409; 422
    1x, done: cut JSON; wrong types; a list; bare yes; bare yes, undone
    ");
}

#[tokio::test]
async fn f20_presigned_in_words_and_files() {
    assert_snapshot!(table("words and files", "presigned", Vec::new()).await, @"
    1x, later: refused
    2x, later: reset before; reset after; slow; processed 20 s late; 429; 429 for 7 s; 500 before; 500 after; 502 before; 502 after; 503 before; 503 after
    1x, done: cut JSON; wrong types; a list; bare yes; bare yes, undone
    ");
}

#[tokio::test]
async fn f20_sessions_archive_in_sleep() {
    assert_snapshot!(table("sleep", "sessions.archive", refusals()).await, @"
    1x, later: refused; reset after; slow; processed 20 s late; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    2x, later: reset before; 429; 429 for 7 s; bare yes, undone; 500 before; 502 before; 503 before
    1x, card not up to date, not told “:zzz: Somebody put this session to sleep. A reply in this th…”, not whispered, set aside, told “:x: Devin did not accept this. It says: _Bad Request_. Chang…”: 400
    1x, card not up to date, not told “:zzz: Somebody put this session to sleep. A reply in this th…”, not whispered, set aside, told “:x: Devin refuses my key (401), so I did nothing. An operato…”: 401
    1x, card not up to date, not told “:zzz: Somebody put this session to sleep. A reply in this th…”, not whispered, set aside, told “:x: Devin refused because of a limit or of billing. It says:…”: 402
    1x, card not up to date, not told “:zzz: Somebody put this session to sleep. A reply in this th…”, not whispered, set aside, told “:x: Devin does not allow this (403): archiving a session, as…”: 403
    1x, card not up to date, not told “:zzz: Somebody put this session to sleep. A reply in this th…”, not whispered, set aside, told “:x: Devin does not know what I asked it for, so I did nothin…”: 404
    1x, card not up to date, not told “:zzz: Somebody put this session to sleep. A reply in this th…”, not whispered, set aside, told “:x: Devin did not accept this. It says: _Conflict_. Change y…”: 409
    1x, card not up to date, not told “:zzz: Somebody put this session to sleep. A reply in this th…”, not whispered, set aside, told “:x: Devin did not accept this. It says: _Unprocessable Entit…”: 422
    ");
}

#[tokio::test]
async fn f20_sessions_unarchive_in_sleep() {
    assert_snapshot!(table("sleep", "sessions.unarchive", refusals()).await, @"
    1x, later: refused; reset after; slow; processed 20 s late; cut JSON; wrong types; a list; bare yes; 500 after; 502 after; 503 after
    2x, later: reset before; 429; 429 for 7 s; bare yes, undone; 500 before; 502 before; 503 before
    1x, card not up to date, not told “:zzz: Somebody put this session to sleep. A reply in this th…”, not whispered, set aside, told “:file_cabinet: The session was archived and takes no message…”, told “:x: Devin did not accept this. It says: _Bad Request_. Chang…”: 400
    1x, card not up to date, not told “:zzz: Somebody put this session to sleep. A reply in this th…”, not whispered, set aside, told “:file_cabinet: The session was archived and takes no message…”, told “:x: Devin refuses my key (401), so I did nothing. An operato…”: 401
    1x, card not up to date, not told “:zzz: Somebody put this session to sleep. A reply in this th…”, not whispered, set aside, told “:file_cabinet: The session was archived and takes no message…”, told “:x: Devin refused because of a limit or of billing. It says:…”: 402
    1x, card not up to date, not told “:zzz: Somebody put this session to sleep. A reply in this th…”, not whispered, set aside, told “:file_cabinet: The session was archived and takes no message…”, told “:x: Devin does not allow this (403): taking a session out of…”: 403
    1x, card not up to date, not told “:zzz: Somebody put this session to sleep. A reply in this th…”, not whispered, set aside, told “:file_cabinet: The session was archived and takes no message…”, told “:x: Devin does not know what I asked it for, so I did nothin…”: 404
    1x, card not up to date, not told “:zzz: Somebody put this session to sleep. A reply in this th…”, not whispered, set aside, told “:file_cabinet: The session was archived and takes no message…”, told “:x: Devin did not accept this. It says: _Conflict_. Change y…”: 409
    1x, card not up to date, not told “:zzz: Somebody put this session to sleep. A reply in this th…”, not whispered, set aside, told “:file_cabinet: The session was archived and takes no message…”, told “:x: Devin did not accept this. It says: _Unprocessable Entit…”: 422
    ");
}
