//! What a moment of a run looks like: each node with what it did last, and the messages that are on their way.

use std::collections::BTreeMap;

use kernel::{NodeId, Span, Time};

use super::cone::Cone;
use super::describe;
use super::story::{Line, Mood, moment};
use super::trace::Trace;
use super::words::Words;
use crate::run::World;

/// So much before and after a moment is drawn.
pub(super) const AROUND: Span = Span::millis(10);
/// Until so long after it is known what became of what was on its way.
pub(super) const AFTER: Span = Span::secs(1);
/// Messages on their way that are told.
const LETTERS_MAX: usize = 40;

/// What is known of a node at the moment itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    up: bool,
    paused: bool,
    unfinished: u64,
}

/// How every node stands now.
pub(super) fn standing(world: &World) -> Vec<Standing> {
    let of = |node: u32| {
        let node = NodeId(node);
        let unfinished = kernel::Process::unfinished(world.cluster.process(node));
        Standing { up: world.cluster.up(node), paused: world.cluster.paused(node), unfinished }
    };
    (0..world.cluster.len() as u32).map(of).collect()
}

/// The lines of a moment.
pub(super) fn lines(trace: &Trace, words: Words<'_>, standing: &[Standing], at: Time) -> (Vec<Line>, u64) {
    let mut last: BTreeMap<NodeId, u64> = BTreeMap::new();
    for (number, event) in trace.events().take_while(|(_, event)| event.time <= at) {
        last.insert(event.node, number);
    }
    let lane = |node: NodeId| {
        let name = words.node(node);
        name.strip_prefix("workloads.").unwrap_or(name).to_owned()
    };
    let mut lines = Vec::new();
    for (number, standing) in (0..).zip(standing) {
        let node = NodeId(number);
        let event = last.get(&node).copied();
        let time = event.and_then(|event| trace.event(event)).map_or(Time::ZERO, |event| event.time);
        let what = event.map_or_else(|| "nothing yet".to_owned(), |event| describe::event(trace, words, event));
        let (outcome, mood) = match standing {
            Standing { up: false, .. } => ("✗ down".to_owned(), Mood::Bad),
            Standing { paused: true, unfinished, .. } => (format!("✗ paused, {unfinished} open"), Mood::Bad),
            Standing { unfinished, .. } => (format!("{unfinished} open"), Mood::Plain),
        };
        let (lane, note) = (lane(node), String::new());
        lines.push(Line { time, event: event.unwrap_or(0), lane, what, outcome, mood, note });
    }
    let under_way: Vec<_> = trace
        .letters()
        .iter()
        .filter(|letter| letter.sent <= at && letter.delivered.is_none_or(|(time, _)| time > at))
        .filter(|letter| letter.dropped.is_none_or(|(time, _)| time > at) && !letter.tale.background)
        .collect();
    let left_out = under_way.len().saturating_sub(LETTERS_MAX);
    for letter in &under_way[left_out..] {
        let outcome = match (letter.delivered, letter.dropped) {
            (Some((time, _)), _) => format!("on its way, arrives at {}", moment(time)),
            (None, Some((time, _))) => format!("on its way, never arrives: given up at {}", moment(time)),
            (None, None) => "on its way".to_owned(),
        };
        let mood = if letter.dropped.is_some() { Mood::Bad } else { Mood::Plain };
        let what = format!("{} → {}", words.says(letter.tale.says), lane(letter.to));
        let note = match letter.held {
            Some((since, _)) => format!("held since {}", moment(since)),
            None if letter.losses > 0 => "lost, and sent again".to_owned(),
            None => String::new(),
        };
        lines.push(Line {
            time: letter.sent,
            event: letter.sent_in,
            lane: lane(letter.from),
            what,
            outcome,
            mood,
            note,
        });
    }
    (lines, left_out as u64)
}

/// What is drawn: everything shortly before and after.
pub(super) fn cone(trace: &Trace, at: Time) -> Cone {
    let from = Time(at.0.saturating_sub(AROUND.0));
    let to = at + AROUND;
    let mut cone = Cone::default();
    let near = trace.letters().iter().filter(|letter| letter.sent <= to && !letter.tale.background);
    let near = near.filter(|letter| letter.delivered.map_or(letter.sent, |(time, _)| time) >= from);
    cone.letters.extend(near.map(|letter| letter.id));
    let events = trace.events().filter(|(_, event)| (from..=to).contains(&event.time));
    cone.events.extend(events.map(|(number, _)| number));
    cone.caused.clone_from(&cone.events);
    cone
}
