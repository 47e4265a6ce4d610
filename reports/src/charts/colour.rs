//! The colours of all pictures: Okabe and Ito's palette for the colour-blind (Color Universal Design, 2008), without its
//! yellow, which vanishes on paper; greys for everything that is not data.

use plotters::style::RGBColor;

/// Blue.
pub(crate) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// Vermilion: the worst, the failed.
pub(crate) const VERMILION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
/// Light blue.
pub(crate) const SKY: RGBColor = RGBColor(0x56, 0xB4, 0xE9);
/// Bluish green.
pub(crate) const GREEN: RGBColor = RGBColor(0x00, 0x9E, 0x73);
/// Reddish purple.
pub(crate) const PURPLE: RGBColor = RGBColor(0xCC, 0x79, 0xA7);
/// Orange.
pub(crate) const ORANGE: RGBColor = RGBColor(0xE6, 0x9F, 0x00);
/// Grey, for a broad line behind the others: what was asked for, as opposed to what was done.
pub(crate) const ASKED: RGBColor = RGBColor(0xA8, 0xA8, 0xA8);

/// One colour per subject of a chart, in order.
pub(crate) const SUBJECTS: [RGBColor; 6] = [BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY];

/// What the colours of lines are called where a style sheet chooses them.
pub(crate) const NAMES: [(RGBColor, &str); 7] = [
    (BLUE, "blue"),
    (VERMILION, "vermilion"),
    (SKY, "sky"),
    (GREEN, "green"),
    (PURPLE, "purple"),
    (ORANGE, "orange"),
    (ASKED, "grey"),
];

/// One colour per fault: darker and duller than every series.
pub(crate) const FAULTS: [RGBColor; 4] =
    [RGBColor(0x99, 0x33, 0x33), RGBColor(0x80, 0x66, 0x00), RGBColor(0x66, 0x44, 0x88), RGBColor(0x4D, 0x66, 0x4D)];
/// How strongly a fault's window is shaded behind the series.
pub(crate) const FAULT_SHADE: f64 = 0.11;

/// Time outside the measured part of a run.
pub(crate) const OUTSIDE: RGBColor = RGBColor(0x74, 0x74, 0x7C);
/// How strongly that is shaded.
pub(crate) const OUTSIDE_SHADE: f64 = 0.15;

/// Titles.
pub(crate) const TITLE: RGBColor = RGBColor(0x1A, 0x1A, 0x1A);
/// Axis titles, tick labels, legends.
pub(crate) const TEXT: RGBColor = RGBColor(0x40, 0x40, 0x40);
/// Subtitles and notes.
pub(crate) const FAINT: RGBColor = RGBColor(0x70, 0x70, 0x70);
/// Axis lines.
pub(crate) const AXIS: RGBColor = RGBColor(0x80, 0x80, 0x80);
/// Grid lines.
pub(crate) const GRID: RGBColor = RGBColor(0xE2, 0xE2, 0xE2);
