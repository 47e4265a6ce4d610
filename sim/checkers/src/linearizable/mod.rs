//! Linearizability (Herlihy and Wing, 1990): is there, for every object, an order of its operations that explains every
//! answer and keeps to real time?
//!
//! A history is split by object (a history is linearizable exactly if each object's is), the smallest first, and each is
//! searched alone (`search`). The first violation ends it. A `Valid` carries the orders, and [`replay`] has confirmed
//! them before anybody sees it; a `Violated` tells how far one gets (`explain`); when the budget is spent it is `Unknown`.
//! Read `timeline`, `memo`, `search` in this order.

mod explain;
mod memo;
mod part;
mod pending;
mod planted;
mod replay;
mod search;
mod states;
#[cfg(test)]
mod tests;
mod timeline;

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

pub use replay::replay;

use crate::history::{Certificate, Clock, History, Judgement, NEVER, Order, Refusal};
use crate::models::{Asked, Guess, Spec};
use part::{Item, Part};
use planted::{Mistake, Planted};
use search::{End, First, Search};

/// What a judge may spend. The same budget gives the same judgement on every machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Steps of the model asked for.
    pub steps: u64,
    /// Memory for what was tried, in bytes.
    pub bytes: usize,
}

impl Budget {
    /// What `stormglass check` gives without being told: at most some seconds.
    pub const USUAL: Self = Self { steps: 20_000_000, bytes: 2 << 30 };
}

/// Judges a history.
pub fn check<S: Spec>(spec: &S, history: &History, budget: Budget) -> Result<Judgement, Refusal> {
    real_time(history)?;
    let judgement = decide(spec, history, budget, Planted::default())?;
    if let Judgement::Valid(Certificate::Orders(orders)) = &judgement
        && let Err(why) = replay(spec, history, orders)
    {
        return Ok(Judgement::Unknown {
            why: format!("the order that was found is none, an error in this judge: {why}"),
            spent: 0,
        });
    }
    Ok(judgement)
}

/// Whether a history obeys, without saying why: `None` if the budget is spent. For those who ask about thousands.
pub fn holds<S: Spec>(spec: &S, history: &History, budget: Budget) -> Result<Option<bool>, Refusal> {
    real_time(history)?;
    let mut parts = part::split(spec, history, Planted::default())?;
    Ok(match search_all(spec, &mut parts, budget, Planted::default()).0 {
        Found::Orders(_) => Some(true),
        Found::Impossible { .. } => Some(false),
        Found::Undecided(_) => None,
    })
}

/// What the searches of all objects found.
enum Found {
    Orders(Vec<Order>),
    /// This object has none, as was shown in this manner, which came to this level.
    Impossible {
        part: usize,
        shown: (First, u32),
    },
    Undecided(String),
}

fn real_time(history: &History) -> Result<(), Refusal> {
    match history.dialect.clock {
        Clock::Shared => Ok(()),
        Clock::PerProcess => Err(Refusal {
            line: 0,
            what: "nothing is known of the order of sessions, so nothing of real time: ask for `sequential`".into(),
        }),
    }
}

fn decide<S: Spec>(spec: &S, history: &History, budget: Budget, planted: Planted) -> Result<Judgement, Refusal> {
    let mut parts = part::split(spec, history, planted)?;
    let (found, spent) = search_all(spec, &mut parts, budget, planted);
    Ok(match found {
        Found::Orders(orders) => Judgement::Valid(Certificate::Orders(orders)),
        Found::Impossible { part, shown } => {
            Judgement::Violated(explain::explain(spec, history, &parts[part], shown, budget))
        }
        Found::Undecided(why) => Judgement::Unknown { why, spent },
    })
}

/// Searches object by object, each with a fair share of what is left, and says what was spent.
fn search_all<S: Spec>(spec: &S, parts: &mut [Part<S::Call>], budget: Budget, planted: Planted) -> (Found, u64) {
    let (mut orders, mut unknown, mut spent) = (Vec::new(), None, 0);
    let count = parts.len();
    for (n, part) in parts.iter_mut().enumerate() {
        let share = budget.steps.saturating_sub(spent) / (count - n) as u64;
        let before = spent;
        let guess = if part.items.len() < GUESSED_FROM { Guess::Nothing } else { guessed(spec, part) };
        match guess {
            Guess::Order(path) => {
                orders.push(part.order(path));
                continue;
            }
            Guess::Conflict(few) => {
                let mut few = part.only(few);
                few.merge();
                let mut search = Search::new(spec, &few, planted);
                let steps = (share / CONFLICT_SHARE).min(CONFLICT_STEPS);
                let (first, end) = look(&mut search, Budget { steps, ..budget });
                spent += search.states.spent;
                if end == End::Exhausted {
                    let shown = (first, search.deepest);
                    *part = few;
                    return (Found::Impossible { part: n, shown }, spent);
                }
            }
            Guess::Nothing => {}
        }
        part.merge();
        let mut search = Search::new(spec, part, planted);
        let left = share.saturating_sub(spent - before);
        let (first, end) = look(&mut search, Budget { steps: left, ..budget });
        spent += search.states.spent;
        match end {
            End::Found(path) => {
                orders.push(part.order(path));
                if planted.has(Mistake::StopsAtFirstObject) {
                    break;
                }
            }
            End::Exhausted => return (Found::Impossible { part: n, shown: (first, search.deepest) }, spent),
            End::Spent => drop(unknown.get_or_insert_with(|| explain::undecided(part, &search))),
        }
    }
    (unknown.map_or(Found::Orders(orders), Found::Undecided), spent)
}

/// What the model guesses: an order only if it is one.
fn guessed<S: Spec>(spec: &S, part: &Part<S::Call>) -> Guess {
    let asked =
        |item: &Item| Asked { call: &part.calls[item.call as usize], invoked: item.invoked, returned: item.returned };
    let asked: Vec<Asked<'_, S::Call>> = part.items.iter().map(asked).collect();
    match spec.guess(&spec.initial(&part.key), &asked) {
        Guess::Order(path) if !explains(spec, part, &path) => Guess::Nothing,
        guess @ (Guess::Order(_) | Guess::Conflict(_) | Guess::Nothing) => guess,
    }
}

/// Whether an order of items explains every answer and keeps to real time.
fn explains<S: Spec>(spec: &S, part: &Part<S::Call>, path: &[u32]) -> bool {
    let mut placed = vec![false; part.items.len()];
    let mut state = spec.initial(&part.key);
    let answers = path.iter().all(|&item| {
        let once = placed.get_mut(item as usize).is_some_and(|placed| !core::mem::replace(placed, true));
        once && spec.advance(&mut state, &part.calls[part.items[item as usize].call as usize])
    });
    let mut earliest_end = NEVER;
    let in_time = |&item: &u32| {
        let Item { invoked, returned, .. } = part.items[item as usize];
        let after = earliest_end < invoked;
        earliest_end = earliest_end.min(returned);
        !after
    };
    answers
        && path.iter().rev().all(in_time)
        && part.items.iter().zip(&placed).all(|(item, placed)| *placed || item.returned == NEVER)
}

/// What the search of a conflict may spend at most, and of what there is for its object: it has a few calls as a rule, and
/// what is found out with more is found out by searching all.
const CONFLICT_STEPS: u64 = 200_000;
const CONFLICT_SHARE: u64 = 8;

/// Of objects with fewer operations nothing is guessed: they are searched as fast.
const GUESSED_FROM: usize = 16;

/// Searches depth first for a while, then breadth first, then depth first with what is left.
fn look<S: Spec>(search: &mut Search<'_, S>, budget: Budget) -> (First, End) {
    let goal = search.line.levels();
    if !search.fits() {
        return (First::Depth, End::Spent);
    }
    let short = (STEPS_AT_LEAST + STEPS_PER_LEVEL * u64::from(goal)).min(budget.steps);
    let half = short + (budget.steps - short) / 2;
    for (first, steps) in [(First::Depth, short), (First::Breadth, half), (First::Depth, budget.steps)] {
        let end = search.run(first, goal, Budget { steps, ..budget });
        if end != End::Spent {
            return (first, end);
        }
    }
    (First::Depth, End::Spent)
}

/// What the first search may spend per level: an order that is easily found needs a few steps for each.
const STEPS_PER_LEVEL: u64 = 64;
/// What it may spend at least.
const STEPS_AT_LEAST: u64 = 4096;
