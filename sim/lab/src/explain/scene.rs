//! From a cone to a picture: lanes with their bands, messages as arrows, marks.

use kernel::{FactKind, NodeId, Time};

use super::nature::nature;
use super::story::{Arrow, Band, BandSort, Fate, Lane, Mark, MarkSort};
use super::tale::{Says, Turn};
use super::tell::{Teller, whom};
use super::trace::{Letter, Note, What};
use super::words::Words;

/// Messages of a picture.
const ARROWS_MAX: usize = 80;
/// Marks of a picture.
const MARKS_MAX: usize = 80;

/// What is drawn.
pub(super) struct Scene {
    pub(super) lanes: Vec<Lane>,
    pub(super) arrows: Vec<Arrow>,
    pub(super) marks: Vec<Mark>,
}

impl Teller<'_> {
    pub(super) fn scene(&self) -> Scene {
        let nodes = self.lanes();
        let place = |node: NodeId| nodes.iter().position(|known| *known == node);
        let mut letters: Vec<&Letter> = self
            .cone
            .letters
            .iter()
            .filter_map(|id| self.trace.letter(*id))
            .filter(|letter| !letter.tale.background && letter.sent_in <= self.until.1)
            .filter(|letter| letter.from != letter.to || !is_aside(letter.tale.says))
            .collect();
        while letters.len() > ARROWS_MAX {
            let least = letters.iter().map(|letter| nature(letter.tale.says).weight).min().expect("there are messages");
            let last = letters.iter().position(|letter| nature(letter.tale.says).weight == least);
            letters.remove(last.expect("one of them is the least"));
        }
        let arrows =
            letters.iter().filter_map(|letter| Some(self.arrow(letter, place(letter.from)?, place(letter.to)?)));
        let arrows: Vec<Arrow> = arrows.collect();
        let mut marks = Vec::new();
        for event in &self.cone.events {
            let notes = self.trace.notes_of(*event);
            marks.extend(notes.iter().filter_map(|note| self.mark(note, place(note.node)?)));
        }
        let from = arrows.iter().map(|arrow| arrow.sent).chain(marks.iter().map(|mark: &Mark| mark.time)).min();
        let from = from.unwrap_or(Time::ZERO);
        let last =
            arrows.iter().map(|arrow| arrow.ended.unwrap_or(arrow.sent)).chain(marks.iter().map(|mark| mark.time));
        let last = last.max().unwrap_or(from);
        let lanes = nodes.iter().map(|node| self.lane_of(*node, (from, last))).collect();
        for note in self.trace.notes.iter().filter(|note| note.time >= from && note.event <= self.until.1) {
            let sort = match note.what {
                What::Crashed => MarkSort::Crash,
                What::Restarted => MarkSort::Restart,
                What::Changed { .. }
                | What::Point(..)
                | What::Fact { .. }
                | What::Durable
                | What::Fault { .. }
                | What::Invoked { .. }
                | What::Completed { .. }
                | What::Store(_)
                | What::Alarm(..) => continue,
            };
            let label = if sort == MarkSort::Crash { "goes down" } else { "is back" };
            marks.extend(place(note.node).map(|lane| Mark { lane, time: note.time, sort, label: label.to_owned() }));
        }
        while marks.len() > MARKS_MAX {
            let least = marks.iter().map(|mark| heavy(mark.sort)).min().expect("there are marks");
            let place = marks.iter().position(|mark| heavy(mark.sort) == least).expect("one of them is the least");
            marks.remove(place);
        }
        marks.sort_by_key(|mark| (mark.time, mark.lane));
        Scene { lanes, arrows, marks }
    }

    fn arrow(&self, letter: &Letter, from: usize, to: usize) -> Arrow {
        let gone = letter.dropped.filter(|(time, _)| *time <= self.until.0);
        let came = letter.delivered.filter(|(_, event)| *event <= self.until.1);
        let given_up = self.exchanges.given_up(letter).filter(|_| letter.tale.turn == Turn::Answer);
        let fate = match (gone, came) {
            (Some((time, reason)), None) => Fate::Lost(self.exchanges.why(letter, reason, time)),
            (None, None) => Fate::Open,
            (_, Some((time, _))) if given_up.is_some_and(|given_up| given_up < time) => Fate::Late,
            (_, Some(_)) => Fate::Arrived,
        };
        Arrow {
            from,
            to,
            sent: letter.sent,
            ended: came.map(|(time, _)| time).or(gone.map(|(time, _)| time)),
            label: self.words.says(letter.tale.says),
            fate,
            answer: letter.tale.turn == Turn::Answer,
            copy: letter.copy_of.is_some(),
            delayed: letter.held.is_some() || letter.losses > 0,
        }
    }

    fn mark(&self, note: &Note, lane: usize) -> Option<Mark> {
        let (sort, label) = match note.what {
            What::Changed { first, count } => {
                (MarkSort::Row, self.words.change(self.trace.changed(first, count)).join("; "))
            }
            What::Point(point) if self.is_own(note.event) => {
                (MarkSort::Point, self.words.names.points[point.0 as usize].clone())
            }
            What::Fact { protocol, instance, kind } => {
                let own = self.cone.operations.contains(&instance) || self.subject.events.contains(&note.event);
                (MarkSort::Fact, self.words.fact(protocol, kind).filter(|_| own)?)
            }
            What::Durable => (MarkSort::Durable, "durable".to_owned()),
            What::Invoked { number, .. } => (MarkSort::Begins, format!("operation {number}")),
            What::Completed { number, .. } => (MarkSort::Ends, format!("operation {number} is over")),
            What::Alarm(alarm, _) => (MarkSort::Alarm, Words::alarm(alarm).to_owned()),
            What::Crashed | What::Restarted | What::Fault { .. } | What::Store(_) | What::Point(_) => return None,
        };
        Some(Mark { lane, time: note.time, sort, label })
    }

    /// Whether an event works for an operation of the story, and not for several.
    fn is_own(&self, event: u64) -> bool {
        self.trace.event(event).is_some_and(|event| self.cone.operations.contains(&event.operation))
    }

    fn lane_of(&self, node: NodeId, (from, last): (Time, Time)) -> Lane {
        let mut bands = Vec::new();
        for (instance, fault) in self.ledger.iter().zip(self.faults) {
            let Some(start) = instance.start.filter(|start| *start <= last) else { continue };
            let over = instance.end.is_some_and(|end| end < from || end == start);
            // Which messages a broker delivers again stands with these.
            if over || fault.kind == "redeliver" || !whom(instance).contains(&node) {
                continue;
            }
            let sort = match fault.kind.as_str() {
                "crash" => BandSort::Down,
                "pause" => BandSort::Paused,
                "partition" => BandSort::CutOff,
                _ => BandSort::Disturbed,
            };
            bands.push(Band { from: start, to: instance.end, sort, name: fault.name.clone() });
        }
        self.leads(node, from, &mut bands);
        bands.sort_by_key(|band| (band.sort, band.from));
        Lane { name: self.lane(node).to_owned(), bands }
    }

    /// When it believed to lead.
    fn leads(&self, node: NodeId, from: Time, bands: &mut Vec<Band>) {
        let mut since: Option<(Time, u64)> = None;
        let mut all = Vec::new();
        for note in self.trace.notes.iter().filter(|note| note.node == node && note.event <= self.until.1) {
            let leads = match note.what {
                What::Fact { kind: FactKind::Leads { term }, .. } => Some((note.time, term)),
                What::Fact { kind: FactKind::StoodDown, .. } | What::Crashed => None,
                What::Changed { .. }
                | What::Point(..)
                | What::Fact { .. }
                | What::Durable
                | What::Restarted
                | What::Fault { .. }
                | What::Invoked { .. }
                | What::Completed { .. }
                | What::Store(_)
                | What::Alarm(..) => continue,
            };
            all.extend(since.take().map(|(began, term)| (began, Some(note.time), term)));
            since = leads;
        }
        all.extend(since.map(|(began, term)| (began, None, term)));
        let seen = all.into_iter().filter(|(_, to, _)| to.is_none_or(|to| to >= from));
        bands.extend(seen.map(|(began, to, term)| Band {
            from: began,
            to,
            sort: BandSort::Leads,
            name: format!("leads, term {term}"),
        }));
    }
}

/// What a node asks its own database: what comes of it is shown as rows.
const fn is_aside(says: Says) -> bool {
    matches!(
        says,
        Says::Script | Says::Data(_) | Says::Remember | Says::BeginSaga(_) | Says::MarkSaga(_) | Says::DataNews(_)
    )
}

/// How much a mark says.
const fn heavy(sort: MarkSort) -> u8 {
    match sort {
        MarkSort::Broken | MarkSort::Crash | MarkSort::Begins | MarkSort::Ends => 9,
        MarkSort::Row => 8,
        MarkSort::Fact | MarkSort::Restart => 6,
        MarkSort::Alarm => 5,
        MarkSort::Point => 2,
        MarkSort::Durable => 1,
    }
}
