//! Values of one word: durations, rates, shares, sizes, windows. Text in, exact integers out.
//!
//! Every parser says what is wrong, where in the text, and what to write instead. Beside each stands how its value is
//! written canonically, so that `1m30s` and `90s` are the same scenario.

use core::ops::Range;

/// Why a text is not what it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Bad {
    /// What is wrong; stands beside the underlined text.
    pub(super) label: String,
    /// What to write instead.
    pub(super) help: Option<String>,
    /// Which bytes of the text; all of it if none.
    pub(super) range: Option<Range<usize>>,
}

impl Bad {
    pub(super) fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), help: None, range: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn at(mut self, range: Range<usize>) -> Self {
        self.range = Some(range);
        self
    }

    /// About all of the text.
    pub(super) fn whole(mut self) -> Self {
        self.range = None;
        self
    }

    /// The same in a text of which this one begins at byte `offset`.
    pub(super) fn shifted(mut self, offset: usize, len: usize) -> Self {
        let range = self.range.unwrap_or(0..len);
        self.range = Some(range.start + offset..range.end + offset);
        self
    }
}

/// Longer spans than this (146 years) are refused, so that sums of a few never overflow.
pub(super) const SPAN_MAX: u128 = u64::MAX as u128 / 4;

const UNITS: [(&str, u64); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

const UNIT_NAMES: &str = "ns, us, ms, s, m, h";

/// A decimal number without sign or exponent: its digits as an integer, and how many of them stand after the point.
fn decimal(text: &str) -> Option<(u128, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits_only = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let wrong = whole.is_empty() || (text.contains('.') && fraction.is_empty());
    if wrong || !digits_only(whole) || !digits_only(fraction) || whole.len() + fraction.len() > 30 {
        return None;
    }
    Some((format!("{whole}{fraction}").parse().ok()?, fraction.len() as u32))
}

/// A decimal number that is not negative.
pub(super) fn number(text: &str) -> Option<f64> {
    decimal(text)?;
    text.parse().ok()
}

/// The number at the beginning of `text`, and what follows it.
pub(super) fn split_number(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()))
}

/// `1m30s` in nanoseconds.
pub(super) fn duration(text: &str) -> Result<u64, Bad> {
    if text.is_empty() {
        return Err(Bad::new("nothing is written here").help("a duration is written \"50ms\", \"1m30s\" or \"0s\""));
    }
    if text.starts_with('-') {
        return Err(Bad::new("a duration cannot be negative"));
    }
    let (mut rest, mut total) = (text, 0u128);
    while !rest.is_empty() {
        let (digits, after) = split_number(rest);
        let from = text.len() - rest.len();
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let Some((mantissa, places)) = decimal(digits) else {
            return Err(not_a_duration(text));
        };
        if unit.is_empty() {
            return Err(no_unit(digits, from..from + digits.len()));
        }
        let Some((_, size)) = UNITS.iter().find(|u| u.0 == unit) else {
            return Err(unknown_unit(text, digits, unit, from + digits.len()));
        };
        let scale = 10u128.pow(places);
        let scaled = mantissa.checked_mul(u128::from(*size)).ok_or_else(too_long)?;
        if scaled % scale != 0 {
            let label = "this is not a whole number of nanoseconds";
            return Err(Bad::new(label).at(from..from + digits.len() + unit.len()));
        }
        total = total.checked_add(scaled / scale).filter(|sum| *sum <= SPAN_MAX).ok_or_else(too_long)?;
        rest = next;
    }
    Ok(total as u64)
}

/// The unit of time at the end of a header, in nanoseconds: `latency_ms`, `wait (s)`.
pub(super) fn unit_at_end(header: &str) -> Option<u64> {
    let last = header.split(|c: char| !c.is_alphanumeric()).rfind(|word| !word.is_empty())?;
    UNITS.iter().find(|unit| unit.0 == last).map(|unit| unit.1)
}

fn too_long() -> Bad {
    Bad::new("longer than any run: a duration has at most 146 years")
}

fn not_a_duration(text: &str) -> Bad {
    let label = format!("`{}` is no number with a unit ({UNIT_NAMES})", clip(text));
    Bad::new(label).help("a duration is written \"50ms\", \"1m30s\" or \"1.5s\"")
}

pub(super) fn no_unit(digits: &str, range: Range<usize>) -> Bad {
    Bad::new(format!("a unit is missing ({UNIT_NAMES})")).help(format!("\"{digits}s\"?")).at(range)
}

fn unknown_unit(text: &str, digits: &str, unit: &str, from: usize) -> Bad {
    if digits.is_empty() {
        return not_a_duration(text);
    }
    let range = from..from + unit.len();
    let label = format!("there is no unit `{}`; the units are {UNIT_NAMES}", clip(unit.trim()));
    let meant = match unit.trim().to_ascii_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" | "s" => Some("s"),
        "min" | "mins" | "minute" | "minutes" => Some("m"),
        "hour" | "hours" | "hr" | "hrs" | "h" => Some("h"),
        "msec" | "millis" | "milliseconds" | "ms" => Some("ms"),
        "µs" | "μs" | "usec" | "micros" | "microseconds" | "us" => Some("us"),
        "nsec" | "nanos" | "nanoseconds" | "ns" => Some("ns"),
        "d" | "day" | "days" => {
            let hours = digits.parse::<u64>().ok().and_then(|d| d.checked_mul(24));
            return match hours {
                Some(hours) => Bad::new(label).at(range).help(format!("\"{hours}h\"?")),
                None => Bad::new(label).at(range),
            };
        }
        _ => None,
    };
    match meant {
        Some(meant) => Bad::new(label).at(range).help(format!("\"{digits}{meant}\"?")),
        None => Bad::new(label).at(range),
    }
}

/// A text short enough for a message.
pub(super) fn clip(text: &str) -> String {
    if text.chars().count() <= 40 { text.to_owned() } else { text.chars().take(37).chain("...".chars()).collect() }
}

/// The one way to write a duration: the largest unit of which it is a whole number.
pub(crate) fn write_duration(ns: u64) -> String {
    if ns == 0 {
        return "0s".to_owned();
    }
    let (name, size) = UNITS.iter().rev().find(|u| ns.is_multiple_of(u.1)).expect("one nanosecond divides every span");
    format!("{}{name}", ns / size)
}

/// `200/s` per second, and as it is written canonically.
pub(super) fn rate(text: &str) -> Result<(f64, String), Bad> {
    let example = "a rate is written \"200/s\", \"6/m\" or \"0.8/s\"";
    let Some((digits, unit)) = text.split_once('/') else {
        if number(text).is_some() {
            return Err(Bad::new("per what? The unit of time is missing").help(format!("\"{text}/s\"?")));
        }
        return Err(Bad::new(format!("`{}` is no rate", clip(text))).help(example));
    };
    let (digits, unit) = (digits.trim(), unit.trim());
    let Some(count) = number(digits) else {
        return Err(Bad::new(format!("`{}` is no number", clip(digits))).help(example));
    };
    let Some((name, size)) = UNITS.iter().find(|u| u.0 == unit) else {
        let range = text.len() - unit.len()..text.len();
        return Err(Bad::new(format!("a rate is per {UNIT_NAMES}")).help(example).at(range));
    };
    let per_second = count * (1e9 / *size as f64);
    if per_second > 1e9 {
        return Err(Bad::new("more than one per nanosecond"));
    }
    Ok((per_second, format!("{count}/{name}")))
}

/// `0.1%` as a share of 1, and as it is written canonically.
pub(super) fn percentage(text: &str) -> Result<(f64, String), Bad> {
    let Some(digits) = text.strip_suffix('%') else {
        return Err(match number(text) {
            Some(_) => Bad::new("a `%` is missing").help(format!("\"{text}%\"?")),
            None => Bad::new(format!("`{}` is no percentage", clip(text)))
                .help("a percentage is written \"1%\" or \"0.01%\""),
        });
    };
    match number(digits.trim()) {
        Some(share) if share <= 100.0 => Ok((share / 100.0, format!("{share}%"))),
        Some(_) => Err(Bad::new("a share is at most \"100%\"")),
        None => Err(Bad::new(format!("`{}` is no number from 0 to 100", clip(digits)))),
    }
}

const SIZES: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// `64KiB` in bytes; at most 1 GiB.
pub(super) fn size(text: &str) -> Result<u32, Bad> {
    match bytes(text)? {
        bytes if bytes <= 1 << 30 => Ok(bytes as u32),
        _ => Err(Bad::new("a message has at most 1GiB")),
    }
}

/// `200GB` in bytes; at most a million GiB.
pub(super) fn bytes(text: &str) -> Result<u64, Bad> {
    let example = "a size is written \"512B\", \"64KiB\" or \"2MB\"";
    let (digits, unit) = split_number(text);
    let Some((mantissa, places)) = decimal(digits) else {
        return Err(Bad::new(format!("`{}` is no size", clip(text))).help(example));
    };
    if unit.is_empty() {
        return Err(Bad::new("a unit is missing (B, kB, MB, GB, KiB, MiB, GiB)").help(format!("\"{digits}B\"?")));
    }
    let Some((_, factor)) = SIZES.iter().find(|u| u.0 == unit) else {
        let near = SIZES.iter().find(|u| u.0.eq_ignore_ascii_case(unit.trim()));
        let bad = Bad::new(format!("there is no unit `{}`; the units are B, kB, MB, GB, KiB, MiB, GiB", clip(unit)));
        let bad = bad.at(digits.len()..text.len());
        return Err(match near {
            Some((name, _)) => bad.help(format!("\"{digits}{name}\"?")),
            None => bad,
        });
    };
    let scale = 10u128.pow(places);
    match mantissa.checked_mul(u128::from(*factor)) {
        Some(scaled) if scaled % scale != 0 => Err(Bad::new("this is not a whole number of bytes")),
        Some(scaled) if scaled / scale <= 1_000_000 << 30 => Ok((scaled / scale) as u64),
        Some(_) | None => Err(Bad::new("this is more than a million GiB")),
    }
}

/// The one way to write a size.
pub(super) fn write_size(bytes: u64) -> String {
    let (name, size) = SIZES.iter().find(|u| bytes > 0 && bytes.is_multiple_of(u.1)).unwrap_or(&SIZES[SIZES.len() - 1]);
    format!("{}{name}", bytes / size)
}

const BIT_UNITS: [(&str, u64); 4] = [("Gbit", 1_000_000_000), ("Mbit", 1_000_000), ("kbit", 1_000), ("bit", 1)];

/// `100Mbit/s` or `10MiB/s` in bits per second; at most a million Gbit/s.
pub(super) fn bandwidth(text: &str) -> Result<u64, Bad> {
    let example = "a bandwidth is written \"100Mbit/s\" or \"10MiB/s\"";
    let Some(amount) = text.trim_end().strip_suffix("/s").map(str::trim_end) else {
        return Err(Bad::new(format!("`{}` is no bandwidth", clip(text))).help(example));
    };
    let (digits, unit) = split_number(amount);
    let bits = match BIT_UNITS.iter().find(|u| u.0 == unit) {
        Some((_, factor)) => match decimal(digits) {
            Some((mantissa, places)) => mantissa.checked_mul(u128::from(*factor)).map(|b| b / 10u128.pow(places)),
            None => return Err(Bad::new(format!("`{}` is no number", clip(digits))).help(example)),
        },
        None => Some(u128::from(bytes(amount).map_err(|bad| bad.help(example))?) * 8),
    };
    match bits.and_then(|bits| u64::try_from(bits).ok()) {
        Some(0) => Err(Bad::new("nothing ever gets through; for no limit write \"unlimited\"")),
        Some(bits) if bits <= 1_000_000_000_000_000 => Ok(bits),
        Some(_) | None => Err(Bad::new("this is more than a million Gbit/s; for no limit write \"unlimited\"")),
    }
}

/// The one way to write a bandwidth.
pub(super) fn write_bandwidth(bits: u64) -> String {
    match BIT_UNITS[..3].iter().find(|u| bits.is_multiple_of(u.1)) {
        Some((name, size)) => format!("{}{name}/s", bits / size),
        None if bits.is_multiple_of(8) => format!("{}/s", write_size(bits / 8)),
        None => format!("{bits}bit/s"),
    }
}

/// `-50ppm` as parts per million; at most 10 % either way.
pub(super) fn drift(text: &str) -> Result<f64, Bad> {
    let example = "a drift is written \"50ppm\" or \"-20ppm\"";
    let Some(digits) = text.strip_suffix("ppm").map(str::trim_end) else {
        return Err(Bad::new(format!("`{}` is no drift", clip(text))).help(example));
    };
    let (sign, digits) = digits.strip_prefix('-').map_or((1.0, digits), |rest| (-1.0, rest));
    match number(digits) {
        Some(ppm) if ppm <= 100_000.0 => Ok(sign * ppm),
        Some(_) => Err(Bad::new("a clock drifts by at most 100000ppm, which is 10 %")),
        None => Err(Bad::new(format!("`{}` is no number", clip(digits))).help(example)),
    }
}

/// `-5ms` in nanoseconds: how much a clock is ahead.
pub(super) fn offset(text: &str) -> Result<f64, Bad> {
    match text.strip_prefix('-') {
        Some(rest) => duration(rest).map(|ns| -(ns as f64)).map_err(|bad| bad.shifted(1, rest.len())),
        None => duration(text).map(|ns| ns as f64),
    }
}

/// The one way to write it.
pub(crate) fn write_offset(ns: f64) -> String {
    format!("{}{}", if ns < 0.0 { "-" } else { "" }, write_duration(ns.abs() as u64))
}

/// `10s..40s` in nanoseconds: half open, not empty.
pub(super) fn window(text: &str) -> Result<(u64, u64), Bad> {
    let Some((from, to)) = text.split_once("..") else {
        return Err(Bad::new(format!("`{}` is no window", clip(text))).help("a window is written \"10s..40s\""));
    };
    let right = from.len() + 2;
    let (start, end) = (
        duration(from.trim()).map_err(|bad| bad.shifted(0, from.len()))?,
        duration(to.trim()).map_err(|bad| bad.shifted(right, to.len()))?,
    );
    if start >= end {
        return Err(Bad::new("this window ends before it begins").help("windows are half open: \"10s..40s\""));
    }
    Ok((start, end))
}

/// `0..1000`: half open, not empty.
pub(super) fn seeds(text: &str) -> Result<(u64, u64), Bad> {
    let parsed = text.split_once("..").and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
    match parsed {
        Some((from, to)) if from < to => Ok((from, to)),
        Some(_) => Err(Bad::new("there is no seed in here: the end is not included").help("\"0..100\" are 100 seeds")),
        None => Err(Bad::new(format!("`{}` is no range of seeds", clip(text))).help("seeds are written \"0..100\"")),
    }
}

/// `17/3/0`: the third hop of operation 17, as it was sent first.
pub(super) fn hit(text: &str) -> Option<kernel::Hit> {
    let mut parts = text.split('/').map(|part| part.parse().ok());
    let hit = kernel::Hit { operation: parts.next()??, hop: parts.next()??, number: parts.next()?? };
    parts.next().is_none().then_some(hit)
}

/// What a name may look like.
pub(super) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && text.len() <= 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact_or_refused() {
        for (text, ns, canonical) in [
            ("50ms", 50_000_000, "50ms"),
            ("1m30s", 90_000_000_000, "90s"),
            ("1.5s", 1_500_000_000, "1500ms"),
            ("0s", 0, "0s"),
            ("2800h", 10_080_000_000_000_000, "2800h"),
            ("0.25us", 250, "250ns"),
            ("400us", 400_000, "400us"),
        ] {
            assert_eq!(duration(text), Ok(ns), "{text}");
            assert_eq!(write_duration(ns), canonical);
            assert_eq!(duration(canonical), Ok(ns));
        }
        for (text, part) in [
            ("5", "a unit is missing"),
            ("1m30", "a unit is missing"),
            ("0.5ns", "whole number of nanoseconds"),
            ("5sec", "no unit `sec`"),
            ("-5s", "negative"),
            ("", "nothing"),
            ("fast", "no number with a unit"),
            ("1.s", "no number with a unit"),
            ("99999999999999h", "146 years"),
            ("999999999999999999999999999999h", "146 years"),
        ] {
            assert!(duration(text).expect_err(text).label.contains(part), "{text}: {:?}", duration(text));
        }
        assert_eq!(duration("2d").expect_err("days").help.as_deref(), Some("\"48h\"?"));
    }

    #[test]
    fn rates_shares_sizes_and_windows_have_one_spelling() {
        assert_eq!(rate("200/s"), Ok((200.0, "200/s".into())));
        assert!((rate("6/m").expect("a rate").0 - 0.1).abs() < 1e-12);
        assert_eq!(rate("0.80/s").expect("a rate").1, "0.8/s");
        assert!(rate("200").expect_err("no unit").help.expect("help").contains("200/s"));
        assert!(rate("2/fortnight").is_err() && rate("x/s").is_err());
        assert_eq!(percentage("0.10%"), Ok((0.001, "0.1%".into())));
        assert!(percentage("101%").is_err() && percentage("0.1").is_err() && percentage("-1%").is_err());
        assert_eq!((size("64KiB"), size("2MB"), size("1.5kB")), (Ok(65_536), Ok(2_000_000), Ok(1_500)));
        assert_eq!(
            (write_size(65_536), write_size(2_000_000), write_size(0)),
            ("64KiB".into(), "2MB".into(), "0B".into())
        );
        assert!(size("64kb").expect_err("unit").help.expect("help").contains("64kB"));
        assert!(size("8").is_err() && size("2GiB").is_err() && size("0.5B").is_err());
        assert_eq!(window("10s .. 40s"), Ok((10_000_000_000, 40_000_000_000)));
        assert_eq!(window("10s..4").expect_err("unit").range, Some(5..6));
        assert!(window("40s..10s").is_err() && window("10s").is_err());
        assert_eq!(seeds("0..1000"), Ok((0, 1000)));
        assert!(seeds("5..5").is_err() && seeds("a..b").is_err());
        assert!(is_name("bank_a") && !is_name("Bank") && !is_name("a-b") && !is_name("") && !is_name("1a"));
    }
}
