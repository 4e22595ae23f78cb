//! `bobbin dead`: what was set aside, and what to do with it.

use anyhow::bail;

use crate::{
    domain::ids::InputId,
    oversight::{Actor, Oversight},
    store::{Bell, Dead, SharedStore},
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
    let Some(found) = store.letter(id).await? else { bail!("nothing is set aside as {id}") };
    writeln!(out, "id: {}\nset aside: {}\nwhy: {}\nattempts: {}", found.input.id, found.at, found.why, found.attempts)?;
    writeln!(out, "door: {}\nreceived: {}\n", found.input.door, found.input.at)?;
    out.write_all(found.input.body.bytes())?;
    writeln!(out)?;
    Ok(())
}

/// Puts one back into its mailbox, on the record.
pub(super) async fn replay(store: &SharedStore, by: String, id: &InputId) -> anyhow::Result<()> {
    Ok(over(store).replay_letter(&Actor::command_line(by), id).await?)
}

/// Forgets one, on the record.
pub(super) async fn forget(store: &SharedStore, by: String, id: &InputId) -> anyhow::Result<()> {
    Ok(over(store).drop_letter(&Actor::command_line(by), id).await?)
}

/// What an operator does with a store alone.
pub(super) fn over(store: &SharedStore) -> Oversight {
    Oversight::new(store.clone(), [], Bell::default())
}

/// Says that something was done.
pub(super) fn said(out: &mut impl std::io::Write, text: &str) -> anyhow::Result<()> {
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}
