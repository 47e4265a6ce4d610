//! Little's law as an identity of every run: ∫ N(t) dt = Σ min(exit, end) − enter, in whole nanoseconds (Little 1961;
//! Stidham 1974). The integral is kept from changes of the number in the system, the sum from samples told when a request
//! leaves: code that shares nothing. That a lost event is noticed, whichever side it is lost on, is the unit test
//! `littles_law_holds_to_the_nanosecond_and_notices_every_lost_event` of `lab::measure`.

use std::fmt::Write as _;

use lab::outcome::{LittleResult, Outcome};

use crate::{outcome, scenario};

/// The row A-little-identity for every queue of a run, with no tolerance at all.
pub(crate) fn assert_identity(outcome: &Outcome) {
    assert!(!outcome.little.is_empty(), "{}: no queue was watched", outcome.scenario);
    assert_eq!(outcome.little.len(), outcome.queues.len(), "{}: every queue is watched", outcome.scenario);
    let broken: Vec<&LittleResult> = outcome.little.iter().filter(|queue| !holds(queue)).collect();
    assert!(broken.is_empty(), "{}: Little's law is broken: {broken:?}", outcome.scenario);
    assert!(outcome.little.iter().any(|queue| queue.integral > 0), "{}: nobody was ever inside", outcome.scenario);
}

fn holds(queue: &LittleResult) -> bool {
    queue.integral == queue.sojourns
}

/// Three workers; bursts of `size` requests at once every 250 ms, and users besides.
fn bursts(size: u32, quiesce: &str, more: &str) -> String {
    let mut trace = String::new();
    for burst in 0..40 {
        for one in 0..size {
            // Half of a burst comes at one instant, the rest a millisecond apart.
            write!(trace, "\"{}ms\", ", 1 + 250 * burst + one.saturating_sub(size / 2)).expect("text can be written");
        }
    }
    format!(
        r#"
version = 1
run = {{ duration = "10s", quiesce = "{quiesce}" }}
[services.pool]
workers = 3
work = "lognormal(mean=20ms, cv=2)"
[workloads.bursts]
trace = [{trace}]
target = "pool"
{more}
"#
    )
}

#[test]
fn littles_law_is_exact_from_empty_to_empty_under_bursts() {
    let found = outcome(&scenario("bursts.toml", &bursts(30, "1h", ""), &[]), Vec::new());
    let (queue, little) = (&found.queues[0], &found.little[0]);
    assert_eq!((queue.entered, queue.left, queue.depth.end, queue.busy.end), (1200, 1200, 0, 0), "it is empty again");
    assert!(queue.waited_share > 0.5 && queue.depth.max > 20, "bursts queue up");
    // Without a network a caller waits as long as its request stays: a third witness, kept by the callers.
    assert_eq!(found.operations[0].latency.sum(), little.sojourns);
    crate::say(&format!("A-little-identity: {} = {} request-nanoseconds", little.integral, little.sojourns));
}

#[test]
fn littles_law_is_exact_when_a_run_ends_in_a_crowd_and_when_a_crash_empties_the_queue() {
    let users = "[workloads.users]\nusers = 5\nthink = \"exp(30ms)\"\ntarget = \"pool\"\n";
    let crowd = outcome(&scenario("crowd.toml", &bursts(60, "0s", users), &[]), Vec::new());
    assert!(crowd.queues[0].entered > crowd.queues[0].left, "some are still inside");
    let crash = format!(
        "{users}client.timeout = \"1s\"\n[faults.power]\nkind = \"crash\"\ntarget = \"pool\"\nat = \"3s\"\nfor = \"500ms\"\n"
    );
    let crashed = outcome(&scenario("crash.toml", &bursts(60, "1h", &crash), &[]), Vec::new());
    assert!(crashed.queues[0].lost > 0, "the crash loses requests");
}

#[test]
fn one_nanosecond_breaks_the_identity() {
    let off = LittleResult { queue: "pool".to_owned(), integral: 1_000_000_000, sojourns: 1_000_000_001 };
    assert!(!holds(&off) && holds(&LittleResult { integral: 1_000_000_001, ..off }));
}
