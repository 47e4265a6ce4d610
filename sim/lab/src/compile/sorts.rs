//! What the variables of requests and the fields of maps hold: found by following every value from where it is written.
//!
//! A scenario declares no types. A field or variable has the type of whatever is put into it, and all of that must agree;
//! of texts it is also known which ones they can be, so that `"payment.$result"` is a table and not a search at run time.

use std::collections::{BTreeMap, BTreeSet};

use crate::expression::{self, Node, Type, parse};
use crate::model::{
    self, At, Change, Fields, Message, Model, Row, State, Step, TextPart, Value, Variable, VariablePath, Verb,
    all_steps,
};

/// Something that holds values.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Slot {
    /// `$name`; a field of a row that was read is `row.field`.
    Variable(String),
    /// A field of a map, or the value of a counter (field ``).
    Field(String, String, String),
}

/// What a slot holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Holds {
    pub(super) sort: Option<Type>,
    /// The texts it can be; `None`: any.
    pub(super) texts: Option<BTreeSet<String>>,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
enum Flow {
    Sort(Type),
    Texts(BTreeSet<String>),
    From(Slot),
    Template(Vec<TextPart>),
}

/// What everything holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Sorts {
    slots: BTreeMap<Slot, Holds>,
    /// By op: the names its answer has at the caller, and the variables these are here.
    pub(super) answers: BTreeMap<String, Vec<(String, String)>>,
}

/// Templates with more texts than this are not enumerated.
const TEXTS_MAX: usize = 256;

impl Sorts {
    pub(super) fn of(model: &Model) -> Self {
        let mut sorts = Self { slots: BTreeMap::new(), answers: answers(model) };
        let mut flows: Vec<(Slot, Flow)> = Vec::new();
        let mut collect = Collect { model, answers: &sorts.answers, flows: &mut flows };
        collect.model();
        // Each pass carries a type one step further; no chain is longer than there are slots.
        for _ in 0..=flows.len() {
            if !flows.iter().fold(false, |changed, (slot, flow)| sorts.flow(slot, flow) || changed) {
                break;
            }
        }
        sorts
    }

    fn flow(&mut self, slot: &Slot, flow: &Flow) -> bool {
        let new = match flow {
            Flow::Sort(sort) => Holds { sort: Some(*sort), texts: None },
            Flow::Texts(texts) => Holds { sort: Some(Type::Text), texts: Some(texts.clone()) },
            Flow::From(from) => match self.slots.get(from) {
                Some(holds) => holds.clone(),
                None => return false,
            },
            Flow::Template(parts) => match self.template(parts) {
                Some(texts) => Holds { sort: Some(Type::Text), texts: Some(texts) },
                None => return false,
            },
        };
        let held = self.slots.entry(slot.clone()).or_default();
        let before = held.clone();
        held.sort = held.sort.or(new.sort);
        held.texts = match (held.texts.take(), new.texts, before.sort) {
            (None, texts, None) => texts,
            (Some(mut texts), Some(more), _) => {
                texts.extend(more);
                Some(texts)
            }
            (texts, _, _) => texts,
        };
        *held != before
    }

    /// The texts a template can be, as far as is known; none if a part of it is unknown.
    pub(super) fn template(&self, parts: &[TextPart]) -> Option<BTreeSet<String>> {
        let mut all = BTreeSet::from([String::new()]);
        for part in parts {
            let more: BTreeSet<String> = match part {
                TextPart::Literal(text) => BTreeSet::from([text.clone()]),
                TextPart::Variable(path) => self.slots.get(&Slot::Variable(name_of(path)))?.texts.clone()?,
            };
            if all.len() * more.len() > TEXTS_MAX {
                return None;
            }
            all = all.iter().flat_map(|a| more.iter().map(move |b| format!("{a}{b}"))).collect();
        }
        Some(all)
    }

    /// The texts that a variable can be, as far as is known.
    pub(super) fn texts_of(&self, name: &str) -> Vec<String> {
        let texts = self.variable(name).and_then(|holds| holds.texts.as_ref());
        texts.into_iter().flatten().cloned().collect()
    }

    /// What a variable holds, if anything sets it.
    pub(super) fn variable(&self, name: &str) -> Option<&Holds> {
        self.slots.get(&Slot::Variable(name.to_owned()))
    }

    /// The names of all variables that something sets.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, &Holds)> {
        self.slots.iter().filter_map(|(slot, holds)| match slot {
            Slot::Variable(name) => Some((name.as_str(), holds)),
            Slot::Field(..) => None,
        })
    }

    /// The fields of a map, in the order of their names.
    pub(super) fn fields(&self, service: &str, item: &str) -> Vec<(&str, Type)> {
        let fields = self.slots.iter().filter_map(|(slot, holds)| match slot {
            Slot::Field(s, i, field) if s == service && i == item => {
                Some((field.as_str(), holds.sort.unwrap_or(Type::Int)))
            }
            Slot::Field(..) | Slot::Variable(_) => None,
        });
        fields.collect()
    }
}

/// The name of the variable a path means.
pub(super) fn name_of(path: &VariablePath) -> String {
    match &path.field {
        Some(field) => format!("{}.{field}", path.name),
        None => path.name.clone(),
    }
}

/// The owner of an item: said, or the service of the step.
fn owner<'a>(written: &'a str, service: &'a str) -> &'a str {
    if written.is_empty() { service } else { written }
}

/// What each op answers: the row or number that its last reading step got, or what `reply` says.
fn answers(model: &Model) -> BTreeMap<String, Vec<(String, String)>> {
    let mut answers = BTreeMap::new();
    for (service, s) in &model.services {
        for (op, o) in &s.ops {
            let path = format!("{}.{}", service.value, op.value);
            let Some(step) = all_steps(&o.steps).into_iter().rev().find(|step| gives(&step.verb)) else { continue };
            let answer = match &step.verb {
                Verb::Reply(_) => vec![(String::new(), hidden(&path, ""))],
                Verb::Read(read) => {
                    let into = read.into.as_ref().map_or_else(|| hidden(&path, ""), |into| into.value.clone());
                    row_names(model, &service.value, &read.row, &into)
                }
                Verb::Scan(scan) => {
                    let into = scan.into.as_ref().map_or_else(|| hidden(&path, ""), |into| into.value.clone());
                    vec![(String::new(), into)]
                }
                Verb::Work(_)
                | Verb::Sleep(_)
                | Verb::Call(_)
                | Verb::Fail(_)
                | Verb::When { .. }
                | Verb::Repeat { .. }
                | Verb::Transaction { .. }
                | Verb::Insert(_)
                | Verb::Update(_)
                | Verb::Upsert(_)
                | Verb::Delete(_)
                | Verb::Write { .. }
                | Verb::Append { .. }
                | Verb::Remove { .. }
                | Verb::Consult(_)
                | Verb::Publish(_)
                | Verb::Outbox(_) => continue,
            };
            answers.insert(path, answer);
        }
    }
    answers
}

fn gives(verb: &Verb) -> bool {
    matches!(verb, Verb::Reply(_) | Verb::Read(_) | Verb::Scan(_))
}

/// A variable that no scenario can name.
pub(super) fn hidden(path: &str, what: &str) -> String {
    format!("{path}#{what}")
}

/// The names under which a row's parts are kept: the key or number itself, and its fields.
pub(super) fn row_names(model: &Model, service: &str, row: &Row, into: &str) -> Vec<(String, String)> {
    let mut names = vec![(String::new(), into.to_owned())];
    let fields = fields_of(model, owner(&row.owner, service), &row.item);
    names.extend(fields.into_iter().map(|field| {
        let name = format!("{into}.{field}");
        (field, name)
    }));
    names
}

/// The fields of a map: those its rows have at first, and those that any step sets.
pub(super) fn fields_of(model: &Model, service: &str, item: &str) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for (name, s) in &model.services {
        if name.value == service
            && let Some((_, State::Map { initial, .. })) = s.state.iter().find(|(n, _)| n.value == item)
        {
            fields.extend(initial.iter().map(|(field, _)| field.value.clone()));
        }
        for steps in steps_of(s) {
            for step in all_steps(steps) {
                if let (Some(row), Some(set)) = (step.verb.row(), sets(&step.verb))
                    && owner(&row.owner, &name.value) == service
                    && row.item == item
                {
                    fields.extend(set.iter().map(|(field, _)| field.value.clone()));
                }
            }
        }
    }
    fields
}

fn sets(verb: &Verb) -> Option<&Fields> {
    match verb {
        Verb::Insert(insert) => Some(&insert.set),
        Verb::Upsert(upsert) => Some(&upsert.set),
        Verb::Update(model::Update { change: Change::Fields(set), .. }) => Some(set),
        Verb::Update(_)
        | Verb::Reply(_)
        | Verb::Read(_)
        | Verb::Scan(_)
        | Verb::Work(_)
        | Verb::Sleep(_)
        | Verb::Call(_)
        | Verb::Fail(_)
        | Verb::When { .. }
        | Verb::Repeat { .. }
        | Verb::Transaction { .. }
        | Verb::Delete(_)
        | Verb::Write { .. }
        | Verb::Append { .. }
        | Verb::Remove { .. }
        | Verb::Consult(_)
        | Verb::Publish(_)
        | Verb::Outbox(_) => None,
    }
}

/// All lists of steps of a service.
pub(super) fn steps_of(service: &model::Service) -> impl Iterator<Item = &[Step]> {
    let ops = service.ops.iter().map(|(_, op)| op.steps.as_slice());
    ops.chain(service.consumers.iter().map(|(_, consumer)| consumer.steps.as_slice()))
}

/// Every place where something is put into something.
struct Collect<'a> {
    model: &'a Model,
    answers: &'a BTreeMap<String, Vec<(String, String)>>,
    flows: &'a mut Vec<(Slot, Flow)>,
}

impl Collect<'_> {
    fn model(&mut self) {
        let model = self.model;
        for (_, workload) in &model.workloads {
            self.drawn(&workload.vars);
            if let Some(call) = workload.call() {
                self.fields(&call.with, Slot::Variable);
            }
            for step in workload.steps() {
                self.steps("", "", std::slice::from_ref(step));
            }
        }
        for (name, service) in &model.services {
            for (item, state) in &service.state {
                let field = |field: &str| Slot::Field(name.value.clone(), item.value.clone(), field.to_owned());
                match state {
                    State::Counter { .. } => self.flows.push((field(""), Flow::Sort(Type::Int))),
                    State::Map { initial, .. } => {
                        self.fields(initial, |name| field(&name));
                    }
                    State::List => {}
                }
            }
            for (_, op) in &service.ops {
                self.drawn(&op.vars);
            }
            for (op, o) in &service.ops {
                self.steps(&name.value, &format!("{}.{}", name.value, op.value), &o.steps);
            }
            for (consumer, c) in &service.consumers {
                self.steps(&name.value, &format!("{}.{}", name.value, consumer.value), &c.steps);
            }
        }
        for (_, saga) in &model.sagas {
            for step in &saga.steps {
                self.fields(&step.action.with, Slot::Variable);
                if let Some(call) = &step.compensate {
                    self.fields(&call.with, Slot::Variable);
                }
            }
        }
    }

    fn drawn(&mut self, variables: &[(At<String>, Variable)]) {
        for (name, variable) in variables {
            let flow = match variable {
                Variable::Number(_) | Variable::Sequence(_) => Flow::Sort(Type::Int),
                Variable::Truth(_) => Flow::Sort(Type::Bool),
                Variable::Text(_, texts) => Flow::Texts(texts.iter().cloned().collect()),
            };
            self.flows.push((Slot::Variable(name.value.clone()), flow));
        }
    }

    fn fields(&mut self, fields: &Fields, slot: impl Fn(String) -> Slot) {
        for (name, value) in fields {
            self.value(slot(name.value.clone()), value);
        }
    }

    fn value(&mut self, slot: Slot, value: &At<Value>) {
        let flow = match &value.value {
            Value::Integer(_) => Flow::Sort(Type::Int),
            Value::Truth(_) => Flow::Sort(Type::Bool),
            Value::Text(parts) => Flow::Template(parts.clone()),
            Value::Variable(path) => match built_in(&path.name) {
                Some(sort) => Flow::Sort(sort),
                None => Flow::From(Slot::Variable(name_of(path))),
            },
            Value::Expression(text) => Flow::Sort(sort_of(&text.value)),
        };
        self.flows.push((slot, flow));
    }

    fn steps(&mut self, service: &str, path: &str, steps: &[Step]) {
        for step in all_steps(steps) {
            self.step(service, path, step);
        }
    }

    fn step(&mut self, service: &str, path: &str, step: &Step) {
        if let (Some(row), Some(set)) = (step.verb.row(), sets(&step.verb)) {
            let of = owner(&row.owner, service).to_owned();
            let item = row.item.clone();
            self.fields(set, |field| Slot::Field(of.clone(), item.clone(), field));
        }
        match &step.verb {
            Verb::Call(call) => {
                self.fields(&call.with, Slot::Variable);
                if let Some(into) = &call.into {
                    let target = target(self.model, &call.target.value);
                    for (field, from) in self.answers.get(&target).cloned().unwrap_or_default() {
                        let name =
                            if field.is_empty() { into.value.clone() } else { format!("{}.{field}", into.value) };
                        self.flows.push((Slot::Variable(name), Flow::From(Slot::Variable(from))));
                    }
                }
            }
            Verb::Read(read) => {
                let into = read.into.as_ref().map_or_else(|| hidden(path, ""), |into| into.value.clone());
                self.row(service, &read.row, &into);
            }
            Verb::Update(update) => {
                if let Some(into) = &update.into {
                    self.row(service, &update.row, &into.value);
                }
            }
            Verb::Scan(scan) => {
                let into = scan.into.as_ref().map_or_else(|| hidden(path, ""), |into| into.value.clone());
                self.flows.push((Slot::Variable(into), Flow::Sort(Type::Int)));
            }
            Verb::Reply(value) => self.value(Slot::Variable(hidden(path, "")), value),
            Verb::Consult(_) => {
                if let Some(into) = step.verb.into_variable() {
                    self.flows.push((Slot::Variable(into.value.clone()), Flow::Sort(Type::Int)));
                }
            }
            Verb::Publish(publish) => self.message(&publish.message),
            Verb::Outbox(message) => self.message(message),
            // What the compiler itself keeps: whether a condition holds, how many turns are left.
            Verb::When { .. } => {
                self.flows.push((Slot::Variable(hidden(&step.path, "")), Flow::Sort(Type::Bool)));
            }
            Verb::Repeat { .. } => {
                self.flows.push((Slot::Variable(hidden(&step.path, "")), Flow::Sort(Type::Int)));
                self.flows.push((Slot::Variable("i".to_owned()), Flow::Sort(Type::Int)));
            }
            Verb::Work(_)
            | Verb::Sleep(_)
            | Verb::Fail(_)
            | Verb::Transaction { .. }
            | Verb::Insert(_)
            | Verb::Upsert(_)
            | Verb::Delete(_)
            | Verb::Write { .. }
            | Verb::Append { .. }
            | Verb::Remove { .. } => {}
        }
    }

    fn message(&mut self, message: &Message) {
        self.fields(&message.with, Slot::Variable);
        for (name, value) in [("message.key", &message.key), ("message.type", &message.kind)] {
            if let Some(value) = value {
                self.value(Slot::Variable(name.to_owned()), value);
            }
        }
    }

    /// The parts of a row go into variables.
    fn row(&mut self, service: &str, row: &Row, into: &str) {
        let of = owner(&row.owner, service).to_owned();
        self.flows.push((Slot::Variable(into.to_owned()), Flow::Sort(Type::Int)));
        for (field, name) in row_names(self.model, service, row, into).into_iter().skip(1) {
            self.flows.push((Slot::Variable(name), Flow::From(Slot::Field(of.clone(), row.item.clone(), field))));
        }
    }
}

/// `service.op` for whatever a call may say.
pub(super) fn target(model: &Model, written: &str) -> String {
    if written.contains('.') {
        return written.to_owned();
    }
    let service = model.services.iter().find(|(name, _)| name.value == written);
    match service.and_then(|(_, s)| s.ops.first()) {
        Some((op, _)) => format!("{written}.{}", op.value),
        None => written.to_owned(),
    }
}

/// The type of a variable that is always there.
pub(super) fn built_in(name: &str) -> Option<Type> {
    match name {
        "id" | "attempt" | "client" | "unique" | "last_read" => Some(Type::Int),
        "now" => Some(Type::Duration),
        _ => None,
    }
}

/// The type of an expression, as far as its form says.
pub(super) fn sort_of(text: &str) -> Type {
    let Ok(expression) = parse(text) else { return Type::Int };
    match &expression.node {
        Node::Bool(_) | Node::Unary(expression::UnaryOperator::Not, _) => Type::Bool,
        Node::Binary(operator, ..) if operator.compares() || operator.strength() <= 3 => Type::Bool,
        Node::Text(_) => Type::Text,
        Node::Duration(_) => Type::Duration,
        Node::Integer(_)
        | Node::Variable(_)
        | Node::Path(_)
        | Node::List(_)
        | Node::Unary(expression::UnaryOperator::Negate, _)
        | Node::Binary(..)
        | Node::Choice(..)
        | Node::Call(..) => Type::Int,
    }
}
