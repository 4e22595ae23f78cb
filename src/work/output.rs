//! A session's structured output into the thread: a table that people read, and the JSON for whoever goes on with it.

use serde_json::Value;

use super::{
    changed,
    halt::Halt,
    room::{self, PostKind, Say},
    task::Task,
    traces::OUTPUT,
    words::{self, OurText},
};
use crate::{
    domain::{announce::output_digest, link::Link, mailbox::ThreadKey},
    voice::{self, RelayNote},
};

/// Posts an output. Its digest stands in the metadata, so that a link that has to be restored knows what was told.
pub(super) async fn post(
    task: &mut Task,
    thread: &ThreadKey,
    link: &mut Link,
    step: &str,
    output: &Value,
) -> Result<(), Halt> {
    let digest = output_digest(output);
    for (part, said) in voice::relay(&voice::output(output)).posts.into_iter().enumerate() {
        let step = format!("{step} {part}");
        let facts = vec![("session_id", link.session.to_string()), (OUTPUT, digest.clone())];
        let say = Say { step: &step, mark: changed::news_mark(task, link, &step), kind: PostKind::Notice, facts, said };
        room::post_for(task, thread, link, say).await?;
    }
    let json = serde_json::to_string_pretty(output).unwrap_or_default();
    let lost = voice::relay_note(RelayNote::WholeMissing { url: link.seen.url.clone() });
    let text = OurText { name: voice::OUTPUT_FILE, says: voice::OUTPUT_CAPTION, text: &json, lost };
    words::bring_text(task, thread, link, &format!("output-{digest}"), text).await
}
