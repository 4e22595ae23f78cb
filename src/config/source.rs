//! Where values come from, and the collecting of everything that is wrong with them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};

use super::{ConfigError, Problem, keys};

/// Every variable of ours begins so.
const PREFIX: &str = "BOBBIN_";
/// Names the configuration file; read here because it is not a setting but tells where the settings are.
const FILE_KEY: &str = "BOBBIN_CONFIG";

/// Raw values by key, and the problems met so far.
#[derive(Debug)]
pub struct Source {
    values: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Source {
    /// Reads the environment and the file; the environment wins.
    #[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut env: BTreeMap<String, String> = std::env::vars().filter(|(name, _)| name.starts_with(PREFIX)).collect();
        let named = env.remove(FILE_KEY).map(PathBuf::from);
        let mut values = match file.map(Path::to_path_buf).or(named) {
            Some(path) => read_file(&path)?,
            None => BTreeMap::new(),
        };
        for name in env.keys() {
            // A secret given directly replaces one given by file, whichever place each came from.
            let other = name.strip_suffix("_FILE").map_or_else(|| format!("{name}_FILE"), str::to_owned);
            values.remove(&other);
        }
        values.extend(env);
        Self::from_values(values)
    }

    /// Takes given values.
    pub fn from_values<K: Into<String>, V: Into<String>>(
        values: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError> {
        let mut source = Self { values: BTreeMap::new(), problems: Vec::new() };
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

fn read_file(path: &Path) -> Result<BTreeMap<String, String>, ConfigError> {
    let problem = |found: String, allowed: &str| {
        ConfigError(vec![Problem { key: path.display().to_string(), found, allowed: allowed.to_owned() }])
    };
    let text = std::fs::read_to_string(path).map_err(|e| problem(e.to_string(), "a TOML file that can be read"))?;
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| problem(e.message().to_owned(), "TOML"))?;
    table
        .into_iter()
        .map(|(key, value)| match value {
            toml::Value::String(text) => Ok((key, text)),
            toml::Value::Integer(number) => Ok((key, number.to_string())),
            toml::Value::Boolean(yes) => Ok((key, yes.to_string())),
            toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => {
                Err(problem(format!("{key} is a {}", value.type_str()), "strings, whole numbers, true and false"))
            }
        })
        .collect()
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
