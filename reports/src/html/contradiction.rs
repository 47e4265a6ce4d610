//! Operations on a store that cannot all be as they are: a lane per client, a bar from each question to its answer.

use super::markup::Markup;
use super::plot;
use crate::charts::axis::Axis;
use lab::outcome::{Contradiction, Ended, StoreOperation};

/// As many operations as a picture shows.
const MOST: usize = 12;
/// Height of a line of bars with the words above them.
const LINE: u32 = 30;
/// How wide a page is at the least, and a letter at the most, in pixels: words that are nearer get lines of their own.
const NARROW: f64 = 350.0;
const LETTER: f64 = 6.8;
/// Share of the width left of the first and right of the last moment.
const MARGIN: f64 = 0.03;
/// The least share of the width that is seen.
const HAIR: f64 = 0.006;
/// How a bar without an end fades out.
const FADING: [&str; 6] = ["0.85", "0.68", "0.5", "0.34", "0.2", "0.08"];

/// An operation that is shown.
struct Bar<'a> {
    operation: &'a StoreOperation,
    against: bool,
    /// Shares of the width.
    from: f64,
    to: f64,
    /// Which line of its lane.
    line: usize,
}

/// Draws it, if there is something to draw.
pub(super) fn draw(card: &mut Markup, shown: &Contradiction) {
    let places = nearest(shown);
    let Some(x) = axis(places.iter().map(|place| &shown.operations[*place])) else { return };
    let mut lanes: Vec<(&str, Vec<Bar<'_>>)> = Vec::new();
    for place in &places {
        let operation = &shown.operations[*place];
        let bar = bar(operation, shown.against.contains(place), &x);
        match lanes.iter_mut().find(|(client, _)| *client == operation.client) {
            Some((_, bars)) => bars.push(bar),
            None => lanes.push((&operation.client, vec![bar])),
        }
    }
    card.node("div", &[("class", "strip story")], |strip| {
        for (client, bars) in &mut lanes {
            let lines = into_lines(bars);
            strip.node("div", &[("class", "row lane")], |row| {
                row.leaf("div", &[("class", "about")], client);
                row.node("div", &[("class", "figure")], |figure| lane(figure, client, bars, lines as u32 * LINE));
            });
        }
        strip.node("div", &[("class", "row lane")], |row| {
            row.leaf("div", &[("class", "about")], "");
            row.node("div", &[("class", "figure")], |figure| plot::time_floor(figure, &x));
        });
    });
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

fn bar<'a>(operation: &'a StoreOperation, against: bool, x: &Axis) -> Bar<'a> {
    let share = |time: kernel::Time| plot::share(x, x.place(time.seconds()));
    let from = share(operation.began);
    let to = match (operation.end, operation.ended) {
        (Ended::Unknown, _) | (_, None) => 1.0,
        (_, Some(ended)) => share(ended),
    };
    let to = to.max(from + HAIR);
    Bar { operation, against, from: from.min(1.0 - HAIR), to: to.min(1.0), line: 0 }
}

impl Bar<'_> {
    /// Its words begin where it begins, or end where it ends if there is no room to the right of it.
    fn words(&self) -> (f64, f64, bool) {
        let wide = self.operation.deed().chars().count() as f64 * LETTER / NARROW;
        if self.from + wide > 1.0 {
            ((self.to - wide).max(0.0), self.to, true)
        } else {
            (self.from, self.from + wide, false)
        }
    }

    fn fades(&self) -> bool {
        self.operation.end == Ended::Unknown || self.operation.ended.is_none()
    }

    fn class(&self) -> &'static str {
        match (self.against, self.operation.end) {
            (true, _) => "operation against",
            (false, Ended::Fail | Ended::Mismatch) => "operation without",
            (false, Ended::Ok | Ended::Unknown | Ended::There) => "operation",
        }
    }
}

/// Gives each bar the first line in which nothing overlaps; tells how many lines there are.
fn into_lines(bars: &mut [Bar<'_>]) -> usize {
    let mut ends: Vec<Vec<(f64, f64)>> = Vec::new();
    for bar in bars {
        let (left, right, _) = bar.words();
        let taken = (left.min(bar.from), right.max(bar.to) + HAIR);
        let free = |line: &Vec<(f64, f64)>| line.iter().all(|(from, to)| taken.1 <= *from || *to <= taken.0);
        bar.line = ends.iter().position(free).unwrap_or_else(|| {
            ends.push(Vec::new());
            ends.len() - 1
        });
        ends[bar.line].push(taken);
    }
    ends.len()
}

fn lane(figure: &mut Markup, client: &str, bars: &[Bar<'_>], high: u32) {
    figure.node("svg", &[("class", "plot"), ("role", "img"), ("height", &high.to_string())], |svg| {
        svg.leaf("title", &[], client);
        let floor = (high - 1).to_string();
        svg.void("line", &[("class", "grid"), ("x1", "0"), ("x2", "100%"), ("y1", &floor), ("y2", &floor)]);
        for bar in bars {
            svg.node("g", &[("class", bar.class())], |group| drawn(group, bar));
        }
    });
}

fn drawn(group: &mut Markup, bar: &Bar<'_>) {
    let StoreOperation { client, began, .. } = bar.operation;
    let deed = bar.operation.deed();
    group.leaf("title", &[], &format!("{client}: {deed}, began {began}, {}", bar.operation.ending()));
    let top = bar.line as u32 * LINE;
    let (words, down) = ((top + 12).to_string(), (top + 17).to_string());
    let (left, right, at_end) = bar.words();
    let (across, class) = if at_end { (right, "words end") } else { (left, "words") };
    group.leaf("text", &[("class", class), ("x", &plot::percent(across)), ("y", &words)], &deed);
    let mut piece = |from: f64, to: f64, opacity: &str| {
        let (across, wide) = (plot::percent(from), plot::percent(to - from));
        let place =
            [("x", across.as_str()), ("y", &down), ("width", &wide), ("height", "8"), ("fill-opacity", opacity)];
        group.void("rect", &place);
    };
    if bar.fades() {
        let step = (bar.to - bar.from) / FADING.len() as f64;
        for (number, opacity) in FADING.iter().enumerate() {
            let from = step.mul_add(number as f64, bar.from);
            piece(from, from + step, opacity);
        }
    } else {
        piece(bar.from, bar.to, "1");
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
