//! Variables of a workload as written: a distribution of numbers, or what has another type: `choice('a': 98, 'b': 2)`,
//! `chance(0.2%)`, `true`, `'gold'`, `sequence(100)`.

use kernel::Distribution;

use super::data::Files;
use super::distributions::{self, Sort};
use super::values::{Bad, clip, is_name, number};

/// Texts in one choice.
const CHOICES_MAX: usize = 1000;

/// Letters in one text.
const TEXT_MAX: usize = 200;

/// A checked variable.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Parsed {
    /// How it is drawn: a number, an index of `texts`, or 0 and 1.
    pub(super) law: Distribution,
    pub(super) sort: Holds,
    /// Canonical text.
    pub(super) text: String,
    /// It is always the same.
    pub(super) constant: bool,
}

/// What it holds.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Holds {
    Number,
    Truth,
    Texts(Vec<String>),
    /// Counted from here.
    Sequence(i64),
}

/// Parses a variable that is written as text.
pub(super) fn parse(text: &str, files: &Files) -> Result<Parsed, Bad> {
    let trimmed = text.trim();
    let lead = text.len() - text.trim_start().len();
    let inside = |name: &str| {
        let rest = trimmed.strip_prefix(name)?.trim_start();
        let rest = rest.strip_prefix('(')?;
        Some((rest, lead + trimmed.len() - rest.len()))
    };
    if let Some((rest, at)) = inside("choice") {
        return choice(rest).map_err(|bad| bad.shifted(at, rest.len()));
    }
    if let Some((rest, at)) = inside("sequence") {
        return sequence(rest).map_err(|bad| bad.shifted(at, rest.len()));
    }
    match trimmed {
        "true" | "false" => return Ok(truth(trimmed == "true")),
        _ => {}
    }
    if trimmed.starts_with('\'') {
        let (word, rest) = quoted(trimmed)?;
        if !rest.is_empty() {
            let help = "several texts are a choice: \"choice('a', 'b')\"";
            return Err(Bad::new(format!("`{}` was not expected here", clip(rest))).help(help));
        }
        return texts(vec![(word, None)], format!("'{word}'"));
    }
    let chance = trimmed.starts_with("chance");
    let parsed = distributions::parse_with(text, Sort::Numbers, files).map_err(|bad| {
        let word = is_name(trimmed) && bad.label.ends_with("nor a distribution");
        if word { bad.help(format!("text is quoted: \"'{trimmed}'\"")) } else { bad }
    })?;
    let sort = if chance { Holds::Truth } else { Holds::Number };
    Ok(Parsed { law: parsed.law, sort, text: parsed.text, constant: parsed.constant.is_some() })
}

/// `true` or `false`, always.
pub(super) fn truth(value: bool) -> Parsed {
    let law = Distribution::constant(f64::from(u8::from(value))).expect("0 and 1 are numbers");
    Parsed { law, sort: Holds::Truth, text: value.to_string(), constant: true }
}

const CHOICE: &str = "choice('a', 'b') or choice('a': 98, 'b': 2)";

/// After `choice(`.
fn choice(text: &str) -> Result<Parsed, Bad> {
    let mut found: Vec<(&str, Option<f64>)> = Vec::new();
    let mut rest = text.trim_start();
    loop {
        if !rest.starts_with('\'') {
            let from = text.len() - rest.len();
            let bad = Bad::new("a text in single quotes was expected here").at(from..text.len());
            let numbers = rest.starts_with(|c: char| c.is_ascii_digit() || c == '-');
            let help = if numbers { "numbers are mixed: \"mix(98%: 1, 2%: 50)\"" } else { CHOICE };
            return Err(bad.help(help));
        }
        let (word, after) = quoted(rest).map_err(|bad| bad.help(CHOICE))?;
        rest = after.trim_start();
        let mut weight = None;
        if let Some(after) = rest.strip_prefix(':') {
            let after = after.trim_start();
            let end = after.find([',', ')']).unwrap_or(after.len());
            let from = text.len() - after.len();
            let written = after[..end].trim_end();
            let wrong = || {
                let label = format!("`{}` is no weight", clip(written));
                Bad::new(label).help("weights are plain numbers: \"choice('a': 98, 'b': 2)\"").at(from..from + end)
            };
            weight = Some(number(&written.replace('_', "")).ok_or_else(wrong)?);
            rest = &after[end..];
        }
        if found.iter().any(|(known, _)| *known == word) {
            return Err(Bad::new(format!("'{}' is here twice", clip(word))).help("a weight makes it likelier"));
        }
        found.push((word, weight));
        if let Some(after) = rest.strip_prefix(')') {
            rest = after;
            break;
        }
        let from = text.len() - rest.len();
        let Some(after) = rest.strip_prefix(',').filter(|_| found.len() < CHOICES_MAX) else {
            let label = if rest.is_empty() { "`)` is missing" } else { "`,` or `)` was expected here" };
            return Err(Bad::new(label).help(CHOICE).at(from.min(text.len().saturating_sub(1))..text.len()));
        };
        rest = after.trim_start();
    }
    if !rest.trim().is_empty() {
        let from = text.len() - rest.len();
        return Err(Bad::new(format!("`{}` was not expected here", clip(rest.trim()))).at(from..text.len()));
    }
    let weighted = found.iter().filter(|(_, weight)| weight.is_some()).count();
    if weighted != 0 && weighted != found.len() {
        return Err(Bad::new("either all of them have a weight or none has").help(CHOICE));
    }
    let each = found.iter().map(|(word, weight)| match weight {
        Some(weight) => format!("'{word}': {weight}"),
        None => format!("'{word}'"),
    });
    let written = format!("choice({})", each.collect::<Vec<_>>().join(", "));
    texts(found, written)
}

fn texts(found: Vec<(&str, Option<f64>)>, text: String) -> Result<Parsed, Bad> {
    let weights: Vec<f64> = found.iter().map(|(_, weight)| weight.unwrap_or(1.0)).collect();
    let law = Distribution::choice(&weights).map_err(|e| Bad::new(format!("{e}: {CHOICE}")))?;
    let constant = found.len() == 1;
    let words = found.into_iter().map(|(word, _)| word.to_owned()).collect();
    Ok(Parsed { law, sort: Holds::Texts(words), text, constant })
}

/// `'text'` at the beginning, and what follows it.
fn quoted(text: &str) -> Result<(&str, &str), Bad> {
    let inner = &text[1..];
    let Some(end) = inner.find('\'') else {
        return Err(Bad::new(format!("the text `{}` has no end", clip(text))));
    };
    let word = &inner[..end];
    if word.is_empty() || word.len() > TEXT_MAX || word.chars().any(char::is_control) {
        return Err(Bad::new(format!("a text has 1 to {TEXT_MAX} letters")));
    }
    Ok((word, &inner[end + 1..]))
}

/// After `sequence(`.
fn sequence(text: &str) -> Result<Parsed, Bad> {
    let Some(inner) = text.trim_end().strip_suffix(')') else {
        return Err(Bad::new("`)` is missing").help("sequence() or sequence(100)"));
    };
    let inner = inner.trim();
    let start = if inner.is_empty() { Some(0) } else { inner.replace('_', "").parse::<i64>().ok() };
    let Some(start) = start.filter(|start| start.unsigned_abs() <= 1 << 53) else {
        let bad = Bad::new(format!("`{}` is no whole number up to 2^53", clip(inner)));
        return Err(bad.help("sequence() or sequence(100): counted from there, one for each operation"));
    };
    let law = Distribution::constant(start as f64).map_err(|e| Bad::new(e.to_string()))?;
    Ok(Parsed { law, sort: Holds::Sequence(start), text: format!("sequence({start})"), constant: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_and_written_in_one_way() {
        for (text, canonical, sort) in [
            ("choice('a','b')", "choice('a', 'b')", Holds::Texts(vec!["a".into(), "b".into()])),
            (" choice( 'a' : 98 , 'b:)' : 2.50 ) ", "choice('a': 98, 'b:)': 2.5)", {
                Holds::Texts(vec!["a".into(), "b:)".into()])
            }),
            ("'gold'", "'gold'", Holds::Texts(vec!["gold".into()])),
            ("chance(0.20%)", "chance(0.2%)", Holds::Truth),
            ("true", "true", Holds::Truth),
            ("sequence()", "sequence(0)", Holds::Sequence(0)),
            ("sequence( -1_000 )", "sequence(-1000)", Holds::Sequence(-1000)),
            ("geometric(3)", "geometric(3)", Holds::Number),
            ("poisson(2.5)", "poisson(2.5)", Holds::Number),
            ("int(1, 50)", "int(1, 50)", Holds::Number),
        ] {
            let parsed = parse(text, &Files::default()).unwrap_or_else(|bad| panic!("{text}: {}", bad.label));
            assert_eq!((parsed.text.as_str(), parsed.sort), (canonical, sort), "{text}");
            assert_eq!(parse(canonical, &Files::default()).map(|p| p.text).as_deref().ok(), Some(canonical));
        }
    }

    #[test]
    fn what_is_wrong_with_a_choice_is_told() {
        for (text, label) in [
            ("choice()", "a text in single quotes was expected here"),
            ("choice(1, 2)", "a text in single quotes was expected here"),
            ("choice('a': 1, 'b')", "either all of them have a weight or none has"),
            ("choice('a', 'a')", "'a' is here twice"),
            ("choice('a': x)", "`x` is no weight"),
            ("choice('a'", "`)` is missing"),
            ("choice('a') + 1", "`+ 1` was not expected here"),
            ("choice('a", "the text `'a` has no end"),
            ("choice('a': 0)", "the sum of the weights must be greater than 0"),
            ("sequence(x)", "`x` is no whole number up to 2^53"),
        ] {
            match parse(text, &Files::default()) {
                Ok(parsed) => panic!("{text} was read as {}", parsed.text),
                Err(bad) => assert!(bad.label.starts_with(label), "{text}: {}", bad.label),
            }
        }
    }
}
