//! Deliberate mistakes of a broker: each is a few lines in the code path of the honest one, and each has a promise that
//! must turn red within a modest number of seeds.

/// A mistake, with the promise that must catch it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mutant {
    /// A publish is confirmed before its record is durable. Caught by `no_loss`.
    ConfirmBeforeStore,
    /// What was delivered and not acknowledged is forgotten by a restart. Caught by `no_loss`.
    ForgetUnackedOnRestart,
    /// An acknowledgement takes the oldest delivery of its consumer, whichever it names. Caught by `no_loss`.
    AckTakesOldest,
    /// An acknowledgement counts although the message was delivered again since. Caught by `one_of_a_key_at_a_time`.
    AcceptStaleAck,
    /// Messages of one key are delivered side by side. Caught by `one_of_a_key_at_a_time`.
    IgnoreKeys,
    /// A message is delivered once more often than allowed. Caught by `max_deliveries`.
    OneDeliveryTooMany,
    /// What is dropped is not counted. Caught by `identity`.
    ForgetToCount,
}

impl Mutant {
    /// All of them, with the name each has in a scenario and the promise that must catch it.
    pub const ALL: [(Self, &'static str, &'static str); 7] = [
        (Self::ConfirmBeforeStore, "confirm_before_store", "no_loss"),
        (Self::ForgetUnackedOnRestart, "forget_unacked_on_restart", "no_loss"),
        (Self::AckTakesOldest, "ack_takes_oldest", "no_loss"),
        (Self::AcceptStaleAck, "accept_stale_ack", "one_of_a_key_at_a_time"),
        (Self::IgnoreKeys, "ignore_keys", "one_of_a_key_at_a_time"),
        (Self::OneDeliveryTooMany, "one_delivery_too_many", "max_deliveries"),
        (Self::ForgetToCount, "forget_to_count", "identity"),
    ];

    /// The mutant of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.1 == name).map(|entry| entry.0)
    }

    /// Its name in a scenario.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|entry| entry.0 == self).expect("ALL lists every variant: a test says so").1
    }
}
