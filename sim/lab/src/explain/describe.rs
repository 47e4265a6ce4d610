//! One event in a few words.

use cluster::Kind;

use super::trace::{Cause, Trace, What};
use super::words::Words;

/// What happens in an event: what it is told of, else what is handled.
pub(super) fn event(trace: &Trace, words: Words<'_>, number: u64) -> String {
    let Some(event) = trace.event(number) else { return format!("event {number}") };
    let node = words.node(event.node);
    let mut told = Vec::new();
    for note in trace.notes_of(number) {
        let who = words.node(note.node);
        match note.what {
            What::Changed { first, count } => {
                told.extend(words.change(trace.changed(first, count)).into_iter().map(|line| format!("{who}: {line}")));
            }
            What::Crashed => told.push(format!("{who} goes down")),
            What::Restarted => told.push(format!("{who} is back")),
            What::Fact { protocol, kind, .. } => {
                told.extend(words.fact(protocol, kind).map(|fact| format!("{who} {fact}")));
            }
            What::Alarm(alarm, _) => told.push(format!("{who} {}", Words::alarm(alarm))),
            What::Invoked { number, .. } => told.push(format!("{who}: operation {number} begins")),
            What::Completed { number, .. } => told.push(format!("{who}: operation {number} is over")),
            What::Point(..) | What::Durable | What::Fault { .. } | What::Store(_) => {}
        }
    }
    if !told.is_empty() {
        return told.join("; ");
    }
    match (event.kind, event.cause) {
        (Kind::Message, Cause::Letter(id)) => trace.letter(id).map_or_else(
            || format!("{node} hears something"),
            |letter| format!("{node} hears from {}: {}", words.node(letter.from), words.says(letter.tale.says)),
        ),
        (kind, _) => format!("{node}: {}{}", self::kind(kind), words.operation(event.operation)),
    }
}

/// A sort of event.
const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Start => "starts",
        Kind::Message => "hears something",
        Kind::Undelivered => "a message does not reach it",
        Kind::Timer => "a timer is due",
        Kind::Done => "a work is finished",
        Kind::Wake => "goes on after a write",
        Kind::Written => "a write is durable",
        Kind::Retransmit => "a message is sent again",
        Kind::Reset => "hears that a connection was reset",
        Kind::Late => "is paused: something waits",
        Kind::Released => "says what had waited",
        Kind::Strike => "a fault strikes",
        Kind::End => "a fault ends",
        Kind::Heal => "all faults end",
        Kind::Stale => "something is too old",
        Kind::Gathered => "a write begins",
        Kind::Disturbed => "is disturbed",
    }
}
