//! What Devin says a session is doing, as it says it. Values we have never heard of are kept, never refused:
//! the vendor added several during one year.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! foreign_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
            /// A value that is newer than this program, as it came.
            Other(String),
        }

        impl $name {
            /// Every documented value.
            pub const DOCUMENTED: &[Self] = &[$(Self::$variant),+];

            /// The value as Devin writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$variant,)+
                    _ => Self::Other(text),
                }
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

foreign_enum!(
    /// `status` of a session.
    Status {
        /// Asked for, not yet taken.
        New = "new",
        /// Taken by a machine that is starting.
        Claimed = "claimed",
        /// The machine is up; the detail says more.
        Running = "running",
        /// Over; final.
        Exit = "exit",
        /// Failed; final.
        Error = "error",
        /// The machine is asleep; the detail says why.
        Suspended = "suspended",
        /// Waking up.
        Resuming = "resuming",
    }
);

foreign_enum!(
    /// `status_detail` of a session.
    Detail {
        /// Busy.
        Working = "working",
        /// Its turn ended; it wants an answer.
        WaitingForUser = "waiting_for_user",
        /// An action needs somebody's approval.
        WaitingForApproval = "waiting_for_approval",
        /// The task is done; follow-ups are welcome.
        Finished = "finished",
        /// Slept because nobody answered.
        Inactivity = "inactivity",
        /// Somebody put it to sleep.
        UserRequest = "user_request",
        /// The session's own cap.
        UsageLimitExceeded = "usage_limit_exceeded",
        /// Billing: no credits.
        OutOfCredits = "out_of_credits",
        /// Billing: quota used up.
        OutOfQuota = "out_of_quota",
        /// Billing: no quota given.
        NoQuotaAllocation = "no_quota_allocation",
        /// Billing: payment declined.
        PaymentDeclined = "payment_declined",
        /// The organisation's cap.
        OrgUsageLimitExceeded = "org_usage_limit_exceeded",
        /// The person's cap.
        UserUsageLimitExceeded = "user_usage_limit_exceeded",
        /// Too many sessions.
        TotalSessionLimitExceeded = "total_session_limit_exceeded",
        /// Billing: the contract ended.
        ContractExpired = "contract_expired",
        /// Failed while suspended.
        Error = "error",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_we_never_heard_of_are_kept() {
        let status: Status = serde_json::from_str("\"hibernating\"").unwrap();
        assert_eq!(status, Status::Other("hibernating".to_owned()));
        assert_eq!(serde_json::to_string(&status).unwrap(), "\"hibernating\"");
    }

    #[test]
    fn documented_values_round_trip() {
        for detail in Detail::DOCUMENTED {
            assert_eq!(&Detail::from(detail.as_str().to_owned()), detail);
        }
    }
}
