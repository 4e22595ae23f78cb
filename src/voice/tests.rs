//! Every sentence, rendered with samples: the snapshot is what reviewers read.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::Timestamp;

use super::*;
use crate::domain::{
    announce::Observation,
    ids::UserId,
    link::Ended,
    phase::State,
    standing::Refusal,
    status::{Detail, Status},
};

const URL: &str = "https://app.devin.ai/sessions/0f3a";

fn requester() -> UserId {
    "U0ADA".parse().unwrap()
}

fn states() -> Vec<State> {
    let plain = [Status::New, Status::Claimed, Status::Resuming, Status::Exit, Status::Error];
    let running = [Detail::Working, Detail::WaitingForUser, Detail::WaitingForApproval, Detail::Finished];
    let suspended = Detail::DOCUMENTED.iter().filter(|d| !running.contains(d)).cloned();
    let mut states: Vec<State> = plain.into_iter().map(|status| State::new(status, None)).collect();
    states.extend(running.clone().into_iter().map(|detail| State::new(Status::Running, Some(detail))));
    states.push(State::new(Status::Suspended, None));
    states.extend(suspended.map(|detail| State::new(Status::Suspended, Some(detail))));
    states.push(State { status: Status::Running, detail: None, archived: true });
    states.push(State::new(Status::Other("hibernating".to_owned()), Some(Detail::Other("<!here>".to_owned()))));
    states
}

fn samples() -> Vec<Notice> {
    let detail = || "Missing permission <ImpersonateOrgSessions>".to_owned();
    let file = |name: &str, why| SkippedFile { name: name.to_owned(), why };
    let mut notices = vec![
        Notice::pull_request("https://github.com/acme/api/pull/42", Some("open")),
        Notice::pull_request("https://github.com/acme/api/pull/42", Some("merged")),
        Notice::pull_request("https://github.com/acme/api/pull/42", Some("closed")),
        Notice::pull_request("https://git.acme.example/<x>", Some("draft")),
        Notice::SkippedFiles {
            files: vec![
                file("core.dump", Skipped::TooLarge { limit_mib: 20 }),
                file("a&b.txt", Skipped::NotReadable),
                file("c.txt", Skipped::NotTaken),
            ],
        },
        Notice::DevinUnreachable,
        Notice::DevinRecovered,
        Notice::DevinUnauthorized,
        Notice::DevinForbidden {
            doing: "starting a session".to_owned(),
            runs_as: "Ada Lovelace".to_owned(),
            detail: detail(),
        },
        Notice::LookupForbidden { system: "Devin".to_owned(), detail: detail() },
        Notice::DevinInvalid { detail: detail() },
        Notice::DevinBilling { detail: detail() },
        Notice::Vanished,
        Notice::Buried { reference: "0193-abc".to_owned() },
        Notice::BrokeDown { reference: "0193-abc".to_owned() },
        Notice::SentTwice,
        Notice::NothingAsked,
        Notice::CommandHelp,
        Notice::NotInside,
        Notice::DevinUnknown { detail: "Not Found".to_owned() },
    ];
    let ends = [Ended::Exited, Ended::Failed, Ended::Archived, Ended::Vanished];
    notices.extend(ends.map(|ended| Notice::NotDelivered { ended, url: URL.to_owned() }));
    notices
}

#[test]
fn every_sentence_reads_well() {
    let mut text = String::new();
    for state in states() {
        let said = transition(&state, &requester(), URL).text;
        writeln!(text, "{} / {:?}\n  {said}", state.status, state.detail).unwrap();
    }
    for why in Refusal::ALL {
        writeln!(text, "{why:?}\n  {}", refusal(why).text).unwrap();
    }
    for sample in samples() {
        writeln!(text, "{sample:?}\n  {}", notice(&sample).text).unwrap();
    }
    insta::assert_snapshot!("sentences", text);
}

#[test]
fn no_two_states_that_are_posted_share_a_sentence() {
    let mut met: BTreeMap<String, State> = BTreeMap::new();
    for state in states() {
        let said = transition(&state, &requester(), URL).text;
        if let Some(other) = met.insert(said.clone(), state.clone()) {
            let both_starting = [&other, &state].iter().all(|s| matches!(s.status, Status::New | Status::Claimed));
            assert!(both_starting, "{other:?} and {state:?} read the same: {said}");
        }
    }
}

#[test]
fn only_states_that_wait_for_a_person_mention_one_and_nothing_else_can_call_anybody() {
    for state in states() {
        let said = transition(&state, &requester(), URL).text;
        let waits = matches!(state.detail, Some(Detail::WaitingForUser | Detail::WaitingForApproval));
        assert_eq!(said.contains("<@U0ADA>"), waits, "{said}");
        assert!(!said.contains("<!here>"), "{said}");
    }
    for said in samples().iter().map(|sample| notice(sample).text) {
        assert!(!said.contains("<!") && !said.contains("<@"), "{said}");
    }
}

fn seen() -> Observation {
    Observation {
        session: "0f3a".parse().unwrap(),
        state: State::new(Status::Running, Some(Detail::Working)),
        updated_at: 1,
        seen_at: Timestamp::UNIX_EPOCH,
        title: Some("Fix *the* <login> & more".to_owned()),
        url: URL.to_owned(),
        acus: 1.349,
        pull_requests: BTreeMap::from([("https://github.com/acme/api/pull/42".to_owned(), Some("open".to_owned()))]),
    }
}

#[test]
fn a_card_shows_title_state_person_and_pull_requests() {
    let seen = seen();
    let view = CardView { seen: &seen, runs_as: "Ada <Lovelace>", options: "", no_news_since: None, vanished: false };
    let (said, digest) = card(&view);
    insta::assert_json_snapshot!("card", said.blocks);
    assert_eq!(said.text, "Fix ∗the∗ &lt;login&gt; &amp; more: :gear: Working");
    assert_eq!(card(&view).1, digest, "the same view has the same digest");
    let silent = CardView { no_news_since: Some(Timestamp::UNIX_EPOCH), ..view };
    assert_ne!(card(&silent).1, digest);
}

#[test]
fn an_address_that_is_no_web_address_is_no_link() {
    let mut hostile = seen();
    hostile.url = "javascript:alert(1)".to_owned();
    hostile.pull_requests = BTreeMap::from([("https://x|<!here>".to_owned(), None)]);
    let (said, _) =
        card(&CardView { seen: &hostile, runs_as: "Ada", options: "", no_news_since: None, vanished: false });
    let blocks = said.blocks.unwrap().to_string();
    assert!(!blocks.contains("javascript") && !blocks.contains("<!here>"), "{blocks}");
}

#[test]
fn long_words_of_devins_come_in_pieces() {
    let said = relay(&"a line of text\n".repeat(600));
    assert!(said.len() > 2);
    assert!(said.iter().all(|piece| piece.text.chars().count() <= 4_000));
    assert!(relay("  \n ").is_empty(), "nothing said is nothing posted");
}
