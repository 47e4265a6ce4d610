//! Sequential consistency (Lamport, 1979): is there one order of all operations that explains every answer and keeps the
//! order of each process?
//!
//! Objects cannot be judged alone here. A configuration is how far each process is, and what every object holds; places
//! once visited are not visited again. What reads only is done at once. An operation that may never have happened is a
//! process of its own that begins where its process was, and need not come to its end. The problem is NP-complete (Taylor,
//! 1983), so the budget of steps is for small histories.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::history::{Certificate, Counterexample, History, Judgement, Order, Outcome, Refusal, Refused, Value};
use crate::linearizable::Budget;
use crate::models::{Spec, Step};
use kernel::hashing::Map;

struct Asked<C> {
    call: C,
    object: usize,
    operation: u32,
}

struct Process<C> {
    calls: Vec<Asked<C>>,
    /// It begins when this process has done so many calls.
    after: Option<(usize, usize)>,
}

/// How far each process is, and what each object holds.
type Place<State> = (Vec<u32>, Vec<State>);
/// The longest path so far, and where it led.
type Deepest<State> = (Vec<u32>, Option<Place<State>>);
/// Processes, and the keys of objects.
type Split<C> = (Vec<Process<C>>, Vec<Value>);

/// Judges a history.
pub fn check<S: Spec>(spec: &S, history: &History, budget: Budget) -> Result<Judgement, Refusal> {
    let (processes, keys) = processes(spec, history)?;
    let start: Place<S::State> = (vec![0; processes.len()], keys.iter().map(|key| spec.initial(key)).collect());
    let needed: Vec<usize> =
        (0..processes.len()).filter(|&n| processes[n].calls.iter().any(|call| sure(history, call.operation))).collect();
    let mut seen: Map<Place<S::State>, ()> = Map::default();
    let mut pending = vec![(start, 0)];
    let mut path: Vec<u32> = Vec::new();
    let mut deepest: Deepest<S::State> = (Vec::new(), None);
    let (mut spent, mut bytes) = (0, 0);
    while let Some(((mut at, mut states), length)) = pending.pop() {
        let from: usize = length;
        let (kept, operation) = (from >> 32, from as u32);
        path.truncate(kept);
        if operation > 0 {
            path.push(operation - 1);
        }
        read_at_once(spec, &processes, (&mut at, &mut states), &mut path, &mut spent);
        if deepest.1.is_none() || path.len() > deepest.0.len() {
            deepest = (path.clone(), Some((at.clone(), states.clone())));
        }
        if needed.iter().all(|&n| at[n] as usize == processes[n].calls.len()) {
            let order = Order { key: Value::Nil, operations: path };
            return Ok(match replay(spec, history, &order) {
                Ok(()) => Judgement::Valid(Certificate::Orders(vec![order])),
                Err(why) => Judgement::Unknown {
                    why: format!("the order that was found is none, an error in this judge: {why}"),
                    spent,
                },
            });
        }
        spent += 1;
        if spent > budget.steps || bytes > budget.bytes {
            let why = format!("{} operations of {} processes are too many", history.operations.len(), processes.len());
            return Ok(Judgement::Unknown { why, spent });
        }
        if seen.insert((at.clone(), states.clone()), ()).is_some() {
            continue;
        }
        bytes += 64 + 4 * at.len() + states.iter().map(|state| spec.bytes(state)).sum::<usize>();
        for n in (0..processes.len()).rev() {
            let Some(call) = next(&processes, &at, n) else { continue };
            spent += 1;
            let state = match spec.step(&states[call.object], &call.call) {
                Step::Refused => continue,
                Step::Same => states[call.object].clone(),
                Step::To(state) => state,
            };
            let (mut further, mut after) = (at.clone(), states.clone());
            further[n] += 1;
            after[call.object] = state;
            pending.push(((further, after), path.len() << 32 | (call.operation as usize + 1)));
        }
    }
    Ok(Judgement::Violated(explain(spec, history, &processes, deepest)))
}

fn sure(history: &History, operation: u32) -> bool {
    history.operations[operation as usize].outcome != Outcome::Info
}

fn processes<S: Spec>(spec: &S, history: &History) -> Result<Split<S::Call>, Refusal> {
    let mut processes: Vec<Process<S::Call>> = Vec::new();
    let mut numbers: BTreeMap<i64, usize> = BTreeMap::new();
    let mut objects: BTreeMap<Value, usize> = BTreeMap::new();
    let mut keys = Vec::new();
    for (index, operation) in history.operations.iter().enumerate() {
        let Some(call) = spec.call(operation, history.dialect)? else { continue };
        let key = spec.key(operation);
        let object = *objects.entry(key.clone()).or_insert_with(|| {
            keys.push(key);
            keys.len() - 1
        });
        let number = *numbers.entry(operation.process).or_insert_with(|| {
            processes.push(Process { calls: Vec::new(), after: None });
            processes.len() - 1
        });
        let reads = spec.reads_only(&call);
        let call = Asked { call, object, operation: index as u32 };
        if operation.outcome != Outcome::Info {
            processes[number].calls.push(call);
        } else if !reads {
            let after = Some((number, processes[number].calls.len()));
            processes.push(Process { calls: vec![call], after });
        }
    }
    Ok((processes, keys))
}

/// The next call of a process, if it may begin.
fn next<'a, C>(processes: &'a [Process<C>], at: &[u32], n: usize) -> Option<&'a Asked<C>> {
    let begun = processes[n].after.is_none_or(|(other, count)| at[other] as usize >= count);
    processes[n].calls.get(at[n] as usize).filter(|_| begun)
}

/// Moved to here from later, a call that changes nothing answers the same, and nobody sees that it is gone from there.
fn read_at_once<S: Spec>(
    spec: &S,
    processes: &[Process<S::Call>],
    (at, states): (&mut [u32], &mut [S::State]),
    path: &mut Vec<u32>,
    spent: &mut u64,
) {
    for n in 0..processes.len() {
        while let Some(call) = next(processes, at, n) {
            *spent += 1;
            if !spec.reads_only(&call.call) || spec.step(&states[call.object], &call.call) == Step::Refused {
                break;
            }
            at[n] += 1;
            path.push(call.operation);
        }
    }
}

fn explain<S: Spec>(
    spec: &S,
    history: &History,
    processes: &[Process<S::Call>],
    (prefix, place): Deepest<S::State>,
) -> Counterexample {
    let mut told = Counterexample { rule: "sequential", ..Counterexample::default() };
    if let Some((at, states)) = place {
        for n in 0..processes.len() {
            if let Some(call) = next(processes, &at, n)
                && spec.step(&states[call.object], &call.call) == Step::Refused
            {
                let why = spec.refusal(&states[call.object], &call.call);
                told.refused.push(Refused { operation: call.operation, why });
            }
        }
        told.state = Some(states.iter().map(|state| spec.shown(state)).collect::<Vec<_>>().join(", "));
    }
    told.operations = told.refused.iter().map(|refused| refused.operation).collect();
    told.sentence = match told.refused.first() {
        Some(Refused { operation, why }) => {
            format!("no order of the processes explains {}: {why}", history.operations[*operation as usize])
        }
        None => "no order of the processes explains the answers".into(),
    };
    told.prefix = prefix;
    told
}

/// Whether this order explains the history; if not, why not. It knows nothing of the search.
pub fn replay<S: Spec>(spec: &S, history: &History, order: &Order) -> Result<(), String> {
    let mut states: BTreeMap<Value, S::State> = BTreeMap::new();
    let mut placed: BTreeMap<u32, usize> = BTreeMap::new();
    for (place, &index) in order.operations.iter().enumerate() {
        let Some(operation) = history.operations.get(index as usize) else {
            return Err(format!("there is no operation {index}"));
        };
        if placed.insert(index, place).is_some() {
            return Err(format!("{operation} stands there twice"));
        }
        let call = spec.call(operation, history.dialect).map_err(|refusal| refusal.what)?;
        let Some(call) = call else { return Err(format!("{operation} constrains nothing")) };
        let key = spec.key(operation);
        let state = states.entry(key.clone()).or_insert_with(|| spec.initial(&key));
        match spec.step(state, &call) {
            Step::Refused => return Err(format!("{operation}: {}", spec.refusal(state, &call))),
            Step::Same => {}
            Step::To(next) => *state = next,
        }
    }
    let mut last: BTreeMap<i64, usize> = BTreeMap::new();
    for (index, operation) in history.operations.iter().enumerate() {
        let Some(&place) = placed.get(&(index as u32)) else {
            let needed = operation.outcome != Outcome::Info;
            if needed && spec.call(operation, history.dialect).map_err(|refusal| refusal.what)?.is_some() {
                return Err(format!("{operation} is missing"));
            }
            continue;
        };
        if last.get(&operation.process).is_some_and(|&before| place < before) {
            return Err(format!("{operation} stands before what its process did earlier"));
        }
        if operation.outcome != Outcome::Info {
            last.insert(operation.process, place);
        }
    }
    Ok(())
}
