//! Bobbin winds chat threads onto Devin sessions.
//!
//! Someone mentions `@bobbin` in Slack; a Devin session starts **as that person**; the thread becomes the session's
//! room: replies go in, Devin's words and every change of its status come out.
//!
//! # The rooms
//!
//! Imports go downward only, never sideways and never up; `tests/it/house.rs` reads every `use crate::` line and this
//! table and fails when either is wrong.
//!
//! | layer | room | what happens there |
//! | --- | --- | --- |
//! | 0 | [`domain`] | pure rules: ids, phases, what a change should announce. No I/O, no async, no clock |
//! | 0 | [`clock`] | the one place that reads time |
//! | 0 | [`meter`] | every metric there is, and what it tells |
//! | 1 | [`config`] | every key an operator can set; the only reader of the environment |
//! | 1 | [`outbound`] | the HTTP client: traced send, time-outs, and whether a failed call may have happened |
//! | 2 | [`slack`] | signature, wire types, Web API client, text in and out |
//! | 2 | [`devin`] | v3 wire types and client |
//! | 2 | [`store`] | mailboxes, leases, journals: Redis or one file, one test suite for both |
//! | 3 | [`steps`] | durable steps over the store |
//! | 3 | [`voice`] | every sentence the bot says |
//! | 3 | [`tenancy`] | which workspaces installed the app, with which token, and whose threads are ours |
//! | 3 | [`people`] | which chat user is which user of the Devin organisation |
//! | 4 | [`receive`] | the doors: verify, decide, store, acknowledge |
//! | 4 | [`work`] | one file per kind of input; the only room that speaks |
//! | 4 | [`watch`] | looks at Devin and puts what it saw into mailboxes |
//! | 4 | [`install`] | "Add to Slack": a person comes back from Slack with a code, and a workspace is installed |
//! | 4 | [`oversight`] | what an operator can see and do, whatever shows it |
//! | 4 | [`twin`] | stand-ins for Slack and Devin, for `bobbin demo` and the tests |
//! | 5 | [`console`] | what operators look at and do in a browser, signed in with Slack; it shows what `oversight` sees |
//! | 6 | [`app`] | builds every handle once, starts and stops every task, the command line |
//!
//! # The flow
//!
//! ```text
//! Slack ──HTTP, sockets──▶ receive ──VerifiedInput──▶ store.accept ──▶ acknowledged
//!                                                        │ (mailbox)
//!                             work ◀──lease──────────────┘
//!                              │  one handler per kind of input, made of durable steps
//!           ┌──────────────────┼──────────────────┐
//!           ▼                  ▼                  ▼
//!        people             devin              slack  ◀── voice (every sentence said)
//!    (who is this?)    (create, send …)    (post, update …)
//!                              ▲
//!        watch ──one list call per tick──┘
//!          └── Sighting ──▶ store.accept ──▶ (the same mailbox, the same writer)
//! ```
//!
//! In: door → `VerifiedInput` → mailbox → work → step → sentence. Out: tick → observation → mailbox → phase →
//! `Announcement` → sentence. Both directions meet in the mailbox of a thread, which one worker at a time handles, in
//! order.
//!
//! # The promises
//!
//! 1. **Verified before it exists.** No code can name an input that has not passed the signature check, or come over a
//!    socket that was opened with the app's own token (`receive/body.rs`).
//! 2. **Stored before it is acknowledged.** A 200, or the acknowledgement of an envelope, means that the input is in the
//!    store, de-duplicated, in one atomic operation (`receive/accept.rs`); otherwise the answer is 503, quickly, or none,
//!    and Slack sends it again. With a spool, an input that Redis cannot take is on the local disk instead, until Redis can
//!    (`receive/outage.rs`).
//! 3. **One writer per thread.** A lease with a token fences off whoever held the mailbox before ([`store`]). Workspaces,
//!    channels and threads take turns, so that a flood in one of them costs the others nothing.
//! 4. **Nothing lost, nothing doubled** that a person can see, through a crash at any instruction: what must not happen
//!    twice is journalled before and after, and looked for before it is tried again ([`steps`]). What may have happened
//!    twice all the same is looked for minutes later and withdrawn (`work/sweep.rs`).
//! 5. **Devin's API is the truth, a signal is a hint.** What a session does is compared with what was told; a lost or
//!    doubled signal costs a delay, never a wrong post ([`domain::announce`]).
//! 6. **Nobody acts as somebody else.** A session runs as the person who asked, or it does not start ([`people`]).
//! 7. **Links can be rebuilt.** The thread stands in the session's tags, the session in the metadata of our posts. A
//!    store that was emptied hands nothing out until its sessions were looked for (`app/rebuild.rs`), and a link is
//!    restored by the next turn of its thread (`work/restore.rs`).
//! 8. **Every input ends in something visible**: a receipt, an answer, or a refusal with its reason and the next step.
//!
//! # Where to start reading
//!
//! [`receive`]'s `door.rs` and `accept.rs` (a request becomes a stored input), `work/worker.rs` (a stored input finds its
//! handler), `work/start.rs` (a mention becomes a session), [`domain::announce`] (what a change is worth), and `tests/it`,
//! where a test reads as a chat.

pub mod app;
pub mod clock;
pub mod config;
pub mod console;
pub mod devin;
pub mod domain;
pub mod install;
pub mod meter;
pub mod outbound;
pub mod oversight;
pub mod people;
pub mod receive;
pub mod slack;
pub mod steps;
pub mod store;
pub mod tenancy;
pub mod twin;
pub mod voice;
pub mod watch;
pub mod work;
