//! The bitmap plotters draws on, with text set by ourselves.
//!
//! plotters 0.3 places glyphs of an embedded font at whole pixels, without their side bearings, and centres them too high.
//! Everything but text goes to plotters' own bitmap; text stands where the SVG backend puts it: the same size, the baseline
//! 0.76 em below the top, or half an x-height below the middle.

use super::canvas::FONT;
use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use plotters::prelude::BitMapBackend;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};

type Failure<'a> = DrawingErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>;

/// A bitmap in memory, three bytes per pixel.
pub(super) struct Bitmap<'a> {
    inner: BitMapBackend<'a>,
    font: FontRef<'static>,
}

impl<'a> Bitmap<'a> {
    /// A bitmap of this width and height over `pixels`, which is as large.
    pub(super) fn new(pixels: &'a mut [u8], size: (u32, u32)) -> Self {
        let font = FontRef::try_from_slice(FONT).expect("the embedded font is a valid TrueType file");
        Self { inner: BitMapBackend::with_buffer(pixels, size), font }
    }
}

/// How large plotters' font sizes are in ems, as its SVG backend writes them.
fn em(size: f64) -> f32 {
    (size / 1.24) as f32
}

/// x-height of DejaVu Sans in ems.
const X_HEIGHT: f32 = 0.547;

impl<'a> DrawingBackend for Bitmap<'a> {
    type ErrorType = <BitMapBackend<'a> as DrawingBackend>::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        self.inner.get_size()
    }

    fn ensure_prepared(&mut self) -> Result<(), Failure<'a>> {
        self.inner.ensure_prepared()
    }

    fn present(&mut self) -> Result<(), Failure<'a>> {
        self.inner.present()
    }

    fn draw_pixel(&mut self, at: BackendCoord, colour: BackendColor) -> Result<(), Failure<'a>> {
        self.inner.draw_pixel(at, colour)
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Result<(), Failure<'a>> {
        self.inner.draw_line(from, to, style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Result<(), Failure<'a>> {
        self.inner.draw_rect(upper_left, bottom_right, style, fill)
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Result<(), Failure<'a>> {
        let em = em(style.size());
        let units = self.font.units_per_em().unwrap_or(2048.0);
        let scale = PxScale::from(em * self.font.height_unscaled() / units);
        let font = self.font.as_scaled(scale);
        let advance: f32 = text.chars().map(|c| font.h_advance(font.glyph_id(c))).sum();
        let anchor = style.anchor();
        let mut x = match anchor.h_pos {
            HPos::Left => 0.0,
            HPos::Center => -advance / 2.0,
            HPos::Right => -advance,
        };
        let baseline = match anchor.v_pos {
            VPos::Top => 0.76 * em,
            VPos::Center => 0.5 * X_HEIGHT * em,
            VPos::Bottom => -0.5 * X_HEIGHT * em,
        };
        let (colour, transform) = (style.color(), style.transform());
        let mut dots = Vec::new();
        for c in text.chars() {
            let id = font.glyph_id(c);
            if let Some(outline) = font.outline_glyph(id.with_scale_and_position(scale, point(x, baseline))) {
                let corner = outline.px_bounds().min;
                outline.draw(|dx, dy, cover| {
                    let dot = transform.transform(corner.x as i32 + dx as i32, corner.y as i32 + dy as i32);
                    dots.push((dot, f64::from(cover.clamp(0.0, 1.0))));
                });
            }
            x += font.h_advance(id);
        }
        for ((x, y), cover) in dots {
            let dot = BackendColor { alpha: colour.alpha * cover, ..colour };
            self.inner.draw_pixel((at.0 + x, at.1 + y), dot)?;
        }
        Ok(())
    }
}
