//! Steps, calls, and the values they carry.

use super::super::resolve::step_path;
use super::super::template::{self, template};
use super::super::tree::{Node, Value as Written};
use super::super::{targets, values};
use super::policies::{breaker, retry};
use super::stores::consult;
use super::{COMPLETE, Reader};
use crate::model::{
    At, Call, Change, Delete, Fields, Insert, ItemPath, Message, Otherwise, Place, Publish, Read, Row, Scan, Step,
    TextPart, Update, Upsert, Value, VariablePath, Verb,
};

impl<'a> Reader<'a> {
    /// A value and its place.
    pub(super) fn value(&self, name: &str) -> Option<At<Value>> {
        self.node(name).map(|node| At { value: value(self, node), place: node.place })
    }

    /// A table of values.
    pub(super) fn fields(&self, name: &str) -> Fields {
        let Some(table) = self.node(name).and_then(Node::table) else { return Vec::new() };
        let field = |(name, entry): (&String, &super::super::tree::Entry)| {
            let value = At { value: value(self, &entry.node), place: entry.node.place };
            (At { value: name.clone(), place: entry.key }, value)
        };
        table.entries.iter().map(field).collect()
    }

    /// `idempotent`: false is none, true is `$id`.
    pub(super) fn idempotent(&self) -> Option<At<Value>> {
        let value = self.value("idempotent")?;
        match value.value {
            Value::Truth(false) => None,
            Value::Truth(true) => {
                let id = VariablePath { name: "id".to_owned(), field: None, place: value.place };
                Some(At { value: Value::Variable(id), place: value.place })
            }
            Value::Integer(_) | Value::Text(_) | Value::Variable(_) | Value::Expression(_) => Some(value),
        }
    }

    /// `owner.item`.
    pub(super) fn item(&self, name: &str) -> Option<ItemPath> {
        let at = self.maybe_at(name)?;
        let (owner, item) = at.value.split_once('.').unwrap_or(("", &at.value));
        Some(ItemPath { owner: owner.to_owned(), item: item.to_owned(), place: at.place })
    }

    /// Bytes.
    pub(super) fn size(&self, name: &str) -> Option<u32> {
        let text = self.node(name).and_then(Node::as_text)?;
        Some(values::size(text).expect(COMPLETE))
    }

    /// `owner.item[key]`; a key that is not written means row `$id` of a map, and row 0 of anything else.
    pub(super) fn row(&self, at: &At<String>) -> Row {
        let Ok(parts) = targets::row(&at.value) else {
            let key = At { value: "0".to_owned(), place: at.place };
            return Row { owner: String::new(), item: String::new(), key, place: at.place };
        };
        let key = if let Some(range) = parts.key {
            At { value: at.value[range.clone()].to_owned(), place: self.inside(at, &range) }
        } else {
            let map = self.kind_of_state(parts.owner, parts.item) == "map";
            At { value: if map { "$id" } else { "0" }.to_owned(), place: at.place }
        };
        Row { owner: parts.owner.to_owned(), item: parts.item.to_owned(), key, place: at.place }
    }

    /// The kind of an item; `owner` is empty in a step on the state of its own service.
    fn kind_of_state(&self, owner: &str, item: &str) -> &'a str {
        let own = || self.path.strip_prefix("services.").and_then(|rest| rest.split('.').next());
        let owner = if owner.is_empty() { own().unwrap_or("") } else { owner };
        let state = ["services", owner, "state", item, "kind"];
        let mut table = Some(self.root);
        let mut node = None;
        for name in state {
            node = table.and_then(|t| t.get(name));
            table = node.and_then(Node::table);
        }
        node.and_then(Node::as_text).unwrap_or("")
    }
}

/// A checked value.
fn value(r: &Reader<'_>, node: &Node) -> Value {
    match &node.value {
        Written::Integer(number) => Value::Integer(*number),
        Written::Boolean(truth) => Value::Truth(*truth),
        Written::Text(text) => text_value(r, &At { value: text.clone(), place: node.place }),
        Written::Float(_) | Written::Date(_) | Written::Array(_) | Written::Table(_) => Value::Integer(0),
    }
}

fn text_value(r: &Reader<'_>, at: &At<String>) -> Value {
    if at.value.starts_with('=') {
        return Value::Expression(r.after_equals(at));
    }
    let part = |part| match part {
        template::Part::Literal(text) => TextPart::Literal(text),
        template::Part::Variable { name, field, range } => {
            TextPart::Variable(VariablePath { name, field, place: r.inside(at, &range) })
        }
    };
    let parts: Vec<TextPart> = template(&at.value).unwrap_or_default().into_iter().map(part).collect();
    match <[TextPart; 1]>::try_from(parts) {
        Ok([TextPart::Variable(path)]) => Value::Variable(path),
        Ok([literal @ TextPart::Literal(_)]) => Value::Text(vec![literal]),
        Err(parts) => Value::Text(parts),
    }
}

/// The steps under `name`, which go by `path`. One whose verb is wrong is left out.
pub(super) fn steps(r: &Reader<'_>, name: &str, path: &str) -> Vec<Step> {
    let items = r.node(name).and_then(Node::array).unwrap_or(&[]);
    let each = items.iter().enumerate().filter_map(|(n, item)| {
        let table = item.table()?;
        let label = table.get("name").and_then(Node::as_text);
        let path = step_path(path, n, label);
        let reader = Reader { sources: r.sources, root: r.root, table, path: path.clone(), key: item.place };
        let verb = verb(&reader)?;
        let stray = stray(&reader, &verb);
        let (name, chance) = (label.map(str::to_owned), reader.share("chance"));
        Some(Step { name, chance, path, place: item.place, verb, stray })
    });
    each.collect()
}

fn nested(r: &Reader<'_>, name: &str) -> Vec<Step> {
    steps(r, name, &super::super::resolve::join(&r.path, name))
}

/// Which verb a step has: the first of these that is there.
fn verb(r: &Reader<'_>) -> Option<Verb> {
    let has = |name: &str| r.node(name).is_some();
    for word in ["read", "write", "delete", "cas"] {
        if let Some(consult) = has(word).then(|| consult(r, word)).flatten() {
            return Some(Verb::Consult(consult));
        }
    }
    let row = |name: &str| r.row(&r.at(name));
    let given = || r.value("value").expect(COMPLETE);
    Some(if has("update") {
        let (row, change) = (row("update"), change(r));
        let (guard, into, otherwise) = (r.maybe_at("if"), r.maybe_at("into"), otherwise(r));
        Verb::Update(Update { row, change, guard, into, otherwise })
    } else if has("work") {
        Verb::Work(r.dist("work"))
    } else if has("sleep") {
        Verb::Sleep(r.dist("sleep"))
    } else if has("call") {
        Verb::Call(call(r, r.at("call")))
    } else if has("fail") {
        Verb::Fail(r.at("fail"))
    } else if has("reply") {
        Verb::Reply(r.value("reply").expect(COMPLETE))
    } else if has("when") {
        Verb::When { condition: r.at("when"), then: nested(r, "then"), otherwise: nested(r, "else") }
    } else if has("repeat") {
        let times = r.maybe_dist("times", super::super::distributions::Sort::Counts).expect(COMPLETE);
        Verb::Repeat { steps: nested(r, "repeat"), times }
    } else if has("transaction") {
        Verb::Transaction { steps: nested(r, "transaction"), otherwise: otherwise(r) }
    } else if has("insert") {
        Verb::Insert(Insert { row: row("insert"), set: r.fields("set"), otherwise: otherwise(r) })
    } else if has("upsert") {
        let (row, set, guard) = (row("upsert"), r.fields("set"), r.maybe_at("if"));
        Verb::Upsert(Upsert { row, set, guard, otherwise: otherwise(r) })
    } else if has("delete") {
        Verb::Delete(Delete { row: row("delete"), guard: r.maybe_at("if"), otherwise: otherwise(r) })
    } else if has("read") {
        Verb::Read(Read { row: row("read"), into: r.maybe_at("into") })
    } else if has("scan") {
        let item = r.item("scan").expect(COMPLETE);
        Verb::Scan(Scan { item, guard: r.maybe_at("if"), max: r.count("max"), into: r.maybe_at("into") })
    } else if has("write") {
        Verb::Write { row: row("write"), value: given() }
    } else if has("append") {
        Verb::Append { row: row("append"), value: given() }
    } else if has("remove") {
        Verb::Remove { row: row("remove"), value: given(), otherwise: otherwise(r) }
    } else if has("publish") {
        Verb::Publish(Publish {
            message: message(r, "publish"),
            confirm: r.truth("confirm"),
            timeout: r.maybe_span("timeout"),
            retry: retry(r, "retry"),
            otherwise: otherwise(r),
        })
    } else if has("outbox") {
        Verb::Outbox(message(r, "outbox"))
    } else {
        return None;
    })
}

fn message(r: &Reader<'_>, verb: &str) -> Message {
    Message {
        to: r.destination(verb),
        key: r.value("key"),
        kind: r.value("type"),
        with: r.fields("with"),
        size: r.size("size"),
    }
}

/// A call with the modifiers of this table.
pub(super) fn call(r: &Reader<'_>, target: At<String>) -> Call {
    Call {
        target,
        with: r.fields("with"),
        into: r.maybe_at("into"),
        timeout: r.maybe_span("timeout"),
        retry: retry(r, "retry"),
        breaker: breaker(r, "breaker"),
        deadline: r.text("deadline") != "none",
        size: r.size("size"),
        reply_size: r.size("reply_size"),
        otherwise: otherwise(r),
    }
}

/// What only steps on replicated stores have, at a step that is none.
fn stray(r: &Reader<'_>, verb: &Verb) -> Option<(&'static str, Place)> {
    let plain = matches!(verb, Verb::Read(_) | Verb::Write { .. });
    let has_else = plain && r.node("else").is_some() && r.text("else") != "fail";
    let has_timeout = (plain || matches!(verb, Verb::Delete(_))) && r.node("timeout").is_some();
    let word = if has_else {
        "else"
    } else if has_timeout {
        "timeout"
    } else {
        return None;
    };
    Some((word, r.node(word).map_or(r.key, |node| node.place)))
}

pub(super) fn otherwise(r: &Reader<'_>) -> Otherwise {
    if r.node("else").is_some_and(|node| node.array().is_some()) {
        return Otherwise::Steps(nested(r, "else"));
    }
    match r.text("else") {
        "fail" | "" => Otherwise::Fail,
        "skip" => Otherwise::Skip,
        _ => Otherwise::Word(r.at("else")),
    }
}

fn change(r: &Reader<'_>) -> Change {
    let Some(written) = r.node("set") else {
        return Change::Add(if r.node("add").is_some() { r.at("add") } else { At { value: "0".into(), place: r.key } });
    };
    let set = r.at("set");
    match &written.value {
        Written::Table(_) => Change::Fields(r.fields("set")),
        Written::Integer(number) => Change::Set(At { value: number.to_string(), place: set.place }),
        Written::Text(text) if text.starts_with('=') => Change::Set(r.after_equals(&set)),
        Written::Text(_) | Written::Float(_) | Written::Boolean(_) | Written::Date(_) | Written::Array(_) => {
            Change::Set(set)
        }
    }
}
