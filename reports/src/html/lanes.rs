//! Operations as bars: a lane per client, a bar from each question to its answer, with words above it.

use super::markup::Markup;
use super::plot;
use crate::charts::axis::Axis;

/// Height of a line of bars with the words above them.
const LINE: u32 = 30;
/// How wide a letter is at the most, in pixels: words that are nearer to each other get lines of their own.
const LETTER: f64 = 6.8;
/// The least share of the width that is seen.
const HAIR: f64 = 0.006;
/// How a bar without an end fades out.
const FADING: [&str; 6] = ["0.85", "0.68", "0.5", "0.34", "0.2", "0.08"];

/// An operation that is shown.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// What stands above it.
    pub(crate) words: String,
    /// What is told about it where the reader points at it.
    pub(crate) about: String,
    /// When it began, in coordinates of the axis.
    pub(crate) from: f64,
    /// When it ended; `None` if nobody knows when or whether.
    pub(crate) to: Option<f64>,
    /// What it is in this story.
    pub(crate) part: Part,
    /// The moment at which it takes effect, if one is known.
    pub(crate) effect: Option<f64>,
}

/// What an operation is in a story.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// It is part of it.
    Plain,
    /// It stands beside.
    Beside,
    /// It is one of those that contradict each other.
    Against,
    /// It had no effect.
    Without,
}

/// The bars of one client, or of one node.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    /// Whose they are.
    pub(crate) name: String,
    /// In the order in which they begin.
    pub(crate) bars: Vec<Bar>,
}

impl Lane {
    /// Puts a bar into the lane of this name, behind all others.
    pub(crate) fn add(lanes: &mut Vec<Self>, name: &str, bar: Bar) {
        match lanes.iter_mut().find(|lane| lane.name == name) {
            Some(lane) => lane.bars.push(bar),
            None => lanes.push(Self { name: name.to_owned(), bars: vec![bar] }),
        }
    }
}

/// Draws them above their axis, so that words do not overlap on a page which leaves them that many pixels.
pub(crate) fn draw(page: &mut Markup, lanes: &[Lane], x: &Axis, narrowest: f64) {
    page.node("div", &[("class", "strip story")], |strip| {
        for lane in lanes {
            let (bars, lines) = placed(&lane.bars, x, narrowest);
            strip.node("div", &[("class", "row lane")], |row| {
                row.leaf("div", &[("class", "about")], &lane.name);
                row.node("div", &[("class", "figure")], |figure| drawn(figure, lane, &bars, lines as u32 * LINE));
            });
        }
        strip.node("div", &[("class", "row lane")], |row| {
            row.leaf("div", &[("class", "about")], "");
            row.node("div", &[("class", "figure")], |figure| plot::time_floor(figure, x));
        });
    });
}

/// A bar with its place, as shares of the width.
struct Placed<'a> {
    bar: &'a Bar,
    from: f64,
    to: f64,
    effect: Option<f64>,
    /// From where to where there are words, and whether they end there or begin there.
    words: (f64, f64, bool),
    /// Which line of its lane.
    line: usize,
}

/// Gives each bar the first line in which nothing overlaps; tells how many lines there are.
fn placed<'a>(bars: &'a [Bar], x: &Axis, narrowest: f64) -> (Vec<Placed<'a>>, usize) {
    let mut ends: Vec<Vec<(f64, f64)>> = Vec::new();
    let place = |bar: &'a Bar| {
        let share = |at: f64| plot::share(x, x.place(at));
        let from = share(bar.from);
        let to = bar.to.map_or(1.0, share).max(from + HAIR);
        let (from, to) = (from.min(1.0 - HAIR), to.min(1.0));
        // Its words begin where it begins, or end where it ends if there is no room to the right of it.
        let wide = bar.words.chars().count() as f64 * LETTER / narrowest;
        let words = if from + wide > 1.0 { ((to - wide).max(0.0), to, true) } else { (from, from + wide, false) };
        let taken = (words.0.min(from), words.1.max(to) + HAIR);
        let free = |line: &Vec<(f64, f64)>| line.iter().all(|(from, to)| taken.1 <= *from || *to <= taken.0);
        let line = ends.iter().position(free).unwrap_or_else(|| {
            ends.push(Vec::new());
            ends.len() - 1
        });
        ends[line].push(taken);
        Placed { bar, from, to, effect: bar.effect.map(share), words, line }
    };
    let all: Vec<Placed<'_>> = bars.iter().map(place).collect();
    let lines = all.iter().map(|placed| placed.line + 1).max().unwrap_or(1);
    (all, lines)
}

fn drawn(figure: &mut Markup, lane: &Lane, bars: &[Placed<'_>], high: u32) {
    figure.node("svg", &[("class", "plot"), ("role", "img"), ("height", &high.to_string())], |svg| {
        svg.leaf("title", &[], &lane.name);
        let floor = (high - 1).to_string();
        svg.void("line", &[("class", "grid"), ("x1", "0"), ("x2", "100%"), ("y1", &floor), ("y2", &floor)]);
        for placed in bars {
            let class = match placed.bar.part {
                Part::Plain => "operation",
                Part::Beside => "operation beside",
                Part::Against => "operation against",
                Part::Without => "operation without",
            };
            svg.node("g", &[("class", class)], |group| placed.draw(group));
        }
    });
}

impl Placed<'_> {
    fn draw(&self, group: &mut Markup) {
        group.leaf("title", &[], &self.bar.about);
        let top = self.line as u32 * LINE;
        let (words, down) = ((top + 12).to_string(), (top + 17).to_string());
        let (left, right, at_end) = self.words;
        let (across, class) = if at_end { (right, "words end") } else { (left, "words") };
        group.leaf("text", &[("class", class), ("x", &plot::percent(across)), ("y", &words)], &self.bar.words);
        let mut piece = |from: f64, to: f64, opacity: &str| {
            let (across, wide) = (plot::percent(from), plot::percent(to - from));
            let place =
                [("x", across.as_str()), ("y", &down), ("width", &wide), ("height", "8"), ("fill-opacity", opacity)];
            group.void("rect", &place);
        };
        if self.bar.to.is_none() {
            let step = (self.to - self.from) / FADING.len() as f64;
            for (number, opacity) in FADING.iter().enumerate() {
                let from = step.mul_add(number as f64, self.from);
                piece(from, from + step, opacity);
            }
        } else {
            piece(self.from, self.to, "1");
        }
        if let Some(effect) = self.effect {
            let (across, from, to) = (plot::percent(effect), (top + 14).to_string(), (top + 28).to_string());
            group.void("line", &[("class", "effect"), ("x1", &across), ("x2", &across), ("y1", &from), ("y2", &to)]);
        }
    }
}
