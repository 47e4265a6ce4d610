//! What callers do about failures: retries and circuit breakers.

use kernel::Span;

use super::{At, Place};

/// `[retry.*]`, or an inline table.
#[derive(Clone, PartialEq, Debug)]
pub struct Retry {
    /// Its name, for labels; `None`: it was written inline.
    pub name: Option<String>,
    /// Tries in all, the first included; `None`: until one succeeds.
    pub attempts: Option<u32>,
    /// How long before the next try.
    pub backoff: Backoff,
    /// How much of that is left to chance.
    pub jitter: Jitter,
    /// The system errors that are tried again. Business errors never are.
    pub retry_on: Vec<At<String>>,
    /// What limits retries as a whole, per node of the caller.
    pub budget: Budget,
    /// Where it stands.
    pub place: Place,
}

/// How long a caller waits before the next try.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Backoff {
    /// Not at all.
    None,
    /// Always this long.
    Constant(Span),
    /// `base`, then `factor` times as long each time.
    Exponential {
        /// Before the second try.
        base: Span,
        /// At least 1.
        factor: f64,
        /// Never longer than this.
        max: Option<Span>,
    },
    /// From `base` to three times what it was last, evenly drawn.
    Decorrelated {
        /// The shortest.
        base: Span,
        /// Never longer than this.
        max: Option<Span>,
    },
}

/// How much of a backoff is left to chance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Jitter {
    /// Nothing.
    None,
    /// All of it: from 0 to the backoff.
    Full,
    /// Half of it: from half the backoff to all of it.
    Equal,
}

/// What limits retries as a whole.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Budget {
    /// Nothing.
    None,
    /// Retries are at most this share of the caller's requests, 0 to 1.
    Share(f64),
    /// A bucket: each retry takes a token.
    Tokens {
        /// How many there can be, and are at the beginning.
        tokens: u32,
        /// New ones per second.
        refill: f64,
    },
}

/// `[breaker.*]`, or an inline table.
#[derive(Clone, PartialEq, Debug)]
pub struct Breaker {
    /// Its name, for labels; `None`: it was written inline.
    pub name: Option<String>,
    /// It opens at this share of failures, 0 to 1.
    pub failure_rate: f64,
    /// It opens at this share of calls that take at least this long.
    pub slow: Option<Slow>,
    /// Which calls count.
    pub window: BreakerWindow,
    /// Fewer calls than these open nothing.
    pub min_calls: u32,
    /// How long it stays open.
    pub open_for: Span,
    /// Calls that are let through when it is half open.
    pub trials: u32,
    /// What has a breaker of its own.
    pub scope: BreakerScope,
    /// Where it stands.
    pub place: Place,
}

/// `slow_rate` and `slow_after` of a breaker.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Slow {
    /// Share of slow calls, 0 to 1.
    pub rate: f64,
    /// What is slow.
    pub after: Span,
}

/// The calls that a breaker looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BreakerWindow {
    /// The last ones.
    Calls(u32),
    /// Those of the last time.
    Time(Span),
}

/// What has a breaker of its own, at each node of the caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BreakerScope {
    /// Each node of the callee.
    Node,
    /// The callee as a whole.
    Service,
}
