//! Trying again: how often, after which errors, and after which pause.
//!
//! The pause after the nth failed try is `base · factor^(n−1)`, at most `max`; then jitter. "Full" and "equal" jitter and
//! the decorrelated backoff are those of Brooker, *Exponential Backoff And Jitter* (AWS Architecture Blog, 2015). All
//! numbers are whole nanoseconds, and everything saturates: there is no try too late to have a pause.

use kernel::Span;

use super::budget::Budget;

/// A policy of retries.
#[derive(Clone, PartialEq, Debug)]
pub struct Retry {
    /// Tries in all, the first included; `None`: until it succeeds.
    pub attempts: Option<u32>,
    /// How long the pauses are,
    pub backoff: Backoff,
    /// and how they are spread. Decorrelated pauses are spread already: jitter does not change them.
    pub jitter: Jitter,
    /// After which errors there is another try. Business errors are in no class: they are final.
    pub retry_on: ErrorClasses,
    /// How many retries in relation to requests; the state is an [`Allowance`](super::Allowance) per caller node and callee.
    pub budget: Option<Budget>,
    /// Another try goes to another node, if there is one that was not tried.
    pub avoid_tried_node: bool,
}

/// How pauses grow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backoff {
    /// At once.
    None,
    /// Always the same.
    Constant(Span),
    /// Each so many times the one before.
    Exponential {
        /// The first pause.
        base: Span,
        /// What each is multiplied with.
        factor: Factor,
        /// No pause is longer.
        max: Option<Span>,
    },
    /// Evenly between `base` and three times the pause before, at most `max`.
    Decorrelated {
        /// The shortest pause, and what the first is reckoned from.
        base: Span,
        /// No pause is longer.
        max: Option<Span>,
    },
}

/// A factor in millionths, so that powers of it are the same on every machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Factor(u32);

/// How a pause is spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Jitter {
    /// Not at all.
    None,
    /// Evenly between nothing and the pause.
    Full,
    /// Half of it fixed, the other half as full.
    Equal,
}

/// What went wrong with a try, as far as trying again is concerned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ErrorClass {
    /// No answer in time.
    Timeout,
    /// Refused or reset connection.
    Unavailable,
    /// A full queue.
    Overload,
    /// The breaker let nothing through.
    BreakerOpen,
}

/// A set of error classes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ErrorClasses(u8);

impl Factor {
    const ONE: u128 = 1_000_000;

    /// A whole factor; at most 4294.
    pub const fn whole(n: u32) -> Self {
        Self(n * 1_000_000)
    }

    /// So many millionths.
    pub const fn millionths(n: u32) -> Self {
        Self(n)
    }

    /// To the nearest millionth, as a scenario file writes it; `None` if it is negative, no number, or above 4294.
    pub fn of(value: f64) -> Option<Self> {
        let millionths = value * 1e6 + 0.5;
        (millionths >= 0.0 && millionths < f64::from(u32::MAX)).then_some(Self(millionths as u32))
    }

    /// `base` times this to the power `power`, to the nearest nanosecond, at most `max`.
    ///
    /// Reckoned in 2⁻³² ns, rounded down at each step: exact for whole factors and for as many steps of a binary fraction
    /// as 32 bits hold; else the error stays below 10⁻⁹ of the result plus half a nanosecond.
    fn raise(self, base: Span, power: u32, max: Span) -> Span {
        const HALF: u128 = 1 << 31;
        let (factor, limit) = (u128::from(self.0), u128::from(max.0) << 32);
        let mut fine = (u128::from(base.0) << 32).min(limit);
        for _ in 0..power {
            let before = fine;
            fine = (fine * factor / Self::ONE).min(limit);
            if fine == before {
                break;
            }
        }
        Span(u64::try_from((fine + HALF) >> 32).unwrap_or(u64::MAX))
    }
}

impl ErrorClasses {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// What is retried if nothing else is said (rule 21).
    pub const USUAL: Self =
        Self::NONE.with(ErrorClass::Timeout).with(ErrorClass::Unavailable).with(ErrorClass::Overload);

    /// These and this one.
    #[must_use]
    pub const fn with(self, class: ErrorClass) -> Self {
        Self(self.0 | 1 << class as u8)
    }

    /// Whether this one is among them.
    pub const fn contains(self, class: ErrorClass) -> bool {
        self.0 & 1 << class as u8 != 0
    }
}

impl Retry {
    /// Whether there is another try after `made` tries, of which the last failed like this. The budget is asked by itself,
    /// and so is the deadline.
    pub fn again(&self, made: u32, error: ErrorClass) -> bool {
        self.attempts.is_none_or(|attempts| made < attempts) && self.retry_on.contains(error)
    }

    /// How long to wait after failed try number `attempt` (1 is the first). `previous` is what this said the time before,
    /// for the same request; zero if there was none. `draw` gives 64 random bits, and is asked at most once.
    pub fn pause(&self, attempt: u32, previous: Span, draw: impl FnOnce() -> u64) -> Span {
        let pause = match self.backoff {
            Backoff::None => return Span::ZERO,
            Backoff::Constant(pause) => pause,
            Backoff::Exponential { base, factor, max } => {
                factor.raise(base, attempt.saturating_sub(1), max.unwrap_or(Span::MAX))
            }
            Backoff::Decorrelated { base, max } => {
                let top = previous.max(base).0.saturating_mul(3);
                let pause = Span(base.0 + up_to(top - base.0, draw()));
                return pause.min(max.unwrap_or(Span::MAX));
            }
        };
        match self.jitter {
            Jitter::None => pause,
            Jitter::Full => Span(up_to(pause.0, draw())),
            Jitter::Equal => Span(pause.0 / 2 + up_to(pause.0 - pause.0 / 2, draw())),
        }
    }
}

/// A whole number of 0 … `most`, both included, each as likely as the others (to 2⁻⁶⁴).
fn up_to(most: u64, bits: u64) -> u64 {
    ((u128::from(bits) * (u128::from(most) + 1)) >> 64) as u64
}
