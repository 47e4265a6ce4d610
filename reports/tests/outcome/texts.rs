//! The text of the terminal, as a person sees it.

use crate::fixture::{invariant, sample, threshold, without_parts};
use lab::outcome::{Expectation, Found, Outcome, Quantity, RunVerdict, Status};
use reports::sweep::{
    Again, Cluster, FailureGroup, Mean, Median, Point, Precise, Reached, Reruns, Share, SweepSummary, Tried, Unjudged,
};

const DIR: &str = "out/bank-2pc/91b0d4e2";

fn text(outcome: &Outcome) -> String {
    reports::terminal::run(outcome, DIR, false)
}

fn verdict(found: Found, as_expected: bool, summary: &str) -> RunVerdict {
    RunVerdict { found, as_expected, exit: u8::from(!as_expected), summary: summary.to_owned() }
}

#[test]
fn a_failed_run_reads_as_in_the_golden_text() {
    let found = text(&sample());
    assert_eq!(found, include_str!("run.txt"), "\n{found}");
}

#[test]
fn no_line_is_wider_than_a_hundred_columns() {
    let found = text(&sample());
    let widest = found.lines().map(|line| line.chars().count()).max();
    assert!(widest.is_some_and(|width| width <= 100), "{widest:?}");
}

#[test]
fn a_passed_run_is_short() {
    let mut outcome = sample();
    outcome.invariants =
        vec![invariant("no_overdraft", "always", Status::Holds), invariant("conserved", "at rest", Status::Holds)];
    outcome.thresholds = vec![threshold("p99(latency) < 1s", Status::Holds, Some(Quantity::Seconds(0.294)), false)];
    outcome.verdict = verdict(Found::Pass, true, "passes");
    let found = text(&outcome);
    assert!(found.starts_with("✓ PASS   bank-2pc  seed 7     2 invariants hold, 1 threshold met\n"), "{found}");
    assert!(found.contains("\nINVARIANTS   ✓ no_overdraft   ✓ conserved\n"), "{found}");
    assert!(!found.contains("next"), "nothing to do next");
}

#[test]
fn each_verdict_has_its_mark() {
    let mut outcome = sample();
    for (found, as_expected, mark) in [
        (Found::Pass, true, "✓ PASS "),
        (Found::Fail, true, "✓ AS EXPECTED "),
        (Found::Inconclusive, true, "✓ AS EXPECTED "),
        (Found::Fail, false, "✗ FAIL "),
        (Found::Pass, false, "✗ FAIL "),
        (Found::Inconclusive, false, "? INCONCLUSIVE "),
    ] {
        outcome.verdict = verdict(found, as_expected, "because");
        assert!(text(&outcome).starts_with(mark), "{found:?} {as_expected}");
        assert_eq!(text(&outcome).contains("because"), mark != "✓ PASS ", "a clean pass needs no reason");
    }
}

#[test]
fn a_goal_not_reached_in_one_run_is_left_to_the_sweep() {
    let mut outcome = sample();
    let mut goal = invariant("aborts_happen", "sometimes", Status::Unknown);
    goal.reached = Some(false);
    outcome.invariants = vec![invariant("no_overdraft", "always", Status::Holds), goal];
    outcome.thresholds.clear();
    let found = text(&outcome);
    assert!(found.contains("? aborts_happen  sometimes  not reached in this run; a sweep judges it\n"), "{found}");
    assert!(found.lines().next().is_some_and(|head| head.ends_with("1 invariant holds")), "{found}");
}

#[test]
fn what_has_to_fail_on_some_seed_and_holds_on_this_one_says_so_and_where_to_look() {
    let mut outcome = sample();
    let mut missed = invariant("paid_iff_confirmed", "at rest", Status::Holds);
    missed.expected = Expectation::FailsOnSomeSeed;
    outcome.invariants = vec![missed];
    outcome.thresholds.clear();
    outcome.verdict = verdict(Found::Pass, true, "everything holds; and so on");
    let found = text(&outcome);
    assert!(found.starts_with("✓ HOLDS ON THIS SEED   bank-2pc  seed 7 "), "{found}");
    let told = [
        "\n         everything holds; and so on\n",
        "\n  ✓ paid_iff_confirmed  at rest     holds on this seed, expected to fail on some\n",
        "\nnext     stormglass sweep out/bank-2pc/91b0d4e2/scenario.toml   finds seeds on which it fails\n",
    ];
    for line in told {
        assert!(found.contains(line), "{line}\n{found}");
    }
}

#[test]
fn what_may_fail_and_does_is_told_as_allowed() {
    let mut outcome = sample();
    let mut slow = threshold("p99(latency) < 1s", Status::Violated, Some(Quantity::Seconds(1.06)), false);
    slow.expected = Expectation::MayFail;
    outcome.thresholds = vec![slow];
    let found = text(&outcome);
    assert!(found.contains("\n  ✗ p99(latency) < 1s  1.06s   allowed\n"), "{found}");
    let page = reports::html::report(&outcome);
    assert!(page.contains("<span class=\"tag\">allowed</span>"));
}

#[test]
fn colour_is_added_only_when_asked_and_names_cannot_add_it() {
    let mut outcome = sample();
    outcome.operations[0].name = "evil\u{1b}[2J".to_owned();
    outcome.invariants[1].witness = vec!["moved\u{1b}[1A up".to_owned()];
    assert!(!text(&outcome).contains('\u{1b}'));
    let coloured = reports::terminal::run(&outcome, DIR, true);
    assert!(coloured.contains("\u{1b}[1;31m✗ FAIL\u{1b}[0m"));
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_eq!(trimmed(&plain), trimmed(&text(&outcome)), "colour changes nothing else");
}

#[test]
fn an_empty_outcome_is_still_a_text() {
    let mut outcome = sample();
    outcome.operations.clear();
    outcome.queues.clear();
    outcome.services.clear();
    outcome.transactions.clear();
    without_parts(&mut outcome);
    outcome.faults.clear();
    outcome.invariants.clear();
    outcome.thresholds.clear();
    outcome.topology.parts.clear();
    let found = text(&outcome);
    assert!(found.lines().next().is_some_and(|head| head.ends_with("no promises")), "{found}");
    assert!(!found.contains("OPERATIONS") && !found.contains("charts"), "{found}");
}

#[test]
fn operations_that_never_ended_are_seen() {
    let header = |outcome: &_| text(outcome).lines().find(|line| line.starts_with("OPERATIONS")).map(str::to_owned);
    let mut outcome = sample();
    outcome.operations.iter_mut().for_each(|operation| operation.open = 0);
    assert!(header(&outcome).is_some_and(|line| !line.contains("  open  ")));
    outcome.operations[0].open = 1;
    assert!(header(&outcome).is_some_and(|line| line.contains("  open  ")));
}

#[test]
fn books_that_do_not_balance_are_told_below_their_queue() {
    let mut outcome = sample();
    assert!(!text(&outcome).contains("did not balance"));
    let identity = &mut outcome.message_queues[0].identity;
    (identity.violations, identity.worst, identity.first) = (3, 1, Some(kernel::Time(1_500_000_000)));
    let told = "\n    did not balance after 3 of 41 188 changes, first at 00:01.500, by up to 1\n";
    assert!(text(&outcome).contains(told), "{}", text(&outcome));
}

#[test]
fn a_long_table_ends_with_where_the_rest_is() {
    let mut outcome = sample();
    let queue = outcome.queues[0].clone();
    outcome.queues = (0..33)
        .map(|n| {
            let mut queue = queue.clone();
            queue.name = format!("q{n}");
            queue
        })
        .collect();
    assert!(text(&outcome).contains("\n    … 13 more in queues.csv\n"));
}

fn swept() -> SweepSummary {
    let point = |name: &str, fail: u64, failing: &[u64]| Point {
        name: name.to_owned(),
        variant: None,
        values: vec![name.to_owned()],
        violation: Share { runs: fail, of: 1000 },
        promises: Vec::new(),
        sometimes: Vec::new(),
        pass: 1000 - fail,
        fail,
        unknown: 0,
        as_expected: None,
        median: Some(Median {
            value: Quantity::Seconds(0.086),
            low: Some(Quantity::Seconds(0.084)),
            high: Some(Quantity::Seconds(0.089)),
        }),
        failing: failing.to_vec(),
        unjudged: None,
        precision: None,
    };
    SweepSummary {
        scenario: "checkout-saga".to_owned(),
        seeds: (0, 1000),
        axis: "services.payment.ops.charge.idempotent".to_owned(),
        axes: Vec::new(),
        earlier: None,
        points: vec![point("true", 9, &[42, 118, 203, 204, 500]), point("false", 3, &[4, 19, 23])],
        measured: Some("p99(latency)".to_owned()),
        failures: vec![FailureGroup {
            promise: "paid_iff_confirmed".to_owned(),
            vacuous: false,
            runs: 12,
            seed: 4,
            point: "false".to_owned(),
            expected: false,
            allowed: false,
            judged_on: None,
            share: Share { runs: 3, of: 1000 },
            clusters: Vec::new(),
        }],
        interrupted: None,
        reruns: Some(Reruns { seeds: 20, identical: 20 }),
        as_expected: false,
        exit: 1,
        summary: String::new(),
        next: Some("stormglass run scenarios/checkout-saga.toml --seed 4".to_owned()),
    }
}

#[test]
fn a_sweep_reads_as_in_the_interface() {
    let expected = "\
sweep  checkout-saga   2 points × 1 000 seeds (0..1000)

  services.payment.ops.charge.idempotent     pass   fail  unknown   P(fail) [95% CI]     p99(latency) median [95% CI]   first failing seeds
  true                                        991      9        0   0.9%  [0.47%–1.7%]   86ms  [84ms–89ms]              42, 118, 203, 204 …
  false                                       997      3        0   0.3%  [0.1%–0.88%]   86ms  [84ms–89ms]              4, 19, 23
    12 × paid_iff_confirmed (smallest: seed 4 of false)
  determinism: 20 seeds re-run, 20 identical fingerprints
✗ FAIL   stormglass run scenarios/checkout-saga.toml --seed 4
";
    let found = reports::terminal::sweep(&swept(), false);
    assert_eq!(found, expected, "\n{found}");
}

#[test]
fn an_interrupted_sweep_has_no_verdict_and_a_threshold_says_where_it_counts() {
    let mut summary = SweepSummary { interrupted: Some(42), exit: 130, next: None, ..swept() };
    summary.failures[0].judged_on = Some(7);
    let found = reports::terminal::sweep(&summary, false);
    assert!(found.ends_with("? INCONCLUSIVE   interrupted after 42 runs: everything here is about those\n"), "{found}");
    assert!(found.contains("(smallest: seed 4 of false)   a threshold, judged on seed 7 only\n"), "{found}");
}

#[test]
fn a_sweep_tells_in_which_ways_a_promise_is_broken() {
    let mut summary = swept();
    let cluster = |class: &str, faults: &[&str], runs: u64, seed: u64| Cluster {
        class: class.to_owned(),
        signature: faults.iter().map(|fault| (*fault).to_owned()).collect(),
        runs,
        seed,
        witness: Vec::new(),
        replay: String::new(),
    };
    let group = &mut summary.failures[0];
    group.clusters = vec![cluster("paid_iff_confirmed/at_rest", &["cut", "dies"], 11, 4)];
    let found = reports::terminal::sweep(&summary, false);
    assert!(
        found.contains("12 × paid_iff_confirmed (smallest: seed 4 of false)\n         at_rest after cut + dies\n"),
        "{found}"
    );
    let mut idle = summary.clone();
    idle.failures[0].vacuous = true;
    let found = reports::terminal::sweep(&idle, false);
    assert!(found.contains("12 × paid_iff_confirmed had nothing to judge (smallest: seed 4 of false)\n"), "{found}");
    assert!(!found.contains("at_rest after"), "what was not broken has no way in which it was: {found}");
    summary.failures[0].clusters.push(cluster("paid_iff_confirmed/at_rest", &[], 1, 23));
    let found = reports::terminal::sweep(&summary, false);
    let expected = "    12 × paid_iff_confirmed, in 2 clusters (smallest: seed 4 of false)
        11 × at_rest after cut + dies   91.7%, smallest: seed 4
         1 × at_rest without a fault    8.33%, smallest: seed 23
";
    assert!(found.contains(expected), "{found}");
}

#[test]
fn a_sweep_tells_how_often_what_should_happen_sometimes_did() {
    let mut summary = swept();
    let reached = |name: &str, runs: u64, at_least: Option<f64>, enough: bool| Reached {
        name: name.to_owned(),
        reached: Share { runs, of: 1000 },
        at_least,
        enough,
    };
    summary.points[0].sometimes = vec![
        reached("sold_out", 37, None, true),
        reached("idle", 0, None, false),
        reached("late", 10, Some(0.5), false),
    ];
    let expected = "  sometimes
    ✓ sold_out of true  reached on 37 of 1 000 seeds
    ✗ idle of true      reached on 0 of 1 000 seeds   never: nothing here tests it
    ✗ late of true      reached on 10 of 1 000 seeds, of 50% at least: too few
";
    let found = reports::terminal::sweep(&summary, false);
    assert!(found.contains(expected), "{found}");
    let json = reports::json::sweep(&summary);
    assert!(json.contains("\"low_95\": 0.02696"), "the interval of 37 of 1000: {json}");
}

#[test]
fn a_sweep_tells_what_failed_earlier_and_fails_again() {
    let again = Again { seed: 9, point: "base".to_owned(), why: "money fails".to_owned(), replay: String::new() };
    let tried = |seeds: u64, outside: u64, failing: Vec<Again>| SweepSummary {
        earlier: Some(Tried { seeds, outside, failing }),
        ..swept()
    };
    let told = |summary: &SweepSummary| reports::terminal::sweep(summary, false);
    let fine = told(&tried(3, 1, Vec::new()));
    assert!(
        fine.contains("  earlier failures: 3 seeds tried first, 1 of them not among these: as expected now\n"),
        "{fine}"
    );
    let wrong = told(&tried(1, 1, vec![again]));
    assert!(
        wrong.contains("1 seed tried first, none of them among these\n    seed 9 of base fails again: money fails\n"),
        "{wrong}"
    );
}

#[test]
fn seeds_on_which_only_unjudged_thresholds_failed_are_not_told_as_expected() {
    let mut summary = swept();
    summary.points.iter_mut().for_each(|point| point.as_expected = Some(true));
    summary.points[0].unjudged = Some(Unjudged { seeds: 9, judged_on: 42 });
    summary.points[1].unjudged = Some(Unjudged { seeds: 1, judged_on: 42 });
    summary.failures[0] = FailureGroup { allowed: true, judged_on: Some(42), ..summary.failures[0].clone() };
    let found = reports::terminal::sweep(&summary, false);
    let told = [
        "42, 118, 203, 204 …   only thresholds, judged on seed 42\n",
        "4, 19, 23   as expected; 1 by thresholds, judged on seed 42\n",
        "(smallest: seed 4 of false)   allowed, judged on seed 42 only\n",
    ];
    for line in told {
        assert!(found.contains(line), "{line}\n{found}");
    }
}

#[test]
fn a_sweep_tells_each_thresholds_mean_and_which_is_too_wide() {
    let mean = |name: &str, half: f64, narrow: bool| Mean {
        name: name.to_owned(),
        mean: Some(Quantity::Seconds(0.1)),
        half_width: Some(Quantity::Seconds(half)),
        narrow,
    };
    let means = vec![mean("tail", 0.005, false), mean("typical", 0.001, true)];
    let mut summary = swept();
    summary.points.truncate(1);
    summary.points[0].precision = Some(Precise { wanted: 0.02, replications: 1000, reached: false, means });
    let found = reports::terminal::sweep(&summary, false);
    let expected = "\
  precision 2%: not reached after 1 000 seeds
    tail     100ms ± 5ms  (5%)  too wide
    typical  100ms ± 1ms  (1%)
";
    assert!(found.contains(expected), "\n{found}");
    assert!(reports::json::sweep(&summary).contains("\"half_width_95\": 0.005"));
}

#[test]
fn a_sweep_without_points_or_seeds_is_still_a_text() {
    let empty = SweepSummary {
        points: Vec::new(),
        failures: Vec::new(),
        measured: None,
        reruns: None,
        next: None,
        exit: 0,
        seeds: (5, 5),
        ..swept()
    };
    assert!(reports::terminal::sweep(&empty, false).ends_with("✓ PASS\n"));
    let files = reports::sweep::files(&swept());
    assert!(
        files.iter().any(|(name, bytes)| name == "sweep.csv" && bytes.starts_with(b"point,pass,fail,unknown,median"))
    );
}
