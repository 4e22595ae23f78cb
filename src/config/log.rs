//! What is logged, and how; and where traces go.

use super::Source;

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// Filter, in the form of `tracing_subscriber::EnvFilter`.
    pub filter: String,
    /// Form of a line.
    pub format: LogFormat,
    /// Traces, where somebody collects them.
    pub traces: Option<TracesConfig>,
}

/// Traces: all else about them is read by OpenTelemetry's SDK, from its standard variables.
/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracesConfig {
    /// What the collector knows us as.
    pub service: String,
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Where traces go; either of them.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

impl TracesConfig {
    fn read(source: &mut Source) -> Option<Self> {
        if source.standard("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return None;
        }
        let given = ENDPOINTS.into_iter().find_map(|name| Some((name, source.standard(name)?.to_owned())));
        let (name, text) = given?;
        if !text.parse::<url::Url>().is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            source.problem(name, &format!("{text:?}"), "an http:// or https:// address");
        }
        Some(Self { service: source.standard("OTEL_SERVICE_NAME").unwrap_or("bobbin").to_owned() })
    }
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
        Self {
            filter: filter.unwrap_or_else(|| "info".to_owned()),
            format: format.unwrap_or(LogFormat::Text),
            traces: TracesConfig::read(source),
        }
    }
}
