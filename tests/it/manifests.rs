//! The files an operator installs from: each is read by what will read it, or by a check that knows what it promises, and
//! each check refuses a copy with a mistake in it.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use bobbin::config::{Config, keys::KEYS};
use serde::Deserialize as _;
use serde_json::Value as Json;
use serde_yaml_ng::Value;

use crate::product::{
    outside::Outside,
    process::{Process, Settings},
};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Every file of the folder, by its path in it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|inner| format!("{name}/{inner}")));
        } else {
            found.push(name);
        }
    }
    found
}

#[test]
fn the_guide_names_each_file() {
    let guide = read("manifest/README.md");
    let named: BTreeSet<String> =
        guide.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned())).collect();
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("manifest")) {
        assert!(file == "README.md" || named.contains(&file), "manifest/README.md does not name {file}");
    }
}

#[test]
fn the_example_names_each_key_and_each_can_stand_there() {
    let example = read("manifest/bobbin.example.toml");
    let unnamed = |text: &str| {
        let has = |name: &str| text.lines().any(|l| l.trim_start_matches("# ").starts_with(&format!("{name} = ")));
        KEYS.iter().map(|key| key.name).filter(|name| !has(name)).collect::<Vec<_>>()
    };
    assert_eq!(unnamed(&example), Vec::<&str>::new());
    assert_eq!(unnamed(&example.replace("BOBBIN_LEASE", "BOBBIN_LEASES")), ["BOBBIN_LEASE"]);
    let given = [
        ("BOBBIN_SLACK_SIGNING_SECRETS", "s"),
        ("BOBBIN_SLACK_BOT_TOKEN", "xoxb-1"),
        ("BOBBIN_DEVIN_API_KEY", "cog_1"),
        ("BOBBIN_DEVIN_ORG_ID", "org-1"),
    ];
    assert!(Config::from_values_and_file(given, &example).is_ok());
    assert!(Config::from_values_and_file(given, &example.replace("BOBBIN_MAX_FILE", "BOBBIN_MAX_FILES")).is_err());
}

/// The values of a key of the unit.
fn of_unit<'t>(unit: &'t str, key: &str) -> Vec<&'t str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// What systemd has to say about a unit.
fn verified(unit: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bobbin.service");
    fs::write(&path, unit.replace("/usr/local/bin/bobbin", env!("CARGO_BIN_EXE_bobbin"))).unwrap();
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output();
    let output = output.expect("systemd-analyze is there (Debian: systemd)");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("bobbin.service")).collect();
    if output.status.success() && ours.is_empty() { Ok(()) } else { Err(said) }
}

#[test]
fn systemd_takes_the_unit_as_it_is() {
    let unit = read("manifest/bobbin.service");
    assert_eq!(verified(&unit), Ok(()));
    for (right, wrong) in [("NoNewPrivileges=yes", "NoNewPrivilege=yes"), ("ExecStart=/usr", "ExecStart=usr")] {
        assert!(verified(&unit.replace(right, wrong)).is_err(), "{wrong} is taken");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_units_command_line_runs_and_a_reload_is_understood() {
    let outside = Outside::open().await;
    let folder = tempfile::tempdir().unwrap();
    let unit = read("manifest/bobbin.service");
    let usual = outside.settings();
    // What systemd would do: credentials become files, and the environment names them.
    for credential in of_unit(&unit, "LoadCredential") {
        let (name, _) = credential.split_once(':').unwrap();
        let key = format!("BOBBIN_{}", name.replace('-', "_").to_uppercase());
        let value = match key.as_str() {
            "BOBBIN_SECRET_KEY" => "0f".repeat(32),
            "BOBBIN_DEVIN_API_KEY" => usual["BOBBIN_DEVIN_API_KEY"].clone(),
            other => usual[other.replace("BOBBIN_", "BOBBIN_SLACK_").as_str()].clone(),
        };
        fs::write(folder.path().join(name), value).unwrap();
    }
    let here = folder.path().display().to_string();
    let mut settings = Settings::new();
    for variable in of_unit(&unit, "Environment") {
        let (name, value) = variable.split_once('=').unwrap();
        settings.insert(name.to_owned().leak(), value.replace("%d", &here));
    }
    let secret = |name: &str| settings.contains_key(format!("{name}_FILE").as_str());
    let rest = usual.iter().filter(|(name, _)| !secret(name)).map(|(name, value)| format!("{name} = {value:?}\n"));
    fs::write(folder.path().join("bobbin.toml"), rest.collect::<String>()).unwrap();
    let line = of_unit(&unit, "ExecStart")[0].replace("/etc/bobbin", &here);
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[0], "/usr/local/bin/bobbin");

    let mut bobbin = Process::start(&words[1..], &settings);
    assert_eq!(bobbin.get("/healthz").await.1, "ok\n");
    assert!(of_unit(&unit, "ExecReload")[0].ends_with("kill -HUP $MAINPID"));
    bobbin.hang_up();
    let reread = || bobbin.stderr().contains("the configuration was read again");
    crate::product::outside::until("it is read again", std::time::Duration::from_secs(15), reread).await;
    assert!(bobbin.stop().await.success());
}

/// What is missing of a container file.
fn of_container(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let user = text.lines().rev().find_map(|line| line.strip_prefix("USER "));
    if user.and_then(|user| user.split(':').next()?.parse::<u32>().ok()).is_none_or(|id| id == 0) {
        wrong.push(format!("it runs as {user:?}"));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for line in text.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--from")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let sources = words.iter().take(words.len() - 1);
        wrong.extend(sources.filter(|file| !root.join(file).exists()).map(|file| format!("no {file}")));
    }
    for part in ["/target/release/bobbin /usr/local/bin/bobbin", "/healthz", "STOPSIGNAL SIGTERM"] {
        if !text.contains(part) {
            wrong.push(format!("no {part}"));
        }
    }
    wrong
}

#[test]
fn the_container_file_copies_what_there_is_and_is_not_root() {
    let text = read("manifest/Containerfile");
    assert_eq!(of_container(&text), Vec::<String>::new());
    for (right, wrong) in
        [("USER 65532:65532", "USER 0:0"), ("COPY src src", "COPY source src"), ("/healthz", "/health")]
    {
        assert!(!of_container(&text.replace(right, wrong)).is_empty(), "{wrong} is taken");
    }
}

/// What is wrong with a compose file.
fn of_compose(text: &str) -> Vec<String> {
    let all: Value = serde_yaml_ng::from_str(text).unwrap();
    let mut wrong = Vec::new();
    let command = serde_yaml_ng::to_string(&all["services"]["redis"]["command"]).unwrap().replace('\n', " ");
    for part in ["--appendonly yes", "--maxmemory-policy noeviction", "--requirepass"] {
        if !command.split_whitespace().collect::<Vec<_>>().join(" ").contains(part) {
            wrong.push(format!("Redis without {part}"));
        }
    }
    let bobbin = &all["services"]["bobbin"];
    if bobbin["read_only"].as_bool() != Some(true) {
        wrong.push("the root can be written to".to_owned());
    }
    let granted: Vec<&str> = bobbin["secrets"].as_sequence().unwrap().iter().filter_map(Value::as_str).collect();
    for (name, value) in bobbin["environment"].as_mapping().unwrap() {
        let (name, value) = (name.as_str().unwrap(), value.as_str().unwrap());
        let key = name.strip_suffix("_FILE").unwrap_or(name);
        let known = KEYS.iter().find(|known| known.name == key);
        if known.is_none() && name != "BOBBIN_CONFIG" {
            wrong.push(format!("{name} is no key"));
        }
        let file = value.strip_prefix("/run/secrets/");
        if known.is_some_and(|known| known.secret) && file.is_none_or(|file| !granted.contains(&file)) {
            wrong.push(format!("{name} is no granted secret's file"));
        }
    }
    wrong.extend(granted.iter().filter(|name| all["secrets"].get(name).is_none()).map(|name| format!("no {name}")));
    wrong
}

#[test]
fn the_compose_file_gives_secrets_as_files_and_a_redis_that_keeps_what_it_has() {
    let text = read("manifest/compose.yaml");
    assert_eq!(of_compose(&text), Vec::<String>::new());
    for (right, wrong) in [
        ("noeviction", "allkeys-lru"),
        ("BOBBIN_STORE_FILE", "BOBBIN_STORES_FILE"),
        ("/run/secrets/bot_token", "/run/secrets/token"),
        ("read_only: true", "read_only: false"),
        ("  store: ", "  stores: "),
    ] {
        assert!(!of_compose(&text.replace(right, wrong)).is_empty(), "{wrong} is taken");
    }
}

/// What is wrong with the objects for Kubernetes.
fn of_kubernetes(text: &str, secret: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let all: Vec<Value> =
        serde_yaml_ng::Deserializer::from_str(text).map(|one| Value::deserialize(one).unwrap()).collect();
    let find = |kind: &str| all.iter().find(|one| one["kind"] == kind).cloned().unwrap_or_default();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    let deployment = find("Deployment");
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    must(pod["automountServiceAccountToken"] == false, "no token of the cluster");
    must(pod["securityContext"]["runAsNonRoot"] == true, "not root");
    must(pod["terminationGracePeriodSeconds"] == 15, "time to end");
    let confined = &container["securityContext"];
    must(confined["readOnlyRootFilesystem"] == true, "a root that is only read");
    must(confined["allowPrivilegeEscalation"] == false, "no more rights later");
    must(confined["capabilities"]["drop"][0] == "ALL", "no capabilities");
    must(container["livenessProbe"]["httpGet"]["path"] == "/healthz", "a liveness probe");
    must(container["readinessProbe"]["httpGet"]["path"] == "/readyz", "a readiness probe");
    must(!container["resources"]["limits"]["memory"].is_null(), "a bound of memory");
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    for selector in [
        &deployment["spec"]["selector"]["matchLabels"],
        &find("Service")["spec"]["selector"],
        &find("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        &find("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ] {
        must(!labels.is_null() && selector == labels, "a selector of these pods");
    }
    // The configuration is one that can be used, with the secrets where they are mounted.
    let secret: Value = serde_yaml_ng::from_str(secret).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in secret["stringData"].as_mapping().unwrap() {
        let name = name.as_str().unwrap();
        let value = if name == "secret-key" { "0f".repeat(32) } else { value.as_str().unwrap().to_owned() };
        fs::write(folder.path().join(name), value).unwrap();
    }
    let mounted = container["volumeMounts"][1]["mountPath"].as_str().unwrap_or_default();
    let config = find("ConfigMap")["data"]["bobbin.toml"].as_str().unwrap_or_default().to_owned();
    let config = config.replace(mounted, &folder.path().display().to_string());
    let loaded = Config::from_values_and_file::<String, String>([], &config);
    must(loaded.is_ok(), &format!("{:?}", loaded.err()));
    wrong
}

#[test]
fn the_objects_for_kubernetes_fit_together_and_their_configuration_loads() {
    let (text, secret) = (read("manifest/kubernetes/bobbin.yaml"), read("manifest/kubernetes/secret.example.yaml"));
    assert_eq!(of_kubernetes(&text, &secret), Vec::<String>::new());
    for (right, wrong) in [
        ("/readyz", "/ready"),
        ("runAsNonRoot: true", "runAsNonRoot: false"),
        ("matchLabels: { app.kubernetes.io/name: bobbin }", "matchLabels: { app: bobbin }"),
        ("BOBBIN_STORE_FILE", "BOBBIN_STORES_FILE"),
        ("secrets/bobbin/bot-token", "secrets/bobbin/token"),
    ] {
        assert!(!of_kubernetes(&text.replace(right, wrong), &secret).is_empty(), "{wrong} is taken");
    }
}

/// What the API would complain about in an object: what its types do not take, and fields that they do not know.
fn of_the_api(object: &Value) -> Vec<String> {
    let text = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
    let given = serde_json::to_value(object).unwrap();
    let read = match (text("apiVersion").as_str(), text("kind").as_str()) {
        ("v1", "ConfigMap") => as_typed::<k8s_openapi::api::core::v1::ConfigMap>(&given),
        ("v1", "Secret") => as_typed::<k8s_openapi::api::core::v1::Secret>(&given),
        ("v1", "Service") => as_typed::<k8s_openapi::api::core::v1::Service>(&given),
        ("v1", "ServiceAccount") => as_typed::<k8s_openapi::api::core::v1::ServiceAccount>(&given),
        ("apps/v1", "Deployment") => as_typed::<k8s_openapi::api::apps::v1::Deployment>(&given),
        ("networking.k8s.io/v1", "NetworkPolicy") => {
            as_typed::<k8s_openapi::api::networking::v1::NetworkPolicy>(&given)
        }
        ("policy/v1", "PodDisruptionBudget") => as_typed::<k8s_openapi::api::policy::v1::PodDisruptionBudget>(&given),
        (version, kind) => return vec![format!("there is no {kind} in {version}")],
    };
    match read {
        Ok(known) => dropped(&given, &known, &text("kind")),
        Err(error) => vec![format!("{}: {error}", text("kind"))],
    }
}

/// The object as the API's type has it.
fn as_typed<T: serde::de::DeserializeOwned + serde::Serialize>(given: &Json) -> serde_json::Result<Json> {
    serde_json::to_value(serde_json::from_value::<T>(given.clone())?)
}

/// What is given and not known, by its path.
fn dropped(given: &Json, known: &Json, path: &str) -> Vec<String> {
    match (given, known) {
        (Json::Object(given), Json::Object(known)) => {
            let inner = |(name, value): (&String, &Json)| match known.get(name) {
                Some(known) => dropped(value, known, &format!("{path}.{name}")),
                None => vec![format!("{path}.{name} is no field")],
            };
            given.iter().flat_map(inner).collect()
        }
        (Json::Array(given), Json::Array(known)) if given.len() == known.len() => {
            let each = given.iter().zip(known).enumerate();
            each.flat_map(|(n, (given, known))| dropped(given, known, &format!("{path}[{n}]"))).collect()
        }
        _ if given == known => Vec::new(),
        _ => vec![format!("{path} is {given}, and read as {known}")],
    }
}

#[test]
fn the_objects_for_kubernetes_are_of_the_apis_types_and_have_no_field_that_it_does_not_know() {
    let complaints = |text: &str| {
        let objects = serde_yaml_ng::Deserializer::from_str(text).map(|one| Value::deserialize(one).unwrap());
        objects.flat_map(|object| of_the_api(&object)).collect::<Vec<_>>()
    };
    let (text, secret) = (read("manifest/kubernetes/bobbin.yaml"), read("manifest/kubernetes/secret.example.yaml"));
    assert_eq!((complaints(&text), complaints(&secret)), (Vec::new(), Vec::new()));
    for (right, wrong, said) in [
        (
            "periodSeconds: 10",
            "periodSecond: 10",
            "Deployment.spec.template.spec.containers[0].livenessProbe.periodSecond",
        ),
        ("replicas: 2", "replicas: two", "Deployment: "),
        ("minAvailable: 1", "minimumAvailable: 1", "PodDisruptionBudget.spec.minimumAvailable is no field"),
        ("podSelector:", "podSelectors:", "NetworkPolicy"),
        ("targetPort: http", "targetPort: [http]", "Service: "),
        ("apiVersion: apps/v1", "apiVersion: apps/v1beta2", "there is no Deployment in apps/v1beta2"),
        ("kind: ConfigMap", "kind: ConfigMaps", "there is no ConfigMaps in v1"),
        ("capabilities: { drop: [ALL] }", "capability: { drop: [ALL] }", "securityContext.capability is no field"),
    ] {
        let found = complaints(&text.replacen(right, wrong, 1)).join("\n");
        assert!(found.contains(said), "{wrong}: {found}");
    }
    assert!(!complaints(&secret.replace("stringData", "stringdata")).is_empty());
}

/// The Compose Specification's own schema; where it is from stands beside it.
const COMPOSE: &str = include_str!("../fixtures/compose/compose-spec.json");

#[test]
fn the_compose_file_is_one_by_the_specifications_schema() {
    let schema = jsonschema::validator_for(&serde_json::from_str(COMPOSE).unwrap()).unwrap();
    let complaints = |text: &str| {
        let file: Json = serde_yaml_ng::from_str(text).unwrap();
        schema.iter_errors(&file).map(|error| format!("{}: {error}", error.instance_path())).collect::<Vec<_>>()
    };
    let text = read("manifest/compose.yaml");
    assert_eq!(complaints(&text), Vec::<String>::new());
    for (right, wrong) in [
        ("read_only: true", "readonly: true"),
        ("stop_grace_period: 15s", "stop_grace_periods: 15s"),
        ("retries: 10", "retries: [10]"),
        ("condition: service_healthy", "condition: service_well"),
        ("file: ./secrets/store", "files: ./secrets/store"),
        ("\nvolumes:", "\nvolume:"),
    ] {
        assert!(!complaints(&text.replacen(right, wrong, 1)).is_empty(), "{wrong} is taken");
    }
}
