//! The founding mark of the file, kept among the facts about it.

use redb::ReadableTable;

use super::{
    store::EmbeddedStore,
    tables::{META, STATE, Tx},
    turns,
};
use crate::store::{Adoption, Founding, Result};

/// The mark: since when.
const FOUNDED: &str = "founded";

#[async_trait::async_trait]
impl Founding for EmbeddedStore {
    async fn is_founded(&self) -> Result<bool> {
        self.ask(is_founded).await
    }

    async fn found(&self) -> Result<()> {
        self.ask(|tx| {
            tx.write(META)?.insert(FOUNDED, tx.now())?;
            Ok(())
        })
        .await
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<bool> {
        let adoption = adoption.clone();
        self.ask(move |tx| adopt(tx, &adoption)).await
    }
}

/// Whether the file has its mark.
pub(super) fn is_founded(tx: &Tx) -> Result<bool> {
    Ok(tx.read(META)?.get(FOUNDED)?.is_some())
}

fn adopt(tx: &Tx, adoption: &Adoption) -> Result<bool> {
    let name = adoption.mailbox.to_string();
    let may = adoption.anew || (turns::state(tx, &name)?.is_none() && !(turns::waits(tx, &name)? && is_founded(tx)?));
    if may {
        tx.write(STATE)?.insert(name.as_str(), adoption.state.as_str())?;
        if let Some(wake) = adoption.wake {
            turns::bring_forward(tx, &name, wake.as_microsecond().max(tx.now()))?;
        }
    }
    Ok(may)
}
