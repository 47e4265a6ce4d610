//! Virtual time: unsigned 64-bit nanoseconds since the start of the run (584 years).
//!
//! `Time` is an instant, `Span` a length; only the sums that make sense exist. Arithmetic saturates at the end of time,
//! which no run reaches: an event there is simply never handled.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};

/// An instant of virtual time, in nanoseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Time(pub u64);

/// A length of virtual time, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Span(pub u64);

impl Time {
    /// The start of every run.
    pub const ZERO: Self = Self(0);
    /// After every event that can happen.
    pub const END: Self = Self(u64::MAX);

    /// The length from `earlier` to here; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Seconds since the start, for statistics and reports only.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Longer than every run.
    pub const MAX: Self = Self(u64::MAX);

    /// `n` nanoseconds.
    pub const fn nanos(n: u64) -> Self {
        Self(n)
    }

    /// `n` microseconds.
    pub const fn micros(n: u64) -> Self {
        Self(n * 1_000)
    }

    /// `n` milliseconds.
    pub const fn millis(n: u64) -> Self {
        Self(n * 1_000_000)
    }

    /// `n` seconds.
    pub const fn secs(n: u64) -> Self {
        Self(n * 1_000_000_000)
    }

    /// The length in seconds, for statistics and reports only.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Add<Span> for Time {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// `00:31.407`: minutes, seconds, milliseconds; hours in front once there are any.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0 / 1_000_000;
        let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        if h > 0 {
            write!(f, "{h}:")?;
        }
        write!(f, "{m:02}:{s:02}.{:03}", ms % 1000)
    }
}

/// As a person says it, about three digits: `412ns`, `3.1ms`, `410ms`, `5.03s`, `2h48m`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0;
        let scaled = |f: &mut fmt::Formatter<'_>, unit: u64, name: &str| {
            let (whole, rest) = (ns / unit, ns % unit);
            match whole {
                0..=9 if rest * 100 / unit > 0 => {
                    let hundredths = rest * 100 / unit;
                    if hundredths.is_multiple_of(10) {
                        write!(f, "{whole}.{}{name}", hundredths / 10)
                    } else {
                        write!(f, "{whole}.{hundredths:02}{name}")
                    }
                }
                10..=99 if rest * 10 / unit > 0 => write!(f, "{whole}.{}{name}", rest * 10 / unit),
                _ => write!(f, "{whole}{name}"),
            }
        };
        match ns {
            0 => write!(f, "0s"),
            1..1_000 => write!(f, "{ns}ns"),
            1_000..1_000_000 => scaled(f, 1_000, "us"),
            1_000_000..1_000_000_000 => scaled(f, 1_000_000, "ms"),
            1_000_000_000..100_000_000_000 => scaled(f, 1_000_000_000, "s"),
            100_000_000_000..7_200_000_000_000 => {
                let s = ns / 1_000_000_000;
                write!(f, "{}m{:02}s", s / 60, s % 60)
            }
            _ => {
                let m = ns / 60_000_000_000;
                write!(f, "{}h{:02}m", m / 60, m % 60)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn times_and_spans_read_as_a_person_says_them() {
        assert_eq!(Time(31_407_000_000).to_string(), "00:31.407");
        assert_eq!(Time(3_725_000_000_000).to_string(), "1:02:05.000");
        for (ns, text) in [
            (0, "0s"),
            (412, "412ns"),
            (3_100_000, "3.1ms"),
            (5_030_000_000, "5.03s"),
            (23_025_851_000, "23s"),
            (23_125_851_000, "23.1s"),
            (410_000_000, "410ms"),
            (150_000_000_000, "2m30s"),
            (10_080_000_000_000, "2h48m"),
        ] {
            assert_eq!(Span(ns).to_string(), text);
        }
    }
}
