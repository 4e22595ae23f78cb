//! Several processes of the bot on one store, which a test stops, kills and starts again.

use std::time::{Duration, Instant};

use super::{
    outside::Outside,
    process::{Process, Settings},
};

/// Replicas, each with its settings.
#[derive(Debug)]
pub(crate) struct Fleet<'o> {
    outside: &'o Outside,
    settings: Vec<Settings>,
    running: Vec<Option<Process>>,
}

impl<'o> Fleet<'o> {
    /// Starts one process for each settings; deliveries go to them.
    pub(crate) fn start(outside: &'o Outside, settings: Vec<Settings>) -> Self {
        let running = settings.iter().map(|settings| Some(Process::start(&["serve"], settings))).collect();
        let fleet = Self { outside, settings, running };
        fleet.lead();
        fleet
    }

    /// So many processes with the same settings.
    pub(crate) fn of(outside: &'o Outside, settings: &Settings, count: usize) -> Self {
        Self::start(outside, vec![settings.clone(); count])
    }

    /// A replica.
    pub(crate) fn process(&self, n: usize) -> &Process {
        self.running[n].as_ref().unwrap()
    }

    /// How many there are, dead ones included.
    pub(crate) fn len(&self) -> usize {
        self.running.len()
    }

    /// Ends a replica as a power cut would. Slack still sends to its address.
    pub(crate) fn kill(&mut self, n: usize) {
        self.running[n].take().unwrap().kill();
    }

    /// Starts a replica again; it gets another address.
    pub(crate) fn start_again(&mut self, n: usize) {
        self.running[n] = Some(Process::start(&["serve"], &self.settings[n]));
        self.lead();
    }

    /// Adds a replica like the first.
    pub(crate) fn add(&mut self) {
        self.settings.push(self.settings[0].clone());
        self.running.push(None);
        self.start_again(self.running.len() - 1);
    }

    /// Takes a replica out for good, killed.
    pub(crate) fn lose(&mut self, n: usize) {
        self.kill(n);
        self.running.remove(n);
        self.settings.remove(n);
        self.lead();
    }

    /// Asks a replica to stop, waits for its end, and starts it again; how long the end took.
    pub(crate) async fn replace(&mut self, n: usize) -> Duration {
        let asked = Instant::now();
        let status = self.running[n].as_mut().unwrap().stop().await;
        let took = asked.elapsed();
        assert!(status.success(), "{status}: {}", self.process(n).stderr());
        self.start_again(n);
        took
    }

    /// Stops all; each has to end well.
    pub(crate) async fn stop(mut self) {
        for process in self.running.iter_mut().flatten() {
            let status = process.stop().await;
            assert!(status.success(), "{status}: {}", process.stderr());
        }
    }

    /// Leads deliveries to those that run.
    pub(crate) fn lead(&self) {
        self.outside.line.lead_to(self.running.iter().flatten().map(Process::base).collect());
    }
}
