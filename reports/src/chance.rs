//! From when on a violation was to be expected: its chance at moments of a run, with intervals.
//!
//! The moments stand beside each other at equal distances, since the interesting ones are often a thousandth of a second
//! apart; the times are written below.

use crate::html::markup::Markup;
use crate::spacetime::{COLOURS, XMLNS, cut, line, place, text};
use lab::explain::{Chance, Doom, moment};

const LEFT: f64 = 54.0;
const TOP: f64 = 30.0;
const HIGH: f64 = 150.0;
/// Below the axis: the times, on their side.
const BELOW: f64 = 96.0;
const BETWEEN: f64 = 62.0;
const NARROWEST: f64 = 620.0;

/// The picture as a file of its own; none if nothing was measured.
pub fn svg(doom: &Doom) -> Option<String> {
    let mut style = Markup::default();
    style.node("style", &[], |style| {
        style.part(&Markup::ours(COLOURS)).part(&Markup::ours(include_str!("spacetime.css")));
    });
    let mut text = drawn(doom, Some(&style))?.into_text();
    text.push('\n');
    Some(text)
}

/// The picture as a part of a page.
pub(crate) fn part(doom: &Doom) -> Option<Markup> {
    drawn(doom, None)
}

/// What came of it, in a line or two.
pub(crate) fn told(doom: &Doom) -> Vec<String> {
    let shown = |chance: &Chance| {
        let [share, low, high] = [chance.share(), chance.low, chance.high].map(|share| (share * 100.0).round());
        format!("P {share:.0} % [{low:.0}–{high:.0}]")
    };
    let Some(first) = doom.chances.first() else {
        return vec!["not asked from when on it was to be expected: the budget is too small".to_owned()];
    };
    let futures = format!("{} futures of each of {} moments", first.futures, doom.chances.len() - 1);
    let mut lines = match &doom.step {
        _ if doom.chances.len() < 3 && doom.cut_short => vec![format!("at the beginning: {}", shown(first))],
        Some(step) => {
            let (before, after) = (&doom.chances[step.before], &doom.chances[step.before + 1]);
            let last = step.before + 2 == doom.chances.len();
            let after = if last { "P 100 %".to_owned() } else { shown(after) };
            let at = moment(doom.chances[step.before + 1].time);
            vec![format!("from {at}: {} → {after}", shown(before)), step.what.clone()]
        }
        None if first.low > 0.5 => {
            vec![format!("from the beginning: {} ", shown(first)).trim_end().to_owned()]
        }
        None => vec!["its chance never rises by more than chance explains".to_owned()],
    };
    let more = if doom.cut_short { "; the budget was spent before the step was found exactly" } else { "" };
    lines.push(format!("{futures}{more}"));
    lines
}

fn drawn(doom: &Doom, style: Option<&Markup>) -> Option<Markup> {
    let count = doom.chances.len();
    if count < 2 {
        return None;
    }
    let between = ((NARROWEST - LEFT) / count as f64).max(BETWEEN);
    let (wide, high) = (between.mul_add(count as f64, LEFT), TOP + HIGH + BELOW);
    let size = [wide, high].map(|length| format!("{length:.0}"));
    let view = format!("0 0 {} {}", size[0], size[1]);
    let attributes =
        [("class", "spacetime chance"), ("role", "img"), ("viewBox", &view), ("width", &size[0]), ("height", &size[1])];
    let attributes: Vec<_> = style.map(|_| XMLNS).into_iter().chain(attributes).collect();
    let x = |number: usize| between.mul_add(number as f64 + 0.5, LEFT);
    let y = |share: f64| HIGH.mul_add(1.0 - share, TOP);
    let mut svg = Markup::default();
    svg.node("svg", &attributes, |svg| {
        svg.leaf("title", &[], "How likely the violation was at moments of the run");
        if let Some(style) = style {
            svg.part(style);
        }
        svg.void("rect", &[("class", "paper"), ("width", &size[0]), ("height", &size[1])]);
        for (share, words) in [(0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")] {
            line(svg, "rule", (LEFT, y(share)), (wide, y(share)));
            text(svg, "time", (LEFT - 8.0, y(share) + 4.0), words);
        }
        if let Some(step) = &doom.step {
            svg.node("g", &[("class", "doom")], |group| {
                let middle = x(step.before) + between / 2.0;
                line(group, "step", (middle, TOP - 8.0), (middle, TOP + HIGH));
                let left = middle > wide / 2.0;
                let (class, across) = if left { ("says end", middle - 6.0) } else { ("says", middle + 6.0) };
                let room = if left { middle - 12.0 } else { wide - middle - 12.0 };
                text(group, class, (across, TOP - 12.0), &cut(&step.what, room));
            });
        }
        for (number, pair) in doom.chances.windows(2).enumerate() {
            line(svg, "way", (x(number), y(pair[0].share())), (x(number + 1), y(pair[1].share())));
        }
        for (number, chance) in doom.chances.iter().enumerate() {
            svg.node("g", &[("class", "moment")], |group| {
                let about = format!("{} of {} futures", chance.broken, chance.futures);
                group.leaf("title", &[], &format!("{}: {about}", moment(chance.time)));
                line(group, "reach", (x(number), y(chance.low)), (x(number), y(chance.high)));
                let (across, down) = (place(x(number)), place(y(chance.share())));
                group.void("circle", &[("class", "dot"), ("cx", &across), ("cy", &down), ("r", "4")]);
                let (at, low) = (place(x(number) + 4.0), place(TOP + HIGH + 14.0));
                let turned = format!("rotate(-55 {at} {low})");
                let words = if number + 1 == count { "broken".to_owned() } else { moment(chance.time) };
                let place = [("class", "time"), ("x", at.as_str()), ("y", &low), ("transform", &turned)];
                group.leaf("text", &place, &words);
            });
        }
    });
    Some(svg)
}
