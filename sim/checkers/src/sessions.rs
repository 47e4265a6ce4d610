//! Session guarantees: read your writes, monotonic reads, monotonic writes, writes follow reads (Terry et al., 1994).
//!
//! They are judged as Bouajjani, Enea, Guerraoui and others put weak consistency into axioms (*On verifying causal
//! consistency*, 2017; Biswas and Enea, *On the complexity of checking transactional consistency*, 2019): there must be
//! one order of all operations, in which those of a session stand in its order and a read stands after what it read, and
//! if a read of `x` finds what `a` wrote while it must have seen `b`, which also wrote `x`, then `b` stands before `a`.
//! What a read must have seen is the guarantee:
//!
//! | guarantee | it must have seen `b` if |
//! |---|---|
//! | read your writes | `b` is earlier in its session |
//! | monotonic reads | something earlier in its session read from `b` |
//! | monotonic writes | it read from something that stands after `b` in the session of `b` |
//! | writes follow reads | it read from something in whose session something earlier read from `b` |
//!
//! A transaction observes what it read itself. Single reads and writes observe what their process has read so far, as
//! Jepsen's models have it: who has seen the second of two writes must not find the state before the first afterwards.
//!
//! Where the history says that writes of a key took effect in real time ([`WriteOrder::RealTime`]), those of which one was
//! over before the other began stand in that order too. Of a store in which the last writer wins by clocks that is not so.
//!
//! Every value is written once per key, so it is known who was read from. The order exists if the arrows have no cycle.

mod arrows;
mod read;

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::history::{Certificate, Clock, Counterexample, History, Judgement, Refusal, Value, WriteOrder};
use crate::linearizable::Budget;
use arrows::Arrows;
use read::{Known, Sessions, Wrong};

/// One of the four.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guarantee {
    /// A session sees what it wrote.
    ReadYourWrites,
    /// A session does not lose sight of what it saw.
    MonotonicReads,
    /// What a session wrote is seen in its order.
    MonotonicWrites,
    /// What a session wrote is not seen without what it had read before.
    WritesFollowReads,
}

impl Guarantee {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadYourWrites => "read-your-writes",
            Self::MonotonicReads => "monotonic-reads",
            Self::MonotonicWrites => "monotonic-writes",
            Self::WritesFollowReads => "writes-follow-reads",
        }
    }
}

/// What registers hold before anybody has written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AtFirst {
    /// All of them this.
    Everywhere(Value),
    /// Nothing, or 0: formats differ in how they say it.
    NothingOrZero,
    /// Each its own, by key; nothing if it is not listed.
    Each(Vec<(Value, Value)>),
}

impl AtFirst {
    fn is(&self, key: &Value, value: &Value) -> bool {
        match self {
            Self::Everywhere(all) => value == all,
            Self::NothingOrZero => value.is_nil() || *value == Value::Int(0),
            Self::Each(each) => {
                each.iter().find(|(known, _)| known == key).map_or(value.is_nil(), |(_, own)| value == own)
            }
        }
    }

    /// A value that nobody may write: a read of it would not say whose it is. Where formats differ, a writer goes before.
    fn taken(&self, key: &Value, value: &Value) -> bool {
        *self != Self::NothingOrZero && self.is(key, value)
    }
}

/// Judges a history of registers: `read`, `write`, `cas`, `delete`, with keys or without, and `txn [[r k v] [w k v] …]`.
pub fn check(
    history: &History,
    at_first: &AtFirst,
    guarantee: Guarantee,
    budget: Budget,
) -> Result<Judgement, Refusal> {
    let sessions = match Sessions::read(history, at_first)? {
        Ok(sessions) => sessions,
        Err(Wrong { sentence, operation }) => {
            let (rule, operations) = (guarantee.name(), vec![operation]);
            return Ok(Judgement::Violated(Counterexample { rule, sentence, operations, ..Counterexample::default() }));
        }
    };
    let mut arrows = Arrows::new(sessions.nodes.len());
    sessions.orders(&mut arrows);
    if history.dialect.clock == Clock::Shared && history.dialect.write_order == WriteOrder::RealTime {
        sessions.real_time(history, &mut arrows);
    }
    let mut blank: Option<(usize, usize, usize)> = None;
    let mut known = Known::new();
    for node in 0..sessions.nodes.len() {
        for read in 0..sessions.nodes[node].reads.len() {
            let (key, from) = sessions.nodes[node].reads[read];
            let mut spent = true;
            sessions.seen_writers((guarantee, &mut known), (node, key), &mut |writer| {
                match from {
                    None => drop(blank.get_or_insert((node, key, writer))),
                    Some(from) if from != writer => arrows.add(writer, from, node),
                    Some(_) => {}
                }
                spent = arrows.len() < budget.steps;
                spent
            });
            if !spent {
                let why = format!("more than {} relations between operations", budget.steps);
                return Ok(Judgement::Unknown { why, spent: arrows.len() });
            }
        }
    }
    let operation = |node: usize| &history.operations[sessions.nodes[node].operation as usize];
    let told = |sentence: String, nodes: &[usize]| {
        let operations = nodes.iter().map(|&node| sessions.nodes[node].operation).collect::<Vec<_>>();
        Judgement::Violated(Counterexample {
            rule: guarantee.name(),
            sentence,
            operations,
            ..Counterexample::default()
        })
    };
    if let Some((node, key, writer)) = blank {
        let key = &sessions.keys[key];
        let sentence =
            format!("{} found key {key} as it was at first, and must have seen {}", operation(node), operation(writer));
        return Ok(told(sentence, &[writer, node]));
    }
    Ok(match arrows.cycle() {
        None if sessions.blurred > 0 => Judgement::Unknown {
            why: format!(
                "{} reads found nothing where something had been deleted: by whom is not known",
                sessions.blurred
            ),
            spent: arrows.len(),
        },
        None => Judgement::Valid(Certificate::Counts(vec![
            ("operations", sessions.nodes.len() as u64),
            ("relations", arrows.len()),
        ])),
        Some(cycle) => {
            let demanded: Vec<(usize, usize, usize)> = (0..cycle.len())
                .filter_map(|n| Some((cycle[n].0, cycle[(n + 1) % cycle.len()].0, cycle[n].1?)))
                .collect();
            if let [(writer, from, read)] = demanded[..] {
                let (read_, from_, writer_) = (operation(read), operation(from), operation(writer));
                let sentence = format!("{read_} must have seen {writer_}, and found what {from_} had left before that");
                return Ok(told(sentence, &sorted(vec![writer, from, read])));
            }
            // What stands between two arrows stands there by itself.
            let ends = |node: usize| demanded.iter().any(|&(from, to, _)| node == from || node == to);
            let shown = cycle.iter().filter(|(node, _)| demanded.is_empty() || ends(*node));
            let shown: Vec<String> = shown.map(|&(node, _)| format!("{}", operation(node))).collect();
            let nodes = cycle.iter().filter(|(node, _)| demanded.is_empty() || ends(*node));
            let nodes = nodes.flat_map(|&(node, why)| [Some(node), why]).flatten().collect();
            let round = "each of these must stand before the next, and the last before the first";
            told(format!("{round}: {}", shown.join("; ")), &sorted(nodes))
        }
    })
}

fn sorted(mut nodes: Vec<usize>) -> Vec<usize> {
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}
