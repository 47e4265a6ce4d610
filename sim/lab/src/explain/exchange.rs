//! Questions and their answers: how each went for the one who asked.

use std::collections::BTreeMap;

use cluster::Reason;
use kernel::{Span, Time};

use super::alarm::Alarm;
use super::cone::Cone;
use super::nature::nature;
use super::story::Mood;
use super::tale::{Says, Turn};
use super::trace::{Cause, Letter, Trace, What};
use super::words::Words;

/// So many steps back a request is looked for that something was done for.
const STEPS_BACK: usize = 64;

/// The questions and answers of a story.
pub(super) struct Exchanges<'a> {
    trace: &'a Trace,
    words: Words<'a>,
    until: Time,
    of: BTreeMap<u64, Exchange>,
}

/// A question, perhaps asked several times, and what came back.
#[derive(Clone, Debug, Default)]
struct Exchange {
    questions: Vec<u64>,
    answers: Vec<u64>,
    /// When the one who asked stopped waiting.
    given_up: Option<Time>,
}

/// How a question went.
#[derive(Clone, Debug)]
pub(super) struct Gone {
    pub(super) outcome: String,
    pub(super) mood: Mood,
    /// The event in which the answer was heard.
    pub(super) ends: Option<u64>,
}

impl<'a> Exchanges<'a> {
    pub(super) fn new(trace: &'a Trace, words: Words<'a>, cone: &Cone, until: (Time, u64)) -> Self {
        let mut of: BTreeMap<u64, Exchange> = BTreeMap::new();
        for letter in cone.letters.iter().filter_map(|id| trace.letter(*id)) {
            let exchange = of.entry(letter.tale.exchange).or_default();
            match letter.tale.turn {
                Turn::Question => exchange.questions.push(letter.id),
                Turn::Answer => exchange.answers.push(letter.id),
            }
        }
        for note in trace.notes.iter().filter(|note| note.event <= until.1) {
            if let What::Alarm(Alarm::Timeout, Some(call)) = note.what
                && let Some(exchange) = of.get_mut(&call)
            {
                exchange.given_up.get_or_insert(note.time);
            }
        }
        Self { trace, words, until: until.0, of }
    }

    /// Whether a question of this answer is told, too.
    pub(super) fn has_question(&self, answer: &Letter) -> bool {
        self.of.get(&answer.tale.exchange).is_some_and(|exchange| !exchange.questions.is_empty())
    }

    /// Whether a call that somebody waited for in vain is told of.
    pub(super) fn knows(&self, call: Option<u64>) -> bool {
        call.is_some_and(|call| self.of.get(&call).is_some_and(|exchange| !exchange.questions.is_empty()))
    }

    /// When the one who sent this stopped waiting for an answer.
    pub(super) fn given_up(&self, letter: &Letter) -> Option<Time> {
        self.of.get(&letter.tale.exchange)?.given_up
    }

    /// How a question went.
    pub(super) fn gone(&self, question: &Letter) -> Gone {
        let exchange = &self.of[&question.tale.exchange];
        let mut answers = exchange.answers.iter().filter_map(|id| self.trace.letter(*id));
        // What was asked several times is answered by what followed.
        let answer = answers.find(|letter| letter.sent >= question.sent && letter.from == question.to);
        let heard = answer.and_then(|letter| letter.delivered).filter(|(time, _)| *time <= self.until);
        let given_up = exchange.given_up.filter(|time| *time >= question.sent);
        let waited = |to: Time| to.since(question.sent);
        let bad = |outcome: String| Gone { outcome: format!("✗ {outcome}"), mood: Mood::Bad, ends: None };
        if let (Some(answer), Some((time, event))) = (answer, heard)
            && given_up.is_none_or(|given_up| time <= given_up)
        {
            let (says, mood) = (self.words.says(answer.tale.says), nature(answer.tale.says).mood);
            let cross = if mood == Mood::Bad { "✗ " } else { "" };
            return Gone { outcome: format!("{cross}{says} {}", waited(time)), mood, ends: Some(event) };
        }
        let gone = |time: Time| format!(", timeout after {}", waited(time));
        let timeout = given_up.map_or_else(String::new, gone);
        if let Some((time, reason)) = question.dropped.filter(|(time, _)| *time <= self.until) {
            return bad(format!("never arrived: {}{timeout}", self.why(question, reason, time)));
        }
        if let Some((time, reason)) = answer.and_then(|letter| letter.dropped).filter(|(time, _)| *time <= self.until) {
            let answer = answer.expect("it was just looked at");
            return bad(format!("the answer never arrived: {}{timeout}", self.why(answer, reason, time)));
        }
        if let Some(given_up) = given_up {
            let late = heard.map(|(time, _)| format!("; it came {} too late", time.since(given_up)));
            return bad(format!("no answer, timeout after {}{}", waited(given_up), late.unwrap_or_default()));
        }
        match question.delivered.filter(|(time, _)| *time <= self.until) {
            Some((time, event)) => {
                let wanted = nature(question.tale.says).waits;
                let down = self.went_down(question, time);
                match down {
                    Some(at) if wanted => {
                        bad(format!("no answer: {} went down {} later", self.words.node(question.to), at))
                    }
                    Some(_) | None if wanted => {
                        Gone { outcome: "no answer".to_owned(), mood: Mood::Plain, ends: Some(event) }
                    }
                    Some(_) | None => Gone {
                        outcome: format!("arrives after {}", waited(time)),
                        mood: Mood::Plain,
                        ends: Some(event),
                    },
                }
            }
            None => Gone { outcome: "on its way".to_owned(), mood: Mood::Plain, ends: None },
        }
    }

    /// How long after this question arrived its receiver went down without having answered.
    fn went_down(&self, question: &Letter, arrived: Time) -> Option<Span> {
        let crash = self.trace.notes.iter().find(|note| {
            matches!(note.what, What::Crashed)
                && note.node == question.to
                && note.time >= arrived
                && note.time <= self.until
        })?;
        Some(crash.time.since(arrived))
    }

    /// Whether a question reached a node before this moment, and it had not answered by then.
    pub(super) fn open_at(&self, node: kernel::NodeId, time: Time, event: u64) -> bool {
        self.of.values().any(|exchange| {
            let came = |letter: &Letter| {
                letter.to == node
                    && nature(letter.tale.says).waits
                    && letter.delivered.is_some_and(|(_, at)| at <= event)
            };
            let asked = exchange.questions.iter().filter_map(|id| self.trace.letter(*id)).any(came);
            let told = |letter: &Letter| letter.from == node && letter.sent <= time;
            asked && !exchange.answers.iter().filter_map(|id| self.trace.letter(*id)).any(told)
        })
    }

    /// Why a message never arrived.
    pub(super) fn why(&self, letter: &Letter, reason: Option<Reason>, _at: Time) -> String {
        let (from, to) = (self.words.node(letter.from), self.words.node(letter.to));
        match reason {
            None => "the connection was reset".to_owned(),
            Some(Reason::Loss) => "lost on the way".to_owned(),
            Some(Reason::Corrupt) => "damaged on the way".to_owned(),
            Some(Reason::BufferFull) => "the link was full".to_owned(),
            Some(Reason::Cut) => format!("{from} and {to} were cut off from each other"),
            Some(Reason::CrashedReceiver) => format!("{to} was down"),
            Some(Reason::StaleIncarnation) => format!("{to} had restarted meanwhile"),
            Some(Reason::CrashedSender) => format!("{from} went down before it could send it again"),
            Some(Reason::InboxFull) => format!("the inbox of {to} was full"),
        }
    }

    /// The request for which something was done in an event.
    pub(super) fn request(&self, event: u64) -> Option<&'a Letter> {
        let mut number = event;
        for _ in 0..STEPS_BACK {
            match self.trace.event(number)?.cause {
                Cause::Nothing => return None,
                Cause::Event(before) => number = before,
                Cause::Letter(id) => {
                    let letter = self.trace.letter(id)?;
                    if let Says::Request { .. } = letter.tale.says {
                        return Some(letter);
                    }
                    number = letter.said_in;
                }
            }
        }
        None
    }
}
