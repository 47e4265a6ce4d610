//! The search against trying every order, on small random histories; its mistakes, planted; its certificates, corrupted.

mod oracle;
mod random;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use super::planted::{Mistake, Planted};
use super::search::{End, First, Search};
use super::{Budget, check, decide, guessed, look, part, replay};
use crate::history::{
    Certificate, Clock, Dialect, Event, FailedCas, History, Judgement, NilRead, Order, Orphans, Phase, Value,
    WriteOrder,
};
use crate::models::{Append, Cas, Counter, Guess, Kv, MultiRegister, Mutex, Queue, Register, Set, Spec};
use oracle::{Keeping, Model, any_order, listing};
use random::{Dice, Shape};

/// Histories per model.
const HISTORIES: u64 = 3000;

/// Something to do with any model.
trait Work {
    type Out;
    fn with<S: Spec>(self, spec: &S) -> Self::Out;
}

fn with_spec<W: Work>(model: Model, history: &History, work: W) -> W::Out {
    match model {
        Model::Register => work.with(&Register { initial: Value::Nil, cas: Cas::Unknown }),
        Model::CasRegister => work.with(&Register { initial: Value::Nil, cas: Cas::Allowed }),
        Model::Kv => work.with(&Kv { initial: Value::Nil }),
        Model::KvAppend => work.with(&Append { initial: "".into() }),
        Model::MultiRegister => work.with(&MultiRegister { initial: BTreeMap::new(), otherwise: Value::Int(0) }),
        Model::Queue => work.with(&Queue),
        Model::Set => work.with(&Set::of(history)),
        Model::Mutex => work.with(&Mutex),
        Model::Counter => work.with(&Counter { initial: 0 }),
    }
}

struct Decide<'a>(&'a History, Planted);

impl Work for Decide<'_> {
    type Out = Judgement;
    fn with<S: Spec>(self, spec: &S) -> Judgement {
        if self.1.mistake.is_some() {
            decide(spec, self.0, Budget::USUAL, self.1)
        } else {
            check(spec, self.0, Budget::USUAL)
        }
        .unwrap()
    }
}

/// What breadth first says of all objects, without depth first before it.
struct Breadth<'a>(&'a History, Planted);

impl Work for Breadth<'_> {
    type Out = bool;
    fn with<S: Spec>(self, spec: &S) -> bool {
        part::split(spec, self.0, self.1).unwrap().iter_mut().all(|part| {
            part.merge();
            let mut search = Search::new(spec, part, self.1);
            let goal = search.line.levels();
            let end = search.run(First::Breadth, goal, Budget::USUAL);
            assert_ne!(end, End::Spent);
            end != End::Exhausted
        })
    }
}

struct Replay<'a>(&'a History, &'a [Order]);

impl Work for Replay<'_> {
    type Out = Result<(), String>;
    fn with<S: Spec>(self, spec: &S) -> Self::Out {
        replay(spec, self.0, self.1)
    }
}

#[test]
fn the_search_says_what_trying_every_order_says_for_every_model() {
    for model in Model::ALL {
        let mut dice = Dice(7);
        let (mut valid, mut violated) = (0, 0);
        for n in 0..HISTORIES {
            let history = random::history(model, 3 + n as usize % 5, &mut dice);
            let expected = any_order(model, &history, Keeping::RealTime);
            let judgement = with_spec(model, &history, Decide(&history, Planted::default()));
            match &judgement {
                Judgement::Valid(_) => valid += 1,
                Judgement::Violated(_) => violated += 1,
                Judgement::Unknown { why, .. } => panic!("{model:?}: {why}"),
            }
            let found = matches!(judgement, Judgement::Valid(_));
            assert_eq!(found, expected, "{model:?}, history {n}\n{}", listing(&history));
            let breadth = with_spec(model, &history, Breadth(&history, Planted::default()));
            assert_eq!(breadth, expected, "{model:?}, breadth first, history {n}\n{}", listing(&history));
        }
        assert!(valid > HISTORIES / 10 && violated > HISTORIES / 10, "{model:?}: {valid} valid, {violated} violated");
    }
}

struct Sequential<'a>(&'a History);

impl Work for Sequential<'_> {
    type Out = Judgement;
    fn with<S: Spec>(self, spec: &S) -> Judgement {
        crate::sequential::check(spec, self.0, Budget::USUAL).unwrap()
    }
}

#[test]
fn sequential_consistency_is_what_trying_every_order_of_processes_says() {
    for model in Model::ALL {
        let mut dice = Dice(17);
        let (mut valid, mut violated) = (0, 0);
        for n in 0..HISTORIES / 3 {
            let mut history = random::history(model, 3 + n as usize % 4, &mut dice);
            // Operations of two processes, one after the other: what they overlapped with does not matter here.
            history.operations.iter_mut().enumerate().for_each(|(n, operation)| operation.process = n as i64 % 2);
            let expected = any_order(model, &history, Keeping::Processes);
            let found = match with_spec(model, &history, Sequential(&history)) {
                Judgement::Valid(_) => true,
                Judgement::Violated(_) => false,
                Judgement::Unknown { why, .. } => panic!("{model:?}: {why}"),
            };
            assert_eq!(found, expected, "{model:?}, history {n}\n{}", listing(&history));
            *(if found { &mut valid } else { &mut violated }) += 1;
        }
        assert!(valid > 50 && violated > 50, "{model:?}: {valid} valid, {violated} violated");
    }
}

#[test]
fn every_planted_mistake_gives_a_wrong_judgement() {
    for mistake in Mistake::ALL {
        let planted = Planted { mistake: Some(mistake) };
        let wrong = |model: Model| {
            let mut dice = Dice(11);
            (0..4 * HISTORIES).find(|&n| {
                let history = random::history(model, 3 + n as usize % 6, &mut dice);
                let expected = any_order(model, &history, Keeping::RealTime);
                let found = matches!(with_spec(model, &history, Decide(&history, planted)), Judgement::Valid(_));
                found != expected || with_spec(model, &history, Breadth(&history, planted)) != expected
            })
        };
        assert!(Model::ALL.into_iter().any(|model| wrong(model).is_some()), "{mistake:?} is not found");
    }
}

#[test]
fn a_thousand_corrupted_certificates_are_refused() {
    let mut refused = 0;
    let mut dice = Dice(13);
    for model in Model::ALL.into_iter().cycle() {
        let history = random::history(model, 7, &mut dice);
        let Judgement::Valid(Certificate::Orders(orders)) =
            with_spec(model, &history, Decide(&history, Planted::default()))
        else {
            continue;
        };
        if let Some((what, corrupted)) = corrupt(&history, &orders, &mut dice) {
            let answer = with_spec(model, &history, Replay(&history, &corrupted));
            assert!(answer.is_err(), "{model:?}: {what} went through\n{}{corrupted:?}", listing(&history));
            refused += 1;
        }
        if refused >= 1000 {
            break;
        }
    }
}

/// A certificate that is none: each of these is wrong whatever the model.
fn corrupt(history: &History, orders: &[Order], dice: &mut Dice) -> Option<(String, Vec<Order>)> {
    let mut corrupted = orders.to_vec();
    let n = dice.below(orders.len().max(1) as u64) as usize;
    let order = corrupted.get_mut(n)?;
    let length = order.operations.len() as u64;
    let operation = |index: u32| &history.operations[index as usize];
    let what = match dice.below(5) {
        0 => {
            let at = order.operations.iter().position(|&index| operation(index).answer().is_some())?;
            format!("without {}", order.operations.remove(at))
        }
        1 if length > 0 => {
            let again = order.operations[dice.below(length) as usize];
            order.operations.push(again);
            format!("twice {again}")
        }
        2 => {
            // Two that do not overlap change places.
            let before =
                |a: u32, b: u32| operation(a).answer().is_some() && operation(a).returned < operation(b).invoked;
            let pairs = order.operations.windows(2).position(|pair| before(pair[0], pair[1]))?;
            order.operations.swap(pairs, pairs + 1);
            format!("swapped at {pairs}")
        }
        3 => {
            order.operations.insert(0, history.operations.len() as u32);
            "an operation that is not there".into()
        }
        _ => {
            order.key = Value::text("another");
            if length == 0 {
                return None;
            }
            "of another object".into()
        }
    };
    Some((what, corrupted))
}

/// Only a guess can find an order without taking a step.
const NO_STEPS: Budget = Budget { steps: 0, ..Budget::USUAL };

struct Within<'a>(&'a History, Budget);

impl Work for Within<'_> {
    type Out = Judgement;
    fn with<S: Spec>(self, spec: &S) -> Judgement {
        check(spec, self.0, self.1).unwrap()
    }
}

#[test]
fn values_that_differ_say_the_order_without_a_search() {
    // Equal values in a queue: usually the first comes out first.
    let cases = [(Model::Register, 401), (Model::CasRegister, 401), (Model::Queue, 401), (Model::Queue, 50)];
    for (model, values) in cases {
        let mut dice = Dice(19);
        for n in 0..80 {
            let shape = Shape { calls: 400, values, takes: 4 + n % 4, unknown: 0, wrong: 0 };
            let history = random::distinct(model, shape, &mut dice);
            let judgement = with_spec(model, &history, Within(&history, NO_STEPS));
            assert!(matches!(judgement, Judgement::Valid(_)), "{model:?}: {judgement:?}");
        }
    }
}

/// What a search alone says of the only object, if it can.
struct Searched<'a>(&'a History);

impl Work for Searched<'_> {
    type Out = Option<bool>;
    fn with<S: Spec>(self, spec: &S) -> Option<bool> {
        let Some(mut part) = part::split(spec, self.0, Planted::default()).unwrap().pop() else { return Some(true) };
        part.merge();
        match look(&mut Search::new(spec, &part, Planted::default()), Budget { steps: 20_000, ..Budget::USUAL }).1 {
            End::Found(_) => Some(true),
            End::Exhausted => Some(false),
            End::Spent => None,
        }
    }
}

/// What is said of the only object before it is searched; a conflict counts if a search of its calls alone confirms it.
struct Guessed<'a>(&'a History);

impl Work for Guessed<'_> {
    type Out = Option<bool>;
    fn with<S: Spec>(self, spec: &S) -> Option<bool> {
        let Some(part) = part::split(spec, self.0, Planted::default()).unwrap().pop() else { return Some(true) };
        match guessed(spec, &part) {
            Guess::Order(_) => Some(true),
            Guess::Conflict(few) => {
                let mut few = part.only(few);
                few.merge();
                let mut search = Search::new(spec, &few, Planted::default());
                let goal = search.line.levels();
                (search.run(First::Depth, goal, Budget::USUAL) == End::Exhausted).then_some(false)
            }
            Guess::Nothing => None,
        }
    }
}

#[test]
fn what_values_that_differ_say_is_what_a_search_says() {
    for model in [Model::Register, Model::CasRegister, Model::Queue] {
        let mut dice = Dice(29);
        let (mut valid, mut violated, mut open, mut large) = (0, 0, 0, 0);
        for n in 0..2 * HISTORIES {
            let unknown = if n % 3 == 0 { 10 } else { 0 };
            let values = if n % 7 == 0 { 4 } else { 40 };
            let shape = Shape { calls: 2 + n as usize % 30, values, takes: 3 + n % 5, unknown, wrong: n / 2 % 3 };
            let history = random::distinct(model, shape, &mut dice);
            let Some(expected) = with_spec(model, &history, Searched(&history)) else {
                large += 1;
                continue;
            };
            if let Some(said) = with_spec(model, &history, Guessed(&history)) {
                assert_eq!(said, expected, "{model:?}, history {n}\n{}", listing(&history));
            } else {
                // A cas that found something else is placed by trying.
                let may_be_open = values == 4 || model == Model::CasRegister || (unknown > 0 && model == Model::Queue);
                assert!(may_be_open, "{model:?}, {n}: nothing\n{}", listing(&history));
                open += u32::from(values == 40 && unknown == 0);
            }
            *(if expected { &mut valid } else { &mut violated }) += 1;
        }
        assert!(
            valid > HISTORIES / 2 && violated > HISTORIES / 2 && open < 20,
            "{model:?}: {valid} valid, {violated} violated, {open} open, {large} too large to search"
        );
    }
}

#[test]
fn one_wrong_answer_among_many_is_found_with_few_calls() {
    for (model, few) in [(Model::Register, 6), (Model::CasRegister, 12), (Model::Queue, 12)] {
        let mut dice = Dice(23);
        let mut violated = 0;
        for n in 0..100 {
            let shape = Shape { calls: 400, values: 401, takes: 5 + n % 2, unknown: 0, wrong: 2 };
            let history = random::distinct(model, shape, &mut dice);
            if let Judgement::Violated(told) = with_spec(model, &history, Within(&history, Budget::USUAL)) {
                assert!(told.operations.len() <= few, "{model:?}: {} operations", told.operations.len());
                violated += 1;
                let unsearched = with_spec(model, &history, Within(&history, NO_STEPS));
                assert!(matches!(unsearched, Judgement::Unknown { .. }), "{unsearched:?}");
            }
        }
        assert!(violated > 50, "{model:?}: {violated}");
    }
}

/// `count` values that go in at once, and come out one after the other such that one of them is there all the time, while
/// somebody finds nothing: no order, and no small search shows it.
fn never_empty(count: i64, key: &Value) -> Vec<Event> {
    let event = |process, phase, f, value| random::event(process, phase, Some(key), f, value);
    let (empty, out) = (100 + count, |n: i64| 100 + n);
    let mut events: Vec<Event> = (0..count).map(|n| event(n, Phase::Invoke, "enqueue", Value::Int(n))).collect();
    events.push(event(0, Phase::Ok, "enqueue", Value::Int(0)));
    events.push(event(empty, Phase::Invoke, "dequeue", Value::Nil));
    for n in 1..count {
        events.push(event(n, Phase::Ok, "enqueue", Value::Int(n)));
        events.push(event(out(n - 1), Phase::Invoke, "dequeue", Value::Nil));
    }
    events.push(event(empty, Phase::Ok, "dequeue", Value::Nil));
    events.push(event(out(count - 1), Phase::Invoke, "dequeue", Value::Nil));
    events.extend((0..count).map(|n| event(out(n), Phase::Ok, "dequeue", Value::Int(n))));
    events
}

/// Calls one after the other.
fn one_by_one(calls: &[(&str, i64)], process: i64, key: &Value) -> Vec<Event> {
    let both = |&(f, value): &(&str, i64)| {
        [Phase::Invoke, Phase::Ok].map(|phase| random::event(process, phase, Some(key), f, Value::Int(value)))
    };
    calls.iter().flat_map(both).collect()
}

#[test]
fn a_conflict_that_is_hard_to_confirm_takes_nothing_from_what_is_easy() {
    let dialect = Dialect {
        failed_cas: FailedCas::Dropped,
        nil_read: NilRead::Nothing,
        clock: Clock::Shared,
        write_order: WriteOrder::Unknown,
    };
    let judge = |events: &[Event], steps| {
        let history = History::new(events, dialect, Orphans::Refused).unwrap();
        check(&Queue, &history, Budget { steps, ..Budget::USUAL }).unwrap()
    };
    let (one, other) = (Value::Int(1), Value::Int(2));
    let hard = never_empty(12, &one);
    assert!(matches!(judge(&hard, 100_000), Judgement::Unknown { spent, .. } if spent <= 100_000 + 2));
    // The same object is wrong in a way that is seen at once by whoever searches from the beginning.
    let crossed = [("enqueue", 50), ("enqueue", 51), ("dequeue", 51), ("dequeue", 50)];
    let mut events = one_by_one(&crossed, 500, &one);
    events.extend(hard.clone());
    assert!(matches!(judge(&events, 100_000), Judgement::Violated(_)));
    // So is another object, which comes later.
    let mut twice: Vec<(&str, i64)> = (0..20).flat_map(|n| [("enqueue", n), ("dequeue", n)]).collect();
    twice.push(("dequeue", 3));
    let mut events = hard;
    events.extend(one_by_one(&twice, 500, &other));
    assert!(matches!(judge(&events, 100_000), Judgement::Violated(_)));
}

#[test]
fn what_waits_to_be_tried_counts_as_memory() {
    let dialect = Dialect {
        failed_cas: FailedCas::Dropped,
        nil_read: NilRead::Nothing,
        clock: Clock::Shared,
        write_order: WriteOrder::Unknown,
    };
    let event = |process, phase, f, value| random::event(process, phase, None, f, value);
    let mut events: Vec<Event> = (0..400).map(|n| event(n, Phase::Invoke, "add", Value::Int(n))).collect();
    let [asked, told] = [Value::Nil, Value::list(vec![Value::Int(7)])];
    events.extend([event(400, Phase::Invoke, "read", asked), event(400, Phase::Ok, "read", told)]);
    let history = History::new(&events, dialect, Orphans::Refused).unwrap();
    let budget = Budget { steps: 1_000_000, bytes: 4_000_000 };
    let judgement = check(&Set::of(&history), &history, budget).unwrap();
    assert!(matches!(judgement, Judgement::Unknown { spent, .. } if spent < 20_000), "{judgement:?}");
}

#[test]
fn an_object_of_the_users_own_is_judged_too() {
    // A register that forgets: once read, it holds nothing. Whoever reads it second finds nothing.
    #[derive(Clone)]
    struct Pigeonhole;
    impl Spec for Pigeonhole {
        type State = Value;
        type Call = (bool, Value);
        fn call(
            &self,
            operation: &crate::history::Operation,
            _: crate::history::Dialect,
        ) -> Result<Option<(bool, Value)>, crate::history::Refusal> {
            Ok(Some((&*operation.f == "take", operation.result.clone())))
        }
        fn initial(&self, _: &Value) -> Value {
            Value::Nil
        }
        fn step(&self, state: &Value, (take, value): &(bool, Value)) -> crate::models::Step<Value> {
            match (take, state == value) {
                (true, false) => crate::models::Step::Refused,
                (true, true) => crate::models::Step::To(Value::Nil),
                (false, _) => crate::models::Step::To(value.clone()),
            }
        }
        fn reads_only(&self, _: &(bool, Value)) -> bool {
            false
        }
        fn refusal(&self, state: &Value, (_, value): &(bool, Value)) -> String {
            format!("took {value}, had {state}")
        }
        fn shown(&self, state: &Value) -> String {
            format!("{state}")
        }
    }
    let judge = |taken: [i64; 2]| {
        let asked = [("put", 1), ("take", taken[0]), ("put", 2), ("take", taken[1])];
        let mut events = vec![];
        for (n, (f, value)) in asked.into_iter().enumerate() {
            for phase in [crate::history::Phase::Invoke, crate::history::Phase::Ok] {
                let line = events.len() as u32 + 1;
                events.push(crate::history::Event {
                    line,
                    process: Some(n as i64),
                    phase,
                    f: f.into(),
                    value: Value::Int(value),
                    key: None,
                    time: None,
                    node: None,
                });
            }
        }
        let dialect = crate::history::Dialect {
            failed_cas: crate::history::FailedCas::Dropped,
            nil_read: crate::history::NilRead::Nothing,
            clock: crate::history::Clock::Shared,
            write_order: crate::history::WriteOrder::Unknown,
        };
        let history = History::new(&events, dialect, crate::history::Orphans::Refused).unwrap();
        check(&Pigeonhole, &history, Budget::USUAL).unwrap()
    };
    assert!(matches!(judge([1, 2]), Judgement::Valid(_)));
    let Judgement::Violated(told) = judge([1, 1]) else { panic!("1 was taken twice") };
    assert_eq!(told.sentence, "no order of the operations explains process 3 take 1 ok (lines 7, 8): took 1, had 2");
}
