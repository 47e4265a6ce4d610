//! Reads and writes of sessions: `r(key,value,session,transaction)`, `w(…)`, in the order of each session.
//!
//! The run of lines with one session and transaction is one transaction, and all are committed. Nothing is known of the
//! order of different sessions, so the history's clock is per process. A value 0 that nobody wrote was there before.

use checkers::history::{Event, Phase, Refusal, Value};

use crate::Read;

pub(crate) fn read(text: &str, into: &mut Read) -> Result<(), Refusal> {
    let mut open: Option<((i64, i64), u32, Vec<Value>)> = None;
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = n as u32 + 1;
        let Some((f, [key, value, session, transaction])) = micro(line.trim()) else {
            return Err(Refusal { line: number, what: "expected r(key,value,session,transaction) or w(…)".into() });
        };
        let step = Value::list(vec![Value::text(f), Value::Int(key), Value::Int(value)]);
        match &mut open {
            Some((of, _, steps)) if *of == (session, transaction) => steps.push(step),
            _ => {
                if let Some(done) = open.replace(((session, transaction), number, vec![step])) {
                    close(done, into);
                }
            }
        }
    }
    if let Some(done) = open {
        close(done, into);
    }
    // A first transaction that writes 0 everywhere only says what was there before.
    let first = into.events.first().filter(|event| event.process == Some(0)).and_then(|event| event.value.members());
    let zero =
        |step: &Value| step.members().is_some_and(|step| step[0] == Value::text("w") && step[2] == Value::Int(0));
    if first.is_some_and(|steps| steps.iter().all(zero)) {
        into.events.drain(..2);
    }
    into.initial = Some(Value::Int(0));
    Ok(())
}

fn micro(line: &str) -> Option<(&'static str, [i64; 4])> {
    let (f, rest) = match line.strip_prefix("r(") {
        Some(rest) => ("r", rest),
        None => ("w", line.strip_prefix("w(")?),
    };
    let mut numbers = rest.strip_suffix(')')?.split(',').map(|number| number.trim().parse::<i64>().ok());
    let mut next = || numbers.next().flatten();
    let found = [next()?, next()?, next()?, next()?];
    numbers.next().is_none().then_some((f, found))
}

fn close(((session, _), line, steps): ((i64, i64), u32, Vec<Value>), into: &mut Read) {
    let event = Event {
        line,
        process: Some(session),
        phase: Phase::Invoke,
        f: "txn".into(),
        value: Value::list(steps),
        key: None,
        time: None,
        node: None,
    };
    into.events.push(event.clone());
    into.events.push(Event { phase: Phase::Ok, ..event });
}
