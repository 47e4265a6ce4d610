//! From a cone to lines: who did what when, how it went, and why that matters where it is certain.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cluster::Instance;
use kernel::{NodeId, Span, Time};
use systems::app::ending::Ending;

use super::alarm::Alarm;
use super::cone::Cone;
use super::exchange::Exchanges;
use super::nature::nature;
use super::story::{Line, Mood, moment};
use super::subject::Subject;
use super::tale::{Says, Turn};
use super::trace::{Letter, Note, Trace, What};
use super::words::Words;
use crate::outcome::FaultResult;

/// Lines of a story.
pub(super) const LINES_MAX: usize = 60;
/// The same line is told so often.
const SAID_MAX: usize = 2;
/// If so long nothing more is done for an operation until its promise is judged, that is said.
const FORSAKEN: Span = Span::millis(100);

/// Everything a story is told from.
pub(super) struct Teller<'a> {
    pub(super) trace: &'a Trace,
    pub(super) words: Words<'a>,
    pub(super) cone: &'a Cone,
    pub(super) subject: &'a Subject,
    /// Every instance of a fault, and what it is called.
    pub(super) ledger: &'a [Instance],
    pub(super) faults: &'a [FaultResult],
    /// Where the story ends.
    pub(super) until: (Time, u64),
    /// The promise that is broken there.
    pub(super) broken: Option<&'a str>,
    pub(super) exchanges: &'a Exchanges<'a>,
}

/// A line, with what decides whether it is told.
#[derive(Clone, Debug)]
struct Draft {
    line: Line,
    weight: u8,
    /// Where it stands among those of its event.
    rank: u8,
    /// The event in which the answer was heard.
    ends: Option<u64>,
}

impl<'a> Teller<'a> {
    /// The lines, and how many are left out.
    pub(super) fn lines(&self) -> (Vec<Line>, u64) {
        let mut drafts = Vec::new();
        let letters: Vec<&Letter> = self.cone.letters.iter().filter_map(|id| self.trace.letter(*id)).collect();
        let mut tries = BTreeMap::new();
        for letter in letters.iter().filter(|letter| self.is_told(letter)) {
            drafts.push(self.message(letter, &mut tries));
        }
        for &event in &self.cone.events {
            let notes = self.trace.notes_of(event);
            drafts.extend(notes.iter().filter_map(|note| self.note(note, notes)));
        }
        self.say_faults(&mut drafts);
        self.say_notes(&mut drafts);
        drafts.sort_by_key(|draft| (draft.line.time, draft.line.event, draft.rank));
        self.say_forsaken(&mut drafts);
        if let Some(promise) = self.broken {
            let what = format!("{promise} is broken");
            drafts.push(Self::draft(self.until, "promise", (what, String::new(), Mood::Bad), 9));
        }
        let mut left_out = repeated(&mut drafts);
        left_out += drafts.len().saturating_sub(LINES_MAX);
        while drafts.len() > LINES_MAX {
            let least = drafts.iter().map(|draft| draft.weight).min().expect("there are lines");
            let place = drafts.iter().position(|draft| draft.weight == least).expect("one of them is the least");
            drafts.remove(place);
        }
        (drafts.into_iter().map(|draft| draft.line).collect(), left_out as u64)
    }

    /// Whether a message has a line of its own: answers stand with their questions.
    fn is_told(&self, letter: &Letter) -> bool {
        let answered =
            letter.tale.turn == Turn::Answer && self.exchanges.has_question(letter) && letter.copy_of.is_none();
        // What a node asks itself says nothing that what it does does not say.
        let aside = letter.from == letter.to && letter.tale.says == Says::Script;
        !letter.tale.background && letter.sent_in <= self.until.1 && !answered && !aside
    }

    fn draft(at: (Time, u64), lane: &str, (what, outcome, mood): (String, String, Mood), weight: u8) -> Draft {
        let line = Line { time: at.0, event: at.1, lane: lane.to_owned(), what, outcome, mood, note: String::new() };
        Draft { line, weight, rank: 1, ends: None }
    }

    /// A message as a line.
    fn message(&self, letter: &Letter, tries: &mut BTreeMap<(NodeId, u64, u32), u32>) -> Draft {
        let says = self.words.says(letter.tale.says);
        let to = self.lane(letter.to);
        let mut what = format!("{}{says} → {to}", self.client(letter));
        let mut note = String::new();
        if letter.copy_of.is_some() {
            what = format!("a copy of {what}");
            "the network made it".clone_into(&mut note);
        }
        if let Says::Request { op, .. } = letter.tale.says
            && letter.copy_of.is_none()
        {
            let tried = tries.entry((letter.from, letter.operation, op)).or_insert(0);
            *tried += 1;
            if *tried > 1 {
                let _ = write!(what, ", try {tried}");
            }
        }
        if let Says::Deliver { nth: 2.., .. } = letter.tale.says {
            "delivered again".clone_into(&mut note);
        }
        let gone = match letter.tale.turn {
            Turn::Question => Some(self.exchanges.gone(letter)),
            Turn::Answer => None,
        };
        let (outcome, mood, ends) =
            gone.map_or((String::new(), Mood::Plain, None), |gone| (gone.outcome, gone.mood, gone.ends));
        if let Some((_, reason)) = letter.lost.filter(|_| letter.dropped.is_none() && note.is_empty()) {
            let again = if letter.losses == 1 { "" } else { ", again and again" };
            note = format!("{}{again}, and sent again", self.exchanges.why(letter, Some(reason), letter.sent));
        }
        let weight = if mood == Mood::Bad || !note.is_empty() { 7 } else { nature(letter.tale.says).weight };
        let mut draft =
            Self::draft((letter.sent, letter.sent_in), self.lane(letter.from), (what, outcome, mood), weight);
        (draft.line.note, draft.ends, draft.rank) = (note, ends, 3);
        draft
    }

    /// Which of a workload's clients asks a store: they share a lane.
    fn client(&self, letter: &Letter) -> String {
        let stores = self.trace.notes_of(letter.said_in).iter().filter(|note| note.node == letter.from);
        let process =
            stores.rev().find_map(|note| if let What::Store(told) = note.what { Some(told.process) } else { None });
        let process = process.filter(|_| self.is_clients(letter.from));
        process.map_or_else(String::new, |process| format!("client {}: ", process & ((1 << 40) - 1)))
    }

    fn is_clients(&self, node: NodeId) -> bool {
        self.words.node(node).starts_with("workloads.")
    }

    /// The name of a lane.
    pub(super) fn lane(&self, node: NodeId) -> &'a str {
        let name = self.words.names.node(node);
        name.strip_prefix("workloads.").unwrap_or(name)
    }

    /// Something that is told in an event, as a line.
    fn note(&self, note: &Note, beside: &[Note]) -> Option<Draft> {
        let at = (note.time, note.event);
        let lane = self.lane(note.node);
        let plain = |what: String, weight: u8| Some(Self::draft(at, lane, (what, String::new(), Mood::Plain), weight));
        let asks = beside.iter().any(|other| matches!(other.what, What::Store(_)));
        match note.what {
            What::Changed { first, count } => {
                let lines = self.words.change(self.trace.changed(first, count));
                if lines.is_empty() {
                    return None;
                }
                let mut draft = Self::draft(at, lane, (lines.join("; "), String::new(), Mood::Plain), 8);
                draft.line.note = self.late(note.event, note.time).unwrap_or_default();
                Some(draft)
            }
            What::Point(point) => {
                // It strikes at the point that was reached last.
                let place = beside.iter().position(|other| std::ptr::eq(other, note))?;
                let after = beside[place + 1..].iter().take_while(|other| !matches!(other.what, What::Point(_)));
                let struck = after.filter_map(|other| {
                    let What::Fault { instance, began: true } = other.what else { return None };
                    Some(&self.faults[instance as usize].name)
                });
                let fault = struck.last()?;
                let mut draft = plain(format!("reaches {}", self.words.names.points[point.0 as usize]), 8)?;
                (draft.line.note, draft.rank) = (format!("here {fault} strikes"), 5);
                Some(draft)
            }
            What::Fact { protocol, instance, kind } => {
                let own = self.cone.operations.contains(&instance) || self.subject.events.contains(&note.event);
                plain(self.words.fact(protocol, kind).filter(|_| own)?, 6)
            }
            What::Invoked { workload, number } if !asks => {
                // Rows, sagas and transactions are numbered by this.
                let id = systems::app::clients::operation(workload, number);
                let mut draft = plain(format!("operation {number} begins ($id {id})"), 9)?;
                draft.rank = 0;
                Some(draft)
            }
            What::Completed { number, ending, error, .. } if !asks => {
                let error = error.map_or("", |error| self.words.error(error));
                let (outcome, mood) = match ending {
                    Ending::Ok => ("ok".to_owned(), Mood::Good),
                    Ending::Fail => (format!("✗ failed: {error}"), Mood::Bad),
                    Ending::Reject => (format!("rejected: {error}"), Mood::Plain),
                    Ending::Info => (format!("✗ outcome unknown: {error}"), Mood::Bad),
                };
                let mut draft = Self::draft(at, lane, (format!("operation {number} is over"), outcome, mood), 9);
                draft.rank = 4;
                Some(draft)
            }
            What::Alarm(alarm, call) => {
                let told =
                    matches!(alarm, Alarm::Timeout | Alarm::Retry) && (call.is_none() || self.exchanges.knows(call));
                if told { None } else { plain(Words::alarm(alarm).to_owned(), 4) }
            }
            What::Restarted => plain("is back".to_owned(), 5),
            What::Invoked { .. }
            | What::Completed { .. }
            | What::Store(_)
            | What::Durable
            | What::Crashed
            | What::Fault { .. } => None,
        }
    }

    /// What is done after nobody waits for it any more.
    fn late(&self, event: u64, time: Time) -> Option<String> {
        let request = self.exchanges.request(event)?;
        let given_up = self.exchanges.given_up(request).filter(|given_up| *given_up < time)?;
        let (from, when) = (self.lane(request.from), moment(given_up));
        Some(format!("late: {from} stopped waiting at {when}"))
    }

    /// Faults that hit who takes part.
    fn say_faults(&self, drafts: &mut Vec<Draft>) {
        let Some(from) = drafts.iter().map(|draft| draft.line.time).min() else { return };
        let last = drafts.iter().map(|draft| draft.line.time).max().unwrap_or(from);
        // What breaks a promise may be the fault itself, when nothing more is done for what it is about.
        let last = if self.broken.is_some() { last.max(self.until.0) } else { last };
        let lanes = self.lanes();
        for (instance, fault) in self.ledger.iter().zip(self.faults) {
            let Some(start) = instance.start.filter(|start| *start <= last) else { continue };
            let end = instance.end.filter(|end| *end <= self.until.0);
            if end.is_some_and(|end| end < from) || fault.kind == "redeliver" || !fault.effective {
                continue;
            }
            let hit: Vec<NodeId> = whom(instance).iter().copied().filter(|node| lanes.contains(node)).collect();
            if hit.is_empty() {
                continue;
            }
            let names: Vec<&str> = hit.iter().map(|node| self.lane(*node)).collect();
            let until = end.map_or_else(String::new, |end| format!(", until {}", moment(end)));
            let verb = verb(&fault.kind, hit.len() == 1);
            let event = self
                .trace
                .notes
                .iter()
                .find(|note| matches!(note.what, What::Fault { instance: id, began: true } if id == instance.id));
            let event = event.map_or(0, |note| note.event);
            let what = format!("{verb} ({}){until}", fault.name);
            let mut draft = Self::draft((start, event), &names.join(", "), (what, String::new(), Mood::Bad), 9);
            let loses = fault.kind == "crash" && hit.iter().any(|node| self.exchanges.open_at(*node, start, event));
            draft.rank = 6;
            if loses {
                "what it was doing for this is lost".clone_into(&mut draft.line.note);
            }
            drafts.push(draft);
        }
    }

    /// What is known of single events.
    fn say_notes(&self, drafts: &mut [Draft]) {
        for (event, text) in &self.subject.notes {
            let ends = drafts.iter().rposition(|draft| draft.ends == Some(*event) && draft.weight > 4);
            let here = drafts.iter().rposition(|draft| draft.line.event == *event && draft.weight >= 8);
            if let Some(place) = here.or(ends) {
                let note = &mut drafts[place].line.note;
                *note = if note.is_empty() { text.clone() } else { format!("{note}; {text}") };
                drafts[place].weight = 9;
            }
        }
    }

    /// An operation for which nothing more was done long before its promise was judged.
    fn say_forsaken(&self, drafts: &mut [Draft]) {
        let last = self.cone.events.iter().rfind(|event| !self.subject.events.contains(event));
        let last = last.and_then(|last| self.trace.event(*last));
        if self.broken.is_some()
            && let Some(last) = last
            && self.until.0.since(last.time) > FORSAKEN
            && let Some(draft) = drafts.last_mut()
            && draft.line.note.is_empty()
        {
            let for_whom = if self.cone.operations.len() == 1 { "it" } else { "them" };
            draft.line.note = format!("nothing more is done for {for_whom}");
        }
    }

    /// The events with which the faults of the story began.
    pub(super) fn fault_events(&self) -> Vec<u64> {
        let lanes = self.lanes();
        let began = |note: &&Note| {
            let What::Fault { instance, began: true } = note.what else { return false };
            whom(&self.ledger[instance as usize]).iter().any(|node| lanes.contains(node))
        };
        self.trace.notes.iter().filter(|note| note.event <= self.until.1).filter(began).map(|note| note.event).collect()
    }

    /// The faults that had an effect, those of the story first.
    pub(super) fn fault_names(&self) -> Vec<String> {
        let lanes = self.lanes();
        let mut all: Vec<(bool, bool, &str)> = Vec::new();
        for (instance, fault) in self.ledger.iter().zip(self.faults) {
            if instance.fault.is_some() && instance.start.is_some_and(|start| start <= self.until.0) && fault.effective
            {
                let elsewhere = !whom(instance).iter().any(|node| lanes.contains(node));
                // What disturbs throughout says less than what strikes once.
                all.push((elsewhere, fault.kind == "redeliver" || fault.kind == "slow_cpu", &fault.name));
            }
        }
        all.sort_by_key(|(elsewhere, mild, _)| (*elsewhere, *mild));
        let mut names: Vec<String> = Vec::new();
        for (.., name) in all {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// Who takes part: clients first.
    pub(super) fn lanes(&self) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = Vec::new();
        for letter in self.cone.letters.iter().filter_map(|id| self.trace.letter(*id)) {
            if !letter.tale.background {
                nodes.extend([letter.from, letter.to]);
            }
        }
        for event in &self.cone.events {
            nodes.extend(
                self.trace.notes_of(*event).iter().filter(|note| is_of_a_node(note.what)).map(|note| note.node),
            );
        }
        nodes.sort_unstable_by_key(|node| (!self.is_clients(*node), *node));
        nodes.dedup();
        nodes
    }
}

/// What is said again and again is said twice, and counted. Tells how many lines that leaves out.
fn repeated(drafts: &mut Vec<Draft>) -> usize {
    let mut seen: BTreeMap<(String, String, String), (usize, usize)> = BTreeMap::new();
    let same = |draft: &Draft| {
        let Line { lane, what, outcome, .. } = &draft.line;
        (lane.clone(), what.clone(), outcome.clone())
    };
    let mut kept: Vec<Draft> = Vec::new();
    let before = drafts.len();
    for draft in drafts.drain(..) {
        let (count, place) = seen.entry(same(&draft)).or_default();
        *count += 1;
        if *count > SAID_MAX && draft.line.note.is_empty() {
            let more = *count - SAID_MAX;
            kept[*place].line.note = format!("and {more} more like it, until {}", moment(draft.line.time));
            continue;
        }
        *place = kept.len();
        kept.push(draft);
    }
    *drafts = kept;
    before - drafts.len()
}

/// Whom a fault is shown at: of a partition, the first side.
pub(super) fn whom(instance: &Instance) -> &[NodeId] {
    instance.sides.first().map_or(&instance.nodes, |side| side)
}

const fn is_of_a_node(what: What) -> bool {
    match what {
        What::Fault { .. } | What::Durable | What::Crashed | What::Restarted | What::Point(..) => false,
        What::Changed { .. }
        | What::Fact { .. }
        | What::Invoked { .. }
        | What::Completed { .. }
        | What::Store(_)
        | What::Alarm(..) => true,
    }
}

fn verb(kind: &str, one: bool) -> &'static str {
    match (kind, one) {
        ("crash", true) => "goes down",
        ("crash", false) => "go down",
        ("pause", true) => "is paused",
        ("pause", false) => "are paused",
        ("partition", true) => "is cut off",
        ("partition", false) => "are cut off",
        ("slow_cpu", true) => "is slow",
        ("slow_cpu", false) => "are slow",
        ("clock_jump", true) => "has its clock set",
        ("clock_jump", false) => "have their clocks set",
        ("loss", true) => "loses messages",
        ("loss", false) => "lose messages",
        ("duplicate", true) => "has messages doubled",
        ("duplicate", false) => "have messages doubled",
        (_, true) => "is disturbed",
        (_, false) => "are disturbed",
    }
}
