//! Draws: which faults strike when, which operations are begun. The same bits draw the same.

use kernel::{Keyed, Seed};

use super::ground::{Asked, Ground};
use super::plan::{Chosen, Kind, Planned, Strike, Strikes};
use crate::builder::Value;

/// An instance strikes so often at the most.
const STRIKES_MAX: u64 = 3;
/// A fault lasts this part of the chaos phase at the most.
const LENGTH_PART: u64 = 4;

/// A source of draws for one plan.
pub(super) struct Draw<'a> {
    ground: &'a Ground,
    keyed: Keyed,
}

impl<'a> Draw<'a> {
    pub(super) fn new(ground: &'a Ground, bits: u64) -> Self {
        Self { ground, keyed: Seed(bits).key("strategies", "plan").draw(0, 0, 0) }
    }

    /// A number below this one; 0 if there is none.
    fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.keyed.bits()) * u128::from(end);
        (wide >> 64) as u64
    }

    fn one<'b, T>(&mut self, of: &'b [T]) -> Option<&'b T> {
        let place = self.below(of.len() as u64);
        of.get(place as usize)
    }

    /// From 1 to this number, small ones as often as large ones: each number of binary digits is as likely.
    fn spread(&mut self, most: u64) -> u64 {
        let digits = self.below(u64::from(most.max(1).ilog2()) + 1);
        let least = 1 << digits;
        (least + self.below(least)).min(most.max(1))
    }

    /// How many faults: one at least, if there may be any.
    pub(super) fn count(&mut self, most: usize) -> usize {
        let more = self.below(most as u64) as usize;
        if most == 0 { 0 } else { 1 + more }
    }

    /// A fault of one of these kinds, if the scenario has what it can hit and when.
    pub(super) fn fault(&mut self, kinds: &[Kind], points: Option<&[String]>, others: &[Planned]) -> Option<Planned> {
        let possible: Vec<Kind> = kinds.iter().copied().filter(|kind| self.is_possible(*kind)).collect();
        let kind = *self.one(&possible)?;
        let name = self.name(kind, others);
        let all = &self.ground.points;
        let points: Vec<String> = points.unwrap_or(all).to_vec();
        let waits = matches!(kind, Kind::Crash | Kind::Pause) && !points.is_empty() && self.below(2) == 0;
        let strikes = if waits { self.at_a_point(&points)? } else { Strikes::Times(self.times(kind)) };
        let keys = self.keys(kind);
        Some(Planned { name, kind, keys, strikes })
    }

    fn is_possible(&self, kind: Kind) -> bool {
        let (from, to) = self.ground.chaos;
        let somewhere = match kind {
            Kind::Redeliver => !self.ground.places.is_empty(),
            Kind::Crash
            | Kind::Pause
            | Kind::Partition
            | Kind::Loss
            | Kind::Duplicate
            | Kind::SlowCpu
            | Kind::ClockJump => !self.ground.parts.is_empty(),
        };
        somewhere && from < to
    }

    /// A name that nothing else has.
    fn name(&self, kind: Kind, others: &[Planned]) -> String {
        let is_free =
            |name: &String| !self.ground.taken.contains(name) && others.iter().all(|other| other.name != *name);
        let first = format!("random_{}", kind.word());
        let mut all = core::iter::once(first.clone()).chain((2..).map(|n| format!("{first}_{n}")));
        all.find(is_free).unwrap_or(first)
    }

    fn at_a_point(&mut self, points: &[String]) -> Option<Strikes> {
        let point = self.one(points)?.clone();
        let targets = self.ground.parts.iter().map(|(part, _)| format!("{part}[same]")).collect();
        let most = self.ground.workloads.iter().map(|workload| workload.operations).max().unwrap_or(1);
        let nth = self.spread(most);
        let length = self.length();
        // Whose point: of those of services that is an op; else anybody's.
        let ops = &self.ground.ops;
        let of = if point.starts_with("service.") && self.below(2) == 0 { self.one(ops).cloned() } else { None };
        Some(Strikes::Point { point, of, nth, targets, length })
    }

    fn times(&mut self, kind: Kind) -> Vec<Strike> {
        let (from, to) = self.ground.chaos;
        let count = 1 + self.below(STRIKES_MAX);
        let mut strikes: Vec<Strike> = (0..count)
            .filter_map(|_| {
                let at = from + self.below(to - from);
                let length = self.length().min(to - at);
                Some(Strike { number: 0, at, length, target: self.target(kind)? })
            })
            .collect();
        strikes.sort_by_key(|strike| strike.at);
        (0..).zip(&mut strikes).for_each(|(number, strike)| strike.number = number);
        strikes
    }

    fn length(&mut self) -> u64 {
        let (from, to) = self.ground.chaos;
        self.spread((to - from) / LENGTH_PART)
    }

    fn target(&mut self, kind: Kind) -> Option<String> {
        let ground = self.ground;
        if kind == Kind::Redeliver {
            return self.one(&ground.places).cloned();
        }
        let (part, nodes) = self.one(&ground.parts)?;
        let of_messages = matches!(kind, Kind::Loss | Kind::Duplicate);
        match self.below(3) {
            0 => Some(part.clone()),
            // A link, if there are two ends.
            1 if of_messages && ground.parts.len() > 1 => {
                let (other, _) = self.one(&ground.parts)?;
                let arrow = if self.below(2) == 0 { "->" } else { "<->" };
                if other == part { Some(part.clone()) } else { Some(format!("{part} {arrow} {other}")) }
            }
            _ => self.one(nodes).cloned(),
        }
    }

    /// What else a fault of this kind says.
    fn keys(&mut self, kind: Kind) -> Vec<(&'static str, Value)> {
        let mut word = |key, words: &[&str]| self.one(words).map(|word| (key, Value::from(*word)));
        let keys = match kind {
            Kind::Crash | Kind::Pause => [None, None],
            Kind::Partition => [word("direction", &["both", "in", "out"]), word("wire", &["drop", "hold"])],
            Kind::Loss | Kind::Duplicate | Kind::Redeliver => {
                [word("chance", &["1%", "5%", "20%", "50%", "100%"]), None]
            }
            Kind::SlowCpu => [self.one(&[2, 5, 10, 100]).map(|factor| ("factor", Value::from(*factor))), None],
            Kind::ClockJump => [word("offset", &["-1h", "-1s", "-50ms", "50ms", "1s", "1h"]), None],
        };
        keys.into_iter().flatten().collect()
    }

    /// What a workload begins.
    pub(super) fn workload(&mut self, name: &str) -> Result<Chosen, String> {
        let all = &self.ground.workloads;
        let Some(asked) = all.iter().find(|workload| workload.name == name) else {
            let known: Vec<&str> = all.iter().map(|workload| workload.name.as_str()).collect();
            return Err(format!("no workload is called `{name}`; there is {}", known.join(", ")));
        };
        let (pace, times) = self.pace(asked);
        let all = (asked.operations as f64 * times).ceil() as u64;
        let operations: Vec<u64> = match self.below(3) {
            0 => (0..all).collect(),
            1 => {
                let from = self.below(all);
                (from..(from + self.spread(all)).min(all)).collect()
            }
            _ => {
                let share = [2, 10, 50][self.below(3) as usize];
                (0..all).filter(|_| self.below(100) < share).collect()
            }
        };
        Ok(Chosen { workload: asked.name.clone(), operations, all, usual: asked.operations, pace })
    }

    /// Another pace in one case of two, and how many times as fast it is.
    fn pace(&mut self, asked: &Asked) -> (Option<(&'static str, Value)>, f64) {
        let times = [0.25, 0.5, 2.0, 4.0][self.below(4) as usize];
        let (Some((key, now)), 0) = (asked.pace, self.below(2)) else { return (None, 1.0) };
        if key == "users" {
            let users = (now * times).ceil().max(1.0);
            return (Some((key, Value::from(users as u64))), users / now);
        }
        (Some((key, Value::from(format!("{}/s", now * times)))), times)
    }
}
