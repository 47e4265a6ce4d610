//! From events to operations.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Event, NEVER, Operation, Orphans, Outcome, Phase, Refusal};

/// More events than this have no position.
const EVENTS_MAX: usize = u32::MAX as usize - 1;

/// Calls that have begun and not ended.
#[derive(Default)]
struct Open {
    /// Per process its operation.
    named: BTreeMap<i64, usize>,
    /// Per function those without a process, the oldest first.
    nameless: BTreeMap<Arc<str>, VecDeque<usize>>,
    /// The next process number for those that have none.
    next: i64,
}

/// Pairs every end with its beginning.
pub(super) fn pair(events: &[Event], orphans: Orphans) -> Result<Vec<Operation>, Refusal> {
    if events.len() > EVENTS_MAX {
        return Err(Refusal { line: 0, what: format!("more than {EVENTS_MAX} events") });
    }
    let mut operations: Vec<Operation> = Vec::with_capacity(events.len() / 2 + 1);
    let mut open = Open { next: -1, ..Open::default() };
    for (at, event) in events.iter().enumerate() {
        let at = at as u32;
        if event.phase == Phase::Invoke {
            open.begin(event, at, &mut operations)?;
            continue;
        }
        match (open.end(event, &operations)?, orphans) {
            (Some(index), _) => close(&mut operations[index], event, at),
            (None, Orphans::Counted) => {
                open.begin(event, at, &mut operations)?;
                if let Some(index) = open.end(event, &operations)? {
                    close(&mut operations[index], event, at);
                }
            }
            (None, Orphans::Refused) => {
                let who = event.process.map_or_else(|| "it".into(), |process| format!("process {process}"));
                return Err(refuse(event, &format!("`{}` ends, but {who} had not begun it", event.f)));
            }
        }
    }
    Ok(operations)
}

impl Open {
    fn begin(&mut self, event: &Event, at: u32, operations: &mut Vec<Operation>) -> Result<(), Refusal> {
        let index = operations.len();
        let process = if let Some(process) = event.process {
            if let Some(before) = self.named.insert(process, index) {
                let before = &operations[before];
                let (line, f) = (before.lines.0, &before.f);
                return Err(refuse(
                    event,
                    &format!("process {process} begins `{}` before its `{f}` of line {line} has ended", event.f),
                ));
            }
            process
        } else {
            self.nameless.entry(event.f.clone()).or_default().push_back(index);
            self.next -= 1;
            self.next + 1
        };
        operations.push(Operation {
            process,
            f: event.f.clone(),
            key: event.key.clone(),
            argument: event.value.clone(),
            result: event.value.clone(),
            outcome: Outcome::Info,
            invoked: at,
            returned: NEVER,
            lines: (event.line, 0),
            times: (event.time, None),
            node: event.node.clone(),
        });
        Ok(())
    }

    /// The operation that this event ends.
    fn end(&mut self, event: &Event, operations: &[Operation]) -> Result<Option<usize>, Refusal> {
        let Some(process) = event.process else {
            return Ok(self.nameless.get_mut(&event.f).and_then(VecDeque::pop_front));
        };
        let Some(index) = self.named.remove(&process) else { return Ok(None) };
        let begun = &operations[index];
        if begun.f != event.f {
            let what =
                format!("process {process} ends `{}`, but began `{}` in line {}", event.f, begun.f, begun.lines.0);
            return Err(refuse(event, &what));
        }
        if let (Some(before), Some(after)) = (&begun.key, &event.key)
            && before != after
        {
            return Err(refuse(
                event,
                &format!("key {after} ends what began with key {before} in line {}", begun.lines.0),
            ));
        }
        Ok(Some(index))
    }
}

fn close(operation: &mut Operation, event: &Event, at: u32) {
    operation.outcome = match event.phase {
        Phase::Ok => Outcome::Ok,
        Phase::Fail => Outcome::Fail,
        Phase::Info | Phase::Invoke => Outcome::Info,
    };
    operation.returned = if operation.outcome == Outcome::Info { NEVER } else { at };
    operation.lines.1 = event.line;
    operation.times.1 = event.time;
    if operation.key.is_none() {
        operation.key.clone_from(&event.key);
    }
    if operation.node.is_none() {
        operation.node.clone_from(&event.node);
    }
    if !event.value.is_nil() {
        operation.result = event.value.clone();
    }
}

fn refuse(event: &Event, what: &str) -> Refusal {
    Refusal { line: event.line, what: what.into() }
}
