//! What failed earlier: `regressions/<scenario>.seeds`, a file of seeds that are tried first.
//!
//! A line holds what `stormglass run SCENARIO` has to be given to see it again, and behind `#` what it broke. Written by
//! `sweep --save`, read with patience: people keep such files, and merge them.

use std::fmt::Write as _;

use super::{Point, Swept};

/// Lines that are read of one file.
const LINES_MAX: usize = 10_000;

/// Seeds that are written down of those that fail in the same way at the same point.
const SEEDS_OF_A_KIND: usize = 3;

/// Words that say what a seed broke, or why else it is here: so many letters are written down.
const WHY_COLUMNS: usize = 120;

/// A run that failed once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Earlier {
    /// Its seed.
    pub seed: u64,
    /// Its variant; none: the base.
    pub variant: Option<String>,
    /// What was set.
    pub sets: Vec<(String, String)>,
    /// What it broke, for people.
    pub why: String,
}

impl Earlier {
    /// Whether it is at a point of a sweep with these `--set`s: the same variant, and the same values set.
    pub fn is_at(&self, point: &Point, sets: &[(String, String)]) -> bool {
        let mut mine: Vec<&(String, String)> = self.sets.iter().collect();
        let mut those: Vec<&(String, String)> = sets.iter().chain(&point.sets).collect();
        mine.sort_unstable();
        those.sort_unstable();
        self.variant == point.variant && mine == those
    }

    fn same_run(&self, other: &Self) -> bool {
        (self.seed, &self.variant, &self.sets) == (other.seed, &other.variant, &other.sets)
    }

    fn line(&self) -> String {
        let mut line = format!("--seed {}", self.seed);
        if let Some(variant) = &self.variant {
            let _ = write!(line, " --variant {}", quoted(variant));
        }
        for (path, value) in &self.sets {
            let _ = write!(line, " --set {}", quoted(&format!("{path}={value}")));
        }
        format!("{line}  # {}", self.why)
    }
}

/// Reads a file's text; `name` is for errors, all of which are told at once.
pub fn read(name: &str, text: &str) -> Result<Vec<Earlier>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.lines()) {
        match line_of(line) {
            Ok(one) => found.extend(one),
            Err(what) => wrong.push(format!("{name}:{number}: {what}")),
        }
    }
    if found.len() > LINES_MAX {
        wrong.push(format!("{name} has {} seeds; at most {LINES_MAX} are tried first", found.len()));
    }
    if wrong.is_empty() { Ok(found) } else { Err(wrong.join("\n")) }
}

fn line_of(line: &str) -> Result<Option<Earlier>, String> {
    let (words, why) = words(line)?;
    let mut words = words.into_iter();
    let (mut seed, mut variant, mut sets) = (None, None, Vec::new());
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("there is nothing behind `{word}`"));
        match word.as_str() {
            "--seed" => {
                let text = value()?;
                let number = text.replace('_', "").parse::<u64>();
                let number = number.map_err(|_| format!("`{text}` is no seed; that is a whole number from 0"))?;
                if seed.replace(number).is_some() {
                    return Err("there are two seeds; a line has one".to_owned());
                }
            }
            "--variant" => variant = Some(value()?),
            "--set" => {
                let text = value()?;
                let (path, value) =
                    text.split_once('=').ok_or_else(|| format!("`{text}` is not written PATH=VALUE"))?;
                sets.push((path.trim().to_owned(), value.trim().to_owned()));
            }
            _ => {
                return Err(format!(
                    "`{word}` is not known; a line is `--seed 311 --variant NAME --set PATH=VALUE  # what it broke`"
                ));
            }
        }
    }
    match seed {
        Some(seed) => Ok(Some(Earlier { seed, variant, sets, why })),
        None if variant.is_none() && sets.is_empty() => Ok(None),
        None => Err("there is no `--seed`".to_owned()),
    }
}

/// The words of a line as a shell would read them, and the comment.
fn words(line: &str) -> Result<(Vec<String>, String), String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('#', None) if word.is_none() => return Ok((words, letters.as_str().trim().to_owned())),
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (_, Some(open)) if letter == open => quote = None,
            ('\\', None) => word.get_or_insert_default().extend(letters.next()),
            (_, None) if letter.is_whitespace() => words.extend(word.take()),
            (_, None | Some(_)) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    if quote.is_some() { Err("a quotation is not closed".to_owned()) } else { Ok((words, String::new())) }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// What is worth trying first the next time: of everything that contradicts its expectation, the smallest seeds of each way
/// of failing at each point.
pub fn of(swept: &Swept, sets: &[(String, String)]) -> Vec<Earlier> {
    let mut kinds: Vec<((usize, Vec<String>), usize)> = Vec::new();
    let mut found = Vec::new();
    for (result, why) in swept.unexpected() {
        let broken = result.promises.iter().filter_map(|promise| promise.violation.as_ref());
        let kind: Vec<String> =
            broken.clone().flat_map(|one| std::iter::once(&one.class).chain(&one.signature)).cloned().collect();
        let at = kinds.iter().position(|(known, _)| *known == (result.point, kind.clone())).unwrap_or_else(|| {
            kinds.push(((result.point, kind), 0));
            kinds.len() - 1
        });
        kinds[at].1 += 1;
        if kinds[at].1 > SEEDS_OF_A_KIND {
            continue;
        }
        let classes: Vec<&str> = broken.map(|one| one.class.as_str()).collect();
        let why = if classes.is_empty() { why } else { classes.join(", ") };
        let point = &swept.points[result.point];
        let sets: Vec<(String, String)> = sets.iter().chain(&point.sets).cloned().collect();
        // A line cannot hold a value of several lines.
        if sets.iter().any(|(path, value)| path.contains('\n') || value.contains('\n')) {
            continue;
        }
        found.push(Earlier {
            seed: result.seed,
            variant: point.variant.clone(),
            sets,
            why: why.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WHY_COLUMNS).collect(),
        });
    }
    found
}

/// The text of a file with these added behind what stands there, and how many of them are new.
pub fn added(scenario: &str, text: Option<&str>, known: &[Earlier], more: &[Earlier]) -> (String, usize) {
    let fresh: Vec<&Earlier> = more.iter().filter(|one| !known.iter().any(|other| other.same_run(one))).collect();
    let mut all = text.map_or_else(
        || {
            format!(
                "# Seeds of {scenario} that failed once. `stormglass sweep` tries them first; `sweep --save` adds new ones.\n\
                 # It is recommended to keep this file with the scenario, so that everybody profits from what was found.\n\
                 # A line is what `stormglass run SCENARIO` has to be given, and what the run broke.\n"
            )
        },
        str::to_owned,
    );
    if !all.is_empty() && !all.ends_with('\n') {
        all.push('\n');
    }
    for one in &fresh {
        all += &one.line();
        all.push('\n');
    }
    (all, fresh.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(seed: u64, variant: Option<&str>, sets: &[(&str, &str)], why: &str) -> Earlier {
        let sets = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
        Earlier { seed, variant: variant.map(str::to_owned), sets, why: why.to_owned() }
    }

    #[test]
    fn what_is_written_is_read_again_and_nothing_stands_there_twice() {
        let all = [
            one(311, Some("dual_write"), &[("network.loss", "1%")], "conservation/always"),
            one(7, None, &[("services.s.work", "exp(10ms)"), ("scenario.question", "it's # \\ so?")], "a/x, b/y"),
            one(u64::MAX, None, &[], ""),
        ];
        let (text, fresh) = added("bank", None, &[], &all);
        assert_eq!((read("bank.seeds", &text).as_deref(), fresh), (Ok(&all[..]), 3), "{text}");
        let again = added("bank", Some(&text), &all, &[all[0].clone(), one(8, None, &[], "a/x")]);
        assert_eq!(again, (format!("{text}--seed 8  # a/x\n"), 1));
    }

    #[test]
    fn blank_lines_comments_and_missing_feeds_are_no_errors_and_all_errors_are_told_with_their_lines() {
        let fine = read("f", "\u{feff}# note\r\n\r\n  --seed   1_000 # x\r\n--variant v --seed 2");
        assert_eq!(fine, Ok(vec![one(1000, None, &[], "x"), one(2, Some("v"), &[], "")]));
        let wrong = read("f.seeds", "--seed -1\n--seed 1\n--seed\nseed 3\n--variant v\n--seed 1 --seed 2\n--set 'a=1");
        let wrong = wrong.expect_err("six lines are wrong");
        let lines: Vec<&str> = wrong.lines().map(|line| line.split(": ").next().unwrap_or("")).collect();
        assert_eq!(lines, ["f.seeds:1", "f.seeds:3", "f.seeds:4", "f.seeds:5", "f.seeds:6", "f.seeds:7"], "{wrong}");
    }
}
