//! Distributions as written: `lognormal(p50=5ms, p99=40ms)`, `mix(99%: exp(1ms), 1%: 1s)`, `5ms + exp(2ms)`.
//!
//! The text becomes a small tree of terms, checked against the table `LAWS`; each entry makes one constructor call of the
//! kernel's `Distribution`. The same tree writes the canonical text.

mod laws;

use kernel::Distribution;

use laws::{Argument, LAWS, Law};

use super::data::{Files, quoted};
use super::nearest::{listed, nearest};
use super::values::{self, Bad, clip, write_duration};

/// What is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    /// Lengths of time, in nanoseconds.
    Durations,
    /// Numbers.
    Numbers,
    /// Whole numbers that count something: 1, 2, …
    Counts,
    /// Drifts of clocks, in parts per million.
    Drifts,
    /// How much clocks are ahead, in nanoseconds; may be negative.
    Offsets,
}

/// A checked distribution.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Parsed {
    pub(super) law: Distribution,
    /// Canonical text.
    pub(super) text: String,
    /// It is always this.
    pub(super) constant: Option<f64>,
}

/// Parses a distribution of this sort that names no file.
pub(super) fn parse(text: &str, sort: Sort) -> Result<Parsed, Bad> {
    parse_with(text, sort, &Files::default())
}

/// Parses a distribution of this sort.
pub(super) fn parse_with(text: &str, sort: Sort, files: &Files) -> Result<Parsed, Bad> {
    let mut reader = Reader { text, at: 0, depth: 0, sort, files };
    let parsed = reader.sum()?;
    reader.spaces();
    if reader.at < text.len() {
        let rest = &text[reader.at..];
        return Err(Bad::new(format!("`{}` was not expected here", clip(rest))).at(reader.at..text.len()));
    }
    Ok(parsed)
}

/// `empirical("file.csv")` or `empirical(5ms, 7ms)`, too.
pub(super) const EMPIRICAL: &str = "empirical";

/// Laws that only variables have.
const OF_VARIABLES: [&str; 2] = ["choice", "sequence"];

/// `mix(99%: dist, 1%: dist)` has a shape of its own.
const MIX: &str = "mix";

/// Parentheses within each other.
const DEPTH_MAX: usize = 8;

/// Parts of a sum or a mixture.
const PARTS_MAX: usize = 64;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    sort: Sort,
    files: &'a Files,
}

/// One argument as read: its name, its value, its canonical text, and where it stands.
struct Read {
    name: Option<String>,
    text: String,
    from: usize,
    to: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, what: char) -> bool {
        self.spaces();
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len_utf8();
        }
        found
    }

    fn sum(&mut self) -> Result<Parsed, Bad> {
        let first = self.term()?;
        let mut parts = vec![first];
        while self.eat('+') {
            parts.push(self.term()?);
            if parts.len() > PARTS_MAX {
                return Err(Bad::new(format!("a sum has at most {PARTS_MAX} parts")));
            }
        }
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        let laws: Vec<Distribution> = parts.iter().map(|p| p.law.clone()).collect();
        let texts: Vec<&str> = parts.iter().map(|p| p.text.as_str()).collect();
        let law = Distribution::sum(&laws).map_err(|e| Bad::new(e.to_string()))?;
        let constant = parts.iter().map(|p| p.constant).sum::<Option<f64>>();
        Ok(Parsed { law, text: texts.join(" + "), constant })
    }

    /// Up to the end of this word, number or signed number.
    fn word(&mut self) -> (usize, usize) {
        self.spaces();
        let from = self.at;
        let ends = |c: char| !(c.is_alphanumeric() || "._%-µμ".contains(c));
        self.at += self.rest().find(ends).unwrap_or(self.rest().len());
        (from, self.at)
    }

    fn term(&mut self) -> Result<Parsed, Bad> {
        let (from, to) = self.word();
        let word = self.text[from..to].to_owned();
        if self.rest().trim_start().starts_with('(') {
            return self.law(&word, from, to);
        }
        if word.is_empty() {
            let found =
                if self.at < self.text.len() { "a distribution was expected here" } else { "something is missing" };
            return Err(Bad::new(found).help(self.examples()).at(from..self.text.len().max(from)));
        }
        self.constant(&word).map_err(|bad| bad.shifted(from, to - from))
    }

    fn constant(&self, word: &str) -> Result<Parsed, Bad> {
        if LAWS.iter().any(|l| l.name == word) {
            let form = LAWS.iter().find(|l| l.name == word).map_or("", |l| l.form);
            return Err(Bad::new(format!("`{word}` needs its arguments: `{form}`")));
        }
        let (value, text) = match self.sort {
            Sort::Durations => {
                let starts_with_digit = word.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
                let ns = values::duration(word).map_err(|bad| {
                    if starts_with_digit {
                        return bad;
                    }
                    let label = format!("`{}` is neither a duration nor a distribution", clip(word));
                    Bad::new(label).help(self.examples())
                })?;
                (ns as f64, write_duration(ns))
            }
            Sort::Numbers | Sort::Counts => {
                let value = signed(word).ok_or_else(|| {
                    Bad::new(format!("`{}` is neither a number nor a distribution", clip(word))).help(self.examples())
                })?;
                if self.sort == Sort::Counts && (value < 1.0 || value.fract() != 0.0) {
                    return Err(Bad::new("counted from 1, in whole numbers"));
                }
                (value, format!("{value}"))
            }
            Sort::Drifts => {
                let ppm = values::drift(word).map_err(|bad| bad.help(self.examples()))?;
                (ppm, format!("{ppm}ppm"))
            }
            Sort::Offsets => {
                let ns = values::offset(word).map_err(|bad| bad.help(self.examples()))?;
                (ns, values::write_offset(ns))
            }
        };
        let law = Distribution::constant(value).map_err(|e| Bad::new(e.to_string()))?;
        Ok(Parsed { law, text, constant: Some(value) })
    }

    fn examples(&self) -> &'static str {
        match self.sort {
            Sort::Durations => {
                "for example \"5ms\", \"exp(5ms)\", \"uniform(1ms, 3ms)\" or \"lognormal(p50=5ms, p99=40ms)\""
            }
            Sort::Numbers => "for example 5, \"int(1, 50)\" or \"zipf(100, 1.1)\"",
            Sort::Counts => "for example 5 or \"int(500, 1500)\"",
            Sort::Drifts => "for example \"50ppm\" or \"uniform(-100ppm, 100ppm)\"",
            Sort::Offsets => "for example \"-5ms\" or \"normal(0s, 10ms)\"",
        }
    }

    fn law(&mut self, name: &str, from: usize, to: usize) -> Result<Parsed, Bad> {
        if self.depth >= DEPTH_MAX {
            return Err(Bad::new(format!("distributions lie at most {DEPTH_MAX} deep in each other")).at(from..to));
        }
        self.eat('(');
        self.depth += 1;
        let parsed = match name {
            MIX => self.mix(from),
            EMPIRICAL => self.empirical(from),
            _ => self.plain_law(name, from, to),
        };
        self.depth -= 1;
        parsed
    }

    fn plain_law(&mut self, name: &str, from: usize, to: usize) -> Result<Parsed, Bad> {
        let Some(law) = LAWS.iter().find(|l| l.name == name) else {
            return Err(unknown_law(name).at(from..to));
        };
        let what = match self.sort {
            Sort::Durations => Some("a length of time"),
            Sort::Drifts => Some("the drift of a clock"),
            Sort::Offsets => Some("the offset of a clock"),
            Sort::Numbers | Sort::Counts => None,
        };
        if let Some(what) = what.filter(|_| !law.durations) {
            let label = format!("`{name}` draws numbers, and this is {what}");
            return Err(Bad::new(label).help(self.examples()).at(from..to));
        }
        let reads = self.arguments()?;
        let all = from..self.at;
        let mut slots: Vec<Option<(f64, String)>> = vec![None; law.arguments.len()];
        for (n, read) in reads.into_iter().enumerate() {
            let slot = slot_of(law, n, &read)?;
            let (_, how, _) = law.arguments[slot];
            let value = self.argument(how, &read.text).map_err(|bad| bad.shifted(read.from, read.text.len()))?;
            if slots[slot].replace(value).is_some() {
                let label = format!("`{}` is given twice", law.arguments[slot].0);
                return Err(Bad::new(label).at(read.from..read.to));
            }
        }
        for (slot, (argument, _, optional)) in slots.iter().zip(law.arguments) {
            if slot.is_none() && !optional {
                return Err(Bad::new(format!("`{argument}` is missing: `{}`", law.form)).at(all));
            }
        }
        let numbers: Vec<Option<f64>> = slots.iter().map(|s| s.as_ref().map(|v| v.0)).collect();
        let made = (law.make)(&numbers, self.sort);
        let law_made = made.map_err(|e| Bad::new(format!("{e}: `{}`", law.form)).at(all))?;
        let texts = slots.iter().zip(law.arguments).enumerate().filter_map(|(n, (slot, argument))| {
            let text = &slot.as_ref()?.1;
            let named = law.named || (law.name == "hotspot" && n > 0);
            Some(if named { format!("{}={text}", argument.0) } else { text.clone() })
        });
        let text = format!("{name}({})", texts.collect::<Vec<_>>().join(", "));
        Ok(Parsed { law: law_made, text, constant: None })
    }

    /// The arguments after `(`, up to and with `)`.
    fn arguments(&mut self) -> Result<Vec<Read>, Bad> {
        let mut reads = Vec::new();
        if self.eat(')') {
            return Ok(reads);
        }
        loop {
            let (mut from, mut to) = self.word();
            let mut name = None;
            if self.eat('=') {
                name = Some(self.text[from..to].to_owned());
                (from, to) = self.word();
            }
            reads.push(Read { name, text: self.text[from..to].to_owned(), from, to });
            if self.eat(')') {
                return Ok(reads);
            }
            if !self.eat(',') {
                let label = if self.at < self.text.len() { "`,` or `)` was expected here" } else { "`)` is missing" };
                return Err(Bad::new(label).at(self.at.min(self.text.len().saturating_sub(1))..self.text.len()));
            }
        }
    }

    fn argument(&self, how: Argument, text: &str) -> Result<(f64, String), Bad> {
        if text.is_empty() {
            return Err(Bad::new("a value is missing"));
        }
        match (how, self.sort) {
            (Argument::Value, Sort::Durations) => values::duration(text).map(|ns| (ns as f64, write_duration(ns))),
            (Argument::Value, Sort::Offsets) => values::offset(text).map(|ns| (ns, values::write_offset(ns))),
            (Argument::Value, Sort::Drifts) => values::drift(text).map(|ppm| (ppm, format!("{ppm}ppm"))),
            (Argument::Value, Sort::Numbers | Sort::Counts) | (Argument::Number, _) => match signed(text) {
                Some(value) => Ok((value, format!("{value}"))),
                None => Err(Bad::new(format!("`{}` is no number", clip(text)))),
            },
            (Argument::Whole, _) => match text.replace('_', "").parse::<i64>() {
                Ok(value) if value.unsigned_abs() <= 1 << 53 => Ok((value as f64, format!("{value}"))),
                Ok(_) | Err(_) => Err(Bad::new(format!("`{}` is no whole number up to 2^53", clip(text)))),
            },
            (Argument::Share, _) => values::percentage(text),
        }
    }

    /// The values of a file, or those written here. Canonically they are written here, in ascending order.
    fn empirical(&mut self, from: usize) -> Result<Parsed, Bad> {
        self.spaces();
        let text = self.text;
        let values: Vec<f64> = if let Some((name, rest)) = quoted(&text[self.at..]) {
            let start = self.at;
            self.at = text.len() - rest.len();
            if !self.eat(')') {
                return Err(Bad::new("`)` was expected here").at(self.at.min(text.len() - 1)..text.len()));
            }
            self.files.column(name, self.sort).map_err(|bad| bad.shifted(start, name.len() + 2))?
        } else {
            let reads = self.arguments()?;
            let one = |read: &Read| {
                if let Some(name) = &read.name {
                    return Err(Bad::new(format!("`{}` was not expected here", clip(name))).at(read.from..read.to));
                }
                let value = self.argument(Argument::Value, &read.text).map(|value| value.0);
                value.map_err(|bad| bad.shifted(read.from, read.text.len()))
            };
            reads.iter().map(one).collect::<Result<_, _>>()?
        };
        let form = "empirical(\"file.csv\") or empirical(5ms, 7ms)";
        let law = Distribution::empirical(&values).map_err(|e| Bad::new(format!("{e}: `{form}`")).at(from..self.at))?;
        let mut sorted = values;
        sorted.sort_by(f64::total_cmp);
        let texts: Vec<String> = sorted.into_iter().map(|value| self.write(value)).collect();
        Ok(Parsed { law, text: format!("{EMPIRICAL}({})", texts.join(", ")), constant: None })
    }

    /// A value of this sort.
    fn write(&self, value: f64) -> String {
        match self.sort {
            Sort::Durations => write_duration(value as u64),
            Sort::Numbers | Sort::Counts => format!("{value}"),
            Sort::Drifts => format!("{value}ppm"),
            Sort::Offsets => values::write_offset(value),
        }
    }

    fn mix(&mut self, from: usize) -> Result<Parsed, Bad> {
        let form = "mix(99%: dist, 1%: dist)";
        let (mut parts, mut texts, mut total) = (Vec::new(), Vec::new(), 0.0);
        loop {
            let (start, end) = self.word();
            let word = self.text[start..end].to_owned();
            let (share, text) = values::percentage(&word).map_err(|bad| bad.help(form).shifted(start, end - start))?;
            if !self.eat(':') {
                return Err(Bad::new("`:` and a distribution were expected after the share").help(form).at(start..end));
            }
            let part = self.sum()?;
            texts.push(format!("{text}: {}", part.text));
            parts.push((share, part.law));
            total += share;
            if self.eat(')') {
                break;
            }
            if !self.eat(',') || parts.len() >= PARTS_MAX {
                return Err(Bad::new("`,` or `)` was expected here").help(form).at(self.at..self.text.len()));
            }
        }
        if (total - 1.0).abs() > 1e-9 {
            let label = format!("the shares come to {}%, not to 100%", (total * 1e8).round() / 1e6);
            return Err(Bad::new(label).at(from..self.at));
        }
        let law = Distribution::mixture(&parts).map_err(|e| Bad::new(e.to_string()).at(from..self.at))?;
        Ok(Parsed { law, text: format!("mix({})", texts.join(", ")), constant: None })
    }
}

fn slot_of(law: &Law, n: usize, read: &Read) -> Result<usize, Bad> {
    let names = || law.arguments.iter().map(|a| a.0);
    match &read.name {
        Some(name) => names().position(|a| a == name).ok_or_else(|| {
            let near = nearest(name, names()).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            Bad::new(format!("`{}` has no `{}`: `{}`{near}", law.name, clip(name), law.form)).at(read.from..read.to)
        }),
        None if law.named => {
            Err(Bad::new(format!("which one is this? Write its name: `{}`", law.form)).at(read.from..read.to))
        }
        None if n < law.arguments.len() => Ok(n),
        None => Err(Bad::new(format!("one argument too many: `{}`", law.form)).at(read.from..read.to)),
    }
}

fn unknown_law(name: &str) -> Bad {
    if OF_VARIABLES.contains(&name) {
        return Bad::new(format!("`{name}` is for variables: `vars` of a workload"));
    }
    let names = || LAWS.iter().map(|l| l.name).chain([MIX, EMPIRICAL]);
    let foreign = match name {
        "exponential" | "expo" | "expovariate" => Some("exp"),
        "poisson_process" => Some("poisson"),
        "randint" | "integer" | "range" => Some("int"),
        "gaussian" | "gauss" => Some("normal"),
        "constant" | "fixed" | "const" => return Bad::new("a constant is written as it is: \"5ms\""),
        _ => nearest(name, names()),
    };
    let bad = Bad::new(format!("there is no distribution `{}`; there are {}", clip(name), listed(names(), 20)));
    match foreign {
        Some(near) => bad.help(format!("did you mean `{near}`?")),
        None => bad,
    }
}

/// A number that may have a sign and underscores.
pub(super) fn signed(text: &str) -> Option<f64> {
    let plain = text.replace('_', "");
    match plain.strip_prefix('-') {
        Some(rest) => values::number(rest).map(|v| -v),
        None => values::number(&plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_law_is_read_and_written_in_one_way() {
        for (text, canonical) in [
            ("exp(2000us)", "exp(2ms)"),
            ("uniform( 1ms , 3ms )", "uniform(1ms, 3ms)"),
            ("normal(5ms, 1ms)", "normal(5ms, 1ms)"),
            ("lognormal(p99=5ms, p50=500us)", "lognormal(p50=500us, p99=5ms)"),
            ("lognormal(mean=5ms, cv=2)", "lognormal(mean=5ms, cv=2)"),
            ("pareto(min=1ms, alpha=1.5)", "pareto(min=1ms, alpha=1.5)"),
            ("pareto(min=1ms, alpha=1.5, max=1s)", "pareto(min=1ms, alpha=1.5, max=1s)"),
            ("weibull(scale=1ms, shape=0.5)", "weibull(scale=1ms, shape=0.5)"),
            ("gamma(mean=1ms, cv=0.5)", "gamma(mean=1ms, cv=0.5)"),
            ("erlang(k=3, mean=9ms)", "erlang(k=3, mean=9ms)"),
            ("hyperexp(mean=1ms, cv=2)", "hyperexp(mean=1ms, cv=2)"),
            ("5ms+exp(1ms)", "5ms + exp(1ms)"),
            ("mix(99%: exp(1ms), 1.0%: 1s + exp(1s))", "mix(99%: exp(1ms), 1%: 1s + exp(1s))"),
        ] {
            let parsed = parse(text, Sort::Durations).expect(text);
            assert_eq!(parsed.text, canonical);
            assert_eq!(parse(canonical, Sort::Durations), Ok(parsed));
        }
        for text in [
            "int(0, 99)",
            "zipf(100, 1.1)",
            "hotspot(100, hot=5, share=90%)",
            "geometric(3)",
            "poisson(4)",
            "-5",
            "chance(0.2%)",
        ] {
            assert_eq!(parse(text, Sort::Numbers).expect(text).text, text);
        }
    }

    #[test]
    fn what_is_wrong_is_said_where_it_is() {
        for (text, part, range) in [
            ("exp(5)", "a unit is missing", Some(4..5)),
            ("expp(5ms)", "no distribution `expp`", Some(0..4)),
            ("exp(5ms", "`)` is missing", Some(6..7)),
            ("exp()", "`mean` is missing", Some(0..5)),
            ("exp(1ms, 2ms)", "one argument too many", Some(9..12)),
            ("erlang(3, 1ms)", "Write its name", Some(7..8)),
            ("lognormal(p50=5ms)", "p50 and p99", Some(0..18)),
            ("lognormal(p5=5ms, p99=6ms)", "no `p5`", Some(13..16)),
            ("uniform(3ms, 1ms)", "must not be less", Some(0..17)),
            ("mix(50%: 1ms, 49%: 2ms)", "come to 99%", Some(0..23)),
            ("zipf(100, 1.1)", "draws numbers", Some(0..4)),
            ("empirical(\"x.csv\")", "not at hand", Some(10..17)),
            ("empirical(5ms, 7)", "a unit is missing", Some(15..16)),
            ("empirical(mean=5ms)", "not expected", Some(15..18)),
            ("empirical()", "must not be empty", Some(0..11)),
            ("exp(1ms) exp(2ms)", "not expected", Some(9..17)),
            ("", "something is missing", Some(0..0)),
            ("exp", "needs its arguments", Some(0..3)),
            ("5ms +", "something is missing", Some(5..5)),
        ] {
            let bad = parse(text, Sort::Durations).expect_err(text);
            assert!(bad.label.contains(part), "{text}: {}", bad.label);
            assert_eq!(bad.range, range, "{text}");
        }
        let deep = format!("{}1ms{}", "mix(100%: ".repeat(5000), ")".repeat(5000));
        assert!(parse(&deep, Sort::Durations).expect_err("deep").label.contains("deep"));
        assert!(parse("int(1, x)", Sort::Numbers).is_err() && parse("0", Sort::Counts).is_err());
    }
}
