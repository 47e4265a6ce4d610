//! The space-time diagram of a story: a lane per node, time downward, a line per message, bands where something was the
//! matter.
//!
//! Time is not to scale: what happens gets room for its words, what lies between gets more the longer it is, and where
//! nothing happens for long the lanes are broken and the time is written there. `plan` decides the heights, this draws.

mod plan;

use crate::html::markup::Markup;
use lab::explain::{Arrow, Band, BandSort, Fate, Mark, MarkSort, Story, moment};
pub(crate) use plan::place;
use plan::{Item, Plan};

/// Left of the first lane: the times.
const LEFT: f64 = 168.0;
/// Above the first event: the names.
const TOP: f64 = 46.0;
const BOTTOM: f64 = 30.0;
/// Between two lanes.
const BETWEEN: (f64, f64) = (150.0, 235.0);
/// So wide it is with few lanes.
const WIDE: f64 = 1060.0;
/// Right of the last lane: its words.
const RIGHT: f64 = 300.0;
/// How wide a letter is at the most.
const LETTER: f64 = 6.4;
/// How far a message to the same lane goes aside.
const ASIDE: f64 = 34.0;

/// What makes a file a picture.
pub(crate) const XMLNS: (&str, &str) = ("xmlns", "http://www.w3.org/2000/svg");

/// The colours of the page, for a picture that stands alone.
pub(crate) const COLOURS: &str = "svg{--page:#ffffff;--text:#1d2127;--muted:#626b76;--line:#e1e4e8;--axis:#9aa2ac;--good:#1a7f4e;\
--bad:#c4321f;--doubt:#94660a;--blue:#0072b2;--green:#00805d;--purple:#a8487f;--orange:#b87800;--grey:#8f959c}\
@media (prefers-color-scheme:dark){svg{--page:#15181c;--text:#e4e7ea;--muted:#98a1ab;--line:#2d333a;--axis:#5b646e;\
--good:#4cc38a;--bad:#ff7a68;--doubt:#e2b04a;--blue:#4aa3e0;--green:#35c79a;--purple:#e59ac6;--orange:#ffc04d;\
--grey:#6a727b}}\n";

/// The picture as a file of its own.
pub fn svg(story: &Story) -> String {
    let mut style = Markup::default();
    style.node("style", &[], |style| {
        style.part(&Markup::ours(COLOURS)).part(&Markup::ours(include_str!("spacetime.css")));
    });
    let mut text = drawn(story, Some(&style)).into_text();
    text.push('\n');
    text
}

/// The picture as a part of a page, which has its colours.
pub(crate) fn part(story: &Story) -> Markup {
    drawn(story, None)
}

/// With a style it stands alone, and says what it is; in a page that is known.
fn drawn(story: &Story, style: Option<&Markup>) -> Markup {
    let plan = Plan::new(story);
    let lanes = story.lanes.len().max(1) as f64;
    let between = ((WIDE - LEFT - RIGHT) / (lanes - 1.0).max(1.0)).clamp(BETWEEN.0, BETWEEN.1);
    let sheet = Sheet { story, plan: &plan, between };
    let (wide, high) = (LEFT + between.mul_add(lanes - 1.0, RIGHT), TOP + plan.high() + BOTTOM);
    let view = format!("0 0 {wide:.0} {high:.0}");
    let size = [wide, high].map(|length| format!("{length:.0}"));
    let attributes =
        [("class", "spacetime"), ("role", "img"), ("viewBox", &view), ("width", &size[0]), ("height", &size[1])];
    let attributes: Vec<_> = style.map(|_| XMLNS).into_iter().chain(attributes).collect();
    let mut svg = Markup::default();
    svg.node("svg", &attributes, |svg| {
        svg.leaf("title", &[], &format!("{}: who did what when", story.title));
        if let Some(style) = style {
            svg.part(style);
        }
        svg.void("rect", &[("class", "paper"), ("width", &size[0]), ("height", &size[1])]);
        sheet.lanes(svg);
        sheet.times(svg);
        for (number, arrow) in story.arrows.iter().enumerate() {
            sheet.arrow(svg, arrow, number);
        }
        for (number, mark) in story.marks.iter().enumerate() {
            sheet.mark(svg, mark, number);
        }
        sheet.ends(svg);
    });
    svg
}

struct Sheet<'a> {
    story: &'a Story,
    plan: &'a Plan,
    between: f64,
}

impl Sheet<'_> {
    fn x(&self, lane: usize) -> f64 {
        self.between.mul_add(lane as f64, LEFT)
    }

    fn y(&self, item: Item) -> f64 {
        TOP + self.plan.of(item)
    }

    fn lanes(&self, svg: &mut Markup) {
        let (top, bottom) = (TOP - 12.0, TOP + self.plan.high());
        for (number, lane) in self.story.lanes.iter().enumerate() {
            let x = self.x(number);
            svg.node("g", &[("class", "node")], |group| {
                line(group, "lane", (x, top), (x, bottom));
                for band in &lane.bands {
                    self.band(group, x, band);
                }
                text(group, "name", (x, TOP - 24.0), &cut(&lane.name, self.between));
            });
        }
        for (y, told) in self.plan.breaks() {
            for number in 0..self.story.lanes.len() {
                let x = self.x(number);
                line(svg, "pause", (x, TOP + y - 8.0), (x, TOP + y + 8.0));
            }
            text(svg, "gap", (LEFT - 28.0, TOP + y + 4.0), &told);
        }
    }

    fn band(&self, group: &mut Markup, x: f64, band: &Band) {
        let from = TOP + self.plan.at(band.from);
        let to = TOP + band.to.map_or(self.plan.high(), |to| self.plan.at(to));
        let (class, wide) = match band.sort {
            BandSort::Down => ("stretch down", 18.0),
            BandSort::CutOff => ("stretch cut", 18.0),
            BandSort::Paused => ("stretch paused", 18.0),
            BandSort::Disturbed => ("stretch disturbed", 18.0),
            BandSort::Leads => ("stretch leads", 9.0),
        };
        let (left, top) = (place(x - wide / 2.0), place(from));
        let (width, height) = (place(wide), place((to - from).max(3.0)));
        let end = band.to.map_or_else(|| "to the end".to_owned(), |to| format!("until {}", moment(to)));
        let about = format!("{}: from {} {end}", band.name, moment(band.from));
        let attributes =
            [("class", class), ("x", &left), ("y", &top), ("width", &width), ("height", &height), ("rx", "3")];
        group.node("rect", &attributes, |rect| {
            rect.leaf("title", &[], &about);
        });
        let low = from.max(TOP - 4.0) + 4.0;
        let class = if band.sort == BandSort::Leads { "what end" } else { "what" };
        let across = if band.sort == BandSort::Leads { x - 8.0 } else { x + 12.0 };
        text(group, class, (across, low), &cut(&band.name, self.between - 20.0));
    }

    fn times(&self, svg: &mut Markup) {
        for (y, time) in self.plan.times() {
            let y = TOP + y;
            line(svg, "rule", (LEFT - 20.0, y), (self.x(self.story.lanes.len().max(1) - 1), y));
            text(svg, "time", (LEFT - 28.0, y + 4.0), &moment(time));
        }
    }

    fn arrow(&self, svg: &mut Markup, arrow: &Arrow, number: usize) {
        let sort = match (&arrow.fate, arrow.answer, arrow.copy, arrow.delayed) {
            (Fate::Lost(_), ..) => "message lost",
            (Fate::Late, ..) => "message late",
            (Fate::Open, ..) => "message open",
            (Fate::Arrived, true, _, false) => "message answer",
            (Fate::Arrived, true, _, true) => "message answer delayed",
            (Fate::Arrived, false, true, _) => "message copy",
            (Fate::Arrived, false, false, true) => "message delayed",
            (Fate::Arrived, false, false, false) => "message",
        };
        let (from, to) = (self.x(arrow.from), self.x(arrow.to));
        let start = (from, self.y(Item::Start(arrow.sent, number)));
        let end_y = arrow.ended.map_or(TOP + self.plan.high(), |ended| self.y(Item::End(ended, number)));
        // What is lost in the instant in which it is sent goes down a little, too.
        let end_y = end_y.max(start.1 + 12.0);
        let fate = match &arrow.fate {
            Fate::Arrived => arrow.ended.map_or_else(String::new, |at| format!("arrives at {}", moment(at))),
            Fate::Late => "arrives when nobody waits any more".to_owned(),
            Fate::Lost(why) => format!("never arrives: {why}"),
            Fate::Open => "on its way when the story ends".to_owned(),
        };
        let (sender, receiver) = (&self.story.lanes[arrow.from].name, &self.story.lanes[arrow.to].name);
        svg.node("g", &[("class", sort)], |group| {
            let about = format!("{sender} → {receiver}: {}, sent at {}, {fate}", arrow.label, moment(arrow.sent));
            group.leaf("title", &[], &about);
            let lost = matches!(arrow.fate, Fate::Lost(_));
            let aside = arrow.from == arrow.to;
            // What is lost ends before it arrives.
            let end = if aside { (from, end_y) } else { (to, end_y) };
            let end =
                if lost && !aside { (from + (to - from) * 0.82, start.1 + (end.1 - start.1) * 0.82) } else { end };
            if aside {
                let bend = format!(
                    "M{} {} C{} {} {} {} {} {}",
                    place(start.0),
                    place(start.1),
                    place(start.0 + ASIDE),
                    place(start.1),
                    place(end.0 + ASIDE),
                    place(end.1),
                    place(end.0),
                    place(end.1)
                );
                group.void("path", &[("class", "arrow"), ("d", &bend)]);
            } else {
                line(group, "arrow", start, end);
            }
            if lost {
                cross(group, end);
            } else if arrow.fate != Fate::Open {
                head(group, if aside { (end.0 + ASIDE, end.1) } else { start }, end);
            }
            let right = aside || to > from;
            let across = if right { from + 9.0 } else { from - 9.0 };
            let room = if aside { self.between } else { (to - from).abs().max(self.between) } - 14.0;
            let class = if right { "says" } else { "says end" };
            let words = if lost { format!("✕ {}", arrow.label) } else { arrow.label.clone() };
            text(group, class, (across, start.1 - 5.0), &cut(&words, room));
        });
    }

    fn mark(&self, svg: &mut Markup, mark: &Mark, number: usize) {
        let class = match mark.sort {
            MarkSort::Begins => "begins",
            MarkSort::Ends => "ends",
            MarkSort::Row => "row",
            MarkSort::Point => "point",
            MarkSort::Fact => "fact",
            MarkSort::Durable => "durable",
            MarkSort::Alarm => "alarm",
            MarkSort::Crash => "crash",
            MarkSort::Restart => "restart",
            MarkSort::Broken => "broken",
        };
        let (x, y) = (self.x(mark.lane), self.y(Item::Mark(mark.time, number, mark.sort)));
        svg.node("g", &[("class", class)], |group| {
            group.leaf("title", &[], &format!("{}  {}", moment(mark.time), mark.label));
            if mark.sort == MarkSort::Row {
                let (left, top) = (place(x - 5.0), place(y - 5.0));
                group.void("rect", &[("class", "mark"), ("x", &left), ("y", &top), ("width", "10"), ("height", "10")]);
            } else {
                let radius = if matches!(mark.sort, MarkSort::Point | MarkSort::Durable) { "3" } else { "4.5" };
                let (across, down) = (place(x), place(y));
                group.void("circle", &[("class", "mark"), ("cx", &across), ("cy", &down), ("r", radius)]);
            }
            if mark.sort == MarkSort::Durable {
                return;
            }
            let room = if mark.lane + 1 == self.story.lanes.len() { RIGHT } else { self.between * 1.9 };
            text(group, "says", (x + 11.0, y + 4.0), &cut(&mark.label, room - 16.0));
        });
    }

    /// Where it is broken, and from when on it was to be expected.
    fn ends(&self, svg: &mut Markup) {
        let right = self.x(self.story.lanes.len().max(1) - 1) + RIGHT * 0.6;
        if let (Some((time, _)), Some((promise, _))) = (self.story.broken, &self.story.promise) {
            let y = self.y(Item::Broken(time));
            svg.node("g", &[("class", "broken")], |group| {
                line(group, "over", (LEFT - 20.0, y), (right, y));
                text(group, "says", (LEFT + 12.0, y + 18.0), &format!("✗ {promise} is broken"));
            });
        }
    }
}

/// As much of a text as has room.
pub(crate) fn cut(words: &str, room: f64) -> String {
    let most = (room / LETTER) as usize;
    if words.chars().count() <= most {
        return words.to_owned();
    }
    let kept: String = words.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

pub(crate) fn line(group: &mut Markup, class: &'static str, from: (f64, f64), to: (f64, f64)) {
    let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(place);
    group.void("line", &[("class", class), ("x1", &x1), ("y1", &y1), ("x2", &x2), ("y2", &y2)]);
}

pub(crate) fn text(group: &mut Markup, class: &'static str, at: (f64, f64), words: &str) {
    let (x, y) = (place(at.0), place(at.1));
    group.leaf("text", &[("class", class), ("x", &x), ("y", &y)], words);
}

/// The head of an arrow.
fn head(group: &mut Markup, from: (f64, f64), to: (f64, f64)) {
    let (across, down) = (to.0 - from.0, to.1 - from.1);
    let long = across.hypot(down).max(1e-9);
    let (across, down) = (across / long, down / long);
    let back = (across.mul_add(-9.0, to.0), down.mul_add(-9.0, to.1));
    let (left, right) = ((back.0 - down * 4.0, back.1 + across * 4.0), (back.0 + down * 4.0, back.1 - across * 4.0));
    let points = [to, left, right].map(|(x, y)| format!("{},{}", place(x), place(y))).join(" ");
    group.void("polygon", &[("class", "head"), ("points", &points)]);
}

fn cross(group: &mut Markup, (x, y): (f64, f64)) {
    line(group, "cross", (x - 5.0, y - 5.0), (x + 5.0, y + 5.0));
    line(group, "cross", (x - 5.0, y + 5.0), (x + 5.0, y - 5.0));
}
