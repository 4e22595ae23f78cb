//! What operators see and do: what is listed and told of threads, people and dead letters, and that nothing is done without
//! a record of who did it.

use std::time::Duration;

use bobbin::{
    app::doctor,
    clock::Clock as _,
    domain::standing::{Refusal, Source},
    oversight::{Actor, Filter, Found, Oversight, Person, Said},
    store::{Activity, Change, Commit, Registers as _, SharedStore, Store as _},
    twin::world::{ADA, ADA_AT_DEVIN, BACKEND, GRACE, GRACE_AT_DEVIN, LINUS, SOL, TEAM},
};

use crate::support::{
    links,
    world::{On, World, id},
};

const BOTH: [On; 2] = [On::Redis, On::Embedded];

fn operator() -> Actor {
    Actor::console(&id(TEAM), &id("U0OPS"))
}

fn person(user: &str) -> Person {
    Person { team: id(TEAM), user: id(user), organisation: None }
}

fn said(user: &str, account: &str) -> Said {
    Said { person: person(user), account: account.to_owned() }
}

fn meant(text: &str) -> Filter {
    match Oversight::search(text) {
        Found::Links(filter) => filter,
        Found::Nothing(what) => panic!("{text} is not understood: {what}"),
    }
}

async fn audited(world: &World) -> Vec<String> {
    let (records, _) = world.bobbin.oversight.audit(None, 100).await.unwrap();
    records.iter().map(|record| format!("{} {} {}", record.actor.name, record.action, record.target)).collect()
}

#[tokio::test]
async fn links_are_listed_by_phase_person_channel_and_session_and_found_by_what_somebody_has_in_hand() {
    for on in BOTH {
        let mut world = World::on(on).await;
        world.lenient();
        let root = world.mention(ADA, "fix the login test").await;
        world.devin_becomes("running", Some("waiting_for_user")).await;
        let session = world.session_id();
        world.mention(GRACE, "tidy up the search").await;
        let over = &world.bobbin.oversight;

        let all = over.links(&Filter::All, None, 10).await.unwrap();
        let titles: Vec<_> = all.links.iter().map(|link| link.title.as_str()).collect();
        assert_eq!(titles, ["tidy up the search", "fix the login test"], "newest first");
        assert_eq!((over.link_count().await.unwrap(), all.next), (2, None));
        let phases = over.phases().await.unwrap();
        assert_eq!(phases.iter().map(|(_, count)| count).sum::<u64>(), 2);
        assert!(phases.contains(&("your_turn", 1)), "{phases:?}");

        let permalink = format!("https://acme.slack.com/archives/{BACKEND}/p{}", root.as_str().replace('.', ""));
        for text in [ADA, &permalink, session.bare(), &format!("https://app.devin.ai/sessions/{}", session.bare())] {
            let found = over.links(&meant(text), None, 10).await.unwrap().links;
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!((found[0].session.clone(), found[0].phase().name()), (session.clone(), "your_turn"));
        }
        let by_phase = over.links(&Filter::Phase("your_turn".to_owned()), None, 10).await.unwrap();
        assert_eq!(by_phase.links.len(), 1);
        assert_eq!(over.links(&Filter::Channel(id(BACKEND)), None, 1).await.unwrap().links.len(), 1);
    }
}

#[tokio::test]
async fn a_thread_tells_its_story_without_what_was_said() {
    for on in BOTH {
        let mut world = World::on(on).await;
        world.lenient();
        let root = world.mention(ADA, "fix the secret login test").await;
        world.devin_becomes("running", Some("waiting_for_user")).await;
        world.reply(GRACE, &root, "use the secret branch").await;
        world.devin_becomes("exit", None).await;
        let told = world.bobbin.oversight.story(&links::thread_of(&root)).await.unwrap().unwrap();

        let kinds: Vec<_> = told.entries.iter().map(|entry| (entry.kind.as_str(), entry.by.clone())).collect();
        assert_eq!(kinds[0], ("speech", Some(id(ADA))), "{kinds:?}");
        assert!(kinds.contains(&("speech", Some(id(GRACE)))), "{kinds:?}");
        let phases: Vec<_> = told.entries.iter().filter_map(|entry| entry.state.as_ref()).collect();
        let names: Vec<_> = phases.iter().map(|state| bobbin::domain::phase::Phase::of(state).name()).collect();
        assert_eq!((names.first(), names.last()), (Some(&"starting"), Some(&"over")), "{names:?}");
        assert!(names.contains(&"your_turn"), "{names:?}");
        let steps: Vec<_> = told.entries.iter().flat_map(|entry| &entry.steps).collect();
        assert!(steps.iter().any(|step| step.session == Some(world.session_id())), "{steps:?}");
        let posts: Vec<_> = steps.iter().filter_map(|step| step.ts.clone()).collect();
        for post in world.posts("bobbin_card").iter().chain(&world.posts("bobbin_transition")) {
            assert!(posts.contains(&post.ts), "the story names every post: {posts:?}");
        }
        let all = format!("{:?} {:?}", told.entries, told.journal);
        assert!(!all.contains("secret"), "{all}");
        assert_eq!(told.link.map(|link| link.phase().name()), Some("over"));
    }
}

#[tokio::test]
async fn a_thread_in_trouble_shows_what_stands_in_its_way() {
    let mut world = World::on(On::Embedded).await;
    world.lenient();
    world.devin.faults().unreachable();
    let root = world.say(ADA, BACKEND, "<@U0BOBBIN> fix it");
    world.settle().await;
    let told = world.bobbin.oversight.story(&links::thread_of(&root)).await.unwrap().unwrap();
    assert_eq!(told.inside.waits, 1, "its input waits: {told:?}");
    assert!(told.inside.in_hand.as_ref().is_some_and(|hand| hand.attempt > 1), "{told:?}");
    assert!(told.trouble.as_ref().is_some_and(|trouble| !trouble.why.is_empty()), "{told:?}");
}

#[tokio::test]
async fn people_are_listed_with_how_they_were_found_and_those_who_failed_with_why() {
    for on in BOTH {
        let mut world = World::on(on).await;
        world.lenient();
        world.slack.join(&id(SOL), &id(BACKEND)).unwrap();
        for who in [ADA, GRACE, LINUS, SOL] {
            world.say(who, BACKEND, "<@U0BOBBIN> fix it");
        }
        world.settle().await;
        let over = &world.bobbin.oversight;
        let (mappings, next) = over.mappings(None, 100).await.unwrap();
        let mut found: Vec<_> = mappings
            .iter()
            .map(|one| (one.person.user.to_string(), one.linked.source.name(), one.linked.devin.to_string()))
            .collect();
        found.sort();
        assert_eq!(next, None);
        assert_eq!(
            found,
            [
                (ADA.to_owned(), "members", ADA_AT_DEVIN.to_owned()),
                (GRACE.to_owned(), "idp_members", GRACE_AT_DEVIN.to_owned()),
            ]
        );
        let week = Duration::from_hours(24 * 7);
        let failing = over.failing(world.clock.now(), week).await.unwrap();
        let linus = failing.iter().find(|one| one.person.user == id(LINUS)).unwrap();
        assert_eq!((linus.why, linus.times), (Refusal::NoAccount, 1));
        assert!(failing.iter().any(|one| one.person.user == id(SOL)));
        assert_eq!(over.failing(world.clock.now() + week * 2, week).await.unwrap(), []);
        let store: SharedStore = world.store.clone();
        let checks = doctor::of_store(&store, &*world.clock).await;
        let check = checks.iter().find(|check| check.name == "people").unwrap();
        assert_eq!(check.state, doctor::State::Warn);
        assert!(check.found.starts_with("2 who asked") && check.found.contains("U0LINUS (no_account)"), "{check:?}");
        assert!(check.remedy.as_ref().unwrap().contains("/devin whoami"), "{check:?}");
    }
}

#[tokio::test]
async fn an_operator_says_who_somebody_is_and_takes_it_back() {
    for on in BOTH {
        let mut world = World::on(on).await;
        world.lenient();
        // Refused, and that is remembered.
        world.mention(LINUS, "fix it").await;
        assert!(world.devin.sessions().is_empty());
        let over = world.bobbin.oversight.clone();
        let refused = over.set_override(&operator(), &said(LINUS, "nobody@example.com")).await.unwrap_err().to_string();
        assert!(refused.contains("no one member"), "{refused}");
        over.set_override(&operator(), &said(LINUS, GRACE_AT_DEVIN)).await.unwrap();
        world.mention(LINUS, "fix it now").await;
        assert_eq!(world.session().user_id, Some(id(GRACE_AT_DEVIN)));
        let (mappings, _) = over.mappings(None, 100).await.unwrap();
        assert_eq!(mappings[0].linked.source, Source::Override);
        assert_eq!(over.failing(world.clock.now(), Duration::from_hours(1)).await.unwrap(), [], "linked now");

        // Corrected, it holds at once.
        over.set_override(&operator(), &said(LINUS, ADA_AT_DEVIN)).await.unwrap();
        world.mention(LINUS, "and this").await;
        assert_eq!(world.devin.sessions().last().unwrap().user_id, Some(id(ADA_AT_DEVIN)));
        assert_eq!(over.overrides(None, 100).await.unwrap().0.len(), 1);

        over.remove_override(&operator(), &person(LINUS)).await.unwrap();
        world.mention(LINUS, "and that").await;
        assert_eq!(world.devin.sessions().len(), 2, "the e-mail address counts again");
        assert!(over.remove_override(&operator(), &person(LINUS)).await.is_err());
        let target = format!("{TEAM}/{LINUS}");
        let expected = ["remove", "set", "set"].map(|action| format!("{TEAM}/U0OPS people.{action} {target}"));
        assert_eq!(audited(&world).await, expected, "newest first; what was refused changed nothing");
    }
}

#[tokio::test]
async fn an_override_goes_above_the_email_match_and_below_what_slack_says_of_a_profile() {
    let mut world = World::on(On::Embedded).await;
    world.lenient();
    world.mention(ADA, "as myself").await;
    let over = world.bobbin.oversight.clone();
    over.set_override(&operator(), &said(ADA, GRACE_AT_DEVIN)).await.unwrap();
    world.mention(ADA, "as said").await;
    let as_whom: Vec<_> = world.devin.sessions().iter().filter_map(|s| s.user_id.clone()).collect();
    assert!(as_whom.contains(&id(ADA_AT_DEVIN)) && as_whom.contains(&id(GRACE_AT_DEVIN)), "{as_whom:?}");
    // A guest stays a guest.
    world.slack.join(&id(bobbin::twin::world::GIL), &id(BACKEND)).unwrap();
    over.set_override(&operator(), &said(bobbin::twin::world::GIL, GRACE_AT_DEVIN)).await.unwrap();
    world.mention(bobbin::twin::world::GIL, "let me in").await;
    assert_eq!(world.devin.sessions().len(), 2);
}

#[tokio::test]
async fn nobody_acts_as_another_without_a_record_wherever_the_process_dies() {
    for on in BOTH {
        let mut boundary = 1;
        while dies_saying_who(on, boundary).await {
            boundary += 1;
        }
        assert!(boundary > 1, "it died somewhere");
    }
}

/// Whether the process dies at this boundary while an operator says who somebody is; what was said is on the record.
async fn dies_saying_who(on: On, boundary: usize) -> bool {
    let world = World::on(on).await;
    world.life.die_after(boundary);
    let done = world.bobbin.oversight.set_override(&operator(), &said(LINUS, GRACE_AT_DEVIN)).await;
    let died = world.life.is_dead();
    let another = world.another(crate::support::crash::Life::default()).oversight;
    let overridden = another.overrides(None, 100).await.unwrap().0.len();
    let (records, _) = another.audit(None, 10).await.unwrap();
    assert_eq!(overridden, records.len(), "at {boundary} on {on:?}");
    assert!(died || (done.is_ok() && overridden == 1), "at {boundary} on {on:?}");
    died
}

#[tokio::test]
async fn an_override_that_cannot_be_read_lets_nobody_act() {
    let mut world = World::on(On::Embedded).await;
    world.lenient();
    let name = format!("person:{TEAM}/{ADA}");
    world.store.register(&[Change::put(bobbin::people::OVERRIDES, &name, "{}".to_owned())]).await.unwrap();
    world.say(ADA, BACKEND, "<@U0BOBBIN> fix it");
    world.settle().await;
    assert!(world.devin.sessions().is_empty(), "never the weaker identity");
}

#[tokio::test]
async fn dead_letters_are_looked_at_put_back_and_dropped_on_the_record() {
    for on in BOTH {
        let mut world = World::on(on).await;
        world.lenient();
        let root = world.say(ADA, BACKEND, "<@U0BOBBIN> fix the secret test");
        world.deliver_due().await;
        let bobbin::store::Turn::Taken(leased) = world.store.lease(Duration::from_mins(1)).await.unwrap() else {
            panic!("an input waits");
        };
        world.store.bury(&leased.lease, "not done within a day", &Commit::default()).await.unwrap();
        let over = world.bobbin.oversight.clone();
        let page = over.letters(None, 10).await.unwrap();
        assert_eq!((page.letters.len(), page.next), (1, None));
        let letter = &page.letters[0];
        assert!(
            letter.shape.contains(&"event.text".to_owned()) && !format!("{letter:?}").contains("secret"),
            "{letter:?}"
        );
        let body = over.letter_body(&operator(), &letter.id).await.unwrap().unwrap();
        assert!(String::from_utf8(body).unwrap().contains("secret"));
        over.replay_letter(&operator(), &letter.id).await.unwrap();
        world.settle().await;
        assert_eq!(world.devin.sessions().len(), 1);
        world.thread(&root);
        assert!(over.replay_letter(&operator(), &letter.id).await.is_err(), "it is gone");
        assert!(over.drop_letter(&operator(), &letter.id).await.is_err());
        let expected = ["replay", "read"].map(|action| format!("{TEAM}/U0OPS letters.{action} {}", letter.id));
        assert_eq!(audited(&world).await, expected);
    }
}

#[tokio::test]
async fn links_of_older_programs_are_listed_at_the_start() {
    for on in BOTH {
        let mut world = World::on(on).await;
        world.lenient();
        world.mention(ADA, "fix the login test").await;
        let older = links::planned(0, [(Activity::Waiting, 400), (Activity::Asleep, 200), (Activity::Over, 100)]);
        links::make(world.store.as_ref(), &world.devin, world.clock.now(), &older).await;
        let over = world.bobbin.oversight.clone();
        assert_eq!(over.link_count().await.unwrap(), 1);
        assert_eq!(over.list_older("one").await.unwrap(), 700);
        assert_eq!(over.list_older("another").await.unwrap(), 0, "once");
        assert_eq!(over.link_count().await.unwrap(), 701);
        let mut pages = vec![over.links(&Filter::All, None, 100).await.unwrap()];
        while let Some(after) = pages.last().and_then(|page| page.next.clone()) {
            pages.push(over.links(&Filter::All, Some(&after), 100).await.unwrap());
        }
        let seen: usize = pages.iter().map(|page| page.links.len()).sum();
        assert_eq!(seen, 701);
    }
}

/// The rows that say who acts as whom are written by one function, which writes the record with them.
#[test]
fn only_oversight_writes_overrides_and_pauses() {
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut callers = Vec::new();
    let mut folders = vec![sources.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path).unwrap().contains(".register(&") {
                callers.push(path.strip_prefix(&sources).unwrap().display().to_string());
            }
        }
    }
    callers.sort();
    assert_eq!(callers, ["oversight/audit.rs", "people/seen.rs"], "who else writes registers has to record it");
}
