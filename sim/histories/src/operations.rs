//! Maps of operations, in JSON and EDN.

use std::sync::Arc;

use checkers::history::{Event, FailedCas, Phase, Refusal, Value, WriteOrder};

use crate::Read;
use crate::syntax::{Reader, Syntax};

/// Names of functions, so that each is kept once.
#[derive(Default)]
struct Names(Vec<Arc<str>>);

impl Names {
    fn keep(&mut self, name: Arc<str>) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|known| **known == name) {
            return known.clone();
        }
        self.0.push(name.clone());
        name
    }
}

/// Reads maps one after the other, or in one list.
pub(crate) fn read(text: &str, syntax: Syntax, into: &mut Read) -> Result<(), Refusal> {
    let mut reader = Reader::new(text, syntax);
    let mut names = Names::default();
    let close = match reader.peek()? {
        Some(b'[') => Some(b']'),
        Some(b'(') if syntax == Syntax::Edn => Some(b')'),
        Some(_) | None => None,
    };
    let mut first = true;
    match close {
        Some(close) => {
            reader.expect(if close == b']' { b'[' } else { b'(' })?;
            while reader.more(close, first)? {
                operation(&mut reader, &mut names, first, into)?;
                first = false;
            }
            if reader.peek()?.is_some() {
                return Err(reader.refuse("there is more after the end of the list"));
            }
        }
        None => {
            while reader.peek()?.is_some() {
                operation(&mut reader, &mut names, first, into)?;
                first = false;
            }
        }
    }
    Ok(())
}

/// Fields of an operation's map.
#[derive(Default)]
struct Fields {
    phase: Option<Value>,
    process: Option<Value>,
    f: Option<Value>,
    value: Value,
    key: Option<Value>,
    time: Option<Value>,
    node: Option<Value>,
    history: Option<Value>,
    model: Option<Value>,
    init: Option<Value>,
    failed_cas: Option<Value>,
    write_order: Option<Value>,
}

fn operation(reader: &mut Reader<'_>, names: &mut Names, first: bool, into: &mut Read) -> Result<(), Refusal> {
    if reader.peek()? == Some(b'#') {
        // A record: its tag says nothing that its fields do not.
        reader.tag()?;
    }
    reader.peek()?;
    let line = reader.line();
    reader.expect(b'{')?;
    let mut fields = Fields::default();
    let mut none_yet = true;
    while reader.more(b'}', none_yet)? {
        none_yet = false;
        let name = reader.name()?;
        let value = reader.value()?;
        match name.as_text() {
            Some("type") => fields.phase = Some(value),
            Some("process") => fields.process = value.known().cloned(),
            Some("f") => fields.f = value.known().cloned(),
            Some("value") => fields.value = value,
            Some("key") => fields.key = value.known().cloned(),
            Some("time") => fields.time = Some(value),
            Some("node") => fields.node = value.known().cloned(),
            Some("history") => fields.history = Some(value),
            Some("model") => fields.model = Some(value),
            Some("init") => fields.init = Some(value),
            Some("failed_cas") => fields.failed_cas = Some(value),
            Some("write_order") => fields.write_order = Some(value),
            Some(_) | None => {}
        }
    }
    if first && fields.history.is_some() && fields.phase.is_none() {
        if fields.history != Some(Value::Int(1)) {
            return Err(Refusal { line, what: "the header's `history` is not 1, the only version there is".into() });
        }
        into.model = fields.model.as_ref().and_then(Value::as_text).map(str::to_owned);
        into.initial = fields.init;
        into.dialect.failed_cas = match fields.failed_cas.as_ref().map(Value::as_text) {
            None => into.dialect.failed_cas,
            Some(Some("observed")) => FailedCas::Observed,
            Some(Some("dropped")) => FailedCas::Dropped,
            Some(_) => {
                return Err(Refusal { line, what: "`failed_cas` of the header is `observed` or `dropped`".into() });
            }
        };
        into.dialect.write_order = match fields.write_order.as_ref().map(Value::as_text) {
            None => into.dialect.write_order,
            Some(Some("real_time")) => WriteOrder::RealTime,
            Some(Some("unknown")) => WriteOrder::Unknown,
            Some(_) => {
                return Err(Refusal { line, what: "`write_order` of the header is `real_time` or `unknown`".into() });
            }
        };
        return Ok(());
    }
    into.events.extend(event(line, fields, names)?);
    Ok(())
}

/// The event; `None` for what no client did.
fn event(line: u32, fields: Fields, names: &mut Names) -> Result<Option<Event>, Refusal> {
    let refuse = |what: String| Err(Refusal { line, what });
    let phase = match fields.phase.as_ref().map(Value::as_text) {
        Some(Some("invoke")) => Phase::Invoke,
        Some(Some("ok")) => Phase::Ok,
        Some(Some("fail")) => Phase::Fail,
        Some(Some("info")) => Phase::Info,
        Some(_) => {
            let found = fields.phase.unwrap_or_default();
            return refuse(format!("`type` is {found}; it is one of invoke, ok, fail, info"));
        }
        None => return refuse("the operation has no `type`".into()),
    };
    let process = match &fields.process {
        Some(Value::Int(process)) => Some(*process),
        // A name is that of a nemesis, which is no client.
        Some(_) => return Ok(None),
        None => None,
    };
    let f = match fields.f {
        Some(Value::Text(name)) => names.keep(name),
        Some(other) => return refuse(format!("`f` is {other}; it is a name")),
        None => names.keep("txn".into()),
    };
    let time = fields.time.as_ref().and_then(Value::int);
    Ok(Some(Event { line, process, phase, f, value: fields.value, key: fields.key, time, node: fields.node }))
}
