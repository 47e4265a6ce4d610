//! Sweeps against expectations.

use super::*;
use crate::outcome::Found;

/// `3: money s+`: seed 3, promises that fail; `s+`, `s-`: a `sometimes` reached or not; `x?` unknown, `x~` vacuous,
/// `x!` a failing threshold.
fn findings(text: &str) -> SeedFindings {
    let (seed, words) = text.split_once(':').expect("seed: words");
    let mut new = SeedFindings { seed: seed.parse().expect("a number"), ..SeedFindings::default() };
    for word in words.split_whitespace() {
        let (name, mark) = word.split_at(word.len() - 1);
        match mark {
            "?" => drop(new.unknown.insert(name.to_owned())),
            "~" => drop(new.vacuous.insert(name.to_owned())),
            "!" => drop(new.failing_thresholds.insert(name.to_owned())),
            "+" | "-" => new.reached.push((name.to_owned(), mark == "+")),
            _ => drop(new.failing.insert(word.to_owned())),
        }
    }
    new
}

/// The pinned seed is 7; `slow` is a threshold, `seen` a `sometimes` for half of the seeds.
fn sweep(verdict: Expected, fails: &[&str], some_seed: bool, seeds: &[&str]) -> SweepVerdict {
    let sometimes = model::Form::Sometimes { predicate: at("shop.stock == 0"), at_least: Some(0.5) };
    let mut all = model(vec![("money", model::Form::Always(at("shop.stock >= 0"))), ("seen", sometimes)]);
    all.thresholds = vec![(at("slow"), at("p50(latency) < 1s"))];
    all.expect = Expect {
        verdict,
        fails: fails.iter().map(|n| at(n)).collect(),
        may_fail: Vec::new(),
        vacuous: Vec::new(),
        some_seed,
    };
    judge_sweep(&all, &seeds.iter().map(|s| findings(s)).collect::<Vec<_>>())
}

fn check(verdict: &SweepVerdict, exit: u8, summary: &str) {
    assert_eq!((verdict.exit, verdict.summary.as_str()), (exit, summary));
    assert_eq!(verdict.as_expected, exit == 0);
}

#[test]
fn every_seed_must_meet_the_expectation() {
    let pass = |seeds: &[&str]| sweep(Expected::Pass, &[], false, seeds);
    check(
        &pass(&["6: seen+", "7: seen-", "8: seen+"]),
        0,
        "every invariant holds on 3 seeds, every threshold on seed 7",
    );
    let bad = pass(&["9: seen+ money", "8: seen+ money", "7: seen+"]);
    check(&bad, 1, "2 of 3 seeds not as expected, first seed 8: money fails");
    assert_eq!(bad.failing, [("money".to_owned(), vec![8, 9])]);
    assert_eq!(bad.found, Found::Fail);
    check(&pass(&["6: seen+", "7: seen+ money?"]), 3, "1 of 2 seeds not as expected, first seed 7: money is unknown");
    check(&pass(&["6: seen+ money~"]), 1, "1 of 1 seeds not as expected, first seed 6: money is vacuous");
    let fail = |seeds: &[&str]| sweep(Expected::Fail, &["money"], false, seeds);
    check(
        &fail(&["6: seen+ money", "7: seen+ money"]),
        0,
        "fails money on 2 of 2, nothing else; thresholds were judged on seed 7 only",
    );
    check(
        &fail(&["6: seen+", "7: seen+ money"]),
        1,
        "1 of 2 seeds not as expected, first seed 6: money should fail and does not",
    );
}

#[test]
fn thresholds_are_judged_on_the_pinned_seed() {
    let pass = |seeds: &[&str]| sweep(Expected::Pass, &[], false, seeds);
    check(&pass(&["6: seen+ slow!", "7: seen+"]), 0, "every invariant holds on 2 seeds, every threshold on seed 7");
    check(&pass(&["6: seen+"]), 0, "every invariant holds on 1 seed; thresholds were not judged: seed 7 did not run");
    check(&pass(&["6: seen+", "7: seen+ slow!"]), 1, "1 of 2 seeds not as expected, first seed 7: slow fails");
    let fail = |seeds: &[&str]| sweep(Expected::Fail, &["slow"], false, seeds);
    check(
        &fail(&["6: seen+", "7: seen+ slow!", "8: seen+ slow!"]),
        0,
        "fails slow on seed 7, nothing else; thresholds were judged on seed 7 only",
    );
    check(
        &fail(&["6: seen+ slow!", "7: seen+"]),
        1,
        "1 of 2 seeds not as expected, first seed 7: slow should fail and does not",
    );
    check(&fail(&["6: seen+ slow!"]), 3, "slow is judged on seed 7 only, which did not run");
}

#[test]
fn some_seed_is_enough_where_some_is_asked_for() {
    let some = |seeds: &[&str]| sweep(Expected::Fail, &["money", "slow"], true, seeds);
    check(
        &some(&["6: seen+ money", "7: seen+", "8: seen+ slow!"]),
        0,
        "fails money on 1 of 3, slow on 1 of 3, nothing else",
    );
    check(&some(&["6: seen+", "7: seen+ slow!"]), 1, "money should fail on some seed and does not");
    check(&some(&["6: seen+ money?", "7: seen+ slow!"]), 3, "money fails on no seed, and is unknown on some");
    check(
        &some(&["6: seen+ money other", "7: seen+ slow!"]),
        1,
        "1 of 2 seeds not as expected, first seed 6: other fails",
    );
}

#[test]
fn sometimes_is_judged_over_all_seeds() {
    let pass = |seeds: &[&str]| sweep(Expected::Pass, &[], false, seeds);
    let missed = pass(&["6: seen-", "7: seen+", "8: seen-"]);
    check(&missed, 1, "seen was reached on 1 of 3 seeds");
    assert_eq!((missed.not_reached, missed.found), (vec![("seen".to_owned(), 1, 3)], Found::Fail));
    check(
        &sweep(Expected::Pass, &["seen"], false, &["7: seen-"]),
        0,
        "fails seen (reached on 0 of 1), nothing else; thresholds were judged on seed 7 only",
    );
    check(&sweep(Expected::Pass, &["seen"], false, &["7: seen+"]), 1, "seen should fail and does not");
}

#[test]
fn a_panic_in_one_seed_is_its_verdict() {
    let mut bug = findings("8: ");
    bug.engine_bug = Some("a row vanished".to_owned());
    let mut all = model(vec![]);
    all.expect.some_seed = true;
    let verdict = judge_sweep(&all, &[findings("7: "), bug]);
    check(&verdict, 1, "1 of 2 seeds not as expected, first seed 8: engine bug: a row vanished");
}
