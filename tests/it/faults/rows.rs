//! The table of faults: each row with the tests that prove it, where they run, and the control that shows that they
//! bite. A row that is marked as covered has tests, and every test that is named here exists and carries its row's number.

use std::{fs, path::Path};

/// Where a test runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tier {
    /// With every change: `tests/run`.
    Run,
    /// At night: the same test with more seeds, or one that takes too long otherwise.
    Nightly,
    /// For as long as one likes: `tests/run soak`.
    Soak,
}

/// One fault.
#[derive(Debug, Clone, Copy)]
struct Row {
    number: u8,
    what: &'static str,
    covered: bool,
    /// Names of tests, or the beginnings of several, and where they run.
    tests: &'static [(&'static str, Tier)],
    /// Names of tests that take the protection away.
    controls: &'static [&'static str],
}

const fn open(number: u8, what: &'static str) -> Row {
    Row { number, what, covered: false, tests: &[], controls: &[] }
}

const fn covered(
    number: u8,
    what: &'static str,
    tests: &'static [(&'static str, Tier)],
    controls: &'static [&'static str],
) -> Row {
    Row { number, what, covered: true, tests, controls }
}

const ROWS: [Row; 36] = [
    covered(
        1,
        "killed at the door, before and after storing",
        &[("f01_", Tier::Run), ("f01_f02_sixty_", Tier::Nightly)],
        &["control_f26_"],
    ),
    covered(2, "a worker killed after any event", &[("f02_", Tier::Run)], &["control_f02_"]),
    covered(3, "killed again during the recovery", &[("f03_", Tier::Run)], &["control_f02_"]),
    covered(4, "a watcher killed after any event", &[("f04_", Tier::Run)], &["control_f02_"]),
    covered(5, "SIGTERM under load", &[("f05_", Tier::Run), ("f05_thirty_", Tier::Nightly)], &[]),
    covered(6, "a worker stopped past its lease", &[("f06_", Tier::Run)], &["control_f06_", "control_f22_"]),
    covered(7, "Redis killed, append-only always", &[("f07_", Tier::Run), ("f07_sixty_", Tier::Nightly)], &[]),
    covered(
        8,
        "Redis killed, every second",
        &[("f08_", Tier::Run), ("f08_a_redis_that_syncs_", Tier::Nightly)],
        &["control_f08_"],
    ),
    covered(9, "Redis emptied, or restored from an old dump", &[("f09_", Tier::Run)], &["control_f09_"]),
    covered(10, "a Sentinel failover by kill", &[("f10_", Tier::Run), ("f10_f11_", Tier::Nightly)], &["control_f11_"]),
    covered(11, "a frozen primary wakes", &[("f11_", Tier::Run)], &["control_f11_"]),
    covered(12, "a primary demoted in place", &[("f12_", Tier::Run)], &[]),
    covered(13, "Redis two seconds late", &[("f13_", Tier::Run)], &[]),
    covered(14, "Redis silent, then back", &[("f14_", Tier::Run), ("f14_a_silence_", Tier::Nightly)], &[]),
    covered(15, "Redis away for twenty minutes", &[("f15_", Tier::Run)], &["control_f15_"]),
    covered(16, "Redis full", &[("f16_", Tier::Run)], &[]),
    covered(17, "Redis cannot write to its disk", &[("f17_", Tier::Run)], &[]),
    covered(18, "a Cluster's slot moves", &[("f18_", Tier::Run)], &[]),
    covered(19, "Slack's rate limits", &[("f19_", Tier::Run)], &[]),
    covered(20, "an effect whose answer is lost", &[("f20_", Tier::Run)], &["control_f20_"]),
    covered(21, "an effect that did not happen", &[("f21_", Tier::Run)], &["control_f20_"]),
    covered(
        22,
        "late commits, lagging lists, pages left out",
        &[("f22_", Tier::Run)],
        &["control_f20_", "control_f22_"],
    ),
    covered(23, "Devin away for an hour", &[("f23_", Tier::Run)], &[]),
    covered(24, "token revoked, channel archived, bot removed", &[("f24_", Tier::Run)], &[]),
    covered(25, "clocks that differ and step", &[("f25_", Tier::Run)], &[]),
    covered(26, "duplicate deliveries", &[("f26_", Tier::Run)], &["control_f26_"]),
    covered(27, "events late, in the wrong order, about nothing", &[("f27_", Tier::Run)], &[]),
    covered(28, "a replica cut off", &[("f28_", Tier::Run), ("f28_a_replica_in_a_black_hole", Tier::Nightly)], &[]),
    covered(29, "poison", &[("f29_", Tier::Run)], &[]),
    covered(30, "ten thousand slow connections", &[("f30_", Tier::Run)], &[]),
    covered(31, "large and endless bodies", &[("f31_", Tier::Run)], &[]),
    covered(32, "a flood of bad signatures", &[("f32_", Tier::Run)], &[]),
    open(33, "a crash around a token refresh: there are no tokens to refresh yet"),
    covered(34, "replicas of two versions", &[("f34_", Tier::Run)], &[]),
    covered(35, "a power cut", &[("f35_", Tier::Run)], &["control_f35_"]),
    covered(36, "everything at random", &[("f36_", Tier::Run), ("f36_everything_", Tier::Soak)], &["control_f36_"]),
];

/// The names of all test functions.
fn test_names() -> Vec<String> {
    let mut names = Vec::new();
    let mut folders =
        vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                names.extend(tests_in(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    names
}

/// The functions that stand below a test's attribute.
fn tests_in(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let below = lines.windows(2).filter(|pair| pair[0].starts_with("#[tokio::test") || pair[0] == "#[test]");
    let name = |line: &str| Some(line.split_once("fn ")?.1.split_once('(')?.0.to_owned());
    below.filter_map(|pair| name(pair[1])).collect()
}

#[test]
fn every_row_of_the_table_is_there_and_its_tests_exist() {
    let names = test_names();
    let exists = |start: &str| names.iter().any(|name| name.starts_with(start));
    for (index, row) in ROWS.iter().enumerate() {
        assert_eq!(usize::from(row.number), index + 1, "{row:?}");
        assert!(!row.what.is_empty() && row.covered != row.tests.is_empty(), "{row:?}");
        for (test, tier) in row.tests {
            assert!(exists(test), "no test is named {test}… ({tier:?})");
            assert!(test.starts_with(&format!("f{:02}_", row.number)), "{test} does not carry its row's number");
        }
        for control in row.controls {
            assert!(control.starts_with("control_f") && exists(control), "no control is named {control}…");
        }
    }
}

#[test]
fn a_test_that_carries_a_rows_number_is_of_a_row_that_exists() {
    let rows = usize::from(ROWS[ROWS.len() - 1].number);
    let mut counted = 0;
    for name in test_names() {
        let Some((number, _)) = name.strip_prefix('f').and_then(|rest| rest.split_once('_')) else { continue };
        let Ok(number) = number.parse::<usize>() else { continue };
        counted += 1;
        assert!((1..=rows).contains(&number), "{name} is of no row");
    }
    assert!(counted > 50, "found only {counted} tests of rows");
}
