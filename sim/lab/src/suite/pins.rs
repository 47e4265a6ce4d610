//! Fingerprints that are pinned: `fingerprints.lock`, a file beside scenarios that says what every run of them did, event
//! for event. A line of it that changes for no reason is a regression.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use crate::scenario::{toml_key, toml_text};

/// The file's name.
pub const NAME: &str = "fingerprints.lock";

/// How the base is called among the variants.
const BASE: &str = "base";

/// What is pinned in one folder and below.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Pins {
    /// How often what was pinned has changed.
    pub epoch: u64,
    /// Why it changed last.
    pub reason: String,
    /// By path, seen from the folder, with `/`; then by variant.
    runs: BTreeMap<String, BTreeMap<String, u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    epoch: u64,
    reason: String,
    #[serde(default)]
    runs: BTreeMap<String, BTreeMap<String, String>>,
}

impl Pins {
    /// Reads a file's text.
    pub fn read(text: &str) -> Result<Self, String> {
        let document: Document = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut runs: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for (path, variants) in document.runs {
            for (variant, print) in variants {
                let number = (print.len() == 16).then(|| u64::from_str_radix(&print, 16).ok()).flatten();
                let number = number.ok_or_else(|| {
                    format!("{path}, {variant}: a fingerprint is 16 hexadecimal digits, `{print}` is none")
                })?;
                runs.entry(path.clone()).or_default().insert(variant, number);
            }
        }
        Ok(Self { epoch: document.epoch, reason: document.reason, runs })
    }

    /// The file's text.
    pub fn write(&self) -> String {
        let mut text =
            "# What every run of these scenarios did, event for event: written by `stormglass test --bless REASON`.\n\
             # A line that changes for no reason is a regression.\n"
                .to_owned();
        let _ = writeln!(text, "epoch = {}\nreason = {}", self.epoch, toml_text(&self.reason));
        for (path, variants) in &self.runs {
            let _ = writeln!(text, "\n[runs.{}]", toml_text(path));
            for (variant, print) in variants {
                let _ = writeln!(text, "{} = \"{print:016x}\"", toml_key(variant));
            }
        }
        text
    }

    /// What is pinned of a run.
    pub fn of(&self, path: &str, variant: Option<&str>) -> Option<u64> {
        self.runs.get(path)?.get(variant.unwrap_or(BASE)).copied()
    }

    /// Pins all runs of a file, and nothing else of it.
    pub fn pin(&mut self, path: &str, runs: impl IntoIterator<Item = (Option<String>, u64)>) {
        let named = runs.into_iter().map(|(variant, print)| (variant.unwrap_or_else(|| BASE.to_owned()), print));
        self.runs.insert(path.to_owned(), named.collect());
    }

    /// Forgets files.
    pub fn keep(&mut self, still_there: impl Fn(&str) -> bool) {
        self.runs.retain(|path, _| still_there(path));
    }

    /// This, blessed for a reason, if anything in it is not as it was.
    #[must_use]
    pub fn blessed(self, before: &Self, reason: &str) -> Option<Self> {
        (self.runs != before.runs).then(|| Self { epoch: before.epoch + 1, reason: reason.to_owned(), ..self })
    }

    /// How many runs are pinned.
    pub fn len(&self) -> usize {
        self.runs.values().map(BTreeMap::len).sum()
    }

    /// None are.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Pins;

    #[test]
    fn what_is_written_is_read_again_and_a_reason_is_kept_with_every_change() {
        let empty = Pins::default();
        let mut pins = empty.clone();
        pins.pin("bank/a \"b\".toml", [(None, 7), (Some("lost one".to_owned()), u64::MAX)]);
        let first = pins.blessed(&empty, "a \"first\" time\n").expect("there is something new");
        assert_eq!(Pins::read(&first.write()), Ok(first.clone()), "{}", first.write());
        assert_eq!((first.epoch, first.of("bank/a \"b\".toml", None), first.len()), (1, Some(7), 2));
        assert_eq!(first.clone().blessed(&first, "again"), None, "nothing changed");
        let mut next = first.clone();
        next.keep(|_| false);
        assert_eq!(next.blessed(&first, "gone").map(|pins| (pins.epoch, pins.is_empty())), Some((2, true)));
    }

    #[test]
    fn a_damaged_file_is_refused_with_what_is_wrong() {
        for (text, what) in [
            ("epoch = 1", "missing field `reason`"),
            ("epoch = 1\nreason = \"x\"\n[runs.\"a.toml\"]\nbase = \"12\"", "16 hexadecimal digits, `12` is none"),
            ("epoch = 1\nreason = \"x\"\nrun = 3", "unknown field `run`"),
        ] {
            let told = Pins::read(text).expect_err("it is damaged");
            assert!(told.contains(what), "{told}");
        }
    }
}
