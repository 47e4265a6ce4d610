//! Transaction types: who takes part, what is done to whose rows, and how the protocol behaves.

use std::sync::Arc;

use systems::app::message::DEFAULT_SIZE;
use systems::app::plan::{self, Instruction, RowChange, RowStep};
use systems::app::{self};
use systems::commit::two_phase::{self, Cells, Kind, Mutant, Points, Series};
use systems::expression::{ItemId, Program};
use systems::locks;

use super::Compiler;
use super::variables::Variables;
use crate::expression::{self, Item, Meaning, StepScope, Type};
use crate::model::{self, At, Change, Otherwise, State, Step, Transaction, Verb};
use crate::names::{Cell, CellSort, Names};
use crate::scenario::Diagnostic;

impl Compiler<'_> {
    /// Transaction types, each with the op that its coordinator serves.
    pub(super) fn transactions(&mut self) {
        let model = self.model;
        let nodes = self.plan.nodes.len() as u32;
        let mut partners: Vec<String> = Vec::new();
        for (index, (name, transaction)) in model.transactions.iter().enumerate() {
            self.names.protocols.push(format!("transactions.{}", name.value));
            let owners = self.owners(transaction);
            for service in &mut self.plan.services {
                let rows = Arc::make_mut(&mut service.rows);
                rows.steps.resize(index + 1, Vec::new());
            }
            for step in &transaction.work {
                self.row_step(index, step);
            }
            let participants = owners.iter().map(|owner| self.plan.services[self.service_index(owner)].first).collect();
            let aborted = self.names.series("aborted", vec![("tx", name.value.clone())]);
            self.plan.transactions.push(plan::Transaction { participants, aborted, clock: None });
            let kind = self.kind(index as u32, &name.value, transaction, (&owners, nodes));
            self.plan.commit.kinds.push(kind);
            self.coordinator_op(index, transaction, &owners);
            partners.extend(owners.into_iter().chain([transaction.coordinator.value.clone()]));
        }
        for (name, service) in model.services.iter().filter(|(name, _)| !partners.contains(&name.value)) {
            // Those of a service itself need no protocol.
            let of_protocol = service.mutant.as_ref().filter(|word| app::mutant::Mutant::named(&word.value).is_none());
            if let Some(word) = of_protocol {
                let label = format!("`{}` takes part in no transaction", name.value);
                let error = Diagnostic::error(word.place, "a mutant of a protocol that is not used", label);
                self.errors.push(error.about("transactions"));
            }
        }
        let clock = self.variables.clock();
        for transaction in &mut self.plan.transactions {
            transaction.clock = clock;
        }
    }

    fn service_index(&self, name: &str) -> usize {
        self.model.services.iter().position(|(n, _)| n.value == name).expect("an owner is a service: checked before")
    }

    /// The services whose rows are touched, in the order of the work.
    fn owners(&mut self, transaction: &Transaction) -> Vec<String> {
        let mut owners: Vec<String> = Vec::new();
        for step in &transaction.work {
            let Some(row) = step.verb.row() else { continue };
            let service = self.model.services.iter().find(|(name, _)| name.value == row.owner);
            match service {
                None => {
                    let message = format!("no service is called `{}`", row.owner);
                    let error = Diagnostic::error(row.place, message, "its state is used here");
                    self.errors.push(error.about(format!("services.{}", row.owner)));
                }
                Some((name, service)) if service.nodes != 1 => {
                    let message = format!("state of a service with {} nodes is not supported yet", service.nodes);
                    let error = Diagnostic::error(row.place, message, "used here");
                    self.errors.push(error.also(name.place, "in this release a service with state has one node"));
                }
                Some(_) if !owners.contains(&row.owner) => owners.push(row.owner.clone()),
                Some(_) => {}
            }
        }
        owners
    }

    fn row_step(&mut self, index: usize, step: &Step) {
        let (row, change, guard, otherwise) = match &step.verb {
            Verb::Update(u) => (&u.row, Some(&u.change), u.guard.as_ref(), Some(&u.otherwise)),
            Verb::Read(read) => (&read.row, None, None, None),
            Verb::Work(_)
            | Verb::Sleep(_)
            | Verb::Call(_)
            | Verb::Fail(_)
            | Verb::Reply(_)
            | Verb::When { .. }
            | Verb::Repeat { .. }
            | Verb::Transaction { .. }
            | Verb::Consult(_)
            | Verb::Insert(_)
            | Verb::Upsert(_)
            | Verb::Delete(_)
            | Verb::Scan(_)
            | Verb::Write { .. }
            | Verb::Append { .. }
            | Verb::Remove { .. }
            | Verb::Publish(_)
            | Verb::Outbox(_) => {
                let message = "the work of a transaction is done on rows";
                let error = Diagnostic::error(step.place, message, "this step has no row");
                self.errors.push(error.help("allowed here: `update`, `read`"));
                return;
            }
        };
        let Some((_, service)) = self.model.services.iter().find(|(name, _)| name.value == row.owner) else { return };
        let Some(item) = service.state.iter().position(|(name, _)| name.value == row.item) else {
            let names: Vec<_> = service.state.iter().map(|(name, _)| name.value.as_str()).collect();
            let message = format!("`{}` has no state called `{}`", row.owner, row.item);
            let error = Diagnostic::error(row.place, message, "used here");
            let error = error.about(format!("services.{}.state.{}", row.owner, row.item));
            self.errors.push(error.help(format!("its state: {}", names.join(", "))));
            return;
        };
        let refusal = match otherwise {
            Some(Otherwise::Word(word)) => self.error(&word.value),
            Some(Otherwise::Fail | Otherwise::Skip | Otherwise::Steps(_)) | None => self.error("refused"),
        };
        let Some(key) = self.program(&row.owner, &row.key, Type::Int) else { return };
        let change = match change {
            None => Some(RowChange::Read),
            Some(Change::Add(text)) => self.program(&row.owner, text, Type::Int).map(RowChange::Add),
            Some(Change::Set(text)) => self.program(&row.owner, text, Type::Int).map(RowChange::Set),
            // `later` says that fields are not supported.
            Some(Change::Fields(_)) => None,
        };
        let guard = guard.map(|text| self.program(&row.owner, text, Type::Bool));
        let (Some(change), guard) = (change, guard.flatten()) else { return };
        let service = self.service_index(&row.owner);
        let step = RowStep { item: item as u32, key, change, guard, refusal };
        Arc::make_mut(&mut self.plan.services[service].rows).steps[index].push(step);
    }

    fn program(&mut self, owner: &str, text: &At<String>, sort: Type) -> Option<Program> {
        let service = self.model.services.iter().find(|(name, _)| name.value == owner)?;
        let mut scope =
            Scope { owner, state: &service.1.state, variables: &mut self.variables, names: &mut self.names };
        match expression::compile_step(text, sort, &mut scope) {
            Ok(program) => Some(program),
            Err(problems) => {
                self.errors.extend(problems.into_iter().map(Diagnostic::from));
                None
            }
        }
    }

    fn kind(&mut self, protocol: u32, name: &str, t: &Transaction, (owners, nodes): (&[String], u32)) -> Kind {
        let label = || vec![("tx", name.to_owned())];
        let mut level = |view: &str, metric| {
            self.names.cell(Cell {
                path: format!("transactions.{name}.{view}"),
                keys: nodes,
                initial: 0,
                sort: CellSort::View,
                metric: Some(metric),
                labels: label(),
            })
        };
        let cells = Cells { open: Some(level("open", "open")), in_doubt: Some(level("in_doubt", "in_doubt_level")) };
        self.plan.commit.locks_held.get_or_insert_with(|| {
            // Locks belong to rows, whatever transaction type has them: one level for all types.
            let only = self.model.transactions.len() == 1;
            self.names.cell(Cell {
                path: if only {
                    format!("transactions.{name}.locks_held")
                } else {
                    "transactions.locks_held".to_owned()
                },
                keys: nodes,
                initial: 0,
                sort: CellSort::View,
                metric: Some("locks_held"),
                labels: if only { vec![("tx", name.to_owned())] } else { Vec::new() },
            })
        });
        let series = Series {
            lock_wait: Some(self.names.series("lock_wait", label())),
            hold_time: Some(self.names.series("hold_time", label())),
            in_doubt: Some(self.names.series("in_doubt", label())),
        };
        Kind {
            protocol,
            presumption: match t.protocol {
                model::Protocol::TwoPhase => two_phase::Presumption::Nothing,
                model::Protocol::TwoPhasePresumedAbort => two_phase::Presumption::Abort,
            },
            prepare_timeout: t.prepare_timeout,
            decision_timeout: t.decision_timeout,
            decision_log: match t.decision_log {
                model::DecisionLog::Durable => two_phase::DecisionLog::Durable,
                model::DecisionLog::Memory => two_phase::DecisionLog::Memory,
            },
            recovery: match t.recovery {
                model::Recovery::AskCoordinator => two_phase::Recovery::AskCoordinator,
                model::Recovery::Cooperative => two_phase::Recovery::Cooperative,
            },
            locks: locks_of(&t.locks),
            read_only: two_phase::ReadOnly::LeavesEarly,
            points: self.commit_points(),
            series,
            cells,
            mutant: self.mutant(&t.coordinator.value, owners),
        }
    }

    fn commit_points(&mut self) -> Points {
        let mut point = |name: &str| Some(self.names.point(&format!("2pc.{name}")));
        Points {
            before_prepare_sent: point("coordinator.before_prepare_sent"),
            after_last_vote: point("coordinator.after_last_vote"),
            before_decision_logged: point("coordinator.before_decision_logged"),
            after_decision_logged: point("coordinator.after_decision_logged"),
            after_first_decision_sent: point("coordinator.after_first_decision_sent"),
            after_end: point("coordinator.after_end"),
            before_vote_logged: point("participant.before_vote_logged"),
            after_vote_logged: point("participant.after_vote_logged"),
            after_vote_sent: point("participant.after_vote_sent"),
            after_participant_decision_logged: point("participant.after_decision_logged"),
        }
    }

    /// A mutant of any service that takes part is a mutant of the whole protocol; so there can be only one.
    fn mutant(&mut self, coordinator: &str, owners: &[String]) -> Option<Mutant> {
        let mut found = None;
        let mut first: Option<&At<String>> = None;
        for (name, service) in &self.model.services {
            let takes_part = name.value == coordinator || owners.contains(&name.value);
            let Some(word) = service.mutant.as_ref().filter(|_| takes_part) else { continue };
            if let Some(other) = first.filter(|other| other.value != word.value) {
                let message = "a transaction whose protocol has two mutants";
                let error = Diagnostic::error(word.place, message, "a mutant of one service is one of the protocol");
                self.errors.push(error.also(other.place, "and here is another"));
            }
            first = Some(word);
            found = Mutant::named(&word.value);
            if found.is_none() {
                let names: Vec<_> = Mutant::ALL.iter().map(|entry| entry.1).collect();
                let message = format!("no mutant is called `{}`", word.value);
                let nearest = crate::nearest::nearest(&word.value, names.iter().copied());
                let error = Diagnostic::error(word.place, message, format!("there are {}", names.join(", ")));
                self.errors.push(error.maybe_help(nearest.map(|n| format!("did you mean `{n}`?"))));
            }
        }
        found
    }

    fn coordinator_op(&mut self, index: usize, transaction: &Transaction, owners: &[String]) {
        let Some(service) = self.model.services.iter().position(|(n, _)| n.value == transaction.coordinator.value)
        else {
            let message = format!("no service is called `{}`", transaction.coordinator.value);
            let error = Diagnostic::error(transaction.coordinator.place, message, "named here");
            self.errors.push(error.about(format!("services.{}", transaction.coordinator.value)));
            return;
        };
        for name in owners.iter().chain([&transaction.coordinator.value]) {
            let n = self.service_index(name);
            self.plan.services[n].commits = true;
        }
        let entry = self.plan.program.len() as u32;
        self.plan.program.extend([Instruction::Transaction(index as u16), Instruction::Return]);
        let op = plan::Op {
            service: service as u32,
            entry,
            size: DEFAULT_SIZE,
            reply_size: DEFAULT_SIZE,
            idempotent: None,
            result: Vec::new(),
        };
        self.plan.ops.push(op);
    }
}

fn locks_of(written: &model::Locks) -> two_phase::Locks {
    match written.mode {
        model::LockMode::None => two_phase::Locks::None,
        model::LockMode::Exclusive => two_phase::Locks::Exclusive {
            timeout: written.timeout,
            deadlock: match written.deadlock {
                model::Deadlock::WoundWait => locks::Deadlock::WoundWait,
                model::Deadlock::WaitDie => locks::Deadlock::WaitDie,
                model::Deadlock::Detect => locks::Deadlock::Detect,
                model::Deadlock::Timeout => locks::Deadlock::Timeout,
            },
        },
    }
}

/// What the steps of a transaction see at one owner: the request's variables, and this owner's rows.
struct Scope<'a> {
    owner: &'a str,
    state: &'a [(At<String>, State)],
    variables: &'a mut Variables,
    names: &'a mut Names,
}

impl StepScope for Scope<'_> {
    fn variable(&mut self, name: &str) -> Option<(Meaning, Type)> {
        self.variables.meaning(name)
    }

    fn variables(&self) -> Vec<String> {
        self.variables.declared()
    }

    fn item(&self, path: &str) -> Option<Item> {
        let name = path.strip_prefix(self.owner).and_then(|rest| rest.strip_prefix('.')).unwrap_or(path);
        let at = self.state.iter().position(|(item, _)| item.value == name)?;
        let State::Counter { keys, .. } = self.state[at].1 else { return None };
        Some(Item { id: ItemId(at as u32), keys })
    }

    fn items(&self) -> Vec<String> {
        self.state.iter().map(|(name, _)| format!("{}.{}", self.owner, name.value)).collect()
    }

    fn forbidden(&self, path: &str) -> Option<String> {
        let (owner, _) = path.split_once('.')?;
        (owner != self.owner).then(|| format!("a step on `{}` sees that owner's state only", self.owner))
    }

    fn place_of(&self, path: &str) -> String {
        let item = path.strip_prefix(self.owner).and_then(|rest| rest.strip_prefix('.')).unwrap_or(path);
        format!("services.{}.state.{item}", self.owner)
    }

    fn symbol(&mut self, text: &str) -> u32 {
        self.names.symbol(text)
    }
}
