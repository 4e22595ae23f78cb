//! Where values come from, and the collecting of everything that is wrong with them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};

use super::{ConfigError, Problem, keys, rules::choice, tenancy::KEY as ORGANISATION};

/// Every variable of ours begins so.
const PREFIX: &str = "BOBBIN_";
/// Those of OpenTelemetry, which many programs have in common, so that their names are not ours to check.
const STANDARD: &str = "OTEL_";
/// Names the configuration file; read here because it is not a setting but tells where the settings are.
const FILE_KEY: &str = "BOBBIN_CONFIG";
/// The tables of the file.
const TABLES: [&str; 6] = ["channels", "defaults", "organisations", "reactions", "schemas", "workspaces"];

/// Raw values by key, and the problems met so far.
#[derive(Debug, Default)]
pub struct Source {
    values: BTreeMap<String, String>,
    standard: BTreeMap<String, String>,
    tables: Tables,
    tenancy: TenancyTables,
    beside: PathBuf,
    problems: Vec<Problem>,
}

/// The tables of the file.
#[derive(Debug, Default)]
pub struct Tables {
    /// What holds in every channel.
    pub defaults: toml::Table,
    /// What holds in single channels, by their ids.
    pub channels: toml::Table,
    /// Forms of results, by name.
    pub schemas: toml::Table,
    /// Reactions that are orders, by name.
    pub reactions: toml::Table,
}

/// What the file says about organisations.
#[derive(Debug, Default)]
pub struct TenancyTables {
    /// Devin organisations, by name.
    pub organisations: toml::Table,
    /// Workspaces, by their ids.
    pub workspaces: toml::Table,
    /// The organisations that channels name.
    pub channels: Vec<(String, toml::Value)>,
}

impl Source {
    /// Reads the environment and the file; the environment wins.
    #[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let (mut env, rest): (BTreeMap<String, String>, BTreeMap<_, _>) =
            std::env::vars().partition(|(name, _)| name.starts_with(PREFIX));
        let named = env.remove(FILE_KEY).map(PathBuf::from);
        let standard = rest.into_iter().filter(|(name, value)| name.starts_with(STANDARD) && !value.trim().is_empty());
        let mut source = Self { standard: standard.collect(), ..Self::default() };
        for (name, value) in &env {
            source.take(name, value.clone());
        }
        if let Some(path) = file.map(Path::to_path_buf).or(named) {
            let text = std::fs::read_to_string(&path)
                .map_err(|e| refused(&path.display().to_string(), &e.to_string(), "a TOML file that can be read"))?;
            source.read_text(&text, &path)?;
        }
        Ok(source)
    }

    /// Takes what a file says and was not given before: what comes from the environment wins.
    pub fn read_text(&mut self, text: &str, path: &Path) -> Result<(), ConfigError> {
        let name = path.display().to_string();
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| refused(&name, e.message(), "TOML"))?;
        self.beside = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let given: Vec<String> = self.values.keys().cloned().collect();
        for (key, value) in table {
            // A secret given directly replaces one given by file, whichever place each came from.
            let known = key.strip_suffix("_FILE").filter(|known| keys::find(known).is_some_and(|key| key.secret));
            if given.iter().any(|name| name == known.unwrap_or(&key)) {
                continue;
            }
            match value {
                toml::Value::String(text) => self.take(&key, text),
                toml::Value::Integer(number) => self.take(&key, number.to_string()),
                toml::Value::Boolean(yes) => self.take(&key, yes.to_string()),
                toml::Value::Table(table) => self.take_table(&key, table),
                toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Array(_) => {
                    self.problem(&key, value.type_str(), "strings, whole numbers, true and false, and tables");
                }
            }
        }
        Ok(())
    }

    fn take_table(&mut self, name: &str, table: toml::Table) {
        match name {
            "defaults" => self.tables.defaults = table,
            "channels" => self.tables.channels = table,
            "schemas" => self.tables.schemas = table,
            "organisations" => self.tenancy.organisations = table,
            "workspaces" => self.tenancy.workspaces = table,
            "reactions" => self.tables.reactions = table,
            _ => self.problem(name, "a table that does not exist", &choice(name, || TABLES.into_iter())),
        }
    }

    /// The tables; they are taken once.
    pub fn tables(&mut self) -> Tables {
        std::mem::take(&mut self.tables)
    }

    /// The tables about organisations, what channels say of them included; they are taken once, and before the others.
    pub fn tenancy_tables(&mut self) -> TenancyTables {
        let mut tables = std::mem::take(&mut self.tenancy);
        for (name, channel) in &mut self.tables.channels {
            let named = channel.as_table_mut().and_then(|table| table.remove(ORGANISATION));
            tables.channels.extend(named.map(|value| (name.clone(), value)));
        }
        tables
    }

    /// A path that the file names, as it is meant: from the file's own folder.
    pub fn beside(&self, path: &str) -> PathBuf {
        self.beside.join(path)
    }

    /// Takes given values.
    pub fn from_values<K: Into<String>, V: Into<String>>(
        values: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError> {
        let mut source = Self::default();
        for (name, value) in values {
            source.take(&name.into(), value.into());
        }
        Ok(source)
    }

    fn take(&mut self, name: &str, value: String) {
        if keys::find(name).is_some() {
            if self.values.insert(name.to_owned(), value).is_some() {
                self.problem(name, "both a value and a _FILE", "one of them");
            }
            return;
        }
        match name.strip_suffix("_FILE").and_then(keys::find).filter(|key| key.secret) {
            Some(key) => self.take_file(key.name, &value),
            None => self.problem(name, "a key that does not exist", &nearest(name)),
        }
    }

    fn take_file(&mut self, name: &str, path: &str) {
        match std::fs::read_to_string(path) {
            Ok(text) => self.take(name, text.trim_end_matches(['\r', '\n']).to_owned()),
            Err(error) => {
                self.problem(&format!("{name}_FILE"), &format!("{path:?} ({error})"), "a file that can be read");
            }
        }
    }

    /// Notes a problem; [`finish`](Self::finish) reports all of them.
    pub fn problem(&mut self, key: &str, found: &str, allowed: &str) {
        self.problems.push(Problem { key: key.to_owned(), found: found.to_owned(), allowed: allowed.to_owned() });
    }

    /// The value of a key that is not a secret: as set, else its default.
    pub fn text(&self, name: &str) -> Option<String> {
        let set = self.values.get(name).map(|v| v.trim()).filter(|v| !v.is_empty());
        set.or_else(|| keys::find(name).and_then(|key| key.default)).map(str::to_owned)
    }

    /// The value of a standard variable, as the environment has it.
    pub fn standard(&self, name: &str) -> Option<&str> {
        self.standard.get(name).map(|value| value.trim())
    }

    /// The value of a secret; blank counts as absent.
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.text(name).map(SecretString::from)
    }

    /// The signing secrets, newest first; empty when none is usable.
    pub fn signing_secrets(&self) -> Vec<SecretString> {
        let text = self.secret("BOBBIN_SLACK_SIGNING_SECRETS");
        let parts = text.as_ref().map_or("", |t| t.expose_secret()).split(',').map(str::trim);
        parts.filter(|part| !part.is_empty()).map(SecretString::from).collect()
    }

    /// A value that `read` understands; otherwise a problem that says what is allowed, and `None`.
    pub fn parse<T>(&mut self, name: &str, allowed: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            self.problem(name, &format!("{text:?}"), allowed);
        }
        value
    }

    /// A duration such as `10s`, `500ms` or `2m`, at least `floor`.
    pub fn duration(&mut self, name: &str, floor: Duration) -> Duration {
        let allowed = format!("a duration of at least {floor:?}, such as 10s, 1500ms or 2m");
        self.parse(name, &allowed, |text| duration(text).filter(|d| *d >= floor)).unwrap_or(floor)
    }

    /// An address with `http` or `https`, ending in a slash.
    pub fn url(&mut self, name: &str) -> Option<url::Url> {
        self.parse(name, "an http:// or https:// address", |text| {
            let with_slash = if text.ends_with('/') { text.to_owned() } else { format!("{text}/") };
            with_slash.parse::<url::Url>().ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host())
        })
    }

    /// Fails with every problem met.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigError(self.problems)) }
    }
}

fn refused(key: &str, found: &str, allowed: &str) -> ConfigError {
    ConfigError(vec![Problem { key: key.to_owned(), found: found.to_owned(), allowed: allowed.to_owned() }])
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        _ => None,
    }
}

/// The keys that begin like a wrong one, so that a slip of the pen is seen at once.
fn nearest(name: &str) -> String {
    let shared = |key: &str| key.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
    let best = keys::KEYS.iter().max_by_key(|key| shared(key.name));
    match best.filter(|key| shared(key.name) > PREFIX.len()) {
        Some(key) => format!("the keys of the README's table (did you mean {}?)", key.name),
        None => "the keys of the README's table".to_owned(),
    }
}
