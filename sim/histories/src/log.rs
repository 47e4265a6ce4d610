//! The log of an old Jepsen: `INFO  jepsen.util - PROCESS⇥:TYPE⇥:FUNCTION⇥VALUE`. Other lines are of other programs.
//!
//! A failed cas was answered: the register held something else. A read that failed by timing out was not answered.

use checkers::history::{Event, Phase, Refusal, Value};

use crate::Read;
use crate::syntax::{Syntax, one};

pub(crate) fn read(text: &str, into: &mut Read) -> Result<(), Refusal> {
    for (n, line) in text.lines().enumerate() {
        let Some((_, told)) = line.split_once("jepsen.util - ") else { continue };
        let mut columns = told.splitn(4, '\t').map(str::trim);
        let (Some(process), Some(phase), Some(f), Some(value)) =
            (columns.next(), columns.next(), columns.next(), columns.next())
        else {
            continue;
        };
        let Ok(process) = process.parse::<i64>() else { continue };
        let number = n as u32 + 1;
        let value = one(value, Syntax::Edn).map_err(|refusal| Refusal { line: number, what: refusal.what })?;
        let timed_out = value == Value::text("timed-out");
        let phase = match (phase, timed_out) {
            (":invoke", _) => Phase::Invoke,
            (":ok", _) => Phase::Ok,
            (":info", _) | (":fail", true) => Phase::Info,
            (":fail", false) => Phase::Fail,
            _ => return Err(Refusal { line: number, what: format!("`{phase}` is none of :invoke :ok :fail :info") }),
        };
        into.events.push(Event {
            line: number,
            process: Some(process),
            phase,
            f: f.trim_start_matches(':').into(),
            value: if timed_out { Value::Nil } else { value },
            key: None,
            time: None,
            node: None,
        });
    }
    Ok(())
}
