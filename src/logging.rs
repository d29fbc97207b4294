//! Logs that two runs can be compared by: stamped with simulated time and host, never with wall
//! time. Free while nobody asks for them.

use std::fmt;

use picklock_sim::trace;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

/// Starts logging to stderr what passes the filter (the syntax of `RUST_LOG`).
///
/// # Errors
/// If the filter cannot be read, or logging was started before.
pub(crate) fn start(filter: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let filter = EnvFilter::try_new(filter)?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .event_format(SimulatedTime)
        .try_init()
}

/// Whether anybody asked for logs. Runs then go one after the other, or their lines would mix.
pub(crate) fn is_on() -> bool {
    LevelFilter::current() != LevelFilter::OFF
}

/// `   1.250 s client 1 DEBUG picklock::history: ..`
struct SimulatedTime;

impl<S, N> FormatEvent<S, N> for SimulatedTime
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &tracing::Event<'_>,
    ) -> fmt::Result {
        match trace::context() {
            Some((now, host)) => {
                write!(writer, "{:>12} {:<10}", now.to_string(), host.to_string())?;
            }
            None => write!(writer, "{:>12} {:<10}", "-", "-")?,
        }
        let metadata = event.metadata();
        write!(writer, " {:>5} {}: ", metadata.level(), metadata.target())?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
