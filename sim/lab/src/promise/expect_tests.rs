//! The truth table of verdict and expectation.

use super::*;
use crate::model::Place;

fn list(text: &str) -> Vec<At<String>> {
    text.split_whitespace().map(|w| At { value: w.to_owned(), place: Place::default() }).collect()
}

/// `fail money lag? empty-`: the verdict, then names that must fail, may fail (`?`), are vacuous (`-`); `some` for seeds.
fn expectation(text: &str) -> Expect {
    let words = || text.split_whitespace().skip(1);
    let ending = |end: &str| words().filter_map(|w| w.strip_suffix(end)).collect::<Vec<_>>().join(" ");
    let plain: Vec<_> = words().filter(|w| !w.ends_with(['?', '-']) && *w != "some").collect();
    Expect {
        verdict: match text.split_whitespace().next() {
            Some("pass") => Expected::Pass,
            Some("fail") => Expected::Fail,
            _ => Expected::Inconclusive,
        },
        fails: list(&plain.join(" ")),
        may_fail: list(&ending("?")),
        vacuous: list(&ending("-")),
        some_seed: words().any(|w| w == "some"),
    }
}

/// `money=violated lag=holds`, as invariants.
fn results(text: &str) -> Vec<InvariantResult> {
    let one = |word: &str| {
        let (name, status) = word.split_once('=').expect("name=status");
        let (status, reached) = match status {
            "holds" => (Status::Holds, None),
            "violated" => (Status::Violated, None),
            "unknown" => (Status::Unknown, None),
            "vacuous" => (Status::Vacuous, None),
            "reached" => (Status::Holds, Some(true)),
            _ => (Status::Unknown, Some(false)),
        };
        InvariantResult {
            name: name.to_owned(),
            form: String::new(),
            says: String::new(),
            status,
            witness: Vec::new(),
            first: None,
            evaluations: 1,
            class: String::new(),
            reached,
            evidence: None,
            tilt: crate::outcome::Tilt::Neither,
            expected: Expectation::Holds,
        }
    };
    text.split_whitespace().map(one).collect()
}

fn check(found: &str, expect: &str, exit: u8, summary: &str) {
    let verdict = judge(&results(found), &[], &expectation(expect));
    assert_eq!((verdict.exit, verdict.summary.as_str()), (exit, summary), "{found} against {expect}");
    assert_eq!(verdict.as_expected, exit == 0);
}

#[test]
fn the_set_of_failing_promises_is_exact() {
    check("a=holds b=holds", "pass", 0, "everything holds");
    check("a=violated b=holds", "pass", 1, "a fails");
    check("a=violated b=holds", "fail a", 0, "fails a, nothing else");
    check("a=violated b=violated", "fail a", 1, "b fails");
    check("a=holds b=holds", "fail a", 1, "a should fail and does not");
    check("a=holds b=violated", "fail a", 1, "b fails; a should fail and does not");
    check("a=violated", "pass a", 1, "expected to pass, but fails a");
    check("a=holds", "fail", 1, "expected to fail, but nothing fails");
}

#[test]
fn may_fail_excuses_either_way() {
    check("a=violated b=violated", "fail a b?", 0, "fails a, nothing else but b, which may");
    check("a=violated b=holds", "fail a b?", 0, "fails a, nothing else");
    check("a=violated b=unknown", "fail a b?", 0, "fails a, nothing else");
    check("b=violated", "pass b?", 0, "fails nothing but b, which may");
    check("b=holds", "pass b?", 0, "everything holds");
}

#[test]
fn vacuous_promises_are_red_unless_listed_and_then_must_be() {
    check("a=vacuous", "pass", 1, "a is vacuous");
    check("a=vacuous b=holds", "pass a-", 0, "everything holds");
    check("a=holds", "pass a-", 1, "a should be vacuous and is not");
    check("a=vacuous", "fail a", 1, "a should fail and does not");
}

#[test]
fn what_is_unknown_ends_with_3_unless_something_is_wrong_anyway() {
    check("a=unknown b=holds", "pass", 3, "a is unknown");
    check("a=unknown b=violated", "pass", 1, "b fails; a is unknown");
    check("a=unknown b=violated", "fail b", 3, "a is unknown");
    check("a=unknown", "fail a", 3, "a is unknown");
    check("a=unknown", "inconclusive", 0, "a unknown, nothing fails");
    check("a=holds", "inconclusive", 1, "expected to be inconclusive, but nothing fails");
    check("a=unknown b=violated", "inconclusive", 1, "b fails; a is unknown");
    check("a=unknown b=violated", "inconclusive b", 0, "fails b, nothing else");
}

#[test]
fn with_some_seeds_a_single_run_may_fail_or_not_and_says_which() {
    check(
        "a=violated b=holds c=holds",
        "fail a b some",
        0,
        "fails a, nothing else; b is expected to fail on some seed, not on this one",
    );
    check(
        "a=holds b=holds",
        "fail a b some",
        0,
        "everything holds; a, b are expected to fail on some seed each, not on this one",
    );
    check("a=violated c=violated", "fail a some", 1, "c fails");
    check("a=holds c=unknown", "fail a some", 3, "c is unknown");
    check(
        "a=unknown",
        "fail a some",
        0,
        "a unknown, nothing fails; a is expected to fail on some seed, not on this one",
    );
}

#[test]
fn a_sometimes_is_left_to_the_sweep() {
    check("s=missed a=holds", "pass", 0, "everything holds");
    check("s=reached a=holds", "pass", 0, "everything holds");
    check("s=missed a=violated", "fail a s", 0, "fails a, nothing else");
    check("s=violated", "pass", 1, "s fails");
}

#[test]
fn thresholds_count_in_a_run_and_are_marked_when_expected() {
    let threshold = |status| ThresholdResult {
        name: "slow".to_owned(),
        says: String::new(),
        status,
        value: None,
        limit: None,
        at: None,
        expected: Expectation::Holds,
    };
    let mut thresholds = [threshold(Status::Violated)];
    let mut invariants = results("a=holds");
    let expect = expectation("fail slow");
    assert_eq!(judge(&invariants, &thresholds, &expect).exit, 0);
    assert_eq!(judge(&invariants, &[threshold(Status::Holds)], &expect).exit, 1);
    mark_expected(&mut invariants, &mut thresholds, &expect);
    assert_eq!((thresholds[0].expected, invariants[0].expected), (Expectation::Fails, Expectation::Holds));
    mark_expected(&mut invariants, &mut thresholds, &expectation("fail slow a? some"));
    assert_eq!((thresholds[0].expected, invariants[0].expected), (Expectation::FailsOnSomeSeed, Expectation::MayFail));
}
