//! Hands the log's warnings and errors to the console, each with the mailbox in whose turn it was written.

use std::fmt::{self, Write as _};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use crate::{
    clock::{Clock as _, SystemClock},
    console::{Complaint, Complaints},
};

/// The field that names a mailbox.
const MAILBOX: &str = "mailbox";

/// The layer.
#[derive(Debug)]
pub(super) struct Keeper(pub(super) &'static Complaints);

/// The mailbox of a span.
struct Mailbox(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Keeper {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut named = Named(None);
        attributes.record(&mut named);
        if let (Some(mailbox), Some(span)) = (named.0, context.span(id)) {
            span.extensions_mut().replace(Mailbox(mailbox));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let level = *event.metadata().level();
        if level > Level::WARN {
            return;
        }
        let mut words = Words::default();
        event.record(&mut words);
        let in_span = |span: tracing_subscriber::registry::SpanRef<'_, S>| {
            span.extensions().get::<Mailbox>().map(|mailbox| mailbox.0.clone())
        };
        let mailbox = context.event_scope(event).and_then(|mut spans| spans.find_map(in_span));
        let (at, serious) = (SystemClock.now(), level == Level::ERROR);
        self.0.add(Complaint { at, serious, words: words.told(), mailbox });
    }
}

/// Finds the mailbox among fields.
struct Named(Option<String>);

impl Visit for Named {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == MAILBOX {
            self.0 = Some(format!("{value:?}"));
        }
    }
}

/// The message and the other fields.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Words {
    fn told(self) -> String {
        format!("{}{}", self.message, self.fields)
    }

    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        // Writing into a string does not fail.
        let _written = if field.name() == "message" {
            self.message.write_fmt(value).is_ok()
        } else {
            write!(self.fields, " · {}: {value}", field.name()).is_ok()
        };
    }
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn warnings_and_errors_are_kept_with_the_mailbox_of_their_turn() {
        static KEPT: Complaints = Complaints::new();
        let subscriber = tracing_subscriber::registry().with(Keeper(&KEPT));
        tracing::subscriber::with_default(subscriber, || {
            let mailbox = "thread:T1/C1/1.5";
            let span = tracing::info_span!("work", %mailbox, attempt = 2);
            span.in_scope(|| tracing::warn!(why = "no answer", wait_s = 3, "trying again later"));
            tracing::info!("all is well");
            tracing::error!("set aside");
        });
        let kept: Vec<_> = KEPT.newest().into_iter().map(|c| (c.serious, c.words, c.mailbox)).collect();
        let expected = [
            (true, "set aside".to_owned(), None),
            (false, "trying again later · why: no answer · wait_s: 3".to_owned(), Some("thread:T1/C1/1.5".to_owned())),
        ];
        assert_eq!(kept, expected);
    }
}
