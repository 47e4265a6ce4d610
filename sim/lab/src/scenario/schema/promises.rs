//! The tables of what is judged: invariants, expectations, sweeps.

use super::{Choice, Form, Key, Preset, Shape, Short, Verb, Verbs, key};

/// The judges of histories by name, and those of later versions.
pub(in crate::scenario) const JUDGES: (&[&str], &[&str]) = (
    &[
        "atomic_commit",
        "saga_ends",
        "saga_atomic",
        "saga_order",
        "saga_isolation",
        "linearizable",
        "sequential",
        "read_your_writes",
        "monotonic_reads",
        "monotonic_writes",
        "writes_follow_reads",
        "bounded_staleness",
        "durable_acks",
        "convergence",
        "one_leader_per_term",
    ],
    &[
        "causal",
        "read_committed",
        "snapshot",
        "serializable",
        "strict_serializable",
        "no_lost_update",
        "exactly_once",
        "at_least_once",
        "at_most_once",
        "no_loss",
        "no_phantom",
        "fifo_per_key",
        "unique_ids",
        "fencing",
        "quorum_intersection",
        "authenticated",
    ],
);

/// What the object that clients see is, for judges that ask that; and what a later version knows.
const MODELS: (&[&str], &[&str]) = (&["kv", "cas_register", "register"], &["queue", "set", "list", "lock", "counter"]);

const fn verb(key: Key, modifiers: &'static [Key], later: &'static [&'static str]) -> Verb {
    Verb { key, modifiers, later, choices: &[] }
}

const fn predicate(name: &'static str, doc: &'static str) -> Key {
    key(name, Shape::Expression, Preset::Required, doc)
}

const WITHIN: Key = key("within", Shape::Duration, Preset::Absent, "How soon it must hold.");

/// The verbs of `[invariants]`.
pub(in crate::scenario) static INVARIANTS: Verbs = Verbs {
    what: "an invariant",
    each: &[
        verb(predicate("always", "Holds after every change of state."), &[], &[]),
        verb(predicate("never", "Holds after no change of state."), &[], &[]),
        verb(
            predicate("at_rest", "Holds whenever nothing is in flight, and at the end."),
            &[key("of", Shape::Path, Preset::Absent, "`sagas.x`: whenever no instance of it is open.")],
            &[],
        ),
        verb(
            predicate("finally", "Holds at the end of quiesce."),
            &[key("after", Shape::Duration, Preset::Text("0s"), "Not sooner than this after load ends.")],
            &[],
        ),
        verb(predicate("eventually_after_heal", "Turns true after heal and stays true."), &[WITHIN], &[]),
        verb(
            predicate("sometimes", "Becomes true at least once."),
            &[key(
                "at_least",
                Shape::Percentage,
                Preset::Absent,
                "On this share of the seeds of a sweep; else on one seed.",
            )],
            &[],
        ),
        verb(predicate("transition", "Holds for every change, with `before(x)` and `after(x)`."), &[], &[]),
        verb(
            predicate("leads_to", "Follows whenever `when` turns true."),
            &[
                key("when", Shape::Expression, Preset::Required, "What it follows."),
                WITHIN,
                key("for_each", Shape::Item, Preset::Absent, "For each row of this map; bare names are its fields."),
            ],
            &[],
        ),
        verb(
            key("check", Shape::Word(JUDGES.0, JUDGES.1), Preset::Required, "A named judge of histories."),
            &[
                key(
                    "of",
                    Shape::Path,
                    Preset::Required,
                    "What is judged: `transactions.transfer`, `sagas.checkout`, the store `kv`.",
                ),
                key("within", Shape::Duration, Preset::Absent, "How soon a saga must end: for `saga_ends`."),
                key(
                    "model",
                    Shape::Word(MODELS.0, MODELS.1),
                    Preset::Absent,
                    "What each key of a store is: for `linearizable` and `sequential`.",
                ),
                key("limit", Shape::Effort, Preset::Absent, "How many steps a search may take: `\"50M\"`."),
                key(
                    "max",
                    Shape::Staleness,
                    Preset::Absent,
                    "How far a read may be behind: for `bounded_staleness`, a duration or a number of versions.",
                ),
            ],
            &[],
        ),
    ],
    common: &[key("text", Shape::Text, Preset::Absent, "What the report calls it.")],
    later: &[],
};

pub(super) static INVARIANT_SHAPE: Shape = Shape::Verbed(&INVARIANTS);

/// `[expect]`.
pub(super) static EXPECT: Form = Form {
    what: "`[expect]`",
    keys: &[
        key(
            "verdict",
            Shape::Word(&["pass", "fail", "inconclusive"], &[]),
            Preset::Text("pass"),
            "How the whole run is expected to end.",
        ),
        key("fails", Shape::Names, Preset::Words(&[]), "Promises that must fail; nothing else may."),
        key("may_fail", Shape::Names, Preset::Words(&[]), "Promises that may fail."),
        key("vacuous", Shape::Names, Preset::Words(&[]), "Promises that are never evaluated, and no others."),
        key(
            "seeds",
            Shape::Word(&["every", "some"], &[]),
            Preset::Text("every"),
            "On every seed, or each of `fails` on at least one.",
        ),
    ],
    later: &[],
    short: Short::None,
    choices: NO_CHOICES,
};

const NO_CHOICES: &[Choice] = &[];

/// `[sweep]`.
pub(super) static SWEEP: Form = Form {
    what: "`[sweep]`",
    keys: &[
        key(
            "seeds",
            Shape::Seeds,
            Preset::Seeds,
            "Half open. Default: `\"0..100\"`, or as many as `run.precision` needs.",
        ),
        key(
            "variants",
            Shape::SweepVariants,
            Preset::Text("none"),
            "Names of variants, `\"all\"`, or `\"none\"` for the base alone.",
        ),
        key("matrix", Shape::Matrix, Preset::Table, "Path → values; the cross product of all of them."),
    ],
    later: &["stop_when_flat"],
    short: Short::None,
    choices: NO_CHOICES,
};
