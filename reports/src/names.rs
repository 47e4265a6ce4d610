//! What things are called in tables and legends.

use lab::outcome::{BreakerResult, GroupResult, OperationResult, Outcome, RetryResult};

/// The operation's name, with its caller if that is needed to tell it from another: `ledger.balance ← auditors`.
pub(crate) fn operation_name(outcome: &Outcome, operation: &OperationResult) -> String {
    let namesakes = outcome.operations.iter().filter(|other| other.name == operation.name).count();
    if namesakes > 1 { format!("{} ← {}", operation.name, operation.from) } else { operation.name.clone() }
}

/// What is tried again, and by whom: `payment.charge ← orders`.
pub(crate) fn retry_name(result: &RetryResult) -> String {
    format!("{} ← {}", result.operation, result.from)
}

/// A group and what it reads: `hotel ← trips`.
pub(crate) fn group_name(result: &GroupResult) -> String {
    format!("{} ← {}", result.group, result.topic)
}

/// A breaker: `orders[0] → payment[1]`.
pub(crate) fn breaker_name(result: &BreakerResult) -> String {
    format!("{} → {}", result.from, result.to)
}
