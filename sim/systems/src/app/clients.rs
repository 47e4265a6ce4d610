//! A workload's clients: when operations begin, and what each of them carries.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kernel::random::Stream;
use kernel::{Delay, Distribution, Effects, Span, Time};

use super::machine::{Machine, Timer};
use super::plan::{Draw, Load, Only, Variable, Workload};
use crate::expression::Value;
use crate::variables::Variables;

/// Numbers below this are left to the machines' own frames.
const FIRST_OPERATION: u64 = 1;

/// The clients of one workload.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The generator of an open loop's gaps.
    stream: Option<Stream>,
    /// Operations begun or left out.
    begun: u64,
    /// The latest of them: its number, and whose it is.
    latest: (u64, Option<u32>),
    /// By user of a closed loop, else one for all: how many of the operations that begin at times of their own have begun.
    listed: Vec<usize>,
    /// Where the intended starts of an open loop have got to.
    clock: Time,
    /// The same with fractions of a nanosecond, where gaps are reckoned with them.
    exact: f64,
    /// By user of a closed loop: how many of its operations have ended without a known outcome.
    unknown: Vec<u32>,
    /// By user of a closed loop, store and key: what it last read there.
    read: BTreeMap<(u32, (u32, u64)), Option<u64>>,
}

impl Clients {
    /// Clients that have done nothing yet.
    pub fn new(plan: &Workload) -> Self {
        let stream = match &plan.load {
            Load::Rate { seed, path, .. } | Load::Stages { seed, path, .. } => Some(seed.stream(path)),
            Load::Users { .. } | Load::Trace(_) => None,
        };
        let users = match &plan.load {
            Load::Users { users, .. } => *users as usize,
            Load::Rate { .. } | Load::Stages { .. } | Load::Trace(_) => 0,
        };
        Self {
            stream,
            begun: 0,
            latest: (0, None),
            listed: if matches!(plan.only, Only::Listed(_)) { alloc::vec![0; users.max(1)] } else { Vec::new() },
            clock: plan.start,
            exact: plan.start.0 as f64,
            unknown: alloc::vec![0; users],
            read: BTreeMap::new(),
        }
    }

    /// What is still to come is drawn by another plan, the same but for its seed.
    pub fn reseed(&mut self, plan: &Workload) {
        if self.stream.is_some() {
            self.stream = Self::new(plan).stream;
        }
    }

    /// How many operations have been begun or left out.
    pub const fn begun(&self) -> u64 {
        self.begun
    }

    /// The latest operation that was begun or left out: its number, and its user in a closed loop.
    pub const fn latest(&self) -> (u64, Option<u32>) {
        self.latest
    }

    /// The number of the next operation: counted from 0, unless operations begin at times of their own. None if there is
    /// none left.
    #[inline]
    pub fn number(&mut self, plan: &Workload, user: Option<u32>) -> Option<u64> {
        let number = if let Some(begun) = self.listed.get_mut(user.unwrap_or(0) as usize) {
            let next = plan.listed(user, *begun)?.first()?;
            *begun += 1;
            next.number
        } else {
            self.begun
        };
        self.begun += 1;
        self.latest = (number, user);
        Some(number)
    }

    /// When the next operation begins that has a time of its own.
    pub fn next_listed(&self, plan: &Workload, user: Option<u32>) -> Option<Time> {
        let begun = self.listed.get(user.unwrap_or(0) as usize)?;
        Some(plan.listed(user, *begun)?.first()?.at)
    }

    /// The process that does an operation, as histories know it: no process has two open operations, so a user whose
    /// operation may still be running goes on as another one (docs/semantics.md, rule 26).
    pub fn process(&self, user: Option<u32>, number: u64) -> u64 {
        user.map_or(number, |user| u64::from(user) + self.unknown.len() as u64 * u64::from(self.unknown[user as usize]))
    }

    /// A user's operation has ended without a known outcome.
    pub fn outcome_unknown(&mut self, user: u32) {
        self.unknown[user as usize] += 1;
    }

    /// What a user last read of a key of a store.
    pub fn last_read(&self, user: u32, row: (u32, u64)) -> Option<u64> {
        self.read.get(&(user, row)).copied().flatten()
    }

    /// A user has read a key of a store.
    pub fn remember(&mut self, user: u32, row: (u32, u64), value: Option<u64>) {
        self.read.insert((user, row), value);
    }

    /// A user thinks before the next operation; one that begins at a time of its own begins then, or now if that is over.
    pub fn think(&self, plan: &Workload, user: u32, (number, now): (u64, Time), out: &mut impl Effects<Machine>) {
        let Load::Users { think, .. } = &plan.load else { return };
        let span = match self.next_listed(plan, Some(user)) {
            Some(at) => Span(at.0.saturating_sub(now.0)),
            None => think.law.span(&mut think.key.draw(u64::from(user), 1, number)),
        };
        out.set_timer(Timer::User(user), Delay::Fixed(span));
    }

    /// All users of a closed loop think for the first time.
    pub fn think_first(&self, plan: &Workload, now: Time, out: &mut impl Effects<Machine>) {
        let Load::Users { users, think } = &plan.load else { return };
        for user in 0..*users {
            let wait = match self.next_listed(plan, Some(user)) {
                Some(at) => at.since(now),
                None => plan.start.since(now) + think.law.span(&mut think.key.draw(u64::from(user), 0, 0)),
            };
            out.set_timer(Timer::User(user), Delay::Fixed(wait));
        }
    }

    /// The instant of the next open-loop arrival, if there is one before the load stops.
    #[inline]
    pub fn next_arrival(&mut self, plan: &Workload) -> Option<Time> {
        if !self.listed.is_empty() {
            return self.next_listed(plan, None);
        }
        let at = match &plan.load {
            Load::Rate { gap, .. } => {
                let stream = self.stream.as_mut().expect("an open loop has a stream");
                self.clock += gap_of(gap, stream);
                self.clock
            }
            Load::Stages { ramp, poisson, .. } => {
                let stream = self.stream.as_mut().expect("an open loop has a stream");
                let gap = if *poisson { plan.unit.sample(stream) } else { 1.0 };
                self.exact = ramp.after(self.exact, gap)?;
                self.clock = Time(self.exact as u64);
                self.clock
            }
            Load::Trace(times) => *times.get(self.begun as usize)?,
            Load::Users { .. } => return None,
        };
        (at < plan.stop).then_some(at)
    }
}

/// The operation id of a workload's nth operation: what its draws are keyed by, everywhere.
pub fn operation(workload: u32, number: u64) -> u64 {
    u64::from(workload) << 40 | (number + FIRST_OPERATION)
}

/// The inverse of `operation`: the operation's number in its workload.
pub fn number_of(operation: u64) -> u64 {
    (operation & ((1 << 40) - 1)) - FIRST_OPERATION
}

/// The variables of one operation, drawn by its id.
#[inline]
pub fn variables(plan: &Workload, operation: u64, user: Option<u32>) -> Variables {
    if plan.variables.is_empty() { Variables::default() } else { drawn_variables(plan, operation, user) }
}

#[inline(never)]
fn drawn_variables(plan: &Workload, operation: u64, user: Option<u32>) -> Variables {
    let drawn = |draw: &Draw| draw.law.integer(&mut draw.key.draw(operation, 0, 0));
    let number = number_of(operation);
    let identity = plan.clients.map_or(number, |clients| number % u64::from(clients));
    let client = user.map_or(identity, u64::from);
    plan.variables.iter().map(|variable| value(variable, operation, (number, client), drawn)).collect()
}

/// What a variable is worth for an operation, given its number and its client's.
pub fn value(variable: &Variable, operation: u64, (number, client): (u64, u64), drawn: impl Fn(&Draw) -> i64) -> Value {
    match variable {
        Variable::Number(draw) => Value::Int(drawn(draw)),
        Variable::Unset => Value::Null,
        Variable::Truth(draw) => Value::Bool(drawn(draw) != 0),
        Variable::Text(draw, symbols) => Value::Text(symbols[drawn(draw) as usize]),
        Variable::Sequence { first, step } => {
            let nth = step.checked_mul(number as i64).and_then(|more| first.checked_add(more));
            nth.map_or(Value::Null, Value::Int)
        }
        Variable::Operation => Value::Int(operation as i64),
        Variable::Client => Value::Int(client as i64),
    }
}

#[inline]
fn gap_of(gap: &Distribution, stream: &mut Stream) -> Span {
    gap.span(stream)
}
