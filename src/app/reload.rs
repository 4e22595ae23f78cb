//! SIGHUP: the configuration is read again, and what can change without a restart holds from then on. One that cannot be
//! used changes nothing.

use std::path::PathBuf;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    bobbin::{Bobbin, signing_secrets},
    logs,
};
use crate::config::{Config, ConfigError};

/// Reads the configuration again at each SIGHUP until the stop. Has to be called before the first one may come: it would
/// end the process.
pub(super) fn on_hangup(
    bobbin: &Bobbin,
    config: Config,
    file: Option<PathBuf>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let reload = Reload { bobbin: bobbin.clone(), started: config.clone(), config, file };
    TaskTracker::new().spawn(reload.run(signal(SignalKind::hangup())?, stop));
    Ok(())
}

struct Reload {
    bobbin: Bobbin,
    /// What it started with.
    started: Config,
    /// As it was read last.
    config: Config,
    file: Option<PathBuf>,
}

impl Reload {
    async fn run(mut self, mut hangups: Signal, stop: CancellationToken) {
        loop {
            tokio::select! {
                hangup = hangups.recv() => if hangup.is_none() { return },
                () = stop.cancelled() => return,
            }
            match Config::load(self.file.as_deref()) {
                Ok(newer) => self.take_over(newer),
                Err(error) => refuse(&error),
            }
        }
    }

    fn take_over(&mut self, newer: Config) {
        let changes = self.config.changes_to(&newer);
        if let Err(error) = self.bobbin.take_over(&newer).and_then(|()| logs::filter(&newer.log)) {
            return tracing::error!(%error, "the configuration stays as it was");
        }
        tracing::info!(
            changed = changes.taken_over.join(", "),
            after_a_restart = self.started.changes_to(&newer).for_a_restart.join(", "),
            "the configuration was read again"
        );
        if newer.slack.secret_key.is_none() && changes.taken_over.contains(&"BOBBIN_SLACK_SIGNING_SECRETS") {
            tracing::warn!(
                "BOBBIN_SECRET_KEY is not set: until a restart, marks on posts are made with the signing secret of the start"
            );
        }
        self.config = newer;
    }
}

/// Says each thing that is wrong.
fn refuse(ConfigError(problems): &ConfigError) {
    for problem in problems {
        tracing::error!("the configuration cannot be used: {problem}");
    }
    tracing::error!(problems = problems.len(), "the configuration stays as it was");
}

impl Bobbin {
    /// Takes over what can change while it runs: the rules of channels, what requests are verified with, who may have the
    /// app, and who operates.
    pub fn take_over(&self, newer: &Config) -> anyhow::Result<()> {
        let secrets = signing_secrets(newer)?;
        // Sockets open at a start only: until then the doors stay open for what they were open for.
        if !newer.slack.signing_secrets.is_empty() || self.sockets.is_some() {
            self.receive.secrets.replace(secrets);
        }
        self.receive.rules.replace(newer.rules.clone());
        if let Some(install) = &self.install {
            install.installations.invite(newer.slack.invited.clone());
        }
        if let Some(sign_in) = &self.sign_in {
            sign_in.admins.replace(newer.console.admins.clone());
        }
        Ok(())
    }
}
