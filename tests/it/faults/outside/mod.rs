//! Everything that can go wrong with one call, for every call we make (rows F20, F21, F22): one world for each, in which
//! that call fails once, and what it came to. Which calls there are is read off what the scenes do, so that a new one
//! without a table fails; the tables are in `slack` and `devin`.
//!
//! A line of a table says how often the call was made, how it ended (`done` at once, `later` after another attempt, else
//! what is different from the world in which nothing failed), and for which failures it was so.

mod devin;
mod slack;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    pin::pin,
    time::{Duration, Instant},
};

use bobbin::{
    outbound::OutboundOptions,
    twin::{FaultAction, world::BOT_USER},
};
use futures_util::{StreamExt as _, stream};

use super::{ASTRAY, FORM, LATE_DOUBLE, Picture, SCENES, Scene, afterwards, doubles};
use crate::support::world::{Making, On, World};

/// Worlds that live at once: some only wait for an answer that comes too late.
const AT_ONCE: usize = 6;
/// Time that a call may take here.
const PATIENCE: Duration = Duration::from_secs(3);
/// A world in which nothing moved for so long is played again: its machine was too busy, and calls that should have been
/// answered may have run out of time.
const STALL: Duration = Duration::from_secs(1);
/// How often that is looked at.
const STEP: Duration = Duration::from_millis(50);
/// How often a world is played at most.
const MAX_PLAYS: usize = 4;
/// Time after which a slow answer comes.
const SLOW: Duration = Duration::from_secs(4);
/// Time after which a request is processed that its client gave up: between the two looks for it.
const LATE: Duration = Duration::from_secs(20);
/// What is shown of a line that is different.
const SHOWN_CHARS: usize = 60;

/// One thing that goes wrong.
#[derive(Debug, Clone)]
struct Trouble {
    name: String,
    /// `None`: the connection is refused.
    fault: Option<FaultAction>,
}

fn trouble(name: &str, fault: FaultAction) -> Trouble {
    Trouble { name: name.to_owned(), fault: Some(fault) }
}

/// What can go wrong with every call.
fn common() -> Vec<Trouble> {
    let mut all = vec![
        Trouble { name: "refused".to_owned(), fault: None },
        trouble("reset before", FaultAction::DropBefore),
        trouble("reset after", FaultAction::DropAfter),
        trouble("slow", FaultAction::DelayAfter(SLOW)),
        trouble("processed 20 s late", FaultAction::Late(LATE)),
        trouble("429", FaultAction::RateLimited { after: None }),
        trouble("429 for 7 s", FaultAction::RateLimited { after: Some(7) }),
        trouble("cut JSON", FaultAction::Garbage),
        trouble("wrong types", FaultAction::AnswerAfter(r#"{"ok":"yes","items":7,"session_id":[]}"#.to_owned())),
        trouble("a list", FaultAction::AnswerAfter("[]".to_owned())),
        trouble("bare yes", FaultAction::AnswerAfter(r#"{"ok":true}"#.to_owned())),
        trouble("bare yes, undone", FaultAction::Answer(r#"{"ok":true}"#.to_owned())),
    ];
    for status in [500, 502, 503] {
        all.push(trouble(&format!("{status} before"), FaultAction::Status(status)));
        all.push(trouble(&format!("{status} after"), FaultAction::StatusAfter(status)));
    }
    all
}

/// A scene as it goes when nothing fails.
#[derive(Debug)]
struct Whole {
    picture: Picture,
    calls: Vec<String>,
    defers: usize,
}

fn making(gated: bool) -> Making {
    let idle_timeout = if gated { Duration::ZERO } else { OutboundOptions::default().idle_timeout };
    let outbound = OutboundOptions { call_timeout: PATIENCE, idle_timeout, ..OutboundOptions::default() };
    Making { outbound, gated, ..Making::on(On::Embedded) }
}

async fn whole(scene: Scene) -> Whole {
    let mut world = World::made(making(false)).await;
    world.lenient();
    (scene.before)(&mut world).await;
    world.life.live_on();
    (scene.act)(&mut world).await;
    let calls = world.life.calls();
    let defers = defers(&world);
    afterwards(&mut world).await;
    (scene.sequel)(&mut world).await;
    Whole { picture: Picture::of(&mut world).await, calls, defers }
}

fn defers(world: &World) -> usize {
    world.life.met().iter().filter(|event| *event == "defer").count()
}

/// Plays a scene in which the first call of an operation goes wrong; what it came to. Again, where the machine did not let
/// it go on.
async fn outcome(scene: Scene, whole: &Whole, operation: &str, trouble: &Trouble) -> String {
    let (mut outcome, mut stalled) = watched(played(scene, whole, operation, trouble)).await;
    for _ in 1..MAX_PLAYS {
        if stalled < STALL {
            break;
        }
        (outcome, stalled) = watched(played(scene, whole, operation, trouble)).await;
    }
    outcome.unwrap_or_else(|| panic!("{operation} was not called"))
}

/// What comes of it, and for how long nothing moved meanwhile.
async fn watched<T>(play: impl Future<Output = T>) -> (T, Duration) {
    let (mut play, mut longest) = (pin!(play), Duration::ZERO);
    loop {
        let began = Instant::now();
        let over = tokio::time::timeout(STEP, &mut play).await;
        longest = longest.max(began.elapsed());
        if let Ok(came) = over {
            return (came, longest);
        }
    }
}

/// One play of it; `None` where the call was not made.
async fn played(scene: Scene, whole: &Whole, operation: &str, trouble: &Trouble) -> Option<String> {
    let mut world = World::made(making(trouble.fault.is_none())).await;
    world.lenient();
    (scene.before)(&mut world).await;
    world.life.live_on();
    let faults = if is_devins(operation) { world.devin.faults() } else { world.slack.faults() };
    match (&trouble.fault, &world.gate) {
        (Some(fault), _) => faults.once(operation, fault.clone()),
        // Every call has a connection of its own here, so that the calls before it can be counted at the door.
        (None, Some(gate)) => {
            let before = whole.calls.iter().position(|call| call == operation).unwrap();
            gate.refuse_after(before).await;
        }
        (None, None) => panic!("nothing here can refuse a connection"),
    }
    (scene.act)(&mut world).await;
    let calls = world.life.calls().iter().filter(|call| *call == operation).count();
    let waiting = [world.devin.faults().waiting(), world.slack.faults().waiting()].concat();
    if !waiting.is_empty() {
        return None;
    }
    let defers = defers(&world);
    afterwards(&mut world).await;
    (scene.sequel)(&mut world).await;
    let doubled = doubles(&world);
    assert!(doubled.is_empty(), "{operation}, {}: {doubled:#?}", trouble.name);
    let picture = Picture::of(&mut world).await;
    let changes = summary(&whole.picture.changes(&picture));
    let ended = if !changes.is_empty() {
        changes
    } else if picture != whole.picture {
        "in another order".to_owned()
    } else if defers > whole.defers {
        "later".to_owned()
    } else {
        "done".to_owned()
    };
    Some(format!("{calls}x, {ended}"))
}

/// In a few words, what is different from the world in which nothing failed.
fn summary(changes: &[String]) -> String {
    let has = |start: &str| changes.iter().any(|line| line.starts_with(start));
    let mut words: Vec<String> = Vec::new();
    for change in changes {
        let (sign, line) = change.split_once(' ').unwrap();
        let said = line.strip_prefix("bobbin: ").unwrap_or(line);
        words.push(match (sign, line) {
            (_, line) if line.starts_with("bobbin: [card]") => {
                if has("+ bobbin: [card]") { "card not up to date" } else { "no card" }.to_owned()
            }
            ("+", line) if line.starts_with("bobbin: ") => format!("told “{}”", shortened(said)),
            ("-", line) if line.starts_with("bobbin: ") => format!("not told “{}”", shortened(said)),
            (_, line) if line.starts_with("session of ") => {
                if has("+ session of ") { "no file" } else { "no session" }.to_owned()
            }
            (_, line) if line.contains(" in the session: ") => {
                let sent = changes.iter().any(|c| c.starts_with("+ ") && c.contains(" in the session: "));
                match (has("- session of "), sent) {
                    (true, _) => continue,
                    (false, true) => "no file".to_owned(),
                    (false, false) => "not sent".to_owned(),
                }
            }
            ("+", line) if line.starts_with("set aside: ") => "set aside".to_owned(),
            ("-", line) if line.starts_with("whispered ") => "not whispered".to_owned(),
            ("-", line) if line.ends_with("[incoming_envelope]") => "not marked as sent".to_owned(),
            ("+", line) if line.ends_with("[warning]") => "marked as not sent".to_owned(),
            ("-", line) if line.ends_with(']') => "no reaction".to_owned(),
            ("+", line) if line.ends_with(']') => "reaction left behind".to_owned(),
            (_, line) if line.contains(BOT_USER) => continue,
            _ => change.clone(),
        });
    }
    words.sort();
    words.dedup();
    words.join(", ")
}

fn shortened(line: &str) -> String {
    let cut: String = line.chars().take(SHOWN_CHARS).collect();
    if cut.len() < line.len() { format!("{cut}…") } else { cut }
}

fn is_devins(operation: &str) -> bool {
    ["sessions.", "messages.", "members.", "attachments.", "presigned", "playbooks.", "secrets.", "self"]
        .iter()
        .any(|family| operation.starts_with(family))
}

/// The table of one operation in a scene, as text: outcomes with the failures that end so.
async fn table(scene: &str, operation: &str, more: Vec<Trouble>) -> String {
    table_of(scene, operation, common().into_iter().chain(more).collect()).await
}

/// The same for these troubles only: the door is closed for no longer than a turn, so that it cannot refuse a call of the
/// turn after the first.
async fn table_of(scene: &str, operation: &str, troubles: Vec<Trouble>) -> String {
    let scene = scenes().find(|one| one.name == scene).unwrap();
    let whole = whole(scene).await;
    let one = async |trouble: &Trouble| outcome(scene, &whole, operation, trouble).await;
    let outcomes: Vec<String> = stream::iter(&troubles).map(one).buffered(AT_ONCE).collect().await;
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for (outcome, trouble) in outcomes.into_iter().zip(troubles) {
        match lines.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, names)) => names.push(trouble.name),
            None => lines.push((outcome, vec![trouble.name])),
        }
    }
    lines.iter().map(|(outcome, names)| format!("{outcome}: {}", names.join("; "))).collect::<Vec<_>>().join("\n")
}

fn scenes() -> impl Iterator<Item = Scene> {
    SCENES.into_iter().chain([ASTRAY, FORM, LATE_DOUBLE])
}

/// The calls that the scenes make.
async fn calls_made() -> BTreeSet<String> {
    let mut made = BTreeSet::new();
    for scene in scenes() {
        made.extend(whole(scene).await.calls);
    }
    made
}

/// The words in quotes, in the production code of a folder, that begin with one of these.
fn named_in(folder: &str, families: &[&str]) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
        let code = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
        for line in code.filter(|line| !line.trim_start().starts_with("//")) {
            let words = line.split('"').skip(1).step_by(2);
            named.extend(words.filter(|word| families.iter().any(|f| word.starts_with(f))).map(str::to_owned));
        }
    }
    named
}

#[tokio::test]
async fn every_call_we_make_has_its_table_of_failures() {
    let tables = [include_str!("slack.rs"), include_str!("devin.rs")].concat();
    let has_table = |call: &String| tables.contains(&format!("\"{call}\""));
    let made = calls_made().await;
    let missing: Vec<&String> = made.iter().filter(|call| !has_table(call)).collect();
    assert!(missing.is_empty(), "calls without a table: {missing:?}");

    // And the clients make no call that no scene makes, but for these.
    let named = named_in(
        "src/slack/client",
        &["agents.", "auth.", "chat.", "conversations.", "files.", "reactions.", "users.", "views.", "assistant."],
    );
    let families = ["sessions.", "messages.", "attachments.", "members.", "playbooks.", "secrets."];
    let named = named.into_iter().chain(named_in("src/devin", &families));
    let unmade: BTreeSet<String> = named.map(|name| name.replace('_', "-")).filter(|n| !made.contains(n)).collect();
    // No thread has a stranger's installation turned away: `tenancy` has the table.
    let known = ["auth.revoke", "files.info"];
    assert!(unmade.iter().all(|name| known.contains(&name.as_str())), "calls that no scene makes: {unmade:?}");
}
