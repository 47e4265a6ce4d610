use super::*;
use crate::model::Window;
use crate::names::{Cell, CellSort, Node};
use crate::outcome::LevelResult;
use kernel::{CellId, FactKind};
use systems::app::ending::Ending;

pub(crate) const SECOND: u64 = 1_000_000_000;

pub(crate) fn at(seconds: u64) -> Time {
    Time(seconds * SECOND)
}

pub(crate) const QUEUE: CellId = CellId(0);
pub(crate) const BUSY: CellId = CellId(1);
pub(crate) const IN_SYSTEM: CellId = CellId(2);
pub(crate) const PLACE: SeriesId = SeriesId(0);
pub(crate) const CHARGE: SeriesId = SeriesId(1);
const SOJOURN: [SeriesId; 2] = [SeriesId(2), SeriesId(3)];
pub(crate) const IN_DOUBT: SeriesId = SeriesId(4);
const ABORTED: SeriesId = SeriesId(5);

/// A shop: clients call `shop.place`, the shop calls `bank.charge`; the bank has two nodes of three workers.
pub(crate) fn names() -> Names {
    let mut names = Names::default();
    let label = |name, value: &str| (name, value.to_owned());
    for (metric, path) in [("queue_depth", "bank.queue_depth"), ("busy", "bank.busy"), ("in_system", "bank.in_system")]
    {
        names.cell(Cell {
            path: path.to_owned(),
            keys: 2,
            initial: 0,
            sort: CellSort::View,
            metric: Some(metric),
            labels: vec![label("service", "bank")],
        });
    }
    names.series("latency", vec![label("op", "shop.place"), label("from", "near"), label("workload", "near")]);
    names.series("latency", vec![label("op", "bank.charge"), label("from", "shop")]);
    names.series("sojourn", vec![label("service", "bank"), label("node", "bank[0]")]);
    names.series("sojourn", vec![label("service", "bank"), label("node", "bank[1]")]);
    names.series("in_doubt", vec![label("tx", "transfer"), label("service", "bank")]);
    names.series("aborted", vec![label("tx", "transfer")]);
    for (name, part, number) in
        [("shop", "shop", 0), ("bank[0]", "bank", 0), ("bank[1]", "bank", 1), ("near", "near", 0)]
    {
        names.nodes.push(Node { name: name.to_owned(), part: part.to_owned(), number });
    }
    names.kinds = vec!["request".to_owned(), "reply".to_owned()];
    names.protocols = vec!["transactions.transfer".to_owned()];
    names.errors = vec!["timeout".to_owned(), "no_money".to_owned()];
    names
}

pub(crate) fn services() -> Vec<ServiceInfo> {
    vec![
        ServiceInfo { name: "shop".to_owned(), nodes: 1, workers: None },
        ServiceInfo { name: "bank".to_owned(), nodes: 2, workers: Some(3) },
    ]
}

/// Warm-up until 1 s, heal at 6 s, load until 9 s, windows of 2 s.
pub(crate) fn times() -> Times {
    Times { warmup: at(1), heal: at(6), duration: at(9), limit: at(20), window: Span::secs(2) }
}

pub(crate) fn recorder(names: &Names, wanted: &[Wanted]) -> Recorder {
    let services = services();
    Recorder::new(&Scope {
        names,
        times: times(),
        settle: Span::secs(1),
        services: &services,
        faults: 2,
        detail: Detail::Windows,
        wanted,
    })
}

pub(crate) fn wanted(stat: Stat, metric: Metric, labels: &[(&str, &str)], phase: Phase) -> Wanted {
    Wanted { stat, phase, above: None, ..Wanted::above(metric, labels, Span::ZERO) }
}

pub(crate) fn sample(recorder: &mut Recorder, now: Time, series: SeriesId, ending: Ending, since: Time) {
    let sample = Sample { series, tag: ending.tag(), since, value: now.since(since) };
    recorder.sample(now, NodeId(1), sample);
}

pub(crate) fn change(recorder: &mut Recorder, now: Time, cell: CellId, key: u64, before: i64, after: i64) {
    recorder.change(now, &[Delta { cell, key, before, after }]);
}

fn number(recorder: &Recorder, term: usize) -> Option<f64> {
    recorder.value(term).map(|value| value.number)
}

#[test]
fn a_level_is_weighted_by_time_from_warm_up_until_load_ends() {
    let names = names();
    let terms = [
        wanted(Stat::Mean, Metric::Utilisation, &[("service", "bank")], Phase::Measured),
        wanted(Stat::Max, Metric::QueueDepth, &[("node", "bank[0]")], Phase::Measured),
        wanted(Stat::End, Metric::QueueDepth, &[], Phase::Measured),
        wanted(Stat::Share, Metric::QueueDepth, &[], Phase::Measured),
        wanted(Stat::Max, Metric::Utilisation, &[("service", "bank")], Phase::Measured),
    ];
    let mut recorder = recorder(&names, &terms);
    // At 5 s there are seven for no time at all: not seen.
    let rows = [(0, 0, 0, 2), (2, 0, 2, 3), (5, 0, 3, 7), (5, 0, 7, 0), (8, 1, 0, 3), (11, 0, 0, 4), (12, 0, 4, 1)];
    for (second, node, before, after) in rows {
        change(&mut recorder, at(second), QUEUE, node, before, after);
        change(&mut recorder, at(second), BUSY, node, before, after);
    }
    let measured = recorder.finish(at(13), &names);
    // From 1 s to 9 s: 2 for a second, 3 for three, 0 for four; the other node 3 for one: 14 worker-seconds of 48.
    assert_eq!(number(&recorder, 0), Some(14.0 / 48.0));
    let max = recorder.value(1).expect("there was time");
    assert_eq!((max.number, max.at), (4.0, Some(at(11))));
    assert_eq!(number(&recorder, 2), Some(4.0));
    assert_eq!(number(&recorder, 3), Some(5.0 / 8.0));
    assert_eq!(number(&recorder, 4), Some(7.0 / 6.0), "both nodes together, seen at 11 s");
    let expected = LevelResult {
        mean: 11.0 / 8.0,
        max: 4,
        max_at: at(11),
        end: 1,
        percentiles: [0, 3, 3],
        window_mean: vec![2.0, 3.0, 1.5, 0.0, 0.0, 2.0, 1.0],
        window_max: vec![2, 3, 3, 0, 0, 4, 1],
    };
    let depth = &measured.queues[0].depth;
    assert_eq!((depth.mean, depth.max, depth.max_at, depth.end), (expected.mean, 4, at(11), 1));
    assert_eq!(depth.percentiles, expected.percentiles);
    assert_eq!((&depth.window_mean, &depth.window_max), (&expected.window_mean, &expected.window_max));
    assert_eq!(Some(measured.services[1].utilisation), number(&recorder, 0));
    assert_eq!(measured.queues[1].name, "bank[1]");
}

#[test]
fn a_sample_belongs_to_the_phase_it_began_in() {
    let names = names();
    let window = Phase::Named(Window { from: at(0), to: at(4) });
    let phases = [Phase::Measured, Phase::Warmup, Phase::Chaos, Phase::Recovery, Phase::Quiesce, window];
    let phases = phases.into_iter().chain([Phase::Fault(0), Phase::Fault(1), Phase::Steady]);
    let terms: Vec<Wanted> =
        phases.map(|phase| wanted(Stat::Count, Metric::Latency, &[("op", "bank.charge")], phase)).collect();
    let mut recorder = recorder(&names, &terms);
    // Fault 0 from 2 s to 4 s and again from 3 s to 5 s; fault 1 from 4.5 s to 4.6 s. Steady: 1–2 s, 6–9 s.
    for half_second in 0..=22 {
        let now = Time(half_second * SECOND / 2);
        match half_second {
            4 | 6 => recorder.fault_began(now, 0),
            8 | 10 => recorder.fault_ended(now, 0),
            9 => recorder.fault_began(now, 1),
            _ => {}
        }
        // Ends long after it began: at the end of the next half second.
        sample(&mut recorder, now + Span(SECOND / 4), CHARGE, Ending::Ok, now);
        if half_second == 9 {
            recorder.fault_ended(now + Span(SECOND / 2 - 1), 1);
        }
    }
    recorder.finish(at(12), &names);
    let counts: Vec<_> =
        (0..terms.len()).map(|term| number(&recorder, term).expect("counts are never vacuous")).collect();
    assert_eq!(counts, [21.0, 2.0, 10.0, 6.0, 5.0, 6.0, 6.0, 1.0, 8.0]);
}

#[test]
fn a_level_in_a_phase_is_that_of_the_phase_only() {
    let names = names();
    let depth = |stat, phase| wanted(stat, Metric::QueueDepth, &[("service", "bank")], phase);
    let terms = [
        depth(Stat::Mean, Phase::Fault(0)),
        depth(Stat::Max, Phase::Fault(0)),
        depth(Stat::Mean, Phase::Steady),
        depth(Stat::Max, Phase::Fault(1)),
        depth(Stat::Percentile(0.5), Phase::Recovery),
    ];
    let mut recorder = recorder(&names, &terms);
    change(&mut recorder, at(1), QUEUE, 0, 0, 5);
    recorder.fault_began(at(2), 0);
    change(&mut recorder, at(3), QUEUE, 1, 0, 2);
    recorder.fault_ended(at(4), 0);
    change(&mut recorder, at(5), QUEUE, 0, 5, 1);
    recorder.finish(at(10), &names);
    let found: Vec<_> = (0..terms.len()).map(|term| number(&recorder, term)).collect();
    // Steady: 5 from 1 s to 2 s, 3 from 5 s to 9 s.
    assert_eq!(found, [Some(6.0), Some(7.0), Some(17.0 / 5.0), None, Some(3.0)]);
    assert_eq!(recorder.value(1).and_then(|value| value.at), Some(at(3)));
}

#[test]
fn calls_are_counted_where_they_ended_and_offered_where_they_began() {
    let names = names();
    let rate = |metric| wanted(Stat::Mean, metric, &[], Phase::Measured);
    let terms = [
        rate(Metric::Offered),
        rate(Metric::Throughput),
        rate(Metric::Goodput),
        rate(Metric::Errors),
        rate(Metric::Rejects),
        Wanted { tag: Some(0), ..wanted(Stat::Max, Metric::Latency, &[], Phase::Measured) },
        Wanted { tag: Some(0), ..wanted(Stat::Share, Metric::Latency, &[], Phase::Measured) },
        wanted(Stat::Mean, Metric::Latency, &[("from", "shop")], Phase::Measured),
        wanted(Stat::Max, Metric::InDoubt, &[("tx", "transfer")], Phase::Measured),
    ];
    let mut recorder = recorder(&names, &terms);
    sample(&mut recorder, at(2), PLACE, Ending::Ok, at(0));
    sample(&mut recorder, at(3), PLACE, Ending::Ok, at(2));
    sample(&mut recorder, at(3), CHARGE, Ending::Info, at(2));
    sample(&mut recorder, at(5), PLACE, Ending::Info, at(1));
    sample(&mut recorder, at(6), PLACE, Ending::Reject, at(5));
    sample(&mut recorder, at(10), PLACE, Ending::Ok, at(8));
    recorder.still_open(at(11), NodeId(0), PLACE, at(7));
    recorder.still_open(at(11), NodeId(1), IN_DOUBT, at(5));
    let measured = recorder.finish(at(11), &names);
    let found: Vec<_> = (0..terms.len()).map(|term| number(&recorder, term)).collect();
    let expected = [5.0 / 8.0, 4.0 / 8.0, 2.0 / 8.0, 0.25, 0.25, 2.0, 0.5, 1.0, 6.0].map(Some);
    assert_eq!(found, expected);
    let placed = &measured.operations[0];
    assert_eq!((placed.ok, placed.failed, placed.unknown, placed.rejected, placed.open), (2, 0, 1, 1, 1));
    assert_eq!((placed.external, measured.operations[1].external), (true, false));
    let row = |n: usize| {
        let row = &placed.windows[n];
        (row.offered, row.ok, row.failed, row.rejected, row.percentiles.map(|p| p[0] / SECOND))
    };
    let rows: Vec<_> = (0..placed.windows.len()).map(row).collect();
    assert_eq!(
        rows,
        [
            (2, 0, 0, 0, None),
            (1, 2, 0, 0, Some(1)),
            (1, 0, 1, 0, Some(4)),
            (1, 0, 0, 1, Some(1)),
            (1, 0, 0, 0, None),
            (0, 1, 0, 0, Some(2)),
        ]
    );
}

#[test]
fn traffic_and_decisions_count_after_the_warm_up() {
    let names = names();
    let count = |metric, labels: &[(&str, &str)]| wanted(Stat::Count, metric, labels, Phase::Measured);
    let terms = [
        count(Metric::Messages, &[("from", "shop"), ("to", "bank")]),
        wanted(Stat::Rate, Metric::Messages, &[("kind", "request")], Phase::Measured),
        count(Metric::Bytes, &[("from", "bank")]),
        count(Metric::Fsyncs, &[("service", "bank")]),
        wanted(Stat::Mean, Metric::Aborts, &[("tx", "transfer")], Phase::Measured),
        Wanted { tag: Some(1), ..wanted(Stat::Mean, Metric::Aborts, &[], Phase::Measured) },
        count(Metric::Committed, &[("tx", "transfer")]),
        count(Metric::Messages, &[("to", "near")]),
        wanted(Stat::Mean, Metric::Aborts, &[], Phase::Warmup),
    ];
    let mut recorder = recorder(&names, &terms);
    let (shop, bank) = (NodeId(0), NodeId(2));
    let fact = |time, kind| Fact { time, node: bank, protocol: 0, instance: 7, kind };
    for second in 0..12 {
        recorder.message(at(second), Passage::Sent, shop, bank, 0, 100);
        recorder.message(at(second), Passage::Delivered, shop, bank, 0, 100);
        recorder.message(at(second), Passage::Sent, bank, shop, 1, 10);
        recorder.message(at(second), Passage::Lost, bank, shop, 1, 10);
        recorder.fsync(at(second), bank);
        recorder.fact(&fact(at(second), FactKind::Begun { participants: 2 }));
        recorder.fact(&fact(at(second), FactKind::Decided { commit: second % 4 > 0 }));
        if second == 4 {
            sample(&mut recorder, at(second), ABORTED, Ending::Fail, at(second));
        }
    }
    let measured = recorder.finish(at(12), &names);
    let found: Vec<_> = (0..terms.len()).map(|term| number(&recorder, term)).collect();
    let expected = [11.0, 1.0, 110.0, 11.0, 2.0 / 11.0, 1.0 / 11.0, 9.0, 0.0, 1.0];
    assert_eq!(found, expected.map(Some));
    let transfer = &measured.transactions[0];
    assert_eq!((transfer.begun, transfer.committed, transfer.aborted), (11, 9, 2));
    assert_eq!(transfer.reasons, [("no_money".to_owned(), 1)]);
    assert_eq!(measured.services[1].fsyncs, 11);
    let reply = measured.messages.iter().find(|row| row.kind == "reply").expect("replies were sent");
    assert_eq!((&reply.from[..], &reply.to[..], reply.sent, reply.lost, reply.delivered), ("bank", "shop", 11, 11, 0));
}

/// Requests at both nodes, one cut short by a crash, one open at the end; the event numbered `dropped` is left out.
fn little(dropped: Option<usize>) -> Vec<(u128, u128)> {
    let names = names();
    let mut recorder = recorder(&names, &[]);
    let mut event = 0;
    let mut unless_dropped = |recorder: &mut Recorder, act: &dyn Fn(&mut Recorder)| {
        if Some(event) != dropped {
            act(recorder);
        }
        event += 1;
    };
    let leave = |node: u64, from: u64, to: u64, tag: u16| {
        move |recorder: &mut Recorder| {
            let sample = Sample { series: SOJOURN[node as usize], tag, since: Time(from), value: Span(to - from) };
            recorder.sample(Time(to), NodeId(node as u32 + 1), sample);
        }
    };
    let number = |node: u64, now: u64, before: i64, after: i64| {
        move |recorder: &mut Recorder| change(recorder, Time(now), IN_SYSTEM, node, before, after)
    };
    let second = SECOND;
    unless_dropped(&mut recorder, &number(0, 7, 0, 1));
    unless_dropped(&mut recorder, &number(0, second + 1, 1, 2));
    unless_dropped(&mut recorder, &number(1, second + 5, 0, 1));
    unless_dropped(&mut recorder, &number(0, 3 * second, 2, 1));
    unless_dropped(&mut recorder, &leave(0, 7, 3 * second, Ending::Ok.tag()));
    unless_dropped(&mut recorder, &number(0, 5 * second - 1, 1, 0));
    unless_dropped(&mut recorder, &leave(0, second + 1, 5 * second - 1, CUT_SHORT));
    unless_dropped(&mut recorder, &|recorder: &mut Recorder| {
        recorder.still_open(at(14), NodeId(2), SOJOURN[1], Time(second + 5));
    });
    let measured = recorder.finish(at(14), &names);
    if dropped.is_none() {
        let queue = |n: usize| &measured.queues[n];
        assert_eq!((queue(0).entered, queue(0).left, queue(0).lost), (1, 0, 1), "one began before the warm-up ended");
        assert_eq!((queue(1).entered, queue(1).left, queue(1).lost), (1, 0, 0));
    }
    measured.little.iter().map(|row| (row.integral, row.sojourns)).collect()
}

#[test]
fn littles_law_holds_to_the_nanosecond_and_notices_every_lost_event() {
    let whole = little(None);
    assert_eq!(whole[0], (7 * 1_000_000_000 - 9, 7 * 1_000_000_000 - 9));
    assert_eq!(whole[1].0, whole[1].1);
    for dropped in 0..8 {
        assert!(little(Some(dropped)).iter().any(|(integral, sojourns)| integral != sojourns), "event {dropped}");
    }
}

#[test]
fn windows_are_as_narrow_as_240_of_them_allow() {
    for (limit, width) in [(at(60), 500_000_000), (at(240), SECOND), (at(241), 2 * SECOND), (Time(7), 1)] {
        assert_eq!(window_width(limit), Span(width));
    }
}
