//! What must hold, what is expected, and what is swept over.

use kernel::Span;

use super::{At, ItemPath, Place};

/// `[invariants]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Invariant {
    /// How it is judged.
    pub form: Form,
    /// For the report.
    pub text: Option<String>,
    /// The table's place.
    pub place: Place,
}

/// Forms of invariants; predicates are expressions.
#[derive(Clone, PartialEq, Debug)]
pub enum Form {
    /// After every change.
    Always(At<String>),
    /// After every change, must be false.
    Never(At<String>),
    /// When nothing is in flight, and at the end.
    AtRest {
        /// What must hold.
        predicate: At<String>,
        /// `sagas.x`: when no instance of it is open.
        of: Option<At<String>>,
    },
    /// Once, at the end.
    Finally {
        /// What must hold.
        predicate: At<String>,
        /// Not sooner than this after load ends.
        after: Span,
    },
    /// Must turn true after heal and stay.
    EventuallyAfterHeal {
        /// What must hold.
        predicate: At<String>,
        /// How soon.
        within: Option<Span>,
    },
    /// Reached at least once.
    Sometimes {
        /// What must happen.
        predicate: At<String>,
        /// Share of seeds, 0 to 1; `None`: one seed.
        at_least: Option<f64>,
    },
    /// Each change; `before(x)`, `after(x)`.
    Transition(At<String>),
    /// Whenever `when` turns true, `then` must follow.
    LeadsTo {
        /// The trigger.
        when: At<String>,
        /// What must follow.
        then: At<String>,
        /// How soon.
        within: Option<Span>,
        /// For each row of this map; bare names are its fields.
        for_each: Option<ItemPath>,
    },
    /// A named judge.
    Check(Check),
}

/// A judge, and what it is asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Check {
    /// Its name.
    pub judge: At<String>,
    /// What it judges.
    pub of: At<String>,
    /// How soon, where the judge has a limit of time.
    pub within: Option<Span>,
    /// What the object is, where the judge asks that.
    pub model: Option<At<String>>,
    /// How many steps it may take.
    pub limit: Option<At<u64>>,
    /// How far a read may be behind, where the judge has a bound.
    pub max: Option<At<Staleness>>,
}

impl Check {
    /// What a judge without modifiers is asked.
    pub const fn plain(judge: At<String>, of: At<String>) -> Self {
        Self { judge, of, within: None, model: None, limit: None, max: None }
    }
}

/// How far a read may be behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Staleness {
    /// So many versions.
    Versions(u64),
    /// So long.
    Time(Span),
}

/// `[expect]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Expect {
    /// The verdict.
    pub verdict: Expected,
    /// Must fail.
    pub fails: Vec<At<String>>,
    /// May fail.
    pub may_fail: Vec<At<String>>,
    /// These and no others are vacuous.
    pub vacuous: Vec<At<String>>,
    /// `seeds = "some"`: on at least one seed of a sweep.
    pub some_seed: bool,
}

/// The expected verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// Everything holds.
    Pass,
    /// Something is broken.
    Fail,
    /// A checker or a budget gives up.
    Inconclusive,
}

/// `[sweep]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Sweep {
    /// Seeds `from..to`; `None`: as many as `run.precision` needs.
    pub seeds: Option<(u64, u64)>,
    /// Which variants: names, `all` → every one, `none` → base only.
    pub variants: SweepVariants,
    /// Path → values (as TOML text); the cross product.
    pub matrix: Vec<(At<String>, Vec<String>)>,
}

/// Which variants a sweep runs.
#[derive(Clone, PartialEq, Debug)]
pub enum SweepVariants {
    /// The base only.
    Base,
    /// The base and every variant.
    All,
    /// The base and these.
    Named(Vec<At<String>>),
}
