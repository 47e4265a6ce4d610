//! A judged history as a page: the verdict, the operations round the witness as bars per client and per node, how far an
//! order gets, and why nothing can come next. One file of at most 2 MB whatever the history: only the scene is in it.

use super::scene::{self, Role, Scene, Shown};
use super::{Judged, clipped, deed, told};
use crate::charts::axis::Axis;
use crate::html::lanes::{self, Bar, Lane, Part};
use crate::html::markup::Markup;
use crate::html::promises::class;
use crate::html::table::{Table, numbers, words};
use crate::html::{self, Section};
use crate::number::thousands;
use checkers::history::{Certificate, Counterexample, Judgement, Outcome};
use kernel::Time;
use std::fmt::Write as _;

/// How wide a page is at the least on which bars are drawn, in pixels: a narrower one scrolls.
const NARROW: f64 = 620.0;
/// As many labels as an axis has.
const LABELS: usize = 9;
/// As many steps of an order as are listed: the last ones.
const STEPS: usize = 24;
/// As long as one text is.
const TEXT: usize = 2_000;

impl Judged {
    /// The page. The same history and question give the same bytes; nothing in it leads outside.
    pub fn page(&self) -> String {
        let scene = scene::of(self);
        let scene = scene.as_ref();
        let sections = [
            scene.map(|scene| self.by_client(scene)),
            scene.and_then(by_node),
            self.violated().and_then(|shown| self.how_far(shown)),
            self.violated().and_then(|shown| self.witness(shown)),
            self.counts(),
        ];
        let sections: Vec<Section> = sections.into_iter().flatten().collect();
        let (_, word, _) = self.mark();
        html::page(&format!("{word}: {}", self.file), |body| self.header(body), &sections)
    }

    const fn violated(&self) -> Option<&Counterexample> {
        if let Judgement::Violated(told) = &self.judgement { Some(told) } else { None }
    }

    fn header(&self, page: &mut Markup) {
        let (mark, word, mood) = self.mark();
        let (model, consistency) = self.names();
        page.node("header", &[("class", class(mood))], |head| {
            head.node("p", &[("class", "verdict")], |line| {
                line.leaf("span", &[("class", "mark"), ("aria-hidden", "true")], mark).say(" ").leaf(
                    "strong",
                    &[],
                    word,
                );
                line.leaf("span", &[("class", "counts")], &format!("{model} · {consistency}"));
            });
            head.leaf("h1", &[], &self.file);
            let summary = match &self.judgement {
                Judgement::Valid(Certificate::Orders(_)) => "An order of the operations explains every answer.",
                Judgement::Valid(Certificate::Counts(_)) => "Everything was looked at once, and nothing is wrong.",
                Judgement::Violated(told) => &told.sentence,
                Judgement::Unknown { why, .. } => why,
            };
            head.leaf("p", &[("class", "summary")], &clipped(summary, TEXT));
            head.node("dl", &[("class", "facts")], |list| {
                for (name, value) in self.facts() {
                    list.node("div", &[], |pair| {
                        pair.leaf("dt", &[], name).leaf("dd", &[], &clipped(&value, TEXT));
                    });
                }
            });
            head.node("p", &[("class", "replay")], |line| {
                line.leaf("span", &[], "Judge it again");
                line.leaf("code", &[], &clipped(&self.command(), TEXT));
            });
        });
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![("operations", thousands(self.history.operations.len() as u64))];
        match &self.judgement {
            Judgement::Valid(Certificate::Orders(orders)) => facts.push(("objects", thousands(orders.len() as u64))),
            Judgement::Valid(Certificate::Counts(_)) => {}
            Judgement::Violated(told) => {
                facts.push(("rule", told.rule.to_owned()));
                facts.extend(told.key.as_ref().map(|key| ("object", key.to_string())));
            }
            Judgement::Unknown { spent, .. } => facts.push(("steps spent", thousands(*spent))),
        }
        facts.push(("engine", crate::ENGINE.to_owned()));
        facts
    }

    /// What asks the same again, for a shell.
    fn command(&self) -> String {
        let (model, consistency) = self.names();
        let words = ["stormglass", "check", &self.file, "--model", model, "--consistency", &consistency];
        let options = self.options.iter().map(String::as_str);
        words.into_iter().chain(options).map(crate::quoted_for_shell).collect::<Vec<_>>().join(" ")
    }

    fn by_client(&self, scene: &Scene<'_>) -> Section {
        let mut lanes = Vec::new();
        for shown in &scene.shown {
            Lane::add(&mut lanes, &format!("process {}", shown.operation.process), bar(shown));
        }
        lanes.sort_by_key(|lane| lane.name.rsplit(' ').next().and_then(|number| number.parse::<i64>().ok()));
        let mut body = Markup::default();
        drawn(&mut body, scene, &lanes);
        body.leaf("p", &[("class", "note")], &self.explained(scene));
        let (id, title) = if self.violated().is_some() {
            ("clients", "What cannot have happened, client by client")
        } else {
            ("clients", "How it can have happened, client by client")
        };
        Section { id, title, body }
    }

    fn explained(&self, scene: &Scene<'_>) -> String {
        let any = |wanted: &dyn Fn(&Shown<'_>) -> bool| scene.shown.iter().any(wanted);
        let mut told =
            String::from("A bar lasts from the question to the answer; every event is as far from the next.");
        if any(&|shown| shown.role == Role::Refused) {
            told += " What is red cannot come next after the order that gets furthest.";
        }
        if self.violated().is_some() && any(&|shown| shown.role == Role::Witness) {
            told += " What is blue shows it.";
        }
        if any(&|shown| shown.role == Role::Beside) {
            told += " What is grey stands beside it.";
        }
        if any(&|shown| shown.between.1.is_none()) {
            told += " Nobody knows when a bar that fades out took effect, or whether.";
        }
        if any(&|shown| shown.operation.outcome == Outcome::Fail) {
            told += " A hollow one had no effect.";
        }
        if any(&|shown| shown.effect.is_some_and(|(_, moment)| moment.is_some())) {
            let which =
                if self.violated().is_some() { "the longest order that explains a beginning" } else { "the order" };
            let _ = write!(told, " A line across a bar is the moment at which it takes effect in {which}.");
        }
        if !scene.timed {
            told += " Nothing is known of the order of operations of different processes.";
        }
        match scene.more {
            0 => {}
            1 => told += " One more operation is not shown.",
            more => drop(write!(told, " {} more operations are not shown.", thousands(more as u64))),
        }
        told
    }

    /// The order that explains a beginning, its state, and why nothing can come next.
    fn how_far(&self, shown: &Counterexample) -> Option<Section> {
        let state = shown.state.as_ref()?;
        let mut body = Markup::default();
        let last = shown.prefix.len().saturating_sub(STEPS);
        let of = if shown.left_out > 0 { "Of those that show it, alone: the" } else { "The" };
        let lead = match last {
            0 => format!("{of} longest order that explains a beginning."),
            more => {
                format!("{of} longest order that explains a beginning, the last {STEPS} of {} steps.", more + STEPS)
            }
        };
        body.leaf("p", &[("class", "lead")], &lead);
        let mut table = Table::new(&[words("operation"), words("client"), words("lines"), numbers("step", "")]);
        for (n, &index) in shown.prefix.iter().enumerate().skip(last) {
            let operation = &self.history.operations[index as usize];
            let (client, step) = (format!("process {}", operation.process), (n + 1).to_string());
            table.row(vec![deed(operation), client, lines(operation.lines), step]);
        }
        if shown.prefix.is_empty() {
            body.leaf("p", &[], "Nothing can come first.");
        } else {
            table.write(&mut body, None);
        }
        body.node("p", &[("class", "says")], |line| {
            line.say("After it the object holds ")
                .leaf("code", &[], &clipped(state, TEXT))
                .say(", and of what was asked then");
        });
        if shown.refused.len() > STEPS {
            body.leaf("p", &[("class", "note")], &format!("{STEPS} of {} that are refused:", shown.refused.len()));
        }
        for refused in shown.refused.iter().take(STEPS) {
            let operation = &self.history.operations[refused.operation as usize];
            body.node("article", &[("class", "bad")], |card| {
                card.leaf("h3", &[], &told(operation));
                card.leaf("p", &[("class", "says")], &clipped(&refused.why, TEXT));
            });
        }
        Some(Section { id: "order", title: "How far an order gets", body })
    }

    fn witness(&self, shown: &Counterexample) -> Option<Section> {
        if shown.operations.is_empty() {
            return None;
        }
        let mut body = Markup::default();
        let mut columns = vec![words("operation"), words("client"), words("outcome"), words("lines")];
        columns.extend([words("began"), words("ended"), words("node")]);
        let mut table = Table::new(&columns);
        let first = shown.operations.len().saturating_sub(STEPS);
        for &index in &shown.operations[first..] {
            let operation = &self.history.operations[index as usize];
            let time = |time: Option<i64>| time.and_then(told_time).unwrap_or_default();
            table.row(vec![
                deed(operation),
                format!("process {}", operation.process),
                ending(operation.outcome).to_owned(),
                lines(operation.lines),
                time(operation.times.0),
                time(operation.times.1),
                operation.node.as_ref().map(checkers::history::brief).unwrap_or_default(),
            ]);
        }
        let note = (first > 0).then(|| format!("{first} more are in the output of --format json."));
        table.without_empty(&["began", "ended", "node"], &[""]).write(&mut body, note.as_deref());
        Some(Section { id: "witness", title: "The operations that show it", body })
    }

    fn counts(&self) -> Option<Section> {
        let Judgement::Valid(Certificate::Counts(counts)) = &self.judgement else { return None };
        let mut body = Markup::default();
        let mut table = Table::new(&[words("counted"), numbers("number", "")]);
        for (name, count) in counts {
            table.row(vec![(*name).to_owned(), thousands(*count)]);
        }
        table.write(&mut body, None);
        Some(Section { id: "counts", title: "What was counted", body })
    }
}

/// A lane per node that was asked, if the history says which.
fn by_node(scene: &Scene<'_>) -> Option<Section> {
    let mut lanes = Vec::new();
    for shown in &scene.shown {
        if let Some(node) = &shown.operation.node {
            Lane::add(&mut lanes, &format!("node {}", checkers::history::brief(node)), bar(shown));
        }
    }
    lanes.sort_by(|a, b| a.name.cmp(&b.name));
    let mut body = Markup::default();
    drawn(&mut body, scene, &lanes);
    (!lanes.is_empty()).then_some(Section { id: "nodes", title: "The same, node by node", body })
}

fn drawn(body: &mut Markup, scene: &Scene<'_>, lanes: &[Lane]) {
    let step = scene.events.len().div_ceil(LABELS).max(1);
    let timed = scene.events.iter().all(|(_, time)| time.is_some_and(|time| time >= 0));
    let label = |(n, (line, time)): (usize, &(u32, Option<i64>))| {
        let told = time.filter(|_| timed).and_then(told_time);
        (n as f64, told.unwrap_or_else(|| format!("line {line}")))
    };
    let ticks = scene.events.iter().enumerate().step_by(step).map(label).collect();
    let x = Axis::steps(scene.events.len(), ticks);
    body.node("div", &[("class", "scroll"), ("tabindex", "0")], |scroll| {
        scroll.node("div", &[("class", "bars")], |bars| lanes::draw(bars, lanes, &x, NARROW));
    });
}

fn bar(shown: &Shown<'_>) -> Bar {
    let Shown { operation, between, effect, role, .. } = shown;
    let place = effect.map(|(place, _)| format!(", step {place} of the order")).unwrap_or_default();
    Bar {
        words: deed(operation),
        about: format!("{}{place}", told(operation)),
        from: between.0 as f64,
        to: between.1.map(|until| until as f64),
        part: match (role, operation.outcome) {
            (Role::Refused, _) => Part::Against,
            (_, Outcome::Fail) => Part::Without,
            (Role::Witness, _) => Part::Plain,
            (Role::Beside, _) => Part::Beside,
        },
        effect: effect.and_then(|(_, moment)| moment),
    }
}

fn told_time(nanoseconds: i64) -> Option<String> {
    u64::try_from(nanoseconds).ok().map(|time| Time(time).to_string())
}

fn lines((first, last): (u32, u32)) -> String {
    if last == 0 { first.to_string() } else { format!("{first}, {last}") }
}

const fn ending(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Fail => "fail",
        Outcome::Info => "outcome unknown",
    }
}
