//! What things are called in tables and legends.

use lab::outcome::{OperationResult, Outcome};

/// The operation's name, with its caller if that is needed to tell it from another: `ledger.balance ← auditors`.
pub(crate) fn operation_name(outcome: &Outcome, operation: &OperationResult) -> String {
    let namesakes = outcome.operations.iter().filter(|other| other.name == operation.name).count();
    if namesakes > 1 { format!("{} ← {}", operation.name, operation.from) } else { operation.name.clone() }
}
