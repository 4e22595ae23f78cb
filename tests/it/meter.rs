//! What can be measured: the catalogue says the same as the code, every important metric moves when what it counts
//! happens, and the alert rules and the dashboard name nothing that there is not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use bobbin::{
    meter::{Kind, METRICS},
    twin::world::{ADA, LINUS, TEAM},
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::Value;

use crate::{
    product::{
        outside::{Outside, until},
        process::Process,
    },
    support::world::World,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] }).collect()
}

/// The name and the labels of one macro's call; `None` for the catalogue's own, which name them by variables.
fn called(file: &Path, call: &str) -> Option<(String, BTreeSet<String>)> {
    let arguments = call.split(';').next().unwrap();
    let quoted: Vec<&str> = arguments.split('"').collect();
    if !quoted[0].trim().is_empty() {
        assert!(file.ends_with("src/meter.rs"), "{}: a metric without a name", file.display());
        return None;
    }
    let labels = quoted.windows(2).skip(2).filter(|pair| pair[1].trim_start().starts_with("=>"));
    Some((quoted[1].to_owned(), labels.map(|pair| pair[0].to_owned()).collect()))
}

/// The metrics that the code names: name to kind and labels.
fn named() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut named: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    for file in rust_files(&root().join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        for kind in [Kind::Counter, Kind::Gauge, Kind::Histogram].map(Kind::name) {
            let calls = format!("metrics::{kind}!(");
            for (name, labels) in text.split(&calls).skip(1).filter_map(|call| called(&file, call)) {
                let entry = named.entry(name.clone()).or_insert((kind.to_owned(), labels.clone()));
                assert_eq!(*entry, (kind.to_owned(), labels), "{name} is used in two ways");
            }
        }
    }
    named
}

#[test]
fn the_catalogue_is_what_the_code_counts() {
    let catalogue: BTreeMap<String, (String, BTreeSet<String>)> = METRICS
        .iter()
        .map(|m| (m.name.to_owned(), (m.kind.name().to_owned(), m.labels.iter().map(|l| (*l).to_owned()).collect())))
        .collect();
    assert_eq!(catalogue.len(), METRICS.len(), "a metric stands twice in the catalogue");
    assert_eq!(named(), catalogue);
}

/// The sum of a metric's values (of a histogram: how often), over labels that contain `with`.
fn value(handle: &PrometheusHandle, name: &str, with: &str) -> f64 {
    let text = handle.render();
    let lines = text.lines().filter(|line| {
        let rest = line.strip_prefix(name).map(|rest| rest.strip_prefix("_count").unwrap_or(rest));
        rest.is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(with)
    });
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

#[tokio::test]
async fn a_chat_moves_what_is_measured() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let mut world = World::new().await;
    let moved = |before: &[f64], rows: &[(&str, &str)]| {
        for ((name, with), before) in rows.iter().zip(before) {
            assert!(value(&handle, name, with) > *before, "{name} {with} did not move:\n{}", handle.render());
        }
    };
    let read = |rows: &[(&str, &str)]| rows.iter().map(|(name, with)| value(&handle, name, with)).collect::<Vec<_>>();

    let rows = [
        ("bobbin_acknowledged_seconds", "events"),
        ("bobbin_inbound_total", "stored"),
        ("bobbin_inbound_total", "duplicate"),
        ("bobbin_work_seconds", "speech"),
        ("bobbin_work_handled_total", "done"),
        ("bobbin_outbound_calls_total", "chat.postMessage"),
        ("bobbin_outbound_seconds", "devin"),
        ("bobbin_people_admitted_total", "members"),
    ];
    let before = read(&rows);
    let root = world.mention(ADA, "fix the login").await;
    moved(&before, &rows);

    let rows = [("bobbin_change_to_post_seconds", ""), ("bobbin_work_seconds", "session_changed")];
    let before = read(&rows);
    world.devin_says("Shall I?").await;
    world.devin_becomes("running", Some("waiting_for_user")).await;
    moved(&before, &rows);

    let rows = [("bobbin_people_refused_total", "no_account")];
    let before = read(&rows);
    let refused = world.mention(LINUS, "me too").await;
    moved(&before, &rows);
    assert!(world.thread(&root).contains("Shall I?"));
    assert!(world.thread(&refused).contains("me too"));
}

/// Runs promtool; what it said.
fn promtool(words: &[&str], input: &str) -> String {
    let mut child = Command::new("promtool")
        .args(words)
        .current_dir(root().join("manifest"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is there: `tests/run setup` installs it");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "promtool {words:?}: {said}");
    said
}

#[test]
fn every_alert_fires_when_it_should_and_only_then() {
    let rules = fs::read_to_string(root().join("manifest/alerts.yaml")).unwrap();
    let tests = fs::read_to_string(root().join("manifest/alerts.test.yaml")).unwrap();
    promtool(&["check", "rules", "--lint-fatal", "alerts.yaml"], "");
    promtool(&["test", "rules", "alerts.test.yaml"], "");
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    for alert in alerts {
        for end in ["fires", "does not fire"] {
            assert!(tests.contains(&format!("name: {alert} {end}\n")), "no test in which {alert} {end}");
        }
    }
    for part in ["summary: ", "remedy: "] {
        assert_eq!(rules.matches(part).count(), rules.matches("- alert: ").count(), "each alert has a {part}");
    }
}

/// The metrics that a text names.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| w.starts_with("bobbin_"));
    let bare = |word: &str| {
        let endings = ["_bucket", "_sum", "_count"];
        endings.iter().find_map(|ending| word.strip_suffix(ending)).unwrap_or(word).to_owned()
    };
    words.map(bare).collect()
}

#[test]
fn the_dashboard_and_the_rules_ask_for_what_there_is() {
    let dashboard = fs::read_to_string(root().join("manifest/grafana-dashboard.json")).unwrap();
    let there: BTreeSet<String> = METRICS.iter().map(|m| m.name.to_owned()).collect();
    for file in ["alerts.yaml", "alerts.test.yaml", "grafana-dashboard.json"] {
        let named = names(&fs::read_to_string(root().join("manifest").join(file)).unwrap());
        assert!(named.len() > 10 && named.is_subset(&there), "{file}: {:?}", named.difference(&there));
    }

    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    assert_eq!(dashboard["templating"]["list"][0]["type"], "datasource");
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    let mut rules = "groups:\n- name: dashboard\n  rules:\n".to_owned();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "two panels have one id: {panel}");
        assert!(!panel["title"].as_str().unwrap().is_empty() && panel["gridPos"]["w"].is_u64(), "{panel}");
        assert_eq!(panel["datasource"]["uid"], "${datasource}");
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap().replace("$__rate_interval", "5m");
            let name = format!("panel:{}:{}", ids.len(), target["refId"].as_str().unwrap());
            rules.extend(["  - record: ", &name, "\n    expr: ", &Value::from(expression).to_string(), "\n"]);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yaml");
    fs::write(&file, rules).unwrap();
    promtool(&["check", "rules", file.to_str().unwrap()], "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_built_binary_describes_its_metrics_and_says_each_input_in_one_line() {
    let outside = Outside::open().await;
    let mut settings = outside.settings();
    settings.insert("BOBBIN_LOG_FORMAT", "json".to_owned());
    settings.insert("BOBBIN_LOG", "info,bobbin::receive=debug".to_owned());
    let mut bobbin = Process::serve(&settings);
    outside.deliver_to(&bobbin.base());
    let root = outside.mention("say what you count");
    until("the card", Duration::from_secs(15), || outside.posts(&root, "bobbin_card").len() == 1).await;
    until("the turn's end", Duration::from_secs(15), || bobbin.stderr().contains("handled speech: done")).await;

    let (_, text) = bobbin.get("/metrics").await;
    promtool(&["check", "metrics"], &text);
    for name in ["bobbin_ready", "bobbin_sessions", "bobbin_acknowledged_seconds", "bobbin_inputs_buried_total"] {
        assert!(text.contains(&format!("# HELP {name} ")), "{name} is not described: {text}");
    }
    assert!(text.contains("bobbin_ready 1"), "{text}");
    let phases: Vec<&str> = text.lines().filter(|line| line.starts_with("bobbin_sessions{phase=")).collect();
    assert!(phases.iter().any(|line| line.ends_with(" 1")), "{phases:?}");
    assert!(bobbin.stop().await.success());
    let logged = bobbin.stderr();
    let lines = logged.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let all: Vec<Value> = lines.collect();
    let handled = |line: &&Value| line["outcome"] == "done" && line["span"]["wake"].is_null();
    let speech: Vec<&Value> = all.iter().filter(handled).filter(|line| line["kind"] == "speech").collect();
    assert_eq!(speech.len(), 1, "{logged}");
    // Whatever else it asked: who they are, the session, the receipt and the card.
    let calls = speech[0]["calls"].as_u64().unwrap();
    assert!(calls >= 4, "{}", speech[0]);
    assert_eq!((speech[0]["refused"].as_u64(), speech[0]["rate_limited"].as_u64()), (Some(0), Some(0)));
    let trace = speech[0]["span"]["trace"].as_str().unwrap();
    assert!(trace.len() == 32 && trace.bytes().all(|b| b.is_ascii_hexdigit()), "{trace}");
    let door = all.iter().find(|line| line["message"] == "answered" && line["end"] == "stored").unwrap();
    assert_eq!((&door["span"]["trace"], &door["span"]["door"]), (&Value::from(trace), &Value::from("events")));
    assert_eq!(speech[0]["workspace"], TEAM);
    assert!(speech[0]["attempts"] == 1 && speech[0]["took_ms"].is_u64(), "{}", speech[0]);
}
