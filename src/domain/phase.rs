//! What we make of Devin's status: the phase a person understands, and how closely the session must be watched.
//!
//! A phase is derived, never stored: it cannot disagree with the status it was made from.

use serde::{Deserialize, Serialize};

use super::status::{Detail, Status};

/// What Devin says of a session, reduced to what can be announced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct State {
    /// `status`.
    pub status: Status,
    /// `status_detail`; many answers leave it out.
    pub detail: Option<Detail>,
    /// Whether the session is archived: it can then be neither changed nor woken.
    #[serde(default)]
    pub archived: bool,
}

impl State {
    /// A state that is not archived.
    pub fn new(status: Status, detail: Option<Detail>) -> Self {
        Self { status, detail, archived: false }
    }

    /// Whether two states are one to people: an archived session is archived, whatever it did before.
    pub fn reads_as(&self, other: &Self) -> bool {
        let phase = Phase::of(self);
        self == other || (phase == Phase::of(other) && phase != Phase::Unheard)
    }
}

/// Why a suspended session sleeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sleep {
    /// Nobody answered for a while.
    Inactivity,
    /// Somebody put it to sleep.
    UserRequest,
    /// Devin gave no reason.
    Unsaid,
}

/// Why a suspended session is held until an administrator does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// The session reached its own limit.
    SessionLimit,
    /// Credits are used up.
    Credits,
    /// The quota is used up.
    Quota,
    /// No quota was given to this person or organisation.
    NoQuota,
    /// A payment was declined.
    Payment,
    /// The organisation's limit is reached.
    OrganisationLimit,
    /// The person's limit is reached.
    PersonLimit,
    /// There are too many sessions.
    SessionCount,
    /// The contract has ended.
    Contract,
}

/// What a session is doing, in terms of who has to do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Asked for, not yet running.
    Starting,
    /// Busy.
    Working,
    /// Waking up.
    Waking,
    /// It wants an answer from a person.
    YourTurn,
    /// It wants an approval from a person.
    NeedsApproval,
    /// The task is done; follow-ups are welcome.
    Done,
    /// Asleep; a message wakes it.
    Asleep(Sleep),
    /// Held; an administrator has to act.
    Held(Hold),
    /// Failed while suspended.
    FailedAsleep,
    /// Over.
    Over,
    /// Failed.
    Failed,
    /// Archived.
    Archived,
    /// A combination we have never heard of.
    Unheard,
}

/// Who hears of a phase, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// A new post that mentions the person who asked.
    Call,
    /// A new post.
    Post,
    /// Only the card changes.
    CardOnly,
}

impl Phase {
    /// The phase of a state.
    pub fn of(state: &State) -> Self {
        if state.archived {
            return Self::Archived;
        }
        match &state.status {
            Status::New | Status::Claimed => Self::Starting,
            Status::Resuming => Self::Waking,
            Status::Exit => Self::Over,
            Status::Error => Self::Failed,
            Status::Running => Self::running(state.detail.as_ref()),
            Status::Suspended => Self::suspended(state.detail.as_ref()),
            Status::Other(_) => Self::Unheard,
        }
    }

    fn running(detail: Option<&Detail>) -> Self {
        match detail {
            None | Some(Detail::Working) => Self::Working,
            Some(Detail::WaitingForUser) => Self::YourTurn,
            Some(Detail::WaitingForApproval) => Self::NeedsApproval,
            Some(Detail::Finished) => Self::Done,
            Some(
                Detail::Inactivity
                | Detail::UserRequest
                | Detail::UsageLimitExceeded
                | Detail::OutOfCredits
                | Detail::OutOfQuota
                | Detail::NoQuotaAllocation
                | Detail::PaymentDeclined
                | Detail::OrgUsageLimitExceeded
                | Detail::UserUsageLimitExceeded
                | Detail::TotalSessionLimitExceeded
                | Detail::ContractExpired
                | Detail::Error
                | Detail::Other(_),
            ) => Self::Unheard,
        }
    }

    fn suspended(detail: Option<&Detail>) -> Self {
        match detail {
            None => Self::Asleep(Sleep::Unsaid),
            Some(Detail::Inactivity) => Self::Asleep(Sleep::Inactivity),
            Some(Detail::UserRequest) => Self::Asleep(Sleep::UserRequest),
            Some(Detail::UsageLimitExceeded) => Self::Held(Hold::SessionLimit),
            Some(Detail::OutOfCredits) => Self::Held(Hold::Credits),
            Some(Detail::OutOfQuota) => Self::Held(Hold::Quota),
            Some(Detail::NoQuotaAllocation) => Self::Held(Hold::NoQuota),
            Some(Detail::PaymentDeclined) => Self::Held(Hold::Payment),
            Some(Detail::OrgUsageLimitExceeded) => Self::Held(Hold::OrganisationLimit),
            Some(Detail::UserUsageLimitExceeded) => Self::Held(Hold::PersonLimit),
            Some(Detail::TotalSessionLimitExceeded) => Self::Held(Hold::SessionCount),
            Some(Detail::ContractExpired) => Self::Held(Hold::Contract),
            Some(Detail::Error) => Self::FailedAsleep,
            Some(
                Detail::Working
                | Detail::WaitingForUser
                | Detail::WaitingForApproval
                | Detail::Finished
                | Detail::Other(_),
            ) => Self::Unheard,
        }
    }

    /// The names of all phases, in the order in which people look at them.
    pub const NAMES: [&str; 13] = [
        "your_turn",
        "needs_approval",
        "held",
        "failed",
        "failed_asleep",
        "unheard",
        "starting",
        "working",
        "waking",
        "done",
        "asleep",
        "over",
        "archived",
    ];

    /// Whether a session in it goes on once a person does something.
    pub fn waits_for_a_person(&self) -> bool {
        matches!(self, Self::YourTurn | Self::NeedsApproval | Self::Held(_))
    }

    /// The word used in lists and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Working => "working",
            Self::Waking => "waking",
            Self::YourTurn => "your_turn",
            Self::NeedsApproval => "needs_approval",
            Self::Done => "done",
            Self::Asleep(_) => "asleep",
            Self::Held(_) => "held",
            Self::FailedAsleep => "failed_asleep",
            Self::Over => "over",
            Self::Failed => "failed",
            Self::Archived => "archived",
            Self::Unheard => "unheard",
        }
    }

    /// Who hears of it, and how.
    pub fn telling(&self) -> Telling {
        match self {
            Self::YourTurn | Self::NeedsApproval => Telling::Call,
            Self::Starting | Self::Working | Self::Waking => Telling::CardOnly,
            Self::Done
            | Self::Asleep(_)
            | Self::Held(_)
            | Self::FailedAsleep
            | Self::Over
            | Self::Failed
            | Self::Archived
            | Self::Unheard => Telling::Post,
        }
    }

    /// Whether nothing can be expected of the session any more.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Over | Self::Failed | Self::Archived => true,
            Self::Starting
            | Self::Working
            | Self::Waking
            | Self::YourTurn
            | Self::NeedsApproval
            | Self::Done
            | Self::Asleep(_)
            | Self::Held(_)
            | Self::FailedAsleep
            | Self::Unheard => false,
        }
    }

    /// How closely the session must be watched.
    pub fn pace(&self) -> Pace {
        match self {
            Self::Starting | Self::Working | Self::Waking | Self::Unheard => Pace::Fast,
            Self::YourTurn | Self::NeedsApproval | Self::Done => Pace::Slow,
            Self::Asleep(_) | Self::Held(_) | Self::FailedAsleep | Self::Over | Self::Failed | Self::Archived => {
                Pace::Rare
            }
        }
    }
}

/// How closely a session must be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// At every tick.
    Fast,
    /// Every minute or so.
    Slow,
    /// Every few minutes.
    Rare,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(status: &str, detail: Option<&str>) -> Phase {
        Phase::of(&State::new(status.to_owned().into(), detail.map(|d| d.to_owned().into())))
    }

    #[test]
    fn every_documented_pair_has_a_phase_of_its_own_meaning() {
        assert_eq!(phase("running", None), Phase::Working);
        assert_eq!(phase("running", Some("waiting_for_user")), Phase::YourTurn);
        assert_eq!(phase("suspended", Some("out_of_credits")), Phase::Held(Hold::Credits));
        assert_eq!(phase("suspended", Some("error")), Phase::FailedAsleep);
        assert_eq!(phase("exit", None), Phase::Over);
        let reasons = ["inactivity", "user_request", "usage_limit_exceeded", "out_of_credits", "out_of_quota"];
        for reason in reasons.into_iter().chain(["no_quota_allocation", "payment_declined", "contract_expired"]) {
            assert_ne!(phase("suspended", Some(reason)), Phase::Unheard, "{reason}");
        }
    }

    #[test]
    fn what_we_never_heard_of_is_told_not_hidden() {
        assert_eq!(phase("hibernating", None), Phase::Unheard);
        assert_eq!(phase("suspended", Some("moon")), Phase::Unheard);
        assert_eq!(Phase::Unheard.telling(), Telling::Post);
    }

    #[test]
    fn an_archived_session_is_archived_whatever_it_did() {
        let state = State { status: Status::Running, detail: Some(Detail::Working), archived: true };
        assert_eq!(Phase::of(&state), Phase::Archived);
    }
}
