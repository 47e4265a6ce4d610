//! Queues of brokers, sagas, retries and breakers, from changes, facts and samples written by hand.

use kernel::{CellId, Delta, Fact, FactKind, SagaFact};
use systems::app::ending::Ending;
use systems::messaging::Figure;

use super::tests::{SECOND, at, recorder, sample, wanted};
use super::*;
use crate::names::{Cell, CellSort};
use crate::outcome::{BreakerState, Identity, MessageWindow};

/// The first cells are the figures of the queue `jobs`, in their order; then come two breakers and the open sagas.
const BREAKERS: CellId = CellId(Figure::ALL.len() as u32);
const OPEN: CellId = CellId(BREAKERS.0 + 1);
const WAIT: SeriesId = SeriesId(0);
const CALL: SeriesId = SeriesId(1);
const RETRIES: SeriesId = SeriesId(2);
const SAGA_TIME: SeriesId = SeriesId(3);

fn names() -> Names {
    let mut names = Names::default();
    let mut cell = |path: &str, keys, metric, labels| {
        names.cell(Cell { path: path.to_owned(), keys, initial: 0, sort: CellSort::View, metric: Some(metric), labels })
    };
    let label = |name, value: &str| (name, value.to_owned());
    for (figure, word) in Figure::ALL {
        cell(word, 1, queue_metric(figure), vec![label("queue", "jobs")]);
    }
    let breaker = vec![label("from", "shop"), label("to", "bank"), label("scope", "node")];
    assert_eq!(cell("breakers.shop.bank.inline", 2, "breaker_state", breaker), BREAKERS);
    assert_eq!(cell("sagas.order.open", 1, "sagas_open", vec![label("saga", "order")]), OPEN);
    // A service's queue has the same metrics and must not be mixed up with it.
    cell("bank.queue_depth", 2, "queue_depth", vec![label("service", "bank")]);
    names.series("wait", vec![label("queue", "jobs")]);
    names.series("latency", vec![label("op", "bank.charge"), label("from", "shop")]);
    names.series("retries", vec![label("op", "bank.charge"), label("from", "shop")]);
    names.series("saga_time", vec![label("saga", "order")]);
    names.series("wait", vec![label("service", "bank"), label("node", "bank[0]")]);
    names.protocols = vec!["transactions.t".to_owned(), "sagas.order".to_owned()];
    names.steps = vec![Vec::new(), vec!["reserve".to_owned(), "charge".to_owned()]];
    names
}

fn cell(figure: Figure) -> CellId {
    CellId(figure as u32)
}

/// A queue as its broker tells of it.
#[derive(Default)]
struct Queue([i64; Figure::ALL.len()]);

impl Queue {
    /// All of these change at once.
    fn tell(&mut self, recorder: &mut Recorder, now: Time, changes: &[(Figure, i64)]) {
        let delta = |(figure, by): &(Figure, i64)| {
            let before = self.0[*figure as usize];
            self.0[*figure as usize] += by;
            Delta { cell: cell(*figure), key: 0, before, after: before + by }
        };
        let change: Vec<Delta> = changes.iter().map(delta).collect();
        recorder.change(now, &change);
    }

    fn accept(&mut self, recorder: &mut Recorder, now: Time, messages: i64) {
        use Figure::{Accepted, Depth, Ready};
        self.tell(recorder, now, &[(Depth, messages), (Ready, messages), (Accepted, messages)]);
    }

    fn deliver(&mut self, recorder: &mut Recorder, now: Time, again: i64) {
        use Figure::{Delivered, InFlight, Ready, Redelivered};
        self.tell(recorder, now, &[(Ready, -1), (InFlight, 1), (Delivered, 1), (Redelivered, again)]);
    }

    fn settle(&mut self, recorder: &mut Recorder, now: Time, how: Figure) {
        self.tell(recorder, now, &[(Figure::Depth, -1), (Figure::InFlight, -1), (how, 1)]);
    }

    /// A crash of the broker, and the queue was not durable.
    fn forget(&mut self, recorder: &mut Recorder, now: Time) {
        let all: Vec<(Figure, i64)> =
            Figure::ALL.iter().map(|(figure, _)| (*figure, -self.0[*figure as usize])).collect();
        self.tell(recorder, now, &all);
    }
}

fn number(recorder: &Recorder, term: usize) -> Option<f64> {
    recorder.value(term).map(|value| value.number)
}

#[test]
fn a_brokers_queue_is_counted_after_the_warm_up_and_through_a_crash() {
    let names = names();
    let queue = [("queue", "jobs")];
    let terms = [
        wanted(Stat::Max, Metric::QueueDepth, &queue, Phase::Measured),
        wanted(Stat::Count, Metric::Redelivered, &queue, Phase::Measured),
        wanted(Stat::Count, Metric::DeadLettered, &queue, Phase::Recovery),
        wanted(Stat::Max, Metric::QueueIdentityError, &[], Phase::Measured),
        wanted(Stat::Mean, Metric::Wait, &queue, Phase::Measured),
        wanted(Stat::Max, Metric::QueueDepth, &[], Phase::Measured),
        wanted(Stat::Count, Metric::Wait, &[], Phase::Measured),
        wanted(Stat::Count, Metric::Redelivered, &[("queue", "queues.jobs")], Phase::Warmup),
    ];
    let mut recorder = recorder(&names, &terms);
    let mut jobs = Queue::default();
    jobs.accept(&mut recorder, Time(1), 5);
    jobs.deliver(&mut recorder, Time(2), 1);
    jobs.settle(&mut recorder, Time(3), Figure::Acknowledged);
    jobs.accept(&mut recorder, at(2), 3);
    jobs.deliver(&mut recorder, at(3), 1);
    jobs.settle(&mut recorder, at(3), Figure::Acknowledged);
    sample(&mut recorder, at(3), WAIT, Ending::Ok, at(2));
    jobs.forget(&mut recorder, at(4));
    jobs.accept(&mut recorder, at(7), 1);
    jobs.deliver(&mut recorder, at(7), 1);
    jobs.settle(&mut recorder, at(8), Figure::DeadLettered);
    let found = recorder.finish(at(12), &names).message_queues.remove(0);
    let numbers: Vec<_> = (0..terms.len()).map(|term| number(&recorder, term)).collect();
    assert_eq!(numbers[..4], [7.0, 2.0, 1.0, 0.0].map(Some));
    assert_eq!((numbers[4], numbers[5], numbers[6]), (Some(1.0), Some(0.0), Some(0.0)), "services' queues are others");
    assert_eq!(numbers[7], Some(1.0));
    assert_eq!((found.accepted, found.acknowledged, found.delivered, found.redelivered), (4, 1, 2, 2));
    assert_eq!((found.dead_lettered, found.depth.max, found.depth.end, found.wait.count()), (1, 7, 0, 1));
    assert_eq!(found.identity, Identity { checked: 10, ..Identity::default() });
    let window = |accepted, acknowledged, redelivered| MessageWindow { accepted, acknowledged, redelivered };
    assert_eq!(found.windows[..4], [window(5, 1, 1), window(3, 1, 1), window(0, 0, 0), window(1, 0, 1)]);
    assert_eq!(found.windows.len(), found.depth.window_mean.len());
}

#[test]
fn an_event_that_is_forgotten_unbalances_the_books_at_once() {
    let names = names();
    let terms = [wanted(Stat::Max, Metric::QueueIdentityError, &[("queue", "jobs")], Phase::Measured)];
    let mut recorder = recorder(&names, &terms);
    let mut jobs = Queue::default();
    jobs.accept(&mut recorder, at(2), 2);
    jobs.deliver(&mut recorder, at(3), 0);
    // Gone, and nobody counted it; in the same instant another is counted that did not go.
    jobs.tell(&mut recorder, at(4), &[(Figure::Depth, -1), (Figure::InFlight, -1)]);
    jobs.tell(&mut recorder, at(4), &[(Figure::Acknowledged, 1)]);
    jobs.deliver(&mut recorder, at(5), 0);
    let found = recorder.finish(at(12), &names).message_queues.remove(0);
    assert_eq!(found.identity, Identity { checked: 5, violations: 1, worst: 1, first: Some(at(4)) });
    let worst = recorder.value(0).expect("a level always has a value");
    assert_eq!((worst.number, worst.at), (1.0, Some(at(4))), "seen though it stood for no time");
}

#[test]
fn what_a_broker_states_again_after_a_crash_is_what_counts() {
    let names = names();
    let terms = [wanted(Stat::End, Metric::QueueDepth, &[("queue", "jobs")], Phase::Measured)];
    let mut recorder = recorder(&names, &terms);
    let mut jobs = Queue::default();
    jobs.accept(&mut recorder, at(2), 2);
    // One more was durable, and the broker crashed before it said so.
    let again = [(Figure::Depth, 3), (Figure::Ready, 3), (Figure::Accepted, 3)];
    let again = again.map(|(figure, value)| Delta { cell: cell(figure), key: 0, before: value, after: value });
    recorder.change(at(3), &again);
    let found = recorder.finish(at(12), &names).message_queues.remove(0);
    assert_eq!((number(&recorder, 0), found.depth.end, found.accepted), (Some(3.0), 3, 3));
    assert_eq!(found.identity.violations, 0);
}

#[test]
fn sagas_are_counted_by_their_end_and_by_step() {
    let names = names();
    let saga = [("saga", "order")];
    let terms = [
        wanted(Stat::Count, Metric::Compensated, &saga, Phase::Measured),
        wanted(Stat::Count, Metric::Stuck, &saga, Phase::Measured),
        Wanted { tag: Some(1), ..wanted(Stat::Max, Metric::SagaTime, &saga, Phase::Measured) },
        Wanted { tag: Some(1), ..wanted(Stat::Share, Metric::SagaTime, &saga, Phase::Measured) },
    ];
    let mut recorder = recorder(&names, &terms);
    let mut open = 0;
    let mut tell = |recorder: &mut Recorder, now: Time, instance, what| {
        let begins = i64::from(matches!(what, SagaFact::Begun { .. }));
        let by = begins - i64::from(matches!(what, SagaFact::Ended { .. }));
        recorder.change(now, &[Delta { cell: OPEN, key: 0, before: open, after: open + by }]);
        open += by;
        let kind = FactKind::Saga(what);
        recorder.fact(&Fact { time: now, node: NodeId(0), protocol: 1, instance, kind });
    };
    let begun = SagaFact::Begun { steps: 2 };
    let (intent, done) = (|step| SagaFact::Intent { step }, |step| SagaFact::Done { step });
    // The first begins in the warm-up; the second is undone; the third stays open.
    for (second, instance, what) in [
        (0, 1, begun),
        (0, 1, intent(0)),
        (2, 2, begun),
        (2, 2, intent(0)),
        (2, 1, done(0)),
        (3, 2, done(0)),
        (3, 2, intent(1)),
        (3, 1, SagaFact::Ended { completed: true }),
        (4, 2, SagaFact::Failed { step: 1, certain: true }),
        (4, 2, SagaFact::Compensating { step: 0 }),
        (5, 2, SagaFact::Compensated { step: 0 }),
        (5, 2, SagaFact::Ended { completed: false }),
        (6, 3, begun),
        (6, 3, intent(0)),
    ] {
        tell(&mut recorder, at(second), instance, what);
    }
    for (now, tag) in [(at(7), 0), (at(5), 1)] {
        recorder.sample(at(7), NodeId(0), Sample { series: SAGA_TIME, tag, since: at(2), value: now.since(at(2)) });
    }
    let found = recorder.finish(at(12), &names).sagas.remove(0);
    let numbers: Vec<_> = (0..terms.len()).map(|term| number(&recorder, term)).collect();
    assert_eq!(numbers, [1.0, 1.0, 3.0, 0.5].map(Some));
    assert_eq!((found.started, found.completed, found.undone, found.open), (2, 0, 1, 1));
    let steps: Vec<_> = found.steps.iter().map(|s| (&s.name[..], s.begun, s.done, s.failed, s.compensated)).collect();
    assert_eq!(steps, [("reserve", 2, 1, 0, 1), ("charge", 1, 0, 1, 0)]);
}

#[test]
fn amplification_is_tries_by_calls() {
    let names = names();
    let op = [("op", "bank.charge")];
    let terms = [
        wanted(Stat::Mean, Metric::RetryAmplification, &op, Phase::Measured),
        wanted(Stat::Mean, Metric::RetryAmplification, &[], Phase::Measured),
        wanted(Stat::Count, Metric::Retries, &[("from", "shop")], Phase::Measured),
        wanted(Stat::Rate, Metric::Retries, &op, Phase::Chaos),
        wanted(Stat::Mean, Metric::RetryAmplification, &op, Phase::Warmup),
    ];
    let mut recorder = recorder(&names, &terms);
    let retry = |recorder: &mut Recorder, now: u64, begun: u64| {
        let sample = Sample { series: RETRIES, tag: 3, since: at(begun), value: Span(SECOND) };
        recorder.sample(at(now), NodeId(0), sample);
    };
    retry(&mut recorder, 0, 0);
    sample(&mut recorder, Time(SECOND / 2), CALL, Ending::Ok, Time::ZERO);
    for second in [2, 3, 7] {
        retry(&mut recorder, second, 2);
    }
    sample(&mut recorder, at(8), CALL, Ending::Fail, at(2));
    recorder.still_open(at(12), NodeId(0), CALL, at(8));
    let found = recorder.finish(at(12), &names).retries.remove(0);
    let numbers: Vec<_> = (0..terms.len()).map(|term| number(&recorder, term)).collect();
    assert_eq!(numbers, [2.5, 2.5, 3.0, 2.0 / 5.0, 2.0].map(Some));
    assert_eq!((found.calls, found.retries, found.amplification()), (2, 3, Some(2.5)));
    // Windows of 2 s: each retry counts where its call began, and its rate where it was decided.
    let windows: Vec<_> = found.windows.iter().map(|w| (w.calls, w.of_calls, w.retries)).collect();
    assert_eq!(windows, [(1, 1, 1), (1, 3, 2), (0, 0, 0), (0, 0, 1), (1, 0, 0), (0, 0, 0)]);
    let tries: Vec<_> = found.windows.iter().map(|window| window.amplification()).collect();
    assert_eq!(tries, [Some(2.0), Some(4.0), None, None, Some(1.0), None], "no more than the tries a call may have");
}

#[test]
fn a_breaker_is_told_by_pairs_of_nodes() {
    let names = names();
    let mut recorder = recorder(&names, &[]);
    for (second, key, before, after) in [(0, 1, 0, 2), (3, 1, 2, 1), (4, 1, 1, 2), (8, 1, 2, 0), (11, 1, 0, 2)] {
        super::tests::change(&mut recorder, at(second), BREAKERS, key, before, after);
    }
    let found = recorder.finish(at(12), &names).breakers;
    let name = |n: usize| (&found[n].from[..], &found[n].to[..]);
    assert_eq!((name(0), name(1)), (("shop", "bank[0]"), ("shop", "bank[1]")));
    assert!(found[0].spans.is_empty() && found[0].opened == 0);
    // From 1 s to 9 s it was open for 2 + 4 seconds and half open for one.
    assert_eq!((found[1].opened, found[1].open_share, found[1].half_open_share), (3, 6.0 / 8.0, 1.0 / 8.0));
    let spans: Vec<_> = found[1].spans.iter().map(|span| (span.state, span.from, span.to)).collect();
    let (open, half) = (BreakerState::Open, BreakerState::HalfOpen);
    assert_eq!(spans, [(open, at(0), at(3)), (half, at(3), at(4)), (open, at(4), at(8)), (open, at(11), at(12))]);
}
