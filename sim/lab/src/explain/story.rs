//! A story: what led to a violation, or what became of an operation, as values. `reports` writes and draws it.

use kernel::Time;

use super::doom::Doom;
use super::passing::Passing;

/// What led to something.
#[derive(Clone, Debug)]
pub struct Story {
    /// What it is about: `no_order_forgotten`, `saga 2207`.
    pub title: String,
    /// What is wrong, or what became of it, in a few lines.
    pub says: Vec<String>,
    /// The broken promise, if it is about one: its name and its class.
    pub promise: Option<(String, String)>,
    /// When it was broken and by which event.
    pub broken: Option<(Time, u64)>,
    /// Nodes and clients that take part, in the order in which they stand in the scenario.
    pub lanes: Vec<Lane>,
    /// Messages.
    pub arrows: Vec<Arrow>,
    /// What happened on a lane.
    pub marks: Vec<Mark>,
    /// The same as text.
    pub lines: Vec<Line>,
    /// How much there was, and how much of it is told.
    pub counts: Counts,
    /// From when on it was to be expected.
    pub doom: Option<Doom>,
    /// What the nearest run that keeps the promise does differently.
    pub passing: Option<Passing>,
    /// How many runs were tried to find it.
    pub tried: usize,
}

/// How much there was.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Events of the run up to there.
    pub events: u64,
    /// Those from which a chain of causes leads to what is told.
    pub caused: u64,
    /// Those that work for the operations it is about.
    pub own: u64,
    /// Lines that are not told, because there are too many.
    pub left_out: u64,
    /// Older events were forgotten: the run is too long.
    pub forgotten: bool,
}

/// A node, or the clients of a workload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// Stretches in which something was the matter with it.
    pub bands: Vec<Band>,
}

/// A stretch of a lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Band {
    /// From here,
    pub from: Time,
    /// until here; `None`: to the end.
    pub to: Option<Time>,
    /// What was the matter.
    pub sort: BandSort,
    /// The fault, or the term.
    pub name: String,
}

/// What may be the matter with a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum BandSort {
    /// It believes to lead.
    Leads,
    /// It is slow, loses or doubles messages, or is otherwise disturbed.
    Disturbed,
    /// It is cut off from others.
    CutOff,
    /// It is paused.
    Paused,
    /// It is down.
    Down,
}

/// A message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrow {
    /// The lane of its sender,
    pub from: usize,
    /// and that of its receiver.
    pub to: usize,
    /// When it left.
    pub sent: Time,
    /// When it arrived, or when it was clear that it never will.
    pub ended: Option<Time>,
    /// What it says.
    pub label: String,
    /// What became of it.
    pub fate: Fate,
    /// It is an answer.
    pub answer: bool,
    /// It is a copy that somebody made.
    pub copy: bool,
    /// It was held by a cut, or sent again after a loss.
    pub delayed: bool,
}

/// What became of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It arrived.
    Arrived,
    /// It arrived when nobody waited for it any more.
    Late,
    /// It never arrived, because of this.
    Lost(String),
    /// It was on its way when the story ends.
    Open,
}

/// Something that happened on a lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// On which.
    pub lane: usize,
    /// When.
    pub time: Time,
    /// What sort.
    pub sort: MarkSort,
    /// What.
    pub label: String,
}

/// Sorts of marks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MarkSort {
    /// An operation begins.
    Begins,
    /// An operation ends for its client.
    Ends,
    /// Rows change.
    Row,
    /// A point of a protocol is reached.
    Point,
    /// Something is certain from here on.
    Fact,
    /// A write is durable.
    Durable,
    /// Somebody stops waiting, or tries again.
    Alarm,
    /// It goes down.
    Crash,
    /// It is back.
    Restart,
    /// The promise is broken.
    Broken,
}

/// A line of the story.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// When.
    pub time: Time,
    /// In which event, counted from 1.
    pub event: u64,
    /// Where.
    pub lane: String,
    /// What.
    pub what: String,
    /// How it went; empty if that says nothing.
    pub outcome: String,
    /// Whether that is good or bad.
    pub mood: Mood,
    /// Why it matters; empty if nothing can be said for certain.
    pub note: String,
}

/// How something went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mood {
    /// Well.
    Good,
    /// Not.
    Bad,
    /// Neither.
    Plain,
}

/// A moment to a tenth of a millisecond: `00:22.7310`.
pub fn moment(time: Time) -> String {
    let tenths = time.0 / 100_000;
    let (minutes, rest) = (tenths / 600_000, tenths % 600_000);
    format!("{minutes:02}:{:02}.{:04}", rest / 10_000, rest % 10_000)
}
