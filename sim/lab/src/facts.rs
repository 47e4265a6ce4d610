//! What processes tell judges, in words: in witnesses and in stories.

use kernel::{FactKind, SagaFact};

/// What a fact says; steps by their names.
pub(crate) fn told(kind: FactKind, step: &dyn Fn(u32) -> String) -> String {
    match kind {
        FactKind::Begun { participants } => format!("begins with {participants} participants"),
        FactKind::Voted { yes: true } => "votes yes".to_owned(),
        FactKind::Voted { yes: false } => "votes no".to_owned(),
        FactKind::VotedReadOnly => "has only read and is content".to_owned(),
        FactKind::Decided { commit: true } => "decides to commit".to_owned(),
        FactKind::Decided { commit: false } => "decides to abort".to_owned(),
        FactKind::Applied { commit: true } => "applies the commit".to_owned(),
        FactKind::Applied { commit: false } => "applies the abort".to_owned(),
        FactKind::Told { commit: true } => "is told: committed".to_owned(),
        FactKind::Told { commit: false } => "is told: aborted".to_owned(),
        FactKind::Crashed => "crashes".to_owned(),
        FactKind::Recovered => "is back".to_owned(),
        FactKind::Saga(fact) => of_saga(fact, step),
        FactKind::Leads { term } => format!("leads in term {term}"),
        FactKind::StoodDown => "leads no more".to_owned(),
    }
}

fn of_saga(fact: SagaFact, step: &dyn Fn(u32) -> String) -> String {
    match fact {
        SagaFact::Begun { steps } => format!("begins the saga of {steps} steps"),
        SagaFact::Owner { incarnation: 0 } => "owns the saga".to_owned(),
        SagaFact::Owner { incarnation } => format!("takes the saga over (owner {})", u64::from(incarnation) + 1),
        SagaFact::Intent { step: n } => format!("is about to do {}", step(n)),
        SagaFact::Done { step: n } => format!("{} is done", step(n)),
        SagaFact::Failed { step: n, certain: true } => format!("{} failed without effect", step(n)),
        SagaFact::Failed { step: n, certain: false } => format!("{} failed, perhaps with effect", step(n)),
        SagaFact::Pivot => "only goes forward from here".to_owned(),
        SagaFact::Compensating { step: n } => format!("is about to undo {}", step(n)),
        SagaFact::Compensated { step: n } => format!("{} is undone", step(n)),
        SagaFact::Ended { completed: true } => "ends the saga: complete".to_owned(),
        SagaFact::Ended { completed: false } => "ends the saga: undone".to_owned(),
        SagaFact::Stuck => "gives the saga up half way".to_owned(),
        SagaFact::Touched { key, write: true, .. } => format!("writes row {key}"),
        SagaFact::Touched { key, write: false, .. } => format!("reads row {key}"),
    }
}
