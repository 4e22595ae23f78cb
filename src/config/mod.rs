//! Configuration: environment variables, or the same names in a TOML file; tables of that file say what holds in channels.
//! The only reader of the environment.
//!
//! [`keys::KEYS`] is the whole list; the README's table is compared with it. Every problem is collected before the
//! process refuses to start, each naming the key, what was found (never for a secret) and what is allowed.

mod changes;
mod console;
mod devin;
pub mod keys;
mod live;
mod log;
mod rules;
mod service;
mod slack;
mod source;
mod store;
mod tenancy;

use std::{fmt, path::Path};

use self::tenancy::Tenancy;
use crate::domain::{routing::Routing, rules::Rules};

pub use self::{
    changes::{Changes, Given},
    console::{ConsoleConfig, is_loopback},
    devin::DevinConfig,
    live::Live,
    log::{LogConfig, LogFormat, TracesConfig},
    service::ServiceConfig,
    slack::{OAuthConfig, SlackConfig, SocketModeConfig},
    source::Source,
    store::{StoreConfig, StoreKind},
    tenancy::Organisation,
};

/// Everything an operator can set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where we listen and how we are reached.
    pub service: ServiceConfig,
    /// Where inputs and links are kept.
    pub store: StoreConfig,
    /// The Slack side.
    pub slack: SlackConfig,
    /// The Devin side.
    pub devin: DevinConfig,
    /// Who signs in to the console.
    pub console: ConsoleConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// What holds in channels.
    pub rules: Rules,
    /// Devin organisations beside the one for all.
    pub organisations: Vec<Organisation>,
    /// Which workspaces and channels belong to them.
    pub routing: Routing,
    /// What was given, to compare it with a later reading.
    pub given: Given,
}

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, or the file.
    pub key: String,
    /// What was found; a secret's value is never shown.
    pub found: String,
    /// What is allowed.
    pub allowed: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {}; allowed: {}", self.key, self.found, self.allowed)
    }
}

/// All that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration cannot be used:\n{}", .0.iter().map(|p| format!("  {p}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError(pub Vec<Problem>);

impl Config {
    /// Reads the environment and, where given (`--config` or `BOBBIN_CONFIG`), a TOML file; the environment wins.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::from_source(Source::load(file)?)
    }

    /// Reads given values, for tests and the demo.
    pub fn from_values<K: Into<String>, V: Into<String>>(
        values: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError> {
        Self::from_source(Source::from_values(values)?)
    }

    /// Reads given values, and a file's text beside them, for tests and the demo.
    pub fn from_values_and_file<K: Into<String>, V: Into<String>>(
        values: impl IntoIterator<Item = (K, V)>,
        file: &str,
    ) -> Result<Self, ConfigError> {
        let mut source = Source::from_values(values)?;
        source.read_text(file, Path::new("the file"))?;
        Self::from_source(source)
    }

    /// Reads what can be read, with all that is wrong with it: for somebody who is asked what is wrong. What could not be
    /// read has a value that reaches nobody; only a file that cannot be read at all fails.
    pub fn examine(file: Option<&Path>) -> Result<(Self, Vec<Problem>), ConfigError> {
        let (config, source) = Self::read(Source::load(file)?);
        Ok((config, source.finish().err().map_or_else(Vec::new, |error| error.0)))
    }

    fn from_source(source: Source) -> Result<Self, ConfigError> {
        let (config, source) = Self::read(source);
        source.finish()?;
        Ok(config)
    }

    fn read(mut source: Source) -> (Self, Source) {
        let Tenancy { organisations, routing, workspaces } = Tenancy::read(&mut source);
        let config = Self {
            service: ServiceConfig::read(&mut source),
            store: StoreConfig::read(&mut source),
            slack: SlackConfig::read(&mut source, workspaces),
            devin: DevinConfig::read(&mut source),
            console: ConsoleConfig::read(&mut source),
            log: LogConfig::read(&mut source),
            rules: rules::read(&mut source),
            organisations,
            routing,
            given: Given::of(&source),
        };
        (config, source)
    }
}

#[cfg(test)]
mod tests;
