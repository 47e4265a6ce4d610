//! What is wrong with a text, told to a person: where, what was found, what is allowed, the nearest valid name.
//!
//! A diagnostic points at one place and may point at others (the other end of a broken reference). It knows nothing of
//! scenarios; `scenario` collects diagnostics, and so does whoever compiles a model later.

use core::fmt::Write as _;
use core::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value as Json, json};

use super::data::Files;
use crate::code::Code;
use crate::model::Place;

/// At most this many are shown; the rest is counted.
pub const SHOWN_MAX: usize = 50;

/// More are not collected: a text with this many errors is no scenario.
pub const COLLECTED_MAX: usize = 1_000;

/// An underlined text is shown up to this length, and this much of what follows it on its line.
const MARK_BYTES_MAX: usize = 2_000;

/// Two places further apart than this (bytes) are not shown in one picture.
const PICTURE_BYTES_MAX: usize = 64 * 1024;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Nothing runs.
    Error,
    /// It runs, but probably not as meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The head line.
    pub message: String,
    /// What is underlined.
    pub place: Place,
    /// What stands beside the underlined text; may be empty.
    pub label: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Other places that matter, each with its own label.
    pub others: Vec<(Place, String)>,
    /// Paths of what it is about, if that may be wrong itself; then this is no mistake of its own, and is not told.
    pub about: Vec<String>,
}

impl Diagnostic {
    /// An error at `place`.
    pub fn error(place: Place, message: impl Into<String>, label: impl Into<String>) -> Self {
        let (message, label) = (message.into(), label.into());
        Self { severity: Severity::Error, message, place, label, help: None, others: Vec::new(), about: Vec::new() }
    }

    /// A warning at `place`.
    pub fn warning(place: Place, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, message, label) }
    }

    /// With a proposal.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With a proposal, if there is one.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// With the path of what it is about.
    #[must_use]
    pub fn about(mut self, path: impl Into<String>) -> Self {
        self.about.push(path.into());
        self
    }

    /// With another place.
    #[must_use]
    pub fn also(mut self, place: Place, label: impl Into<String>) -> Self {
        self.others.push((place, label.into()));
        self
    }
}

/// A text and what it is called in messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// A file name, or `--set run.seed`.
    pub name: String,
    /// All of it.
    pub text: String,
    /// The files it names.
    pub files: Files,
    /// What of the scenario is written in Rust.
    pub code: Arc<Code>,
}

impl Source {
    /// A named text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), files: Files::default(), code: Arc::default() }
    }

    /// The same with the files that it names (`files_named`).
    #[must_use]
    pub fn with_files(self, files: Files) -> Self {
        Self { files, ..self }
    }

    /// The same with what of it is written in Rust.
    #[must_use]
    pub fn with_code(self, code: Code) -> Self {
        Self { code: Arc::new(code), ..self }
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let byte = floor_boundary(&self.text, byte);
        let before = &self.text[..byte];
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        (line, self.text[line_start..byte].chars().count() + 1)
    }
}

/// Diagnostics and the texts they are about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Diagnostics {
    /// The texts: 0 is the file.
    pub sources: Vec<Source>,
    /// In the order of their places, errors first.
    pub list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Sorts `list` by severity and place, and drops repetitions: copies by `like` are wrong where the original is.
    pub fn new(sources: Vec<Source>, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by(|a, b| (a.severity, a.place, &a.message).cmp(&(b.severity, b.place, &b.message)));
        list.dedup();
        list.dedup_by(|a, b| a.place == b.place && !a.label.is_empty() && a.label == b.label && a.help == b.help);
        list.truncate(COLLECTED_MAX);
        Self { sources, list }
    }

    /// There is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// As text for a terminal, rustc's look; `colour` with ANSI colours.
    pub fn render(&self, colour: Colour) -> String {
        let renderer = match colour {
            Colour::Plain => Renderer::plain(),
            Colour::Ansi => Renderer::styled(),
        };
        let mut out = String::new();
        for (n, diagnostic) in self.list.iter().take(SHOWN_MAX).enumerate() {
            if n > 0 {
                out.push('\n');
            }
            out.push_str(&self.render_one(&renderer, diagnostic));
            out.push('\n');
        }
        if self.list.len() > SHOWN_MAX {
            let _ = writeln!(out, "\nand {} more", self.list.len() - SHOWN_MAX);
        }
        out
    }

    fn render_one(&self, renderer: &Renderer, diagnostic: &Diagnostic) -> String {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(&diagnostic.message));
        let main = diagnostic.place;
        let near = |place: Place| {
            place.source == main.source && place.start.abs_diff(main.start) as usize <= PICTURE_BYTES_MAX
        };
        let mut marks = vec![(AnnotationKind::Primary, main, diagnostic.label.as_str())];
        let mut far = Vec::new();
        for (place, label) in &diagnostic.others {
            let mark = (AnnotationKind::Context, *place, label.as_str());
            if near(*place) { marks.push(mark) } else { far.push(mark) }
        }
        group = self.picture(group, &marks);
        for mark in far {
            group = self.picture(group, &[mark]);
        }
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group])
    }

    /// Adds the lines from the first to the last mark. Only they are handed over, so that a large file costs nothing.
    fn picture<'a>(&'a self, group: Group<'a>, marks: &[(AnnotationKind, Place, &'a str)]) -> Group<'a> {
        let Some(source) = marks.first().and_then(|m| self.sources.get(m.1.source as usize)) else {
            return group;
        };
        let text = &source.text;
        let ranges: Vec<Range<usize>> = marks.iter().map(|m| clamp(text, m.1)).collect();
        let first = ranges.iter().map(|r| r.start).min().unwrap_or(0);
        let last = ranges.iter().map(|r| r.end).max().unwrap_or(0);
        let start = text[..first].rfind('\n').map_or(0, |n| n + 1);
        let shown = floor_boundary(text, last + MARK_BYTES_MAX);
        let end = text[last..shown].find('\n').map_or(shown, |n| last + n);
        let line = text[..start].bytes().filter(|b| *b == b'\n').count() + 1;
        let mut snippet = Snippet::source(&text[start..end]).path(&source.name).line_start(line);
        for ((kind, _, label), range) in marks.iter().zip(ranges) {
            let mut mark = kind.span(range.start - start..range.end - start);
            if !label.is_empty() {
                mark = mark.label(*label);
            }
            snippet = snippet.annotation(mark);
        }
        group.element(snippet)
    }

    /// As values for `--format json`: file, line, column, end, text per diagnostic.
    pub fn json(&self) -> Vec<Json> {
        self.list.iter().map(|d| self.json_one(d)).collect()
    }

    fn json_one(&self, diagnostic: &Diagnostic) -> Json {
        let severity = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let others: Vec<Json> = diagnostic.others.iter().map(|(place, label)| self.json_place(*place, label)).collect();
        json!({
            "severity": severity,
            "message": diagnostic.message,
            "at": self.json_place(diagnostic.place, &diagnostic.label),
            "help": diagnostic.help,
            "others": others,
        })
    }

    fn json_place(&self, place: Place, label: &str) -> Json {
        let Some(source) = self.sources.get(place.source as usize) else {
            return json!({ "label": label });
        };
        let range = clamp(&source.text, place);
        let ((line, column), (end_line, end_column)) = (source.position(range.start), source.position(range.end));
        json!({
            "file": source.name,
            "line": line,
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
            "label": label,
        })
    }
}

/// Whether ANSI colours are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colour {
    /// Text only.
    Plain,
    /// With escape sequences.
    Ansi,
}

/// A place as a range that lies within the text, on character boundaries, and is not too long to be shown.
fn clamp(text: &str, place: Place) -> Range<usize> {
    let start = floor_boundary(text, place.start as usize);
    let end = floor_boundary(text, (place.end as usize).min(start + MARK_BYTES_MAX));
    start..end.max(start)
}

fn floor_boundary(text: &str, byte: usize) -> usize {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_reference_are_shown_in_one_picture() {
        let text = "[services.auth]\nwork = \"1ms\"\n\n[workloads.w]\ntarget = \"aut\"\n";
        let at = |part: &str| {
            let start = text.find(part).expect("part of the text") as u32;
            Place { source: 0, start, end: start + part.len() as u32 }
        };
        let diagnostic = Diagnostic::error(at("\"aut\""), "no service is called `aut`", "not found")
            .also(at("auth"), "defined here")
            .help("did you mean `auth`?");
        let all = Diagnostics::new(vec![Source::new("a.toml", text)], vec![diagnostic]);
        let shown = all.render(Colour::Plain);
        assert!(shown.contains("--> a.toml:5:10"), "{shown}");
        assert!(shown.contains("^^^^^ not found") && shown.contains("---- defined here"), "{shown}");
        assert_eq!(all.json()[0]["at"]["line"], 5);
        assert!(!shown.contains('\u{1b}') && all.render(Colour::Ansi).contains('\u{1b}'));
    }
}
