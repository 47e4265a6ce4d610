//! How numbers are written: for machines with fixed decimals, for people with about three digits. The terminal, the report
//! and the charts write by these functions alone, so a number reads the same wherever it stands.
//!
//! Everything starts from integers or is rounded once here, so that the same run writes the same bytes on every machine.

use kernel::{Histogram, Span};
use lab::outcome::Quantity;

/// Seconds with nine decimals, exactly, from nanoseconds: `0.009800000`.
pub(crate) fn seconds(ns: u64) -> String {
    format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000)
}

/// Nine decimals; nothing at all for what is not a number (a CSV cell without a value).
pub(crate) fn decimal(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let text = format!("{value:.9}");
    if text == "-0.000000000" { "0.000000000".to_owned() } else { text }
}

/// The same rounding for JSON, whose writer then prints the shortest digits that read back the same.
pub(crate) fn rounded(value: f64) -> Option<f64> {
    decimal(value).parse().ok()
}

/// `231 940`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// The same for numbers that may be negative.
pub(crate) fn thousands_signed(n: i64) -> String {
    let sign = if n < 0 { "−" } else { "" };
    format!("{sign}{}", thousands(n.unsigned_abs()))
}

/// A share as a person says it, three digits: `0.31%`, `17.1%`, `100%`; never 0 for something, never 100 for less than all.
pub(crate) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "–".to_owned();
    }
    let p = share * 100.0;
    match p.abs() {
        0.0 => "0%".to_owned(),
        a if a < 0.01 => "<0.01%".to_owned(),
        a if a < 9.995 => format!("{}%", trimmed(&format!("{p:.2}"))),
        a if a < 99.95 => format!("{}%", trimmed(&format!("{p:.1}"))),
        a if a < 100.0 => ">99.9%".to_owned(),
        _ => format!("{}%", trimmed(&format!("{p:.1}"))),
    }
}

/// A plain number with about three digits, grouped when large: `0.042`, `3.14`, `98.4`, `5 902`.
pub(crate) fn plain(value: f64) -> String {
    if value.is_nan() {
        return "–".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞".to_owned() } else { "−∞".to_owned() };
    }
    let sign = if value < 0.0 { "−" } else { "" };
    let a = value.abs();
    let digits = match a {
        0.0 => "0".to_owned(),
        _ if a < 0.001 => format!("{a:.1e}"),
        _ if a < 0.1 => trimmed(&format!("{a:.4}")),
        _ if a < 9.995 => trimmed(&format!("{a:.2}")),
        _ if a < 999.95 => trimmed(&format!("{a:.1}")),
        _ if a < 1e15 => thousands(a.round() as u64),
        _ => format!("{a:.2e}"),
    };
    format!("{sign}{digits}")
}

/// A length of time as a person says it, three digits, rounded: `8.75ms`, `118ms`, `1.09s`; from 100 s on in whole seconds,
/// from two hours on in whole minutes.
pub(crate) fn duration(span: Span) -> String {
    const UNITS: [(&str, u64, f64); 3] = [("us", 1_000, 999.5), ("ms", 1_000_000, 999.5), ("s", 1_000_000_000, 99.95)];
    let Span(ns) = span;
    if ns < 1_000 {
        return span.to_string();
    }
    for (name, unit, beyond) in UNITS {
        let value = ns as f64 / unit as f64;
        match value {
            v if v < 9.995 => return format!("{}{name}", trimmed(&format!("{v:.2}"))),
            v if v < 99.95 => return format!("{}{name}", trimmed(&format!("{v:.1}"))),
            v if v < beyond => return format!("{v:.0}{name}"),
            _ => {}
        }
    }
    let whole = |unit: u64| Span((ns.saturating_add(unit / 2)) / unit * unit);
    match whole(1_000_000_000) {
        seconds if seconds.0 < 7_200_000_000_000 => seconds.to_string(),
        _ => whole(60_000_000_000).to_string(),
    }
}

/// A quantile of lengths of time.
pub(crate) fn quantile(histogram: &Histogram, q: f64) -> String {
    if histogram.is_empty() { "–".to_owned() } else { duration(Span(histogram.quantile(q))) }
}

/// The mean of lengths of time.
pub(crate) fn mean(histogram: &Histogram) -> String {
    if histogram.is_empty() { "–".to_owned() } else { duration(Span(histogram.mean().round() as u64)) }
}

/// Seconds as a person says them: `5.03s`, `88ms`; `∞` for never.
pub(crate) fn person_seconds(seconds: f64) -> String {
    match seconds {
        s if s.is_nan() => "–".to_owned(),
        s if s < 0.0 => format!("−{}", person_seconds(-s)),
        s if s.is_infinite() => "∞".to_owned(),
        s => duration(Span((s * 1e9).round() as u64)),
    }
}

/// A measured value or a limit, as a person says it.
pub(crate) fn quantity(quantity: Quantity) -> String {
    match quantity {
        Quantity::Seconds(s) => person_seconds(s),
        Quantity::Ratio(share) => percent(share),
        Quantity::PerSecond(rate) => format!("{}/s", plain(rate)),
        Quantity::Number(n) => plain(n),
    }
}

/// The number of a quantity and the SI unit it has: `s`, `1/s`, or `1` for shares and plain numbers.
pub(crate) fn number_and_unit(quantity: Quantity) -> (f64, &'static str) {
    match quantity {
        Quantity::Seconds(s) => (s, "s"),
        Quantity::PerSecond(rate) => (rate, "1/s"),
        Quantity::Ratio(n) | Quantity::Number(n) => (n, "1"),
    }
}

/// Without the zeros after the point that say nothing.
pub(crate) fn trimmed(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_read_fixed_decimals() {
        assert_eq!(seconds(9_800_000), "0.009800000");
        assert_eq!(seconds(u64::MAX), "18446744073.709551615");
        assert_eq!(decimal(-0.0), "0.000000000");
        assert_eq!(decimal(f64::NAN), "");
        assert_eq!(rounded(0.1 + 0.2), Some(0.3));
        assert_eq!(rounded(f64::INFINITY), None);
    }

    #[test]
    fn people_read_three_digits() {
        assert_eq!([0, 999, 1000, 231_940].map(thousands), ["0", "999", "1 000", "231 940"]);
        assert_eq!(thousands(u64::MAX), "18 446 744 073 709 551 615");
        assert_eq!(thousands_signed(-1234), "−1 234");
        let shares = [0.0, 0.000_001, 0.0031, 0.171, 0.9, 0.999_99, 1.0, f64::NAN];
        assert_eq!(shares.map(percent), ["0%", "<0.01%", "0.31%", "17.1%", "90%", ">99.9%", "100%", "–"]);
        let numbers = [0.0, 0.000_04, 0.0421, 3.1372, 98.42, 5902.0, 1e18, -2.5, f64::INFINITY];
        assert_eq!(numbers.map(plain), ["0", "4.0e-5", "0.0421", "3.14", "98.4", "5 902", "1.00e18", "−2.5", "∞"]);
        assert_eq!(person_seconds(5.03), "5.03s");
        let lengths =
            [0, 999, 1_000, 8_749_999, 999_499_999, 999_500_000, 1_086_000_000, 99_949_999_999, 99_950_000_000];
        let told = ["0s", "999ns", "1us", "8.75ms", "999ms", "1s", "1.09s", "99.9s", "1m40s"];
        assert_eq!(lengths.map(|ns| duration(Span(ns))), told);
        assert_eq!(
            [7_199_400_000_000, 7_199_500_000_000, u64::MAX].map(|ns| duration(Span(ns)))[..2],
            ["119m59s", "2h00m"]
        );
        assert_eq!(quantity(Quantity::PerSecond(98.42)), "98.4/s");
    }
}
