//! `bobbin dead`: what was set aside, and what to do with it.

use anyhow::bail;

use crate::{
    domain::ids::InputId,
    store::{Dead, SharedStore},
};

/// Dead letters listed at once.
const LISTED: usize = 1_000;

/// One line for each dead letter, newest first.
pub(super) async fn list(store: &SharedStore, out: &mut impl std::io::Write) -> anyhow::Result<()> {
    let dead = store.dead(LISTED).await?;
    if dead.is_empty() {
        writeln!(out, "Nothing is set aside.")?;
    }
    for Dead { input, at, why, attempts, mailbox, .. } in dead {
        let place = mailbox.map_or_else(|| "unreadable".to_owned(), |m| m.to_string());
        writeln!(out, "{}  {at}  {}  {place}  {attempts} attempts  {why}", input.id, input.door)?;
    }
    Ok(())
}

/// One dead letter with its body, byte for byte.
pub(super) async fn show(store: &SharedStore, id: &InputId, out: &mut impl std::io::Write) -> anyhow::Result<()> {
    let dead = store.dead(LISTED).await?;
    let Some(found) = dead.into_iter().find(|d| d.input.id == *id) else { bail!("nothing is set aside as {id}") };
    writeln!(out, "id: {}\nset aside: {}\nwhy: {}\nattempts: {}", found.input.id, found.at, found.why, found.attempts)?;
    writeln!(out, "door: {}\nreceived: {}\n", found.input.door, found.input.at)?;
    out.write_all(found.input.body.bytes())?;
    writeln!(out)?;
    Ok(())
}

/// Puts one back into its mailbox.
pub(super) async fn replay(store: &SharedStore, id: &InputId) -> anyhow::Result<()> {
    if !store.replay_dead(id).await? {
        bail!("nothing with a mailbox is set aside as {id}");
    }
    Ok(())
}

/// Forgets one.
pub(super) async fn forget(store: &SharedStore, id: &InputId) -> anyhow::Result<()> {
    if !store.drop_dead(id).await? {
        bail!("nothing is set aside as {id}");
    }
    Ok(())
}

/// Says that something was done.
pub(super) fn said(out: &mut impl std::io::Write, text: &str) -> anyhow::Result<()> {
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}
