//! The store on Redis (or Valkey), for any number of replicas of this program.
//!
//! Each operation is one Lua script, kept as a file beside this one, and so one round trip and atomic. Everything a
//! script touches lives under one hash tag, a shard number, because Cluster runs a script only where all its keys are.
//! A reader may ask why scripts build most of their key names themselves instead of being passed all of them: which
//! mailbox is next is known only inside, and the base key that *is* passed carries the tag that routes the call. While a
//! Cluster moves a shard's slot, that shard refuses every call, and the others go on.
//!
//! Keys of one shard, under `bobbin:2:{<shard>}:` (2 is the version of this layout):
//!
//! | key | kind | holds |
//! | --- | --- | --- |
//! | `ready:<place>` | sorted set | mailbox by the time (µs) it is ready; a leased one by the end of its lease |
//! | `turns:<workspace>`, `turns` | sorted set | places of a workspace, and workspaces, by the time of their next turn |
//! | `pace:<place>` | string | when (µs) the place's posts are even with their pace |
//! | `clock` | string | the latest time (µs) at which a turn was taken: time never goes back behind it |
//! | `box:<mailbox>` | hash | `s` state, `t` token, `h` what is in hand (`i` input, `w` wake), `a` attempts, `c` cut off |
//! | `in:<mailbox>` | list | waiting inputs, oldest first |
//! | `journal:<mailbox>` | hash | records of the input in hand, by step |
//! | `seen:<id>` | string | until when (µs) the id is remembered |
//! | `dead`, `dead:<id>` | sorted set, hash | dead letters by time, and each one |
//! | `track:<activity>`, `tracked` | sorted set, hash | watched sessions, and their mailboxes |
//! | `list:<word>`, `listed` | sorted set, hash | mailboxes by the time of their listing; each one's time and words |
//! | `story:<mailbox>` | list | what happened there, oldest first |
//! | `register:<name>`, `rows:<name>` | sorted set, hash | rows of a register by time, and what they say; all in shard 0 |
//! | `memo:<key>`, `hold:<name>` | string | deadline (µs) and value or holder |
//! | `run` | string | since when (µs) the present server is known, and its run id |
//! | `founded` | string | the founding mark: since when (µs) |
//!
//! A mailbox without state, inputs, wake and lease leaves no key behind.

mod connection;
mod durability;
mod founding;
mod letters;
mod memory;
mod register;
mod replies;
mod restarts;
mod scripts;
mod store;
mod survey;
mod target;
mod turns;

pub use store::RedisStore;
