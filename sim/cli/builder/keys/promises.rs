//! Written by `tests/builder_keys.rs` from the tables of the grammar.

use super::{keys, verbs};

verbs! { Invariant {
    /// Holds after every change of state.
    always "always" value = r#"Invariant::always("$amount > 100")"# r#"{ always = "$amount > 100" }"#;
    /// Holds after no change of state.
    never "never" value = r#"Invariant::never("$amount > 100")"# r#"{ never = "$amount > 100" }"#;
    /// Holds whenever nothing is in flight, and at the end.
    at_rest "at_rest" value = r#"Invariant::at_rest("$amount > 100")"# r#"{ at_rest = "$amount > 100" }"#;
    /// Holds at the end of quiesce.
    finally "finally" value = r#"Invariant::finally("$amount > 100")"# r#"{ finally = "$amount > 100" }"#;
    /// Turns true after heal and stays true.
    eventually_after_heal "eventually_after_heal" value = r#"Invariant::eventually_after_heal("$amount > 100")"# r#"{ eventually_after_heal = "$amount > 100" }"#;
    /// Becomes true at least once.
    sometimes "sometimes" value = r#"Invariant::sometimes("$amount > 100")"# r#"{ sometimes = "$amount > 100" }"#;
    /// Holds for every change, with `before(x)` and `after(x)`.
    transition "transition" value = r#"Invariant::transition("$amount > 100")"# r#"{ transition = "$amount > 100" }"#;
    /// Follows whenever `when` turns true.
    leads_to "leads_to" value = r#"Invariant::leads_to("$amount > 100")"# r#"{ leads_to = "$amount > 100" }"#;
    /// A named judge of histories.
    check "check" value = r#"Invariant::check("atomic_commit")"# r#"{ check = "atomic_commit" }"#;
} }

keys! { Invariant {
    /// What the report calls it.
    text "text" value = r#"Invariant::always("$amount > 100").text("in words")"# r#"{ always = "$amount > 100", text = "in words" }"#;
    /// With `at_rest`: `sagas.x`: whenever no instance of it is open. With `check`: What is judged: `transactions.transfer`, `sagas.checkout`, the store `kv`.
    of "of" value = r#"Invariant::at_rest("$amount > 100").of("transactions.transfer")"# r#"{ at_rest = "$amount > 100", of = "transactions.transfer" }"#;
    /// Not sooner than this after load ends.
    after "after" value = r#"Invariant::finally("$amount > 100").after("2s")"# r#"{ finally = "$amount > 100", after = "2s" }"#;
    /// With `eventually_after_heal`, `leads_to`: How soon it must hold. With `check`: How soon a saga must end: for `saga_ends`.
    within "within" value = r#"Invariant::eventually_after_heal("$amount > 100").within("2s")"# r#"{ eventually_after_heal = "$amount > 100", within = "2s" }"#;
    /// On this share of the seeds of a sweep; else on one seed.
    at_least "at_least" value = r#"Invariant::sometimes("$amount > 100").at_least("5%")"# r#"{ sometimes = "$amount > 100", at_least = "5%" }"#;
    /// What it follows.
    when "when" value = r#"Invariant::leads_to("$amount > 100").when("$amount > 100")"# r#"{ leads_to = "$amount > 100", when = "$amount > 100" }"#;
    /// For each row of this map; bare names are its fields.
    for_each "for_each" value = r#"Invariant::leads_to("$amount > 100").for_each("shop.orders")"# r#"{ leads_to = "$amount > 100", for_each = "shop.orders" }"#;
    /// What each key of a store is: for `linearizable` and `sequential`.
    model "model" value = r#"Invariant::check("atomic_commit").model("kv")"# r#"{ check = "atomic_commit", model = "kv" }"#;
    /// How many steps a search may take: `"50M"`.
    limit "limit" value = r#"Invariant::check("atomic_commit").limit("50M")"# r#"{ check = "atomic_commit", limit = "50M" }"#;
    /// How far a read may be behind: for `bounded_staleness`, a duration or a number of versions.
    max "max" value = r#"Invariant::check("atomic_commit").max("500ms")"# r#"{ check = "atomic_commit", max = "500ms" }"#;
} }

keys! { Expect {
    /// How the whole run is expected to end.
    verdict "verdict" value = r#"Expect::new().verdict("pass")"# r#"{ verdict = "pass" }"#;
    /// Promises that must fail; nothing else may.
    fails "fails" value = r#"Expect::new().fails(["shop"])"# r#"{ fails = ["shop"] }"#;
    /// Promises that may fail.
    may_fail "may_fail" value = r#"Expect::new().may_fail(["shop"])"# r#"{ may_fail = ["shop"] }"#;
    /// Promises that are never evaluated, and no others.
    vacuous "vacuous" value = r#"Expect::new().vacuous(["shop"])"# r#"{ vacuous = ["shop"] }"#;
    /// On every seed, or each of `fails` on at least one.
    seeds "seeds" value = r#"Expect::new().seeds("every")"# r#"{ seeds = "every" }"#;
} }

keys! { Sweep {
    /// Half open. Default: `"0..100"`, or as many as `run.precision` needs.
    seeds "seeds" value = r#"Sweep::new().seeds("0..100")"# r#"{ seeds = "0..100" }"#;
    /// Names of variants, `"all"`, or `"none"` for the base alone.
    variants "variants" value = r#"Sweep::new().variants("all")"# r#"{ variants = "all" }"#;
    /// Path → values; the cross product of all of them.
    matrix "matrix" each = r#"Sweep::new().matrix("x", [1, 2])"# r#"{ matrix = { x = [1, 2] } }"#;
} }

keys! { Repro {
    /// The engine's version of the event order.
    epoch "epoch" value = r#"Repro::new().epoch(3)"# r#"{ epoch = 3 }"#;
    /// Over every event.
    fingerprint "fingerprint" value = r#"Repro::new().fingerprint("in words")"# r#"{ fingerprint = "in words" }"#;
    /// The classes of its violations: `paid_iff_confirmed/at_rest`.
    violates "violates" value = r#"Repro::new().violates(["shop"])"# r#"{ violates = ["shop"] }"#;
} }
