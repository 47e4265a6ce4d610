//! What clients did, against a specification of the user's own.

use std::sync::Arc;

use checkers::history::{
    Clock, Dialect, Event, FailedCas, History, Judgement, NilRead, Operation, Orphans, Outcome, Phase, Value,
    WriteOrder,
};
use checkers::linearizable::{Budget, check};
use checkers::models::Spec;
use lab::code::Judged;
use lab::outcome::{HistoryLine, Word};

/// So many operations of a contradiction are told.
const TOLD_MAX: usize = 12;

/// Whether there is an order of the operations that the specification allows and that keeps to real time.
pub(super) fn linearizable(spec: &impl Spec, lines: &[HistoryLine]) -> Judged {
    let events: Vec<Event> = lines.iter().zip(1..).map(|(line, number)| event(line, number)).collect();
    let dialect = Dialect {
        failed_cas: FailedCas::Observed,
        nil_read: NilRead::Nothing,
        clock: Clock::Shared,
        write_order: WriteOrder::Unknown,
    };
    let judged = History::new(&events, dialect, Orphans::Refused)
        .and_then(|history| Ok((check(spec, &history, Budget::USUAL)?, history)));
    match judged {
        Ok((Judgement::Valid(_), _)) => Judged::Holds,
        Ok((Judgement::Unknown { why, .. }, _)) => Judged::Unknown(why),
        Ok((Judgement::Violated(shown), history)) => {
            let operations = shown.operations.iter().filter_map(|n| history.operations.get(*n as usize));
            let told = operations.take(TOLD_MAX).map(told);
            let refused = shown.refused.iter().map(|refused| refused.why.clone());
            Judged::Broken([shown.sentence].into_iter().chain(told).chain(refused.take(1)).collect())
        }
        Err(refusal) => Judged::Unknown(format!("line {} of the history: {}", refusal.line, refusal.what)),
    }
}

/// The variables of a line are the entries of a map.
fn event(line: &HistoryLine, number: u32) -> Event {
    let value = |word: &Word| match word {
        Word::Number(number) => Value::Int(*number),
        Word::Truth(truth) => Value::Bool(*truth),
        Word::Text(text) => Value::text(text),
    };
    let entries = line.value.iter().map(|(name, word)| (Value::text(name), value(word))).collect();
    Event {
        line: number,
        // A process does one thing after the other, whoever it is; operations of open loops have one each.
        process: i64::try_from(line.process).ok(),
        phase: match line.kind {
            "invoke" => Phase::Invoke,
            "ok" => Phase::Ok,
            "fail" => Phase::Fail,
            _ => Phase::Info,
        },
        f: Arc::from(line.function.as_str()),
        value: Value::map(entries),
        key: None,
        time: i64::try_from(line.time.0).ok(),
        node: None,
    }
}

fn told(operation: &Operation) -> String {
    let seconds = |time: Option<i64>| time.map_or_else(String::new, |time| format!("{:.6}", time as f64 / 1e9));
    let end = match operation.outcome {
        Outcome::Ok => format!("ok {}", operation.result),
        Outcome::Fail => "failed".to_owned(),
        Outcome::Info => "outcome unknown".to_owned(),
    };
    let (from, to) = operation.times;
    format!("{} {} → {end}   {}–{}", operation.f, operation.argument, seconds(from), seconds(to))
}
