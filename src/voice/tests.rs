//! Every sentence, rendered with samples: the snapshot is what reviewers read.

use std::{collections::BTreeMap, fmt::Write as _, sync::LazyLock};

use jiff::Timestamp;

use super::*;
use crate::domain::{
    announce::{About, Observation},
    button::Act,
    ids::UserId,
    lately::{Entered, LastWords},
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
                file("core.dump", Skipped::TooLarge { limit_bytes: 20 * 1024 * 1024 }),
                file("eleventh.txt", Skipped::TooMany { limit: 10 }),
                file("plan", Skipped::KeptElsewhere),
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
        let said = told(&state);
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
        let said = told(&state);
        if let Some(other) = met.insert(said.clone(), state.clone()) {
            let both_starting = [&other, &state].iter().all(|s| matches!(s.status, Status::New | Status::Claimed));
            assert!(both_starting, "{other:?} and {state:?} read the same: {said}");
        }
    }
}

#[test]
fn only_states_that_wait_for_a_person_mention_one_and_nothing_else_can_call_anybody() {
    for state in states() {
        let said = told(&state);
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
        about: About::default(),
    }
}

/// The post for a state of a session that ran for twelve minutes.
fn told(state: &State) -> String {
    let seen = Observation { state: state.clone(), updated_at: 750, pull_requests: BTreeMap::new(), ..seen() };
    transition(&ended(&seen)).text
}

fn ended(seen: &Observation) -> TransitionView<'_> {
    static REQUESTER: LazyLock<UserId> = LazyLock::new(requester);
    TransitionView {
        seen,
        requester: &REQUESTER,
        asked_by: "Ada <Lovelace>",
        started_at: Timestamp::UNIX_EPOCH,
        acu_limit: None,
    }
}

fn view(seen: &Observation) -> CardView<'_> {
    CardView {
        seen,
        entered: None,
        said: None,
        runs_as: "Ada <Lovelace>",
        options: "",
        acu_limit: None,
        muted: false,
        mentions_only: false,
        no_news_since: None,
        vanished: false,
        buttons: &[],
    }
}

fn buttons(value: &str) -> Vec<Offered> {
    [Act::AskStop, Act::Sleep].map(|act| Offered { act, value: value.to_owned() }).into()
}

#[test]
fn a_card_shows_title_state_person_and_pull_requests() {
    let seen = seen();
    let view = view(&seen);
    let (said, digest) = card(&view);
    insta::assert_json_snapshot!("card", said.blocks);
    assert_eq!(said.text, "Fix ∗the∗ &lt;login&gt; &amp; more: :gear: Working");
    assert_eq!(card(&view).1, digest, "the same view has the same digest");
    let silent = CardView { no_news_since: Some(Timestamp::UNIX_EPOCH), ..view };
    assert_ne!(card(&silent).1, digest);
}

#[test]
fn a_card_says_all_that_is_known() {
    let mut seen = seen();
    seen.state = State::new(Status::Running, Some(Detail::WaitingForUser));
    seen.about = About {
        category: Some("ci_cd_and_devops".to_owned()),
        subcategory: Some("Flaky <tests>".to_owned()),
        origin: Some("api".to_owned()),
        output: None,
    };
    let entered = Entered { state: seen.state.clone(), at: Timestamp::UNIX_EPOCH };
    let words = LastWords { at: Timestamp::UNIX_EPOCH, line: first_line("\n## Which <!here> *branch*?\nmain, or …") };
    let full = CardView {
        entered: Some(&entered),
        said: Some(&words),
        options: "`repo=acme/api`",
        acu_limit: Some(10),
        muted: true,
        mentions_only: true,
        buttons: &buttons("v1"),
        ..view(&seen)
    };
    let (said, digest) = card(&full);
    insta::assert_json_snapshot!("card_in_full", said.blocks);
    let renewed = buttons("v2");
    assert_eq!(card(&CardView { buttons: &renewed, ..full }).1, digest, "another value is nothing that people see");
    assert_ne!(card(&CardView { buttons: &[], ..full }).1, digest);
}

#[test]
fn every_waiting_state_says_on_the_card_what_is_wanted() {
    for state in states() {
        let seen = Observation { state: state.clone(), pull_requests: BTreeMap::new(), ..seen() };
        let blocks = card(&view(&seen)).0.blocks.unwrap();
        let lines = blocks[0]["text"]["text"].as_str().unwrap().lines().count();
        let suspended = state.status == Status::Suspended;
        let asks = matches!(state.detail, Some(Detail::WaitingForUser | Detail::WaitingForApproval | Detail::Other(_)));
        assert_eq!(lines == 3, suspended || asks, "{state:?}: {blocks}");
    }
}

#[test]
fn an_address_that_is_no_web_address_is_no_link() {
    let mut hostile = seen();
    hostile.url = "javascript:alert(1)".to_owned();
    hostile.pull_requests = BTreeMap::from([("https://x|<!here>".to_owned(), None)]);
    let (said, _) = card(&view(&hostile));
    let blocks = said.blocks.unwrap().to_string();
    assert!(!blocks.contains("javascript") && !blocks.contains("<!here>"), "{blocks}");
}

#[test]
fn what_came_out_stands_in_the_post_that_ends_the_work() {
    let mut done = seen();
    (done.state, done.updated_at) = (State::new(Status::Running, Some(Detail::Finished)), 750);
    insta::assert_snapshot!(transition(&TransitionView { acu_limit: Some(10), ..ended(&done) }).text, @"
    :white_check_mark: Devin finished its task. Reply in this thread to ask for more.
    _Asked for by Ada &lt;Lovelace&gt; · took 12 min · 1.3 of 10 ACUs_
    :arrow_heading_up: <https://github.com/acme/api/pull/42|acme/api#42> · open
    ");
}

#[test]
fn an_approval_is_asked_for_with_buttons_until_it_is_over() {
    let buttons = [Act::Approve, Act::Reject].map(|act| Offered { act, value: "v".to_owned() });
    let asked = approval(&requester(), URL, &buttons);
    insta::assert_json_snapshot!("approval", asked.blocks);
    let over = approval_over(&requester(), URL);
    assert_eq!(over.text, asked.text, "what was asked stays");
    let blocks = over.blocks.unwrap().to_string();
    assert!(!blocks.contains("actions") && blocks.contains("no longer waits"), "{blocks}");
}

#[test]
fn long_words_of_devins_come_in_pieces() {
    let said = relay(&"a line of text\n".repeat(600)).posts;
    assert_eq!(said.len(), 3);
    assert!(said.iter().all(|piece| piece.text.chars().count() <= 4_000));
    assert!(relay("  \n ").posts.is_empty(), "nothing said is nothing posted");
}
