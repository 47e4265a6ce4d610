//! Deliberate mistakes of services, each a line or two in the code of the honest one, to show that the promise named for it
//! catches it.

/// A mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutant {
    /// Transactions look at visible rows, not at the newest: what is being written is overwritten.
    ReadThenWrite,
    /// A message is acknowledged before it has had its effect.
    AckBeforeProcessing,
    /// A saga's step is asked for before the record that says so is durable.
    SagaLogAfterSend,
    /// Messages of the outbox are written after the rows, not with them.
    OutboxOutsideTransaction,
    /// The relay takes messages out of the outbox without waiting for the broker.
    RelayBeforeConfirm,
    /// Who takes a saga over believes that what the last owner asked for was not done, if it is told so itself.
    TakeoverTrustsItself,
    /// Answers of idempotent ops are not stored.
    ForgetAnswers,
}

impl Mutant {
    /// All of them, with their words in scenarios.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::ReadThenWrite, "read_then_write"),
        (Self::AckBeforeProcessing, "ack_before_processing"),
        (Self::SagaLogAfterSend, "saga_log_after_send"),
        (Self::OutboxOutsideTransaction, "outbox_outside_transaction"),
        (Self::RelayBeforeConfirm, "relay_before_confirm"),
        (Self::TakeoverTrustsItself, "takeover_trusts_itself"),
        (Self::ForgetAnswers, "forget_answers"),
    ];

    /// The mutant with this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == word).map(|(mutant, _)| *mutant)
    }
}
