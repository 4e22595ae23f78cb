//! Every metric the program has, as data: what `/metrics` says of each, and what alert rules and dashboards may name. A
//! test compares it with the code, both ways. Labels have few values: never an id, an address or a word of a person.

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often what took how long.
    Histogram,
}

impl Kind {
    /// The word that the code and Prometheus have for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name; the unit is its ending.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: &'static str,
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, labels, help }
}

const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram, labels, help }
}

/// All of them.
pub const METRICS: &[Metric] = &[
    histogram("bobbin_acknowledged_seconds", &["door"], "Time from a request of Slack's to our answer."),
    counter("bobbin_buttons_pressed_total", &["act"], "Buttons pressed, by what they do."),
    counter("bobbin_buttons_refused_total", &["why"], "Buttons that did nothing, by why."),
    histogram("bobbin_change_to_post_seconds", &[], "Time from a change at Devin to the post that tells it."),
    counter("bobbin_console_sign_ins_total", &["end"], "Sign-ins to the console, by their end."),
    counter("bobbin_doubles_total", &["what", "end"], "Effects that happened twice, and what was done about it."),
    counter("bobbin_inbound_refused_total", &["why"], "Requests that were not Slack's, by why."),
    counter(
        "bobbin_inbound_total",
        &["door", "end"],
        "Verified requests, by what came of them; duplicates are one end.",
    ),
    counter("bobbin_inputs_buried_total", &[], "Inputs that were set aside: they are dead letters."),
    counter("bobbin_installations_ended_total", &["why"], "Installations that ended, by why."),
    counter("bobbin_installations_total", &["end"], "Attempts to install, by their end."),
    counter("bobbin_links_restored_total", &[], "Links that were lost and found again."),
    gauge(
        "bobbin_installations",
        &["state"],
        "Workspaces and organisations that installed the app, by whether it works.",
    ),
    gauge("bobbin_mailboxes_oldest_seconds", &[], "How long the mailbox that waits longest has been ready."),
    gauge("bobbin_mailboxes_ready", &[], "Mailboxes that are ready and not in hand."),
    gauge("bobbin_mailboxes_retried", &[], "Mailboxes whose turn did not get done and is tried again."),
    gauge("bobbin_mailboxes_retried_oldest_seconds", &[], "For how long the one that is tried longest has been."),
    counter("bobbin_modals_total", &["end"], "Modals, by how they were opened or why not."),
    counter("bobbin_operator_actions_total", &["action"], "What operators did."),
    counter(
        "bobbin_outbound_calls_total",
        &["service", "method", "outcome"],
        "Calls to Slack and Devin, by their outcome.",
    ),
    histogram("bobbin_outbound_seconds", &["service", "method"], "Time of calls to Slack and Devin."),
    gauge("bobbin_paused", &[], "How many pauses of new sessions are on."),
    counter("bobbin_people_admitted_total", &["source"], "People we acted for, by how we knew who they are."),
    counter("bobbin_people_refused_total", &["why"], "People we did not act for, by why."),
    counter("bobbin_posts_sent_plainly_total", &[], "Posts that Slack took only as plain text."),
    histogram(
        "bobbin_rate_limit_wait_seconds",
        &["service"],
        "How long the other side asked us to wait at a rate limit.",
    ),
    gauge("bobbin_ready", &[], "Whether inputs can be taken: 1, else 0."),
    gauge("bobbin_sessions", &["phase"], "Linked sessions, by phase."),
    counter("bobbin_sessions_adopted_total", &[], "Sessions of ours that no thread knew, and that were linked again."),
    counter("bobbin_sessions_refused_paused_total", &[], "Sessions not started because new ones are paused."),
    counter("bobbin_socket_replacements_total", &["reason"], "Sockets to Slack that needed a successor, by why."),
    gauge("bobbin_sockets_open", &[], "Sockets to Slack that are open, in Socket Mode."),
    gauge("bobbin_spool_bytes", &[], "Size of what waits in the spool."),
    counter(
        "bobbin_spool_drained_total",
        &["end"],
        "Inputs that went from the spool into the store, by what came of them.",
    ),
    gauge("bobbin_spool_inputs", &[], "Inputs that wait in the spool for the store."),
    gauge("bobbin_spool_oldest_seconds", &[], "How long the oldest of them has waited."),
    counter("bobbin_token_renewals_total", &["end"], "Renewals of workspaces' tokens, by their end."),
    gauge("bobbin_watch_lag_seconds", &["organisation"], "For how long looking at Devin has failed; 0 while it works."),
    counter("bobbin_work_cut_off_total", &[], "Turns that were taken again because nobody ended the one before."),
    counter("bobbin_work_handled_total", &["kind", "end"], "Turns of mailboxes, by what was handled and how it ended."),
    histogram("bobbin_work_seconds", &["kind"], "Time of one turn, by what was handled."),
];

/// Says of each metric what it is; those that count without labels begin at zero, so that the first event is a rise.
pub fn describe() {
    for metric in METRICS {
        match metric.kind {
            Kind::Counter => {
                metrics::describe_counter!(metric.name, metric.help);
                if metric.labels.is_empty() {
                    metrics::counter!(metric.name).increment(0);
                }
            }
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
            Kind::Histogram => metrics::describe_histogram!(metric.name, metric.help),
        }
    }
}
