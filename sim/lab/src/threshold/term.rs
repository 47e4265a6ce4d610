//! One term: `stat(metric{label=value, …})`, checked against what the scenario has.

use super::parser::{Lost, Parser, Part};
use super::{Expression, Kind};
use crate::measure::wanted::{carries, label, level_source, row_labels};
use crate::measure::{Entry, METRICS, Metric, Phase, Recorder, Sort, Stat, Wanted};
use crate::names::path_of_op;
use crate::nearest::nearest;
use systems::app::ending::Ending;

const STATS: [(&str, Stat); 9] = [
    ("mean", Stat::Mean),
    ("min", Stat::Min),
    ("max", Stat::Max),
    ("end", Stat::End),
    ("last", Stat::Last),
    ("count", Stat::Count),
    ("rate", Stat::Rate),
    ("sum", Stat::Sum),
    ("share", Stat::Share),
];
/// How calls end.
const OUTCOMES: [(&str, u16); 4] = [
    ("ok", Ending::Ok.tag()),
    ("fail", Ending::Fail.tag()),
    ("info", Ending::Info.tag()),
    ("reject", Ending::Reject.tag()),
];
/// How sagas end.
const SAGA_OUTCOMES: [(&str, u16); 2] = [("completed", 0), ("undone", 1)];
const PHASES: [(&str, Phase); 5] = [
    ("warmup", Phase::Warmup),
    ("chaos", Phase::Chaos),
    ("recovery", Phase::Recovery),
    ("quiesce", Phase::Quiesce),
    ("steady", Phase::Steady),
];
/// Metrics of the scenario format whose parts this engine does not simulate.
const NOT_HERE: [&str; 12] = [
    "staleness",
    "t_visibility",
    "rebalance_time",
    "replication_lag",
    "hit_ratio",
    "consistent_reads",
    "staleness_versions",
    "hedges",
    "stale_calls",
    "divergence",
    "time_to_recover",
    "conflicts",
];

/// A word and where it stands.
#[derive(Clone, Copy, Debug)]
struct Word<'a> {
    text: &'a str,
    from: usize,
    to: usize,
}

impl<'a> Parser<'a, '_> {
    /// A term; the parser stands at its first letter. A term with a mistake has the sort `Unknown`, and reading goes on.
    pub(super) fn term(&mut self) -> Result<Part, Lost> {
        let from = self.at;
        let first = self.name();
        self.space();
        if !self.take("(") {
            self.at = first.to;
            let kind = self.measured(None, first)?;
            return Ok(self.part(from, kind));
        }
        let stat = self.stat(first);
        self.space();
        if self.rest().starts_with(|c: char| c.is_ascii_digit()) {
            self.parenthesised_percentile(first);
            return Ok(self.part(from, None));
        }
        let metric = self.name();
        let kind = self.measured(Some((first, stat)), metric)?;
        self.expect(')')?;
        Ok(self.part(from, kind))
    }

    fn part(&self, from: usize, kind: Option<Kind>) -> Part {
        let expression = match kind {
            Some(_) => Expression::Term(self.wanted.len() - 1),
            None => Expression::Literal(f64::NAN),
        };
        Part { expression, kind: kind.unwrap_or(Kind::Unknown), from, to: self.at }
    }

    fn name(&mut self) -> Word<'a> {
        let from = self.at;
        let text = self.word();
        Word { text, from, to: self.at }
    }

    fn stat(&mut self, word: Word<'_>) -> Option<Stat> {
        if let Some((_, stat)) = STATS.iter().find(|(name, _)| *name == word.text) {
            return Some(*stat);
        }
        let number = word.text.strip_prefix('p').filter(|number| !number.is_empty());
        if let Some(percent) = number.and_then(|number| number.parse::<f64>().ok()) {
            if 0.0 < percent && percent < 100.0 {
                // Through whole numbers, so that p99.9 is 0.999.
                return Some(Stat::Percentile((percent * 1e8).round() / 1e10));
            }
            self.mistake(word.from, word.to, "a percentile lies between p0 and p100", None);
            return None;
        }
        // What is wrong with `p(99)` is said by `parenthesised_percentile`.
        if self.rest().trim_start().starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let close = nearest(word.text, STATS.iter().map(|(name, _)| *name));
        let help = match (METRICS.iter().find(|entry| entry.name == word.text), close) {
            (Some(entry), _) => format!("`{0}` is a metric; the statistic stands in front: `p99({0})`", entry.name),
            (None, Some(close)) => format!("`{close}`?"),
            (None, None) => format!("there are {} and p50 … p99.99", list(STATS.iter().map(|(name, _)| *name))),
        };
        self.mistake(word.from, word.to, format!("`{}` is not a statistic", word.text), Some(help));
        None
    }

    /// `p(99)` or `percentile(99, …)`.
    fn parenthesised_percentile(&mut self, word: Word<'_>) {
        let length = self.rest().find(')').map_or(self.rest().len(), |at| at + 1);
        let inner = &self.rest()[..length];
        let number = &inner[..inner.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(inner.len())];
        let right = format!("`p{number}(latency{{op=x}})`");
        self.at += length;
        self.mistake(word.from, self.at, "a percentile is one word, followed by what it is of", Some(right));
    }

    /// `metric{…}`, and whether it fits its statistic. Appends what is wanted, unless something is wrong.
    fn measured(&mut self, stat: Option<(Word<'_>, Option<Stat>)>, word: Word<'_>) -> Result<Option<Kind>, Lost> {
        let Some(entry) = METRICS.iter().find(|entry| entry.name == word.text) else {
            self.unknown_metric(word);
            self.skip_labels();
            return Ok(None);
        };
        let mut wanted = Wanted {
            stat: Stat::Mean,
            metric: entry.metric,
            labels: Vec::new(),
            tag: None,
            phase: Phase::Measured,
            above: None,
        };
        let mut right = self.labels(entry, &mut wanted)?;
        let whole = (word.from, self.at);
        match self.fitting(entry, word, stat, &wanted, whole) {
            Some(stat) => wanted.stat = stat,
            None => right = false,
        }
        if right && !Recorder::is_about_something(self.vocabulary.names, &wanted) {
            let message = format!("nothing that `{}` measures carries all of these labels", entry.name);
            let mut about: Vec<String> = wanted.labels.iter().flat_map(|(name, value)| paths_of(name, value)).collect();
            about.extend(["services", "transactions", "workloads"].map(str::to_owned));
            self.mistake_about(about, whole, message, Some(format!("`{}` is {}", entry.name, entry.doc)));
            right = false;
        }
        let right = right && self.has_workers(&wanted, whole);
        if !right {
            return Ok(None);
        }
        let kind = kind_of(entry, wanted.stat);
        self.wanted.push(wanted);
        Ok(Some(kind))
    }

    fn unknown_metric(&mut self, word: Word<'_>) {
        let close = nearest(word.text, METRICS.iter().map(|entry| entry.name));
        let (message, help) = if word.text.is_empty() {
            ("the name of a metric is missing here".to_owned(), None)
        } else if NOT_HERE.contains(&word.text) {
            (format!("`{}` is not measured by this version", word.text), None)
        } else {
            (format!("there is no metric `{}`", word.text), close)
        };
        let all = || format!("there are {}", list(METRICS.iter().map(|entry| entry.name)));
        let help = help.map_or_else(all, |close| format!("`{close}`?"));
        self.mistake(word.from, word.to, message, Some(help));
    }

    /// The statistic, if the metric has it.
    fn fitting(
        &mut self,
        entry: &Entry,
        word: Word<'_>,
        stat: Option<(Word<'_>, Option<Stat>)>,
        wanted: &Wanted,
        whole: (usize, usize),
    ) -> Option<Stat> {
        let text = &self.text[whole.0..whole.1];
        let (name, stat) = match (stat, entry.sort) {
            (None, Sort::Ratio | Sort::Rate) => return Some(Stat::Mean),
            (None, sort) => {
                let (what, example) = match sort {
                    Sort::Samples => ("samples need a stat", "p99"),
                    Sort::Level => ("a level needs a stat", "max"),
                    Sort::Count | Sort::Ratio | Sort::Rate => ("a count needs a stat", "count"),
                };
                self.mistake(word.from, word.to, what, Some(format!("`{example}({text})`")));
                return None;
            }
            (Some((_, None)), _) => return None,
            (Some((name, Some(stat))), _) => (name, stat),
        };
        let (allowed, fits): (&str, bool) = match entry.sort {
            Sort::Samples => ("mean, min, max, last, count, rate, sum, share and p50 … p99.99", stat != Stat::End),
            Sort::Level => (
                "mean, min, max, end, share and p50 … p99.99",
                !matches!(stat, Stat::Last | Stat::Count | Stat::Rate | Stat::Sum),
            ),
            Sort::Ratio => ("", false),
            Sort::Count => ("count and rate", matches!(stat, Stat::Count | Stat::Rate)),
            Sort::Rate => ("mean", stat == Stat::Mean),
        };
        if fits {
            let untold = stat == Stat::Share && entry.sort == Sort::Samples && wanted.tag.is_none();
            if !untold {
                return Some(stat);
            }
            let example = outcomes_of(entry)[0].0;
            let help = Some(format!("`share({}{{outcome={example}}})`", entry.name));
            self.mistake(name.from, name.to, "a share of samples is that of one outcome among all", help);
        } else if entry.sort == Sort::Ratio {
            let help = Some(format!("`{text}`"));
            self.mistake(name.from, name.to, format!("`{}` is a ratio and stands bare", entry.name), help);
        } else {
            let message = format!("`{}` has no `{}`", entry.name, name.text);
            self.mistake(name.from, name.to, message, Some(format!("it has {allowed}")));
        }
        None
    }

    /// Busy workers of a service without a limit are no share of anything.
    fn has_workers(&mut self, wanted: &Wanted, whole: (usize, usize)) -> bool {
        if wanted.metric != Metric::Utilisation {
            return true;
        }
        let rows = crate::measure::wanted::rows_of(self.vocabulary.names, wanted);
        let cells = &self.vocabulary.names.cells;
        let services = self.vocabulary.services;
        let unlimited = services.iter().filter(|info| info.workers.is_none()).find(|info| {
            rows.iter().any(|(cell, _)| label(&cells[*cell].labels, "service") == Some(info.name.as_str()))
        });
        if let Some(info) = unlimited {
            let message = format!("`{}` has unlimited workers, and so no utilisation", info.name);
            self.mistake_about(vec![format!("services.{}.workers", info.name)], whole, message, None);
        }
        unlimited.is_none()
    }

    fn skip_labels(&mut self) {
        self.space();
        if self.rest().starts_with('{') {
            self.at += self.rest().find('}').map_or(self.rest().len(), |at| at + 1);
        }
    }

    /// `{name=value, …}` or nothing. False if something in it is wrong.
    fn labels(&mut self, entry: &Entry, wanted: &mut Wanted) -> Result<bool, Lost> {
        let (end, mut right) = (self.at, true);
        self.space();
        if !self.take("{") {
            self.at = end;
            return Ok(true);
        }
        let mut seen: Vec<&str> = Vec::new();
        loop {
            self.space();
            let name = self.name();
            self.expect('=')?;
            let value = self.label_value();
            if seen.contains(&name.text) {
                self.mistake(name.from, value.to, format!("the label `{}` stands here twice", name.text), None);
                right = false;
            } else {
                right &= self.label(entry, name, value, wanted);
            }
            seen.push(name.text);
            self.space();
            if self.take(",") {
                continue;
            }
            self.expect('}')?;
            return Ok(right);
        }
    }

    /// The text up to the next comma or brace; quotes are a mistake and taken off.
    fn label_value(&mut self) -> Word<'a> {
        self.space();
        let from = self.at;
        let length = self.rest().find([',', '}']).unwrap_or(self.rest().len());
        let text = self.rest()[..length].trim_end();
        self.at += length;
        let bare = text.trim_matches(['\'', '"']);
        if bare.len() < text.len() {
            let help = Some(format!("`{bare}`"));
            self.mistake(from, from + text.len(), "labels need no quotes", help);
        }
        Word { text: bare, from, to: from + text.len() }
    }

    fn label(&mut self, entry: &Entry, name: Word<'a>, value: Word<'a>, wanted: &mut Wanted) -> bool {
        match name.text {
            "phase" => match self.phase(value) {
                Some(phase) => wanted.phase = phase,
                None => return false,
            },
            other if !entry.labels.contains(&other) => {
                let known = || entry.labels.iter().copied().chain(["phase"]);
                let all = || format!("it has {}", list(known()));
                let help = nearest(other, known()).map_or_else(all, |close| format!("`{close}`?"));
                let message = format!("`{}` has no label `{other}`", entry.name);
                self.mistake(name.from, name.to, message, Some(help));
                return false;
            }
            "outcome" => {
                let outcomes = outcomes_of(entry);
                let Some((_, tag)) = outcomes.iter().find(|(outcome, _)| *outcome == value.text) else {
                    let known: Vec<String> = outcomes.iter().map(|(outcome, _)| (*outcome).to_owned()).collect();
                    return self.unknown(name, value, &known);
                };
                wanted.tag = Some(*tag);
            }
            "reason" => match self.vocabulary.names.errors.iter().position(|error| error == value.text) {
                Some(number) => wanted.tag = Some(number as u16),
                None => return self.unknown(name, value, &self.vocabulary.names.errors.clone()),
            },
            _ => {
                let known = self.values(entry, name.text);
                let asked = [(name.text.to_owned(), value.text.to_owned())];
                let label = entry.labels.iter().find(|label| **label == name.text).expect("checked above");
                if !known.iter().any(|known| carries(&[(label, known.clone())], &asked)) {
                    return self.unknown(name, value, &known);
                }
                wanted.labels.extend(asked);
            }
        }
        true
    }

    fn unknown(&mut self, name: Word<'_>, value: Word<'_>, known: &[String]) -> bool {
        let known = || known.iter().map(String::as_str);
        let all = || {
            if known().next().is_some() { format!("there are {}", list(known())) } else { "there is none".to_owned() }
        };
        let help = nearest(value.text, known()).map_or_else(all, |close| format!("`{close}`?"));
        let message = format!("there is no {} `{}`", name.text, value.text);
        self.mistake_about(paths_of(name.text, value.text), (value.from, value.to), message, Some(help));
        false
    }

    /// The values a label of a metric has in this scenario.
    fn values(&self, entry: &Entry, name: &str) -> Vec<String> {
        let names = self.vocabulary.names;
        let mut found: Vec<String> = match (entry.metric, name) {
            (Metric::Messages | Metric::Bytes, "kind") => names.kinds.clone(),
            (Metric::Messages | Metric::Bytes | Metric::Fsyncs, _) => {
                names.nodes.iter().map(|node| node.part.clone()).collect()
            }
            (Metric::Committed | Metric::Aborts, _) => {
                let bare = |protocol: &String| protocol.strip_prefix("transactions.").map(str::to_owned);
                names.protocols.iter().filter_map(bare).collect()
            }
            (_, _) if entry.sort == Sort::Level => {
                let cells = names.cells.iter().filter(|cell| cell.metric == Some(level_source(entry.source, name)));
                let rows = cells.flat_map(|cell| (0..u64::from(cell.keys)).map(|row| row_labels(cell, row)));
                rows.filter_map(|labels| label(&labels, name).map(str::to_owned)).collect()
            }
            (_, "queue" | "saga") if entry.sort == Sort::Count => {
                let cells = names.cells.iter().filter(|cell| cell.metric == Some(entry.source));
                cells.filter_map(|cell| label(&cell.labels, name).map(str::to_owned)).collect()
            }
            (_, _) => {
                let series = names.series.iter().filter(|series| series.metric == entry.source);
                series.filter_map(|series| label(&series.labels, name).map(str::to_owned)).collect()
            }
        };
        found.sort();
        found.dedup();
        found
    }

    fn phase(&mut self, value: Word<'_>) -> Option<Phase> {
        if let Some((_, phase)) = PHASES.iter().find(|(name, _)| *name == value.text) {
            return Some(*phase);
        }
        if let Some((_, window)) = self.vocabulary.phases.iter().find(|(name, _)| name == value.text) {
            return Some(Phase::Named(*window));
        }
        let fault = value.text.strip_prefix("faults.").unwrap_or(value.text);
        if let Some(number) = self.vocabulary.faults.iter().position(|name| name == fault) {
            return Some(Phase::Fault(number as u32));
        }
        let mut known: Vec<String> = PHASES.iter().map(|(name, _)| (*name).to_owned()).collect();
        known.extend(self.vocabulary.phases.iter().map(|(name, _)| name.clone()));
        known.extend(self.vocabulary.faults.iter().cloned());
        let name = Word { text: "phase", ..value };
        self.unknown(name, value, &known);
        None
    }
}

/// Where in the file that is declared, or would be, what a label names.
fn paths_of(label: &str, value: &str) -> Vec<String> {
    match label {
        // What is asked of a store is said by steps.
        "op" if [".read", ".write", ".delete", ".cas"].iter().any(|verb| value.ends_with(verb)) => {
            vec![path_of_op(value), "workloads".to_owned(), "services".to_owned()]
        }
        "op" => vec![path_of_op(value)],
        "from" => vec![format!("services.{value}.ops"), format!("workloads.{value}")],
        "to" | "node" | "service" => {
            let part = value.split('[').next().unwrap_or(value);
            vec![format!("services.{part}"), format!("workloads.{part}")]
        }
        "workload" => vec![format!("workloads.{value}")],
        "tx" => vec![format!("transactions.{value}")],
        "queue" => vec![format!("queues.{value}")],
        "topic" => vec![format!("topics.{value}")],
        "group" => vec!["services".to_owned(), "sagas".to_owned()],
        "saga" => vec![format!("sagas.{value}")],
        // Who asks it is said by steps.
        "store" => vec![format!("stores.{value}"), "workloads".to_owned(), "services".to_owned()],
        "invariant" => vec![format!("invariants.{value}")],
        "phase" => vec![format!("phases.{value}"), format!("faults.{value}")],
        // Business errors are words of steps, and `locked`.
        "reason" => ["services", "transactions", "sagas"].map(str::to_owned).to_vec(),
        _ => Vec::new(),
    }
}

/// The words of `outcome=`, with the tags of samples that ended so.
fn outcomes_of(entry: &Entry) -> &'static [(&'static str, u16)] {
    if entry.metric == Metric::SagaTime { &SAGA_OUTCOMES } else { &OUTCOMES }
}

fn kind_of(entry: &Entry, stat: Stat) -> Kind {
    match (entry.sort, stat) {
        // Tries per call: 1.2 is as good as 120%.
        _ if entry.metric == Metric::RetryAmplification => Kind::Quotient,
        (Sort::Ratio, _) | (_, Stat::Share) => Kind::Share,
        (Sort::Rate, _) | (Sort::Samples | Sort::Count, Stat::Rate) => Kind::PerSecond,
        (Sort::Samples, Stat::Count) | (Sort::Count, _) => Kind::Number,
        (Sort::Samples, _) => Kind::Seconds,
        (Sort::Level, _) if entry.metric == Metric::Utilisation => Kind::Share,
        (Sort::Level, _) => Kind::Number,
    }
}

fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().collect::<Vec<_>>().join(", ")
}
