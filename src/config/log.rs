//! What is logged, and how.

use super::Source;

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// Filter, in the form of `tracing_subscriber::EnvFilter`.
    pub filter: String,
    /// Form of a line.
    pub format: LogFormat,
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogConfig {
    pub(super) fn read(source: &mut Source) -> Self {
        let filter = source.parse("BOBBIN_LOG", "a filter such as info or info,bobbin=debug", |text| {
            text.parse::<tracing_subscriber::filter::Targets>().is_ok().then(|| text.to_owned())
        });
        let format = source.parse("BOBBIN_LOG_FORMAT", "text or json", |text| match text {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        });
        Self { filter: filter.unwrap_or_else(|| "info".to_owned()), format: format.unwrap_or(LogFormat::Text) }
    }
}
