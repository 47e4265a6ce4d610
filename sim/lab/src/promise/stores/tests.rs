//! Each judge of stores against told operations that keep its promise, and some that break it.

use kernel::{Fact, FactKind, NodeId, Seed, Span, Time};
use systems::app::keeper::Holding;
use systems::app::output::{Asked, Told};
use systems::replication::keys::{Answer, Operation, Session};
use systems::replication::quorum::{Row, Version};

use super::*;
use crate::compile::{Edits, compile};
use crate::promise::Promises;
use crate::run::{Go, Options, World, run};
use crate::scenario::{Choice, Scenario, Source, load};

/// Begun, ended, by whom, for what, with which answer; times in milliseconds.
type Deed = (u64, u64, u64, Operation, Asked);

const fn write(key: u64, value: u64) -> Operation {
    Operation::Write { key, value }
}

const fn read(key: u64) -> Operation {
    Operation::Read { key }
}

const fn cas(key: u64, expected: u64, value: u64) -> Operation {
    Operation::Cas { key, expected: Some(expected), value }
}

const fn found(value: u64) -> Asked {
    Asked::Hears(Answer::Value(Some(value)))
}

const NOTHING: Asked = Asked::Hears(Answer::Value(None));
const DONE: Asked = Asked::Hears(Answer::Done);
const LOST: Asked = Asked::KnowsNothing;

fn at(millis: u64) -> Time {
    Time::ZERO + Span::millis(millis)
}

fn log(deeds: &[Deed]) -> Log {
    let mut lines = Vec::new();
    for (n, &(began, ended, process, operation, what)) in deeds.iter().enumerate() {
        let told = |what| Told { store: 0, process, operation, what };
        lines.push((began, 2 * n as u64, told(Asked::Begins)));
        lines.push((ended, 2 * n as u64 + 1, told(what)));
    }
    lines.sort_by_key(|(time, event, _)| (*time, *event));
    let mut log = Log::new(true);
    for (time, event, told) in &lines {
        log.push(at(*time), *event, told);
    }
    log
}

/// A scenario whose store is called `kv`, and which has this promise.
fn scenario(promise: &str) -> Scenario {
    let text = format!(
        "version = 1\nrun = {{ duration = \"10s\", quiesce = \"2s\" }}\n[stores.kv]\nkind = \"leader_follower\"\nnodes = 3\n\
         [workloads.near]\nusers = 3\nvars = {{ key = \"int(1, 9)\" }}\nthink = \"100ms\"\n\
         mix = [{{ weight = 1, read = \"kv[$key]\" }}]\n\
         [workloads.far]\nlike = \"near\"\n[invariants]\n{promise}\n"
    );
    let scenario = load(&Source::new("kv.toml", text), &Choice::default());
    scenario.unwrap_or_else(|errors| panic!("{}", errors.render(crate::scenario::Colour::Plain)))
}

/// The promises of such a scenario: one check.
fn promises(check: &str) -> Promises {
    let scenario = scenario(&format!("p = {{ check = {check} }}"));
    let compiled = compile(&scenario.model, Seed(0), &Edits::default()).expect("it compiles");
    Promises::compile(&scenario.model, &compiled.names).expect("the promise is one")
}

/// Clients tell a run what they ask and are told if somebody judges or keeps that, and the run is the same.
#[test]
fn nothing_is_told_unless_somebody_listens() {
    let checked = "p = { check = \"linearizable\", of = \"kv\" }";
    let tells = |promise: &str, options: &Options| {
        let world = World::new(&scenario(promise), 1, options).expect("it compiles");
        world.cluster.plan().history
    };
    assert!(!tells("", &Options::lean()));
    assert!(!tells("p = { check = \"one_leader_per_term\", of = \"kv\" }", &Options::lean()));
    assert!(tells(checked, &Options::lean()));
    assert!(tells("", &Options::full()));
    let ran = |promise: &str, options: &Options| {
        run(&scenario(promise), 1, None, options, &mut |_| Go::On).expect("it compiles")
    };
    let (silent, judged, kept) = (ran("", &Options::lean()), ran(checked, &Options::lean()), ran("", &Options::full()));
    assert_eq!((silent.fingerprint, silent.events), (judged.fingerprint, judged.events));
    assert_eq!(silent.fingerprint, kept.fingerprint);
    assert_eq!(judged.invariants[0].status, Status::Holds);
    assert!(judged.invariants[0].evaluations > 100, "{}", judged.invariants[0].evaluations);
    assert_eq!((silent.store_histories.len(), judged.store_histories.len()), (0, 0));
    assert_eq!(kept.store_histories[0].lines.len() as u64 / 2, judged.invariants[0].evaluations);
}

#[expect(clippy::unnecessary_wraps, reason = "a machine that is down holds nothing")]
fn ordered(leads: Option<u64>, rows: &[(u64, u64)]) -> Option<Holding> {
    let rows: std::collections::BTreeMap<u64, u64> = rows.iter().copied().collect();
    Some(Holding::Ordered { leads, executed: rows.clone(), logged: rows })
}

fn copies(holdings: [Option<Holding>; 3], shares: usize) -> Copies {
    let machines = holdings.into_iter().enumerate().map(|(n, holding)| (format!("kv[{n}]"), holding));
    Copies { machines: machines.collect(), shares }
}

fn nothing() -> Copies {
    copies([ordered(None, &[]), ordered(Some(1), &[]), ordered(None, &[])], 3)
}

fn judged_at(invariant: &str, deeds: &[Deed], copies: Copies, rest: bool) -> InvariantResult {
    let mut promises = promises(invariant);
    let log = log(deeds);
    promises.saw(0, Seen { book: log.book(), cut: log.cut(), copies });
    promises.finish(at(10_000), rest, "2 at kv[0]").remove(0)
}

fn judged(invariant: &str, deeds: &[Deed]) -> InvariantResult {
    judged_at(&format!("{invariant}, of = \"kv\""), deeds, nothing(), true)
}

/// It holds for the first of these, and is broken by the second, with this class.
fn told_apart(invariant: &str, good: &[Deed], bad: &[Deed], class: &str) -> InvariantResult {
    let good = judged(invariant, good);
    assert_eq!(good.status, Status::Holds, "{invariant}: {:?}", good.witness);
    let bad = judged(invariant, bad);
    assert_eq!((bad.status, bad.class.as_str()), (Status::Violated, class), "{invariant}: {:?}", bad.witness);
    bad
}

#[test]
fn a_stale_read_is_not_linearizable_and_its_story_has_names_and_times() {
    // Workloads are numbered by their names.
    let near = 1 << 40;
    let stale = |value| {
        [
            (100, 110, near, write(7, 38), DONE),
            (200, 212, near | 2, write(7, 41), DONE),
            (220, 230, 1, read(7), found(value)),
            (225, 300, 2, read(8), NOTHING),
        ]
    };
    for model in ["kv", "cas_register", "register"] {
        let judge = format!("\"linearizable\", model = \"{model}\"");
        told_apart(&judge, &stale(41), &stale(38), "p/linearizable");
    }
    let result = judged("\"linearizable\"", &stale(38));
    assert_eq!(result.first.map(|(time, _)| time), Some(at(230)));
    assert_eq!(
        result.witness,
        [
            "key 7: no order of the operations explains far/1 read 7 → 38: it read 38, but the value is 41",
            "00:00.100  near/0  write 7 := 38  ok 00:00.110",
            "00:00.200  near/2  write 7 := 41  ok 00:00.212",
            "00:00.220  far/1   read 7 → 38    ok 00:00.230  ← it read 38, but the value is 41",
        ]
    );
    let shown = result.evidence.and_then(|evidence| evidence.contradiction).expect("the operations as data");
    assert_eq!((shown.key, shown.state.as_deref()), (Some(7), Some("41")));
    let told = |places: &[usize]| places.iter().map(|&n| shown.operations[n].deed()).collect::<Vec<_>>();
    assert_eq!(told(&shown.order), ["write 7 := 38", "write 7 := 41"]);
    assert_eq!(told(&shown.against), ["write 7 := 41", "read 7 → 38"]);
    assert_eq!(shown.refused.iter().map(|refused| refused.operation).collect::<Vec<_>>(), [2]);
}

#[test]
fn keys_are_judged_by_themselves_and_a_lost_answer_may_come_true_later() {
    let deeds = [
        (0, 10, 0, write(1, 5), LOST),
        (20, 30, 1, read(1), NOTHING),
        (40, 50, 1, read(1), found(5)),
        (60, 70, 2, cas(1, 5, 6), DONE),
        (80, 90, 3, cas(1, 5, 7), Asked::Hears(Answer::Mismatch(Some(6)))),
        (95, 96, 4, Operation::Delete { key: 1 }, DONE),
        (97, 98, 5, read(1), NOTHING),
    ];
    let result = judged("\"linearizable\"", &deeds);
    assert_eq!((result.status, result.evaluations), (Status::Holds, 7), "{:?}", result.witness);
    // What a cas was refused for must have been so: the value was not the expected one.
    let mut refused = deeds;
    refused[4].3 = cas(1, 6, 7);
    assert_eq!(judged("\"linearizable\"", &refused).status, Status::Violated);
    // An order by clients alone may put a read before a write that was over.
    let stale = [(0, 10, 0, write(1, 5), DONE), (20, 30, 1, read(1), NOTHING)];
    assert_eq!(judged("\"linearizable\"", &stale).status, Status::Violated);
    told_apart(
        "\"sequential\"",
        &stale,
        &[stale[0], (20, 30, 1, read(1), found(5)), (40, 50, 1, read(1), NOTHING)],
        "p/sequential",
    );
}

#[test]
fn each_session_guarantee_is_broken_by_its_own_operations() {
    let base = [(0, 10, 0, write(1, 5), DONE), (20, 30, 0, write(1, 6), DONE)];
    let then = |more: &[Deed]| [&base[..], more].concat();
    let own = |value| then(&[(40, 50, 0, read(1), found(value))]);
    told_apart("\"read_your_writes\"", &own(6), &own(5), "p/read-your-writes");
    let back = |second| then(&[(40, 50, 1, read(1), found(6)), (60, 70, 1, read(1), found(second))]);
    told_apart("\"monotonic_reads\"", &back(6), &back(5), "p/monotonic-reads");
    // Who has seen the later of two writes of a session sees the earlier one.
    let two = [(0, 10, 0, write(1, 5), DONE), (20, 30, 0, write(2, 6), DONE)];
    let writes = |last: Asked| [&two[..], &[(40, 50, 1, read(2), found(6)), (60, 70, 1, read(1), last)]].concat();
    told_apart("\"monotonic_writes\"", &writes(found(5)), &writes(NOTHING), "p/monotonic-writes");
    // Who has seen a write sees what its writer had read before.
    let cause = |last: Asked| {
        vec![
            (0, 10, 0, write(1, 5), DONE),
            (20, 30, 1, read(1), found(5)),
            (40, 50, 1, write(2, 6), DONE),
            (60, 70, 2, read(2), found(6)),
            (80, 90, 2, read(1), last),
        ]
    };
    told_apart("\"writes_follow_reads\"", &cause(found(5)), &cause(NOTHING), "p/writes-follow-reads");
    // None of them is another one.
    for (judge, deeds) in [
        ("\"monotonic_reads\"", writes(NOTHING)),
        ("\"monotonic_writes\"", cause(NOTHING)),
        ("\"read_your_writes\"", back(5)),
        ("\"writes_follow_reads\"", own(5)),
    ] {
        assert_eq!(judged(judge, &deeds).status, Status::Holds, "{judge}");
    }
    // Clients that ask once have no session.
    let alone = judged("\"read_your_writes\"", &[(0, 10, 0, write(1, 5), DONE), (20, 30, 1, read(1), found(5))]);
    assert_eq!((alone.status, &*alone.witness[0]), (Status::Vacuous, "no client was answered twice"));
}

#[test]
fn a_read_is_behind_by_versions_or_by_time() {
    let base = [(0, 10, 0, write(1, 5), DONE), (20, 30, 0, write(1, 6), DONE)];
    let reads = |began, value| [&base[..], &[(began, began + 10, 1, read(1), found(value))]].concat();
    told_apart("\"bounded_staleness\", max = 0", &reads(100, 6), &reads(100, 5), "p/stale");
    told_apart("\"bounded_staleness\", max = \"100ms\"", &reads(130, 5), &reads(131, 5), "p/stale");
    assert_eq!(judged("\"bounded_staleness\", max = 1", &reads(100, 5)).status, Status::Holds);
    let late = judged("\"bounded_staleness\", max = \"100ms\"", &reads(150, 5));
    assert_eq!(late.witness[0], "key 1: far/1 read 1 → 5 is at least 120ms behind, more than 100ms");
}

#[test]
fn acknowledged_writes_that_are_not_there_are_counted() {
    let deeds = [
        (0, 10, 0, write(1, 5), DONE),
        (20, 30, 0, write(1, 6), DONE),
        (40, 50, 0, write(2, 7), DONE),
        (60, 70, 0, write(2, 8), LOST),
        (80, 90, 0, Operation::Delete { key: 3 }, DONE),
        (95, 96, 0, write(4, 9), DONE),
    ];
    let judge = |rows: &[(u64, u64)], leads| {
        let copies = copies([ordered(Some(1), &[(1, 5)]), ordered(leads, rows), None], 3);
        judged_at("\"durable_acks\", of = \"kv\"", &deeds, copies, true)
    };
    // The newest leader says what is there; a write nobody was told of may have come true.
    let counts = |result: &InvariantResult| result.evidence.as_ref().map(|evidence| evidence.counts.clone());
    let counted = |lost| Some(vec![("acknowledged".to_owned(), 5), ("lost".to_owned(), lost)]);
    for rows in [[(1, 6), (2, 7), (4, 9)], [(1, 6), (2, 8), (4, 9)]] {
        let result = judge(&rows, Some(2));
        assert_eq!((result.status, counts(&result)), (Status::Holds, counted(0)), "{:?}", result.witness);
    }
    let result = judge(&[(1, 5), (2, 7), (3, 1)], Some(2));
    assert_eq!(result.class, "p/phantom", "what was deleted, or never written, is there");
    let result = judge(&[(1, 5), (2, 7)], Some(2));
    assert_eq!((result.class.as_str(), counts(&result)), ("p/lost", counted(2)));
    assert_eq!(
        result.witness,
        [
            "2 of 5 acknowledged writes are lost, the first of them is far/0 write 1 := 6",
            "00:00.000  far/0  write 1 := 5  ok 00:00.010",
            "00:00.020  far/0  write 1 := 6  ok 00:00.030",
            "00:10.000  kv[1]  read 1 → 5    at the end",
        ]
    );
    let result = judged_at("\"durable_acks\", of = \"kv\"", &deeds, copies([None, None, None], 3), true);
    assert_eq!((result.status, &*result.witness[0]), (Status::Unknown, "no machine is up when the run has ended"));
    let nobody = copies([ordered(None, &[]), ordered(None, &[]), None], 3);
    let result = judged_at("\"durable_acks\", of = \"kv\"", &deeds, nobody, true);
    assert!(result.witness[0].starts_with("nobody leads"), "{:?}", result.witness);
}

#[expect(clippy::unnecessary_wraps, reason = "a machine that is down holds nothing")]
fn rows(rows: &[(u64, i64, Option<u64>)]) -> Option<Holding> {
    let row = |&(key, clock, value): &(u64, i64, Option<u64>)| {
        let session = Session { node: NodeId(9), seat: 0 };
        (key, Row { version: Version { clock, session, number: 1 }, value })
    };
    Some(Holding::Versions(rows.iter().map(row).collect()))
}

#[test]
fn of_copies_that_vote_the_newest_row_counts_and_a_machine_that_is_down_may_have_it() {
    let deeds = [(0, 10, 0, write(1, 5), DONE), (20, 30, 0, write(1, 6), DONE), (40, 50, 0, write(2, 7), DONE)];
    let judge = |machines| judged_at("\"durable_acks\", of = \"kv\"", &deeds, copies(machines, 3), true);
    let old = rows(&[(1, 1, Some(5)), (2, 1, Some(7))]);
    assert_eq!(judge([old.clone(), rows(&[(1, 2, Some(6))]), rows(&[])]).status, Status::Holds);
    assert_eq!(judge([old.clone(), old.clone(), rows(&[])]).class, "p/lost");
    let result = judge([old.clone(), old, None]);
    assert_eq!(result.status, Status::Unknown);
    assert_eq!(result.witness[0], "1 of 3 acknowledged writes are not on the machines that are up; kv[2] is down");
}

#[test]
fn copies_that_differ_at_rest_have_not_converged() {
    let deeds = [(0, 10, 0, write(1, 5), DONE)];
    let judge =
        |machines, shares, rest| judged_at("\"convergence\", of = \"kv\"", &deeds, copies(machines, shares), rest);
    let full = || ordered(None, &[(1, 5), (2, 6)]);
    let same = judge([full(), full(), None], 3, true);
    assert_eq!(same.status, Status::Holds, "who is down is left out");
    let differs = judge([full(), full(), ordered(None, &[(1, 4)])], 3, true);
    assert_eq!(differs.class, "p/diverged");
    assert_eq!(differs.witness, ["key 1: kv[0] holds 5, kv[2] holds 4, and nothing changes any more", "2 keys differ"]);
    let busy = judge([full(), full(), None], 3, false);
    assert_eq!((busy.status, &*busy.witness[0]), (Status::Unknown, "not at rest: 2 at kv[0]"));
    assert_eq!(judge([full(), None, None], 3, true).status, Status::Unknown);
    // Key 1 is on machines 1 and 2 only; a tombstone is as good as no row.
    let (has, gone) = (|| rows(&[(1, 2, Some(5))]), || rows(&[(1, 2, None)]));
    assert_eq!(judge([gone(), has(), has()], 2, true).status, Status::Holds);
    assert_eq!(judge([has(), gone(), rows(&[])], 2, true).status, Status::Holds);
    assert_eq!(judge([has(), has(), rows(&[])], 2, true).class, "p/diverged");
}

#[test]
fn two_leaders_of_one_term_are_found_as_the_second_speaks() {
    let mut p = promises("\"one_leader_per_term\", of = \"kv\"");
    let leads = |time, node, term| Fact {
        time: at(time),
        node: NodeId(node),
        protocol: 0,
        instance: term,
        kind: FactKind::Leads { term },
    };
    for (n, fact) in [leads(1, 0, 1), leads(2, 0, 1), leads(5, 1, 2), leads(9, 2, 2)].into_iter().enumerate() {
        p.event(n as u64);
        p.fact(&fact);
    }
    let result = p.finish(at(10), true, "").remove(0);
    assert_eq!((result.class.as_str(), result.first, result.evaluations), ("p/two leaders", Some((at(9), 3)), 2));
    assert_eq!(result.witness[0], "two leaders: kv 2: kv[1] and kv[2] both lead term 2");
    let idle = promises("\"one_leader_per_term\", of = \"kv\"").finish(at(10), true, "").remove(0);
    assert_eq!((idle.status, &*idle.witness[0]), (Status::Vacuous, "nobody ever led kv"));
}

#[test]
fn who_runs_out_of_steps_or_cannot_judge_says_so_and_who_saw_nothing_is_vacuous() {
    // Eight writes at once, and reads that see all of them in turn, twice: nothing but searching helps.
    let mut deeds: Vec<Deed> = (0..8).map(|n| (n, 1_000, n, write(1, n % 4), DONE)).collect();
    deeds.extend((0..8).map(|n| (10 + n, 1_000, 20 + n, read(1), found(3 - n % 4))));
    let result = judged("\"linearizable\", limit = 10", &deeds);
    assert_eq!(result.status, Status::Unknown, "{:?}", result.witness);
    assert!(result.witness[0].contains("`limit` may give it more"), "{:?}", result.witness);
    assert_ne!(judged("\"linearizable\", limit = \"1M\"", &deeds).status, Status::Unknown);
    let twice = [(0, 10, 0, write(1, 5), DONE), (20, 30, 0, write(1, 5), DONE), (40, 50, 0, read(1), found(5))];
    let result = judged("\"monotonic_reads\"", &twice);
    assert_eq!(result.witness, ["it cannot be judged: 5 is written twice; the values of a key must differ"]);
    for judge in ["\"linearizable\"", "\"durable_acks\"", "\"convergence\"", "\"bounded_staleness\", max = 1"] {
        let result = judged(judge, &[]);
        assert_eq!((result.status, &*result.witness[0]), (Status::Vacuous, "nobody asked kv for anything"));
    }
}
