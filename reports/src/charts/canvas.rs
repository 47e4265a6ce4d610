//! From a drawing to bytes: the same code draws the SVG and the PNG.
//!
//! A picture is described in its own pixels and drawn larger: ten times for the SVG, whose coordinates are whole numbers
//! and would be too coarse (its size is set back in the header), twice for the PNG, to be sharp on dense screens.

use super::bitmap::Bitmap;
use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::{DrawingArea, DrawingBackend, IntoDrawingArea, IntoFont, SVGBackend, WHITE};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, RGBColor, TextStyle, register_font};
use std::sync::Once;

/// The only font family used in pictures; readers of the SVG see their own sans-serif, the PNG has ours.
const FAMILY: &str = "sans-serif";
/// DejaVu Sans, the characters we write.
pub(super) static FONT: &[u8] = include_bytes!("../../assets/DejaVuSans-subset.ttf");

/// Registers the embedded font; everything that draws calls it first. It costs nothing the second time.
pub fn init_fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let registered = register_font(FAMILY, FontStyle::Normal, FONT);
        assert!(registered.is_ok(), "the embedded font is a valid TrueType file");
    });
}

/// What drawing gives.
pub(crate) type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;
/// What is drawn on.
pub(crate) type Area<DB> = DrawingArea<DB, Shift>;

/// Something that can be drawn on any backend.
pub(crate) trait Picture {
    /// Width and height in the picture's own pixels.
    fn size(&self) -> (u32, u32);
    /// What is seen, for readers that cannot see.
    fn title(&self) -> String;
    /// Draws it.
    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale) -> Drawn<DB>;
}

/// How many drawn pixels one pixel of the picture is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale(f64);

impl Scale {
    /// A length in drawn pixels.
    pub(crate) fn px(self, length: f64) -> i32 {
        (length * self.0).round() as i32
    }

    /// The same for widths of lines: at least one.
    pub(crate) fn line(self, width: f64) -> u32 {
        self.px(width).max(1) as u32
    }

    /// The style of a text: its size, colour and which point of it is placed.
    pub(crate) fn text(self, size: f64, colour: RGBColor, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
        let font = (FAMILY, size * self.0).into_font();
        TextStyle::from(font).color_at(colour).pos(Pos::new(horizontal, vertical))
    }
}

/// `TextStyle::color` borrows; this does not.
trait Coloured {
    fn color_at(self, colour: RGBColor) -> TextStyle<'static>;
}

impl Coloured for TextStyle<'static> {
    fn color_at(self, colour: RGBColor) -> TextStyle<'static> {
        use plotters::style::Color;
        TextStyle { color: colour.to_backend_color(), ..self }
    }
}

/// How wide a text is drawn, in drawn pixels.
pub(crate) fn width(text: &str, style: &TextStyle<'static>) -> i32 {
    style.font.layout_box(text).map_or(0, |((left, _), (right, _))| right - left)
}

/// The text, shortened in its middle until it is no wider than `limit`; characters that XML forbids become `�`.
pub(crate) fn fitted(text: &str, style: &TextStyle<'static>, limit: i32) -> String {
    let clean: Vec<char> = text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    let whole: String = clean.iter().collect();
    if width(&whole, style) <= limit {
        return whole;
    }
    let shortened = (1..clean.len()).rev().map(|kept| {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let parts = [&clean[..head], &['…'], &clean[clean.len() - tail..]];
        parts.concat().into_iter().collect::<String>()
    });
    shortened.into_iter().find(|candidate| width(candidate, style) <= limit).unwrap_or_else(|| "…".to_owned())
}

/// The picture as SVG text and PNG bytes.
pub(crate) fn render(picture: &impl Picture) -> (String, Vec<u8>) {
    (svg(picture), png(picture))
}

const CANNOT_FAIL: &str = "drawing into memory with a registered font cannot fail";

/// The picture as SVG text.
pub(crate) fn svg(picture: &impl Picture) -> String {
    const FINE: u32 = 10;
    let (wide, high) = picture.size();
    let mut drawn = String::new();
    {
        let area = SVGBackend::with_string(&mut drawn, (wide * FINE, high * FINE)).into_drawing_area();
        assert!(paint(picture, &area, Scale(f64::from(FINE))).is_ok(), "{CANNOT_FAIL}");
    }
    let body = drawn.split_once('>').map_or("", |(_, body)| body);
    let title = escaped(&picture.title());
    format!(
        "<svg width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {} {}\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\">\n\
         <title>{title}</title>{body}",
        wide * FINE,
        high * FINE,
    )
}

fn png(picture: &impl Picture) -> Vec<u8> {
    const DENSE: u32 = 2;
    let (wide, high) = picture.size();
    let (wide, high) = (wide * DENSE, high * DENSE);
    let mut pixels = vec![0; wide as usize * high as usize * 3];
    {
        let area = Bitmap::new(&mut pixels, (wide, high)).into_drawing_area();
        assert!(paint(picture, &area, Scale(f64::from(DENSE))).is_ok(), "{CANNOT_FAIL}");
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, wide, high);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // Large even areas and upright lines: the difference to the row above is mostly zero. A higher level takes three times
    // as long for a tenth less.
    encoder.set_deflate_compression(png::DeflateCompression::Level(4));
    encoder.set_filter(png::Filter::Up);
    let mut writer = encoder.write_header().expect(INTO_MEMORY);
    writer.write_image_data(&pixels).expect(INTO_MEMORY);
    writer.finish().expect(INTO_MEMORY);
    out
}

const INTO_MEMORY: &str = "a bitmap of the header's size written into memory cannot fail";

fn paint<DB: DrawingBackend>(picture: &impl Picture, area: &Area<DB>, scale: Scale) -> Drawn<DB> {
    init_fonts();
    area.fill(&WHITE)?;
    picture.draw(area, scale)?;
    area.present()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c if c.is_control() => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}
