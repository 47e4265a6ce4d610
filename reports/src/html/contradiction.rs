//! Operations on a store that cannot all be as they are: a lane per client, a bar from each question to its answer.

use super::lanes::{self, Bar, Lane, Part};
use super::markup::Markup;
use crate::charts::axis::Axis;
use lab::outcome::{Contradiction, Ended, StoreOperation};

/// As many operations as a picture shows.
const MOST: usize = 12;
/// How wide a page is at the least, in pixels.
const NARROW: f64 = 350.0;
/// Share of the width left of the first and right of the last moment.
const MARGIN: f64 = 0.03;

/// Draws it, if there is something to draw.
pub(super) fn draw(card: &mut Markup, shown: &Contradiction) {
    let places = nearest(shown);
    let Some(x) = axis(places.iter().map(|place| &shown.operations[*place])) else { return };
    let mut lanes = Vec::new();
    for place in &places {
        let operation = &shown.operations[*place];
        Lane::add(&mut lanes, &operation.client, bar(operation, shown.against.contains(place)));
    }
    lanes::draw(card, &lanes, &x, NARROW);
    card.leaf("p", &[("class", "note")], &told(shown, &places));
}

/// Those that contradict each other, and what is nearest to them in time; in the order in which they began.
fn nearest(shown: &Contradiction) -> Vec<usize> {
    let against = |place: &usize| shown.against.contains(place);
    let time = |place: usize| shown.operations[place].began.0;
    let centre = shown.against.iter().map(|place| time(*place)).max().unwrap_or(0);
    let mut places: Vec<usize> = (0..shown.operations.len()).collect();
    places.sort_by_key(|place| (!against(place), time(*place).abs_diff(centre)));
    places.truncate(MOST);
    places.sort_by_key(|place| (time(*place), *place));
    places
}

/// From the first question to the last answer.
fn axis<'a>(operations: impl Iterator<Item = &'a StoreOperation>) -> Option<Axis> {
    let moments = operations.flat_map(|operation| [Some(operation.began), operation.ended].into_iter().flatten());
    let moments: Vec<f64> = moments.map(kernel::Time::seconds).collect();
    let from = moments.iter().copied().reduce(f64::min)?;
    let to = moments.iter().copied().reduce(f64::max)?;
    let margin = (to - from).max(1e-6) * MARGIN;
    Some(Axis::stretch((from - margin).max(0.0), to + margin))
}

fn bar(operation: &StoreOperation, against: bool) -> Bar {
    let StoreOperation { client, began, ended, end, .. } = operation;
    let words = operation.deed();
    Bar {
        about: format!("{client}: {words}, began {began}, {}", operation.ending()),
        words,
        from: began.seconds(),
        to: ended.filter(|_| *end != Ended::Unknown).map(kernel::Time::seconds),
        part: match (against, end) {
            (true, _) => Part::Against,
            (false, Ended::Fail | Ended::Mismatch) => Part::Without,
            (false, Ended::Ok | Ended::Unknown | Ended::There) => Part::Plain,
        },
        effect: None,
    }
}

fn told(shown: &Contradiction, places: &[usize]) -> String {
    let any = |wanted: fn(Ended) -> bool| places.iter().any(|place| wanted(shown.operations[*place].end));
    let mut told = "A bar lasts from the question to the answer; those in red contradict each other".to_owned();
    if any(|end| end == Ended::Unknown) {
        told += "; nobody knows when one that fades out took effect, or whether";
    }
    if any(|end| matches!(end, Ended::Fail | Ended::Mismatch)) {
        told += "; a hollow one had no effect";
    }
    let more = shown.operations.len() - places.len();
    if more > 0 {
        told.extend(["; ", &more.to_string(), " more are in summary.json"]);
    }
    told + "."
}
