//! Draws a laid out topology: rounded boxes with name and detail, curved arrows with labels.

use super::layout::{Edge, Layout, Place};
use crate::charts::canvas::{Area, Drawn, Picture, Scale, fitted, width};
use crate::charts::colour::{BLUE, FAINT, GREEN, ORANGE, PURPLE, TEXT, TITLE};
use lab::outcome::{LinkKind, Part, Topology};
use plotters::prelude::{Color, DrawingBackend, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{RGBColor, WHITE};
use std::f64::consts::FRAC_1_SQRT_2;

const EDGE: f64 = 24.0;
/// How wide the box of a part is.
pub(crate) const BOX_WIDE: f64 = 160.0;
/// How high it is.
pub(crate) const BOX_HIGH: f64 = 56.0;
const ROW: f64 = 92.0;
/// The same where arrows come in pairs, one to do and one to undo.
const ROW_OF_PAIRS: f64 = 116.0;
/// Between two layers.
const GAP: f64 = 148.0;
/// The same where there are more layers than this, so that a page still shows all of them.
const GAP_OF_MANY: f64 = 120.0;
const MANY: usize = 5;
const CORNER: f64 = 9.0;
const NAME: f64 = 15.0;
const DETAIL: f64 = 13.0;
const ARROW: f64 = 9.0;
/// Of how many straight pieces a curve is made.
const STEPS: usize = 24;
/// How far the arrow of what undoes hangs below that of what is done.
const HANG: f64 = 14.0;
/// How high the line is that explains dashes.
const LEGEND: f64 = 30.0;
/// What a dashed arrow means.
pub(crate) const UNDO: &str = "dashed: only to undo, when a saga is aborted";

/// A topology that can be drawn.
pub(super) struct Drawing<'a> {
    pub(super) topology: &'a Topology,
    pub(super) layout: &'a Layout,
}

type Point = (f64, f64);

/// Where everything stands, in pixels of the picture.
pub(crate) struct Shapes {
    /// Width and height of the whole.
    pub(crate) size: (u32, u32),
    /// Upper left corner of each part's box.
    pub(crate) corners: Vec<Point>,
    /// The arrows.
    pub(crate) calls: Vec<Call>,
}

/// All calls of one kind of one part to another.
pub(crate) struct Call {
    /// Who calls, by number.
    pub(crate) from: usize,
    /// Who is called.
    pub(crate) to: usize,
    /// When they are made.
    pub(crate) kind: LinkKind,
    /// What the calls are called.
    pub(crate) labels: Vec<String>,
    /// The line, from the caller to the called.
    pub(crate) curve: Vec<Point>,
}

impl Call {
    /// Whether the other stands beside it, to undo it.
    pub(crate) fn is_undone_by(&self, other: &Self) -> bool {
        (self.from, self.to, self.kind, other.kind) == (other.from, other.to, LinkKind::Forward, LinkKind::Undo)
    }
}

impl Picture for Drawing<'_> {
    fn size(&self) -> (u32, u32) {
        let layers = self.layout.layers.max(1) as f64;
        let wide = 2.0 * EDGE + layers * BOX_WIDE + (layers - 1.0) * self.gap();
        let below = if self.layout.edges.iter().any(|edge| edge.back) { 34.0 } else { 0.0 };
        let high = 2.0 * EDGE + (self.layout.rows - 1.0) * self.row() + BOX_HIGH + below;
        (wide as u32, (high + if self.undoes() { LEGEND } else { 0.0 }) as u32)
    }

    fn title(&self) -> String {
        "Parts of the scenario and who calls whom".to_owned()
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale) -> Drawn<DB> {
        let curves: Vec<Vec<Point>> = self.layout.edges.iter().map(|edge| self.curve(edge)).collect();
        for (edge, curve) in self.layout.edges.iter().zip(&curves) {
            arrow(area, scale, edge.kind, curve)?;
        }
        for (edge, curve) in self.layout.edges.iter().zip(&curves) {
            label(area, scale, edge, curve)?;
        }
        for (part, place) in self.topology.parts.iter().zip(&self.layout.parts) {
            part_box(area, scale, part, self.corner(*place))?;
        }
        if self.undoes() {
            let (left, low) = (EDGE, f64::from(self.size().1) - LEGEND / 2.0);
            let (from, to) = ((left, low), (left + 44.0, low));
            arrow(area, scale, LinkKind::Undo, &bend(from, to))?;
            let style = scale.text(DETAIL, TEXT, HPos::Left, VPos::Center);
            area.draw(&Text::new(UNDO, (scale.px(to.0 + 8.0), scale.px(low)), style))?;
        }
        Ok(())
    }
}

impl Drawing<'_> {
    /// The same picture, not drawn.
    pub(super) fn shapes(&self) -> Shapes {
        let call = |edge: &Edge| Call {
            from: edge.from,
            to: edge.to,
            kind: edge.kind,
            labels: edge.labels.clone(),
            curve: self.curve(edge),
        };
        let (wide, high) = self.size();
        Shapes {
            // Who draws otherwise explains the dashes otherwise.
            size: (wide, high - if self.undoes() { LEGEND as u32 } else { 0 }),
            corners: self.layout.parts.iter().map(|place| self.corner(*place)).collect(),
            calls: self.layout.edges.iter().map(call).collect(),
        }
    }

    fn undoes(&self) -> bool {
        self.layout.edges.iter().any(|edge| edge.kind == LinkKind::Undo)
    }

    fn row(&self) -> f64 {
        if self.undoes() { ROW_OF_PAIRS } else { ROW }
    }

    fn gap(&self) -> f64 {
        if self.layout.layers > MANY { GAP_OF_MANY } else { GAP }
    }

    /// The upper left corner of the box at a place.
    fn corner(&self, place: Place) -> Point {
        (EDGE + place.layer as f64 * (BOX_WIDE + self.gap()), EDGE + place.row * self.row())
    }

    fn curve(&self, edge: &Edge) -> Vec<Point> {
        let mut curve = self.route(edge);
        if edge.kind == LinkKind::Undo {
            let first = curve.len().min(STEPS + 1);
            hang(&mut curve[..first]);
        }
        curve
    }

    fn route(&self, edge: &Edge) -> Vec<Point> {
        let (from, to) = (self.layout.parts[edge.from], self.layout.parts[edge.to]);
        if edge.from == edge.to {
            return around(self.corner(from));
        }
        let middle = |place: Place| (self.corner(place).0 + BOX_WIDE / 2.0, self.corner(place).1 + BOX_HIGH / 2.0);
        if edge.back {
            return below(middle(from), middle(to), &edge.through.iter().map(|p| middle(*p)).collect::<Vec<_>>());
        }
        let start = (self.corner(from).0 + BOX_WIDE, self.port(edge, edge.from));
        let end = (self.corner(to).0, self.port(edge, edge.to));
        let mut knots = vec![start];
        for place in &edge.through {
            // Level through the whole layer, so that it passes the boxes of that layer.
            let (left, row) = (self.corner(*place).0, middle(*place).1);
            knots.extend([(left, row), (left + BOX_WIDE, row)]);
        }
        knots.push(end);
        knots.windows(2).flat_map(|pair| bend(pair[0], pair[1])).collect()
    }

    /// The height at which an edge meets a box: edges of one side are spread over it, in order of their other ends.
    fn port(&self, edge: &Edge, part: usize) -> f64 {
        let leaving = edge.from == part;
        let beside = |e: &&Edge| !e.back && if leaving { e.from == part } else { e.to == part };
        let next = |e: &Edge| {
            let far = if leaving { e.to } else { e.from };
            let near = if leaving { e.through.first() } else { e.through.last() };
            near.map_or(self.layout.parts[far].row, |place| place.row)
        };
        let mut all: Vec<&Edge> = self.layout.edges.iter().filter(beside).collect();
        all.sort_by(|a, b| next(a).total_cmp(&next(b)));
        let order = all.iter().position(|e| (e.from, e.to, e.kind) == (edge.from, edge.to, edge.kind)).unwrap_or(0);
        let share = (order as f64 + 1.0) / (all.len() as f64 + 1.0);
        self.corner(self.layout.parts[part]).1 + BOX_HIGH * share
    }
}

/// A cubic Bézier curve that leaves and arrives level.
fn bend(from: Point, to: Point) -> Vec<Point> {
    let pull = (to.0 - from.0) * 0.45;
    cubic([from, (from.0 + pull, from.1), (to.0 - pull, to.1), to])
}

/// Lowers the middle of a curve, where its label stands.
fn hang(curve: &mut [Point]) {
    let last = curve.len().saturating_sub(1).max(1) as f64;
    for (number, point) in curve.iter_mut().enumerate() {
        let share = number as f64 / last;
        point.1 += HANG * 4.0 * share * (1.0 - share);
    }
}

fn cubic(p: [Point; 4]) -> Vec<Point> {
    let at = |t: f64| {
        let s = 1.0 - t;
        let weights = [s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t];
        let sum = |pick: fn(Point) -> f64| (0..4).map(|n| weights[n] * pick(p[n])).sum::<f64>();
        (sum(|q| q.0), sum(|q| q.1))
    };
    (0..=STEPS).map(|n| at(n as f64 / STEPS as f64)).collect()
}

/// A part that calls itself: a loop below the right corner.
fn around(corner: Point) -> Vec<Point> {
    let (right, bottom) = (corner.0 + BOX_WIDE, corner.1 + BOX_HIGH);
    cubic([
        (right - 30.0, bottom),
        (right - 26.0, bottom + 34.0),
        (right - 74.0, bottom + 34.0),
        (right - 70.0, bottom),
    ])
}

/// Against the layers: out of the bottom, to the left below the boxes, into the bottom.
fn below(from: Point, to: Point, through: &[Point]) -> Vec<Point> {
    let (from, to) = ((from.0 + 20.0, from.1 + BOX_HIGH / 2.0), (to.0 - 20.0, to.1 + BOX_HIGH / 2.0));
    let deep = through.iter().map(|p| p.1).fold(from.1.max(to.1), f64::max) + 26.0;
    cubic([from, (from.0 - 10.0, deep + 12.0), (to.0 + 10.0, deep + 12.0), to])
}

fn arrow<DB: DrawingBackend>(area: &Area<DB>, scale: Scale, kind: LinkKind, curve: &[Point]) -> Drawn<DB> {
    let Some((tip, before)) = ends(curve) else { return Ok(()) };
    let colour = RGBColor(0x77, 0x77, 0x77);
    let px = |(x, y): Point| (scale.px(x), scale.px(y));
    let length = ((tip.0 - before.0).powi(2) + (tip.1 - before.1).powi(2)).sqrt().max(1e-9);
    let along = ((tip.0 - before.0) / length, (tip.1 - before.1) / length);
    let back = (tip.0 - along.0 * ARROW, tip.1 - along.1 * ARROW);
    let wing = |side: f64| (back.0 - along.1 * ARROW * 0.42 * side, back.1 + along.0 * ARROW * 0.42 * side);
    // The line ends inside the head, not at its tip, which would then be blunt.
    let kept = curve.iter().filter(|p| (p.0 - tip.0).hypot(p.1 - tip.1) > ARROW * 1.2);
    let path: Vec<Point> = kept.copied().chain([back]).collect();
    let strokes = match kind {
        LinkKind::Forward => vec![path],
        LinkKind::Undo => dashes(&path),
    };
    for stroke in strokes {
        let stroke: Vec<(i32, i32)> = stroke.into_iter().map(px).collect();
        area.draw(&PathElement::new(stroke, colour.stroke_width(scale.line(1.5))))?;
    }
    area.draw(&Polygon::new([px(tip), px(wing(1.0)), px(wing(-1.0))], colour.filled()))
}

/// A line cut into strokes.
fn dashes(path: &[Point]) -> Vec<Vec<Point>> {
    const STROKE: f64 = 6.0;
    const BREAK: f64 = 4.0;
    let (mut strokes, mut done) = (Vec::new(), 0.0);
    let mut stroke: Vec<Point> = Vec::new();
    for pair in path.windows(2) {
        let ((x, y), (dx, dy)) = (pair[0], (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1));
        let steps = (dx.hypot(dy).ceil()).max(1.0);
        for step in 0..steps as u32 {
            let share = f64::from(step) / steps;
            if done % (STROKE + BREAK) < STROKE {
                stroke.push((x + dx * share, y + dy * share));
            } else if stroke.len() > 1 {
                strokes.push(std::mem::take(&mut stroke));
            } else {
                stroke.clear();
            }
            done += dx.hypot(dy) / steps;
        }
    }
    strokes.extend((stroke.len() > 1).then_some(stroke));
    strokes
}

/// The tip of a curve and a point a little before it.
fn ends(curve: &[Point]) -> Option<(Point, Point)> {
    let tip = *curve.last()?;
    let before = curve.iter().rev().find(|p| (p.0 - tip.0).hypot(p.1 - tip.1) > ARROW)?;
    Some((tip, *before))
}

/// The labels of an edge, in the middle of its first stretch between two layers, on white.
fn label<DB: DrawingBackend>(area: &Area<DB>, scale: Scale, edge: &Edge, curve: &[Point]) -> Drawn<DB> {
    let style = scale.text(DETAIL, TEXT, HPos::Center, VPos::Center);
    let (first, more) = match &edge.labels[..] {
        [] => return Ok(()),
        [only] => (only.clone(), String::new()),
        [first, second] => (format!("{first}, {second}"), String::new()),
        [first, rest @ ..] => (first.clone(), format!(" +{} more", rest.len())),
    };
    let at = curve[(curve.len() / 2).min(12)];
    let text = fitted(&format!("{first}{more}"), &style, scale.px(GAP - 28.0));
    let (x, y) = (scale.px(at.0), scale.px(at.1));
    let half = (width(&text, &style) / 2 + scale.px(3.0), scale.px(DETAIL * 0.58));
    area.draw(&Rectangle::new([(x - half.0, y - half.1), (x + half.0, y + half.1)], WHITE.mix(0.88).filled()))?;
    area.draw(&Text::new(text, (x, y), style))
}

fn part_box<DB: DrawingBackend>(area: &Area<DB>, scale: Scale, part: &Part, corner: Point) -> Drawn<DB> {
    let colour = match part.kind.as_str() {
        "workload" => GREEN,
        "transaction" | "saga" => ORANGE,
        "queue" | "exchange" => PURPLE,
        _ => BLUE,
    };
    let outline: Vec<(i32, i32)> = rounded(corner).into_iter().map(|(x, y)| (scale.px(x), scale.px(y))).collect();
    area.draw(&Polygon::new(outline.clone(), WHITE.filled()))?;
    area.draw(&Polygon::new(outline.clone(), colour.mix(0.10).filled()))?;
    let closed: Vec<(i32, i32)> = outline.iter().copied().chain(outline.first().copied()).collect();
    area.draw(&PathElement::new(closed, colour.stroke_width(scale.line(1.5))))?;
    let middle = corner.0 + BOX_WIDE / 2.0;
    let line = |text: &str, size: f64, colour: RGBColor, y: f64| {
        let style = scale.text(size, colour, HPos::Center, VPos::Center);
        let text = fitted(text, &style, scale.px(BOX_WIDE - 16.0));
        area.draw(&Text::new(text, (scale.px(middle), scale.px(corner.1 + y)), style))
    };
    let detail = if part.detail.is_empty() { &part.kind } else { &part.detail };
    if detail.is_empty() {
        return line(&part.name, NAME, TITLE, BOX_HIGH / 2.0);
    }
    line(&part.name, NAME, TITLE, 20.0)?;
    line(detail, DETAIL, FAINT, 39.0)
}

/// A quarter of the unit circle: 0°, 11.25°, … 90°.
const QUARTER: [Point; 9] = [
    (1.0, 0.0),
    (0.980_785, 0.195_090),
    (0.923_880, 0.382_683),
    (0.831_470, 0.555_570),
    (FRAC_1_SQRT_2, FRAC_1_SQRT_2),
    (0.555_570, 0.831_470),
    (0.382_683, 0.923_880),
    (0.195_090, 0.980_785),
    (0.0, 1.0),
];

/// The outline of a box: quarter circles of eight steps at its corners.
fn rounded((left, top): Point) -> Vec<Point> {
    let (right, bottom) = (left + BOX_WIDE, top + BOX_HIGH);
    let mut outline = Vec::new();
    for (c, s) in QUARTER {
        outline.push((right - CORNER + c * CORNER, bottom - CORNER + s * CORNER));
    }
    for (c, s) in QUARTER {
        outline.push((left + CORNER - s * CORNER, bottom - CORNER + c * CORNER));
    }
    for (c, s) in QUARTER {
        outline.push((left + CORNER - c * CORNER, top + CORNER - s * CORNER));
    }
    for (c, s) in QUARTER {
        outline.push((right - CORNER + s * CORNER, top + CORNER - c * CORNER));
    }
    outline
}
