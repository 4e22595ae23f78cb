//! Registers: small named tables of what operators settled and saw (who is paused, who acts as whom, who failed to link,
//! who did what), each row under a name and a time. Several rows are written in one atomic operation, so that an action
//! and the record of it are there together or not at all.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Cursor, Result};

/// A change of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Writes a row, in the place of an earlier one of that name, at the present time.
    Put {
        /// The register.
        register: String,
        /// The row's name.
        name: String,
        /// What it says.
        value: String,
        /// Rows of this register that are older than this may be forgotten; `None`: none is.
        keep: Option<Duration>,
    },
    /// Takes a row out.
    Remove {
        /// The register.
        register: String,
        /// The row's name.
        name: String,
    },
}

impl Change {
    /// Writes a row that is never forgotten by itself.
    pub fn put(register: &str, name: &str, value: String) -> Self {
        Self::Put { register: register.to_owned(), name: name.to_owned(), value, keep: None }
    }

    /// Takes a row out.
    pub fn remove(register: &str, name: &str) -> Self {
        Self::Remove { register: register.to_owned(), name: name.to_owned() }
    }
}

/// A row of a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// When it was written.
    pub at: Timestamp,
    /// Its name.
    pub name: String,
    /// What it says.
    pub value: String,
}

impl Row {
    /// Where a page ends that has this as its last row.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.at, &self.name)
    }
}

/// Keeps the registers.
#[async_trait]
pub trait Registers {
    /// Makes the changes, all in one atomic operation.
    async fn register(&self, changes: &[Change]) -> Result<()>;

    /// One row.
    async fn row(&self, register: &str, name: &str) -> Result<Option<Row>>;

    /// Rows of a register, newest first, after the cursor; at most `limit`, which is at most
    /// [`PAGE_MAX`](super::PAGE_MAX).
    async fn rows(&self, register: &str, after: Option<&Cursor>, limit: usize) -> Result<Vec<Row>>;
}
