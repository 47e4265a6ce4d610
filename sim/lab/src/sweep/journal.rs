//! A sweep written down while it goes on: a line per finished run, so that what was stopped can go on, and what ran in
//! several places can be put together.
//!
//! A text of lines, each with a checksum in front. The first says what is swept; whoever reads a journal compares that with
//! what is asked for. A line that is torn (the machine was switched off, the process killed) is as good as not there. Numbers
//! with fractions are written as their bits: what is read is what was written.

use std::collections::BTreeMap;

use kernel::Time;
use serde::{Deserialize, Serialize};

use super::result::{Promise, SeedResult, Violation};
use super::{Earlier, Prepared, Request, Shard};
use crate::outcome::{Found, Quantity, Status};
use crate::promise::SeedFindings;
use crate::run::{Divergence, EventRecord};
use crate::scenario::{Files, Source};

/// The first line of a journal: what is swept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// What its runs are: [`Prepared::identity`].
    pub identity: String,
    /// What was asked for.
    pub request: Request,
    /// The scenario, with the files that it names.
    pub source: Source,
    /// What failed earlier, and was tried first.
    pub earlier: Vec<Earlier>,
}

/// A journal that was read.
#[derive(Clone, PartialEq, Debug)]
pub struct Journal {
    /// What is swept.
    pub header: Header,
    /// The results, each once, in the order of its lines.
    pub results: Vec<SeedResult>,
    /// Lines that were torn.
    pub torn: usize,
}

/// The version of what stands in a line.
const FORMAT: u32 = 1;

impl Header {
    /// Of a sweep.
    pub fn of(prepared: &Prepared, source: &Source, earlier: &[Earlier]) -> Self {
        Self {
            identity: prepared.identity(),
            request: prepared.request.clone(),
            source: source.clone(),
            earlier: earlier.to_vec(),
        }
    }

    /// Its line, with a line feed.
    pub fn line(&self) -> String {
        let Self { identity, request, source, earlier } = self;
        checked(
            "",
            &HeaderLine {
                stormglass_sweep: FORMAT,
                identity: identity.clone(),
                sets: request.sets.clone(),
                seeds: request.seeds,
                variants: request.variants.clone(),
                matrix: request.matrix.clone(),
                twice: request.twice,
                shard: request.shard.map(|shard| (shard.number, shard.of)),
                scenario: source.name.clone(),
                text: source.text.clone(),
                files: source.files.all().clone(),
                earlier: earlier
                    .iter()
                    .map(|one| (one.seed, one.variant.clone(), one.sets.clone(), one.why.clone()))
                    .collect(),
            },
        )
    }
}

/// The line of a result of the sweep with this identity, with a line feed. Its checksum tells it from lines of others, should
/// two sweeps ever write into one file.
pub fn line(identity: &str, result: &SeedResult) -> String {
    checked(identity, &RunLine::of(result))
}

/// Reads a journal; none if its first line is not that of one.
pub fn read(text: &str) -> Option<Journal> {
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let header: HeaderLine = unchecked("", lines.next()?)?;
    if header.stormglass_sweep != FORMAT {
        return None;
    }
    let (mut results, mut torn) = (BTreeMap::new(), 0);
    let mut order = Vec::new();
    for line in lines {
        match unchecked::<RunLine>(&header.identity, line).map(RunLine::result) {
            None => torn += 1,
            Some(result) => {
                let at = (result.point, result.seed);
                if results.insert(at, result).is_none() {
                    order.push(at);
                }
            }
        }
    }
    let results = order.iter().filter_map(|at| results.remove(at)).collect();
    Some(Journal { header: header.header(), results, torn })
}

fn checksum(of: &str, json: &str) -> u64 {
    let salt = xxhash_rust::xxh3::xxh3_64(of.as_bytes());
    xxhash_rust::xxh3::xxh3_64_with_seed(json.as_bytes(), salt)
}

fn checked(of: &str, line: &impl Serialize) -> String {
    let json = serde_json::to_string(line).expect("our lines have string keys and are written into memory");
    format!("{:016x} {json}\n", checksum(of, &json))
}

fn unchecked<'a, T: Deserialize<'a>>(of: &str, line: &'a str) -> Option<T> {
    let (sum, json) = line.split_once(' ')?;
    let sum = u64::from_str_radix(sum, 16).ok()?;
    (sum == checksum(of, json)).then(|| serde_json::from_str(json).ok())?
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine {
    stormglass_sweep: u32,
    identity: String,
    sets: Vec<(String, String)>,
    seeds: Option<(u64, u64)>,
    variants: Option<String>,
    matrix: Vec<(String, Vec<String>)>,
    twice: bool,
    shard: Option<(u64, u64)>,
    scenario: String,
    text: String,
    files: BTreeMap<String, Result<String, String>>,
    earlier: Vec<EarlierWords>,
}

/// Seed, variant, sets, why.
type EarlierWords = (u64, Option<String>, Vec<(String, String)>, String);

impl HeaderLine {
    fn header(self) -> Header {
        let request = Request {
            sets: self.sets,
            seeds: self.seeds,
            variants: self.variants,
            matrix: self.matrix,
            jobs: 0,
            fail_fast: false,
            twice: self.twice,
            shard: self.shard.map(|(number, of)| Shard { number, of }),
        };
        let earlier = self.earlier.into_iter().map(|(seed, variant, sets, why)| Earlier { seed, variant, sets, why });
        Header {
            identity: self.identity,
            request,
            source: Source::new(self.scenario, self.text).with_files(Files::new(self.files)),
            earlier: earlier.collect(),
        }
    }
}

/// A result: point, seed, fingerprint, events, what was found, promises, a panic, a divergence.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunLine {
    p: usize,
    s: u64,
    fp: u64,
    ev: u64,
    found: char,
    promises: Vec<PromiseLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    panic: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    differs: Option<(u64, Option<Event>, Option<Event>)>,
}

/// Time, sequence, node, sort, digest, fingerprint.
type Event = (u64, u64, String, String, u64, u64);

/// A promise: name, status; of a threshold the unit and the bits of what was measured; whether it was reached; how it was
/// broken.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PromiseLine {
    n: String,
    s: char,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<(char, u64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    v: Option<(String, Vec<String>, Vec<String>)>,
}

impl RunLine {
    fn of(result: &SeedResult) -> Self {
        let event = |record: &EventRecord| {
            let EventRecord { time, sequence, node, kind, digest, fingerprint } = record;
            (time.0, *sequence, node.clone(), kind.clone(), *digest, *fingerprint)
        };
        Self {
            p: result.point,
            s: result.seed,
            fp: result.fingerprint,
            ev: result.events,
            found: match result.found {
                Found::Pass => '+',
                Found::Fail => '-',
                Found::Inconclusive => '?',
            },
            promises: result.promises.iter().map(PromiseLine::of).collect(),
            panic: result.panic.clone(),
            differs: result
                .divergence
                .as_ref()
                .map(|d| (d.event, d.first.as_ref().map(event), d.second.as_ref().map(event))),
        }
    }

    fn result(self) -> SeedResult {
        let event = |(time, sequence, node, kind, digest, fingerprint): Event| EventRecord {
            time: Time(time),
            sequence,
            node,
            kind,
            digest,
            fingerprint,
        };
        let promises: Vec<Promise> = self.promises.into_iter().map(PromiseLine::promise).collect();
        SeedResult {
            point: self.p,
            seed: self.s,
            fingerprint: self.fp,
            events: self.ev,
            found: match self.found {
                '+' => Found::Pass,
                '?' => Found::Inconclusive,
                _ => Found::Fail,
            },
            findings: findings(self.s, &promises, self.panic.clone()),
            promises,
            panic: self.panic,
            divergence: self.differs.map(|(number, first, second)| Divergence {
                event: number,
                first: first.map(event),
                second: second.map(event),
            }),
        }
    }
}

impl PromiseLine {
    fn of(promise: &Promise) -> Self {
        let bits = |quantity: Quantity| match quantity {
            Quantity::Seconds(n) => ('s', n.to_bits()),
            Quantity::Ratio(n) => ('r', n.to_bits()),
            Quantity::PerSecond(n) => ('p', n.to_bits()),
            Quantity::Number(n) => ('n', n.to_bits()),
        };
        Self {
            n: promise.name.clone(),
            s: match promise.status {
                Status::Holds => '+',
                Status::Violated => '-',
                Status::Unknown => '?',
                Status::Vacuous => 'o',
            },
            t: promise.threshold.map(|measured| measured.map_or(('-', 0), bits)),
            r: promise.reached,
            v: promise.violation.as_ref().map(|v| (v.class.clone(), v.signature.clone(), v.witness.clone())),
        }
    }

    fn promise(self) -> Promise {
        let measured = |(unit, bits): (char, u64)| match unit {
            's' => Some(Quantity::Seconds(f64::from_bits(bits))),
            'r' => Some(Quantity::Ratio(f64::from_bits(bits))),
            'p' => Some(Quantity::PerSecond(f64::from_bits(bits))),
            'n' => Some(Quantity::Number(f64::from_bits(bits))),
            _ => None,
        };
        Promise {
            name: self.n,
            status: match self.s {
                '+' => Status::Holds,
                '?' => Status::Unknown,
                'o' => Status::Vacuous,
                _ => Status::Violated,
            },
            threshold: self.t.map(measured),
            reached: self.r,
            violation: self.v.map(|(class, signature, witness)| Violation { class, signature, witness }),
        }
    }
}

/// What a run came to by name, from its promises.
fn findings(seed: u64, promises: &[Promise], engine_bug: Option<String>) -> SeedFindings {
    // A `sometimes` that one run does not judge leaves an unknown that is none.
    let judged = |promise: &Promise| !(promise.reached == Some(false) && promise.status == Status::Unknown);
    let named = |thresholds: bool, status: Status| {
        let mine = promises.iter().filter(|p| p.threshold.is_some() == thresholds && p.status == status && judged(p));
        mine.map(|promise| promise.name.clone()).collect()
    };
    SeedFindings {
        seed,
        failing: named(false, Status::Violated),
        unknown: named(false, Status::Unknown),
        vacuous: named(false, Status::Vacuous),
        failing_thresholds: named(true, Status::Violated),
        vacuous_thresholds: named(true, Status::Vacuous),
        unknown_thresholds: named(true, Status::Unknown),
        reached: promises.iter().filter_map(|p| Some((p.name.clone(), p.reached?))).collect(),
        engine_bug,
    }
}
