//! Steps on the state of a service, as scripts of its database.

use systems::database::{self, Action, Assignment, Into, Letter, Script, Source};
use systems::expression::{Program, Value as Worth, VariableId};

use super::Compiler;
use super::sorts::{hidden, name_of, row_names};
use super::state::ServiceScope;
use crate::expression::{self, Type};
use crate::model::{At, Change, Fields, Message, Otherwise, Row, State, Step, TextPart, Value, VariablePath, Verb};
use crate::scenario::Diagnostic;

/// Whose steps are compiled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site<'a> {
    /// The service.
    pub(super) service: &'a str,
    /// The op or consumer: `orders.place`.
    pub(super) path: &'a str,
}

impl Compiler<'_> {
    /// A script of these steps.
    pub(super) fn script(&mut self, site: Site<'_>, steps: &[Step]) -> Script {
        let steps = self.database_steps(site, steps);
        Script { writes: steps.iter().any(writes), steps, result: self.result(site.path) }
    }

    /// The variables that are an op's answer.
    pub(super) fn result(&self, path: &str) -> Vec<VariableId> {
        let answer = self.sorts.answers.get(path);
        answer.into_iter().flatten().filter_map(|(_, variable)| self.variables.id(variable)).collect()
    }

    fn database_steps(&mut self, site: Site<'_>, steps: &[Step]) -> Vec<database::Step> {
        steps.iter().filter_map(|step| self.database_step(site, step)).collect()
    }

    pub(super) fn database_step(&mut self, site: Site<'_>, step: &Step) -> Option<database::Step> {
        let otherwise = |compiler: &mut Self, written: &Otherwise, usual: &str| match written {
            Otherwise::Fail => database::Otherwise::Fail(compiler.error(usual)),
            Otherwise::Word(word) => database::Otherwise::Fail(compiler.error(&word.value)),
            Otherwise::Skip => database::Otherwise::Skip,
            Otherwise::Steps(steps) => database::Otherwise::Steps(compiler.database_steps(site, steps)),
        };
        let change = |compiler: &mut Self, row: &Row, action: Action, guard: Option<&At<String>>, otherwise, into| {
            let (table, key) = compiler.row(site, row)?;
            let guard = match guard {
                None => None,
                Some(text) => Some(compiler.expression(site.service, text, Type::Bool)?),
            };
            Some(database::Step::Change { table, key, action, guard, otherwise, into })
        };
        match &step.verb {
            Verb::Insert(insert) => {
                let action = Action::Insert(self.sets(site, &insert.row, &insert.set));
                let otherwise = otherwise(self, &insert.otherwise, "exists");
                change(self, &insert.row, action, None, otherwise, Vec::new())
            }
            Verb::Upsert(upsert) => {
                let action = Action::Upsert(self.sets(site, &upsert.row, &upsert.set));
                let otherwise = otherwise(self, &upsert.otherwise, "refused");
                change(self, &upsert.row, action, upsert.guard.as_ref(), otherwise, Vec::new())
            }
            Verb::Update(update) => {
                let action = match &update.change {
                    Change::Add(text) => Action::Add(self.expression(site.service, text, Type::Int)?),
                    Change::Set(text) => Action::Set(self.expression(site.service, text, Type::Int)?),
                    Change::Fields(set) => Action::Update(self.sets(site, &update.row, set)),
                };
                let usual = if update.guard.is_some() { "refused" } else { "missing" };
                let otherwise = otherwise(self, &update.otherwise, usual);
                let into = match &update.into {
                    Some(into) => self.row_into(site, &update.row, &into.value),
                    None => Vec::new(),
                };
                change(self, &update.row, action, update.guard.as_ref(), otherwise, into)
            }
            Verb::Delete(delete) => {
                let otherwise = otherwise(self, &delete.otherwise, "missing");
                change(self, &delete.row, Action::Delete, delete.guard.as_ref(), otherwise, Vec::new())
            }
            Verb::Write { row, value } => {
                let Assignment::Program(program) = self.assignment(site.service, value)? else { return None };
                let missing = database::Otherwise::Fail(self.error("missing"));
                change(self, row, Action::Set(program), None, missing, Vec::new())
            }
            Verb::Append { row, value } => {
                let none = database::Otherwise::Fail(self.error("missing"));
                self.listed(site, row, value, Action::Append, none)
            }
            Verb::Remove { row, value, otherwise: written } => {
                let otherwise = otherwise(self, written, "missing");
                self.listed(site, row, value, Action::Remove, otherwise)
            }
            Verb::Read(read) => {
                let into = read.into.as_ref().map_or_else(|| hidden(site.path, ""), |into| into.value.clone());
                let (table, key) = self.row(site, &read.row)?;
                let into = self.row_into(site, &read.row, &into);
                Some(database::Step::Read { table, key, into })
            }
            Verb::Scan(scan) => {
                let into = scan.into.as_ref().map_or_else(|| hidden(site.path, ""), |into| into.value.clone());
                if let Some(guard) = &scan.guard {
                    self.not_yet(guard.place, "`if` with `scan`");
                }
                let table = self.table_of(site.service, &scan.item.owner, &scan.item.item, scan.item.place)?;
                let into = self.variables.id(&into);
                Some(database::Step::Scan { table, most: scan.max.unwrap_or(u32::MAX), into })
            }
            Verb::When { condition, then, otherwise } => {
                let condition = self.expression(site.service, condition, Type::Bool);
                let then = self.database_steps(site, then);
                let otherwise = self.database_steps(site, otherwise);
                Some(database::Step::When { condition: condition?, then, otherwise })
            }
            Verb::Outbox(message) => self.letter(site.service, message).map(database::Step::Outbox),
            Verb::Fail(word) => Some(database::Step::Fail(self.error(&word.value))),
            Verb::Work(_)
            | Verb::Sleep(_)
            | Verb::Call(_)
            | Verb::Reply(_)
            | Verb::Repeat { .. }
            | Verb::Transaction { .. }
            | Verb::Consult(_)
            | Verb::Publish(_) => {
                let message = format!("`{}` in a local transaction", step.verb.word());
                let label = "a transaction is on rows of one owner and waits for nobody";
                self.errors.push(Diagnostic::error(step.place, message, label));
                None
            }
        }
    }

    fn listed(
        &mut self,
        site: Site<'_>,
        row: &Row,
        value: &At<Value>,
        action: Action,
        otherwise: database::Otherwise,
    ) -> Option<database::Step> {
        let table = self.table_of(site.service, &row.owner, &row.item, row.place)?;
        let key = match self.assignment(site.service, value)? {
            Assignment::Program(program) => program,
            Assignment::Text(..) => {
                self.not_yet(value.place, "a text with variables in a list");
                return None;
            }
        };
        Some(database::Step::Change { table, key, action, guard: None, otherwise, into: Vec::new() })
    }

    /// The table of an item, which must be the service's own.
    pub(super) fn table_of(
        &mut self,
        service: &str,
        owner: &str,
        item: &str,
        place: crate::model::Place,
    ) -> Option<u16> {
        let of = if owner.is_empty() { service } else { owner };
        let (_, found) = self.model.services.iter().find(|(name, _)| name.value == of)?;
        if of != service {
            let message = format!("a step of `{service}` on the state of `{of}`");
            let error = Diagnostic::error(place, message, "another service's state");
            self.errors.push(error.help(format!("call `{of}`, or keep a copy of what is needed")));
            return None;
        }
        let at = found.state.iter().position(|(name, _)| name.value == item);
        if at.is_none() {
            let names: Vec<&str> = found.state.iter().map(|(name, _)| name.value.as_str()).collect();
            let message = format!("`{of}` has no state called `{item}`");
            let error = Diagnostic::error(place, message, "used here").about(format!("services.{of}.state.{item}"));
            self.errors.push(error.help(format!("its state: {}", names.join(", "))));
        }
        at.map(|n| n as u16)
    }

    pub(super) fn row(&mut self, site: Site<'_>, row: &Row) -> Option<(u16, Program)> {
        let table = self.table_of(site.service, &row.owner, &row.item, row.place)?;
        let key = self.key(site.service, &row.key)?;
        Some((table, key))
    }

    /// A key: a number or a text.
    fn key(&mut self, service: &str, text: &At<String>) -> Option<Program> {
        let sort = match text.value.strip_prefix('$').map(|name| self.variables.meaning(name)) {
            Some(Some((_, Type::Text))) => Type::Text,
            Some(_) | None => Type::Int,
        };
        self.expression(service, text, sort)
    }

    /// Where the parts of a row go.
    fn row_into(&self, site: Site<'_>, row: &Row, into: &str) -> Into {
        let owner = if row.owner.is_empty() { site.service } else { &row.owner };
        let service = self.model.services.iter().find(|(name, _)| name.value == owner);
        let state = service.and_then(|(_, s)| s.state.iter().find(|(name, _)| name.value == row.item));
        let whole = match state {
            Some((_, State::Counter { .. })) => Source::Column(0),
            Some((_, State::Map { .. } | State::List)) | None => Source::Key,
        };
        let columns = self.sorts.fields(owner, &row.item);
        let part = |(field, name): &(String, String)| {
            let variable = self.variables.id(name)?;
            if field.is_empty() {
                return Some((whole, variable));
            }
            let column = columns.iter().position(|(known, _)| known == field)?;
            Some((Source::Column(column as u16), variable))
        };
        row_names(self.model, site.service, row, into).iter().filter_map(part).collect()
    }

    fn sets(&mut self, site: Site<'_>, row: &Row, set: &Fields) -> database::Sets {
        let owner = if row.owner.is_empty() { site.service } else { &row.owner };
        let columns: Vec<(String, Type)> =
            self.sorts.fields(owner, &row.item).into_iter().map(|(name, sort)| (name.to_owned(), sort)).collect();
        let mut sets = Vec::new();
        for (field, value) in set {
            let Some(column) = columns.iter().position(|(name, _)| *name == field.value) else { continue };
            if let Some((found, sort)) =
                self.sort_of(value).filter(|found| *found != columns[column].1).map(|f| (f, columns[column].1))
            {
                let message = format!("`{}` of `{}` holds {} elsewhere", field.value, row.item, sort.noun());
                let error = Diagnostic::error(value.place, message, format!("this is {}", found.noun()));
                // What the others put there may be what is wrong.
                let error = error.about(format!("services.{owner}.ops")).about(format!("services.{owner}.consumers"));
                self.errors.push(error.about(format!("services.{owner}.state.{}", row.item)));
            }
            if let Some(value) = self.assignment(site.service, value) {
                sets.push((column as u16, value));
            }
        }
        sets
    }

    /// The type of a value, where that is known without compiling it.
    fn sort_of(&self, value: &At<Value>) -> Option<Type> {
        match &value.value {
            Value::Integer(_) => Some(Type::Int),
            Value::Truth(_) => Some(Type::Bool),
            Value::Text(_) => Some(Type::Text),
            Value::Variable(path) => self.sorts.variable(&name_of(path)).and_then(|holds| holds.sort),
            Value::Expression(_) => None,
        }
    }

    /// A value, for requests that are under way.
    pub(super) fn assignment(&mut self, service: &str, value: &At<Value>) -> Option<Assignment> {
        match &value.value {
            Value::Integer(number) => Some(Assignment::Program(Program::constant(Worth::Int(*number)))),
            Value::Truth(truth) => Some(Assignment::Program(Program::constant(Worth::Bool(*truth)))),
            Value::Text(parts) => self.text(parts, value.place),
            Value::Variable(path) => {
                let text = At { value: format!("${}", name_of(path)), place: value.place };
                let sort = super::sorts::built_in(&path.name)
                    .or_else(|| self.sorts.variable(&name_of(path)).and_then(|holds| holds.sort));
                self.expression(service, &text, sort.unwrap_or(Type::Int)).map(Assignment::Program)
            }
            Value::Expression(text) => {
                // Whatever type it is of: the field or variable it goes to has taken it over.
                let sort = super::sorts::sort_of(&text.value);
                self.expression(service, text, sort).map(Assignment::Program)
            }
        }
    }

    /// A text with variables in it: one variable whose texts are known, or none.
    fn text(&mut self, parts: &[TextPart], place: crate::model::Place) -> Option<Assignment> {
        let mut variables: Vec<&VariablePath> = Vec::new();
        for part in parts {
            if let TextPart::Variable(path) = part {
                variables.push(path);
            }
        }
        match variables.as_slice() {
            [] => {
                let text: String = parts
                    .iter()
                    .map(|part| match part {
                        TextPart::Literal(text) => text.as_str(),
                        TextPart::Variable(_) => "",
                    })
                    .collect();
                let symbol = self.names.symbol(&text);
                Some(Assignment::Program(Program::constant(Worth::Text(symbol))))
            }
            [path] => {
                let name = name_of(path);
                let texts = self.sorts.variable(&name).and_then(|holds| holds.texts.clone());
                let (Some(texts), Some(variable)) = (texts, self.variables.id(&name)) else {
                    let message = format!("it is not known which texts `${name}` can be");
                    let label = "only texts that stand in the file can be put into others";
                    self.errors.push(Diagnostic::error(place, message, label));
                    return None;
                };
                let table = texts.iter().map(|text| {
                    let whole: String = parts
                        .iter()
                        .map(|part| match part {
                            TextPart::Literal(literal) => literal.as_str(),
                            TextPart::Variable(_) => text.as_str(),
                        })
                        .collect();
                    (self.names.symbol(text), self.names.symbol(&whole))
                });
                Some(Assignment::Text(variable, table.collect()))
            }
            [_, second, ..] => {
                self.not_yet(second.place, "a text with two variables");
                None
            }
        }
    }

    /// The message of a `publish` or `outbox`.
    pub(super) fn letter(&mut self, service: &str, message: &Message) -> Option<Letter> {
        let to = self.destination(&message.to)?;
        let key = message.key.as_ref().and_then(|key| self.assignment(service, key));
        let kind = message.kind.as_ref().and_then(|kind| self.assignment(service, kind));
        let with = self.with(service, &message.with);
        Some(Letter { to, key, kind, with })
    }

    /// Variables for a callee or consumer.
    pub(super) fn with(&mut self, service: &str, with: &Fields) -> Vec<(VariableId, Assignment)> {
        let mut set = Vec::new();
        for (name, value) in with {
            if let (Some(assignment), Some(variable)) =
                (self.assignment(service, value), self.variables.id(&name.value))
            {
                set.push((variable, assignment));
            }
        }
        set
    }

    /// An expression of a step of this service.
    pub(super) fn expression(&mut self, service: &str, text: &At<String>, sort: Type) -> Option<Program> {
        let found = self.model.services.iter().find(|(name, _)| name.value == service);
        let mut scope = ServiceScope {
            owner: service,
            state: found.map_or(&[], |(_, s)| s.state.as_slice()),
            sorts: &self.sorts,
            variables: &mut self.variables,
            names: &mut self.names,
            others: &self.model.services,
        };
        match expression::compile_step(text, sort, &mut scope) {
            Ok(program) => Some(program),
            Err(problems) => {
                self.errors.extend(problems.into_iter().map(Diagnostic::from));
                None
            }
        }
    }

    pub(super) fn not_yet(&mut self, place: crate::model::Place, what: &str) {
        let label = "it is understood, but this release does not simulate it";
        self.errors.push(Diagnostic::error(place, format!("{what} is not supported yet"), label));
    }
}

/// Whether a step may change something.
fn writes(step: &database::Step) -> bool {
    match step {
        database::Step::Change { .. } | database::Step::Outbox(_) => true,
        database::Step::Read { .. } | database::Step::Scan { .. } | database::Step::Test { .. } => false,
        database::Step::When { then, otherwise, .. } => then.iter().chain(otherwise).any(writes),
        database::Step::Fail(_) => false,
    }
}
