//! Numbers with units: `250ms`, `1m30s`, `95%`, `100/s`, `20_000`.

use super::Kind;

const UNITS: [(&str, f64); 6] = [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

/// Sizes, which thresholds do not have: bytes are counted.
const SIZES: [(&str, f64); 7] = [
    ("B", 1.0),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
];

/// A literal that was read.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Literal {
    pub(super) number: f64,
    pub(super) kind: Kind,
    /// Bytes it takes.
    pub(super) length: usize,
}

/// What is wrong with one.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct BadLiteral {
    /// Bytes it takes.
    pub(super) length: usize,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// Reads the literal that `text` begins with; its first character is a digit.
pub(super) fn read(text: &str) -> Result<Literal, BadLiteral> {
    let mut at = digits(text);
    let number = number(&text[..at])?;
    let unit = word(&text[at..]);
    if text[at..].starts_with('%') {
        return Ok(Literal { number: number / 100.0, kind: Kind::Share, length: at + 1 });
    }
    if let Some(per) = text[at..].strip_prefix('/') {
        let per = word(per);
        if let Some(length) = nanoseconds(per) {
            // As a share of a second: 6/m is 0.1 per second.
            return Ok(Literal { number: number / (length / 1e9), kind: Kind::PerSecond, length: at + 1 + per.len() });
        }
    }
    if unit.is_empty() {
        return Ok(Literal { number, kind: Kind::Number, length: at });
    }
    let mut total = 0.0;
    let mut part = number;
    loop {
        let unit = word(&text[at..]);
        at += unit.len();
        let Some(length) = nanoseconds(unit) else {
            let message = if unit.is_empty() {
                "the last unit is missing: ns, us, ms, s, m or h".to_owned()
            } else {
                format!("`{unit}` is not a unit: ns, us, ms, s, m or h")
            };
            let size = SIZES.iter().find(|(name, _)| *name == unit);
            let help = size.map(|(_, bytes)| format!("bytes are a number: `{0}`, per second `{0}/s`", part * bytes));
            let per = text[at..].strip_prefix('/').map(word).filter(|per| size.is_some() && nanoseconds(per).is_some());
            return Err(BadLiteral { length: at + per.map_or(0, |per| per.len() + 1), message, help });
        };
        total += part * length;
        let more = digits(&text[at..]);
        if more == 0 {
            break;
        }
        part = self::number(&text[at..at + more]).map_err(|bad| BadLiteral { length: at + more, ..bad })?;
        at += more;
    }
    // Whole nanoseconds, divided as measured values are, so that equal lengths are equal numbers.
    Ok(Literal { number: total.round() / 1e9, kind: Kind::Seconds, length: at })
}

fn digits(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_digit() || c == '_' || c == '.')).unwrap_or(text.len())
}

fn word(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len())]
}

fn nanoseconds(unit: &str) -> Option<f64> {
    UNITS.iter().find(|(name, _)| *name == unit).map(|(_, length)| *length)
}

fn number(text: &str) -> Result<f64, BadLiteral> {
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let wrong = |_| BadLiteral { length: text.len(), message: format!("`{text}` is not a number"), help: None };
    plain.parse().map_err(wrong)
}
