//! Written by `tests/builder_keys.rs` from the tables of the grammar.

use super::{keys, verbs};

verbs! { Invariant {
    /// Holds after every change of state.
    always "always" value;
    /// Holds after no change of state.
    never "never" value;
    /// Holds whenever nothing is in flight, and at the end.
    at_rest "at_rest" value;
    /// Holds at the end of quiesce.
    finally "finally" value;
    /// Turns true after heal and stays true.
    eventually_after_heal "eventually_after_heal" value;
    /// Becomes true at least once.
    sometimes "sometimes" value;
    /// Holds for every change, with `before(x)` and `after(x)`.
    transition "transition" value;
    /// Follows whenever `when` turns true.
    leads_to "leads_to" value;
    /// A named judge of histories.
    check "check" value;
} }

keys! { Invariant {
    /// What the report calls it.
    text "text" value;
    /// With `at_rest`: `sagas.x`: whenever no instance of it is open. With `check`: What is judged: `transactions.transfer`, `sagas.checkout`, the store `kv`.
    of "of" value;
    /// Not sooner than this after load ends.
    after "after" value;
    /// With `eventually_after_heal`, `leads_to`: How soon it must hold. With `check`: How soon a saga must end: for `saga_ends`.
    within "within" value;
    /// On this share of the seeds of a sweep; else on one seed.
    at_least "at_least" value;
    /// What it follows.
    when "when" value;
    /// For each row of this map; bare names are its fields.
    for_each "for_each" value;
    /// What each key of a store is: for `linearizable` and `sequential`.
    model "model" value;
    /// How many steps a search may take: `"50M"`.
    limit "limit" value;
    /// How far a read may be behind: for `bounded_staleness`, a duration or a number of versions.
    max "max" value;
} }

keys! { Expect {
    /// How the whole run is expected to end.
    verdict "verdict" value;
    /// Promises that must fail; nothing else may.
    fails "fails" value;
    /// Promises that may fail.
    may_fail "may_fail" value;
    /// Promises that are never evaluated, and no others.
    vacuous "vacuous" value;
    /// On every seed, or each of `fails` on at least one.
    seeds "seeds" value;
} }

keys! { Sweep {
    /// Half open. Default: `"0..100"`, or as many as `run.precision` needs.
    seeds "seeds" value;
    /// Names of variants, `"all"`, or `"none"` for the base alone.
    variants "variants" value;
    /// Path → values; the cross product of all of them.
    matrix "matrix" each;
} }

keys! { Repro {
    /// The engine's version of the event order.
    epoch "epoch" value;
    /// Over every event.
    fingerprint "fingerprint" value;
    /// The classes of its violations: `paid_iff_confirmed/at_rest`.
    violates "violates" value;
} }
