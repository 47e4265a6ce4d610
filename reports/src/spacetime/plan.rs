//! How far down each moment stands: what has words gets a line of its own, the time between more room the longer it is.

use kernel::{Span, Time};
use lab::explain::{MarkSort, Story};

/// The height of a line with words.
const LINE: f64 = 21.0;
/// The height of what has none.
const SLIM: f64 = 9.0;
/// The height of a stretch in which nothing happens for long.
const BREAK: f64 = 44.0;
/// So long nothing happens for long.
const LONG: Span = Span::millis(150);
/// Between two times at the margin.
const BETWEEN_TIMES: f64 = 15.0;

/// What stands at a height; messages and marks by their numbers in the story.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Item {
    /// A message arrives.
    End(Time, usize),
    /// Something happens on a lane.
    Mark(Time, usize, MarkSort),
    /// A message leaves.
    Start(Time, usize),
    /// A band begins or ends.
    Edge(Time),
    /// The promise is broken.
    Broken(Time),
}

impl Item {
    const fn time(self) -> Time {
        match self {
            Self::End(time, _)
            | Self::Mark(time, ..)
            | Self::Start(time, _)
            | Self::Edge(time)
            | Self::Broken(time) => time,
        }
    }

    const fn has_words(self) -> bool {
        match self {
            Self::End(..) | Self::Mark(_, _, MarkSort::Durable) => false,
            Self::Mark(..) | Self::Start(..) | Self::Edge(_) | Self::Broken(_) => true,
        }
    }

    const fn room(self) -> f64 {
        match self {
            // Its words stand above it.
            Self::Start(..) => LINE + 5.0,
            Self::Mark(..) | Self::Edge(_) | Self::Broken(_) | Self::End(..) if self.has_words() => LINE,
            Self::Mark(..) | Self::Edge(_) | Self::Broken(_) | Self::End(..) => SLIM,
        }
    }
}

/// The heights.
pub(super) struct Plan {
    /// In order, from 0 on.
    places: Vec<(Item, f64)>,
    /// Where nothing happens for long, and how long.
    breaks: Vec<(f64, Span)>,
}

impl Plan {
    pub(super) fn new(story: &Story) -> Self {
        let mut items: Vec<Item> = Vec::new();
        for (number, arrow) in story.arrows.iter().enumerate() {
            items.push(Item::Start(arrow.sent, number));
            items.extend(arrow.ended.map(|ended| Item::End(ended, number)));
        }
        let marks = story.marks.iter().enumerate();
        items.extend(marks.map(|(number, mark)| Item::Mark(mark.time, number, mark.sort)));
        items.extend(story.broken.map(|(time, _)| Item::Broken(time)));
        let (from, to) = (items.iter().map(|item| item.time()).min(), items.iter().map(|item| item.time()).max());
        let (from, to) = (from.unwrap_or(Time::ZERO), to.unwrap_or(Time::ZERO));
        let edges = story.lanes.iter().flat_map(|lane| &lane.bands).flat_map(|band| [Some(band.from), band.to]);
        items.extend(edges.flatten().filter(|time| (from..=to).contains(time)).map(Item::Edge));
        items.sort_unstable_by_key(|item| (item.time(), *item));
        items.dedup();
        let (mut places, mut breaks) = (Vec::new(), Vec::new());
        let mut down = 0.0;
        let mut last: Option<Time> = None;
        for item in items {
            let passed = item.time().since(last.unwrap_or(item.time()));
            if passed >= LONG {
                breaks.push((down + BREAK / 2.0 + 2.0, passed));
                down += BREAK;
            } else {
                down += room(passed);
            }
            down += item.room();
            places.push((item, down));
            last = Some(item.time());
        }
        Self { places, breaks }
    }

    /// The height of the whole.
    pub(super) fn high(&self) -> f64 {
        self.places.last().map_or(LINE, |(_, down)| *down) + 14.0
    }

    /// Where something stands.
    pub(super) fn of(&self, item: Item) -> f64 {
        let found = self.places.iter().find(|(known, _)| *known == item);
        found.map_or_else(|| self.at(item.time()), |(_, down)| *down)
    }

    /// Where a moment is, between what stands around it.
    pub(super) fn at(&self, time: Time) -> f64 {
        let edge = self.places.iter().find(|(known, _)| *known == Item::Edge(time));
        if let Some((_, down)) = edge {
            return *down;
        }
        let after = self.places.partition_point(|(item, _)| item.time() < time);
        match (after.checked_sub(1).map(|place| self.places[place]), self.places.get(after)) {
            (Some((_, above)), Some((_, below))) => above.midpoint(*below),
            (None, Some(_)) => -12.0,
            (_, None) => self.high(),
        }
    }

    /// Where nothing happens for long.
    pub(super) fn breaks(&self) -> impl Iterator<Item = (f64, String)> {
        self.breaks.iter().map(|(down, passed)| (*down, format!("{passed} later")))
    }

    /// The times that are written at the margin.
    pub(super) fn times(&self) -> Vec<(f64, Time)> {
        let mut times: Vec<(f64, Time)> = Vec::new();
        for (item, down) in &self.places {
            let free = times.last().is_none_or(|(last, time)| down - last >= BETWEEN_TIMES && *time != item.time());
            let broken = self.breaks.iter().all(|(at, _)| (at - down).abs() >= BETWEEN_TIMES - 2.0);
            if free && broken && item.has_words() {
                times.push((*down, item.time()));
            }
        }
        times
    }
}

/// How much more room a stretch of time gets.
fn room(passed: Span) -> f64 {
    let microseconds = passed.0 / 1_000;
    // A tenfold time gets four pixels more.
    f64::from(microseconds.checked_ilog10().map_or(0, |tens| tens + 1)) * 4.0
}

/// A place in the picture, to a tenth of a pixel.
pub(crate) fn place(at: f64) -> String {
    let text = format!("{at:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
