//! Services and workloads.

use kernel::{Distribution, NodeId};
use systems::app::mutant::Mutant;
use systems::app::plan::{self, Instruction, ServiceCells, ServiceSeries, Setting};
use systems::database::Assignment;
use systems::expression::Program;

use super::scripts::Site;
use super::{Compiler, Edits};
use crate::model::{self, At, Load, Mode, Order, Overflow, Service, State, Value, Workload};
use crate::names::{Cell, CellSort, Item, ItemKind};

impl Compiler<'_> {
    /// Services: their cells, series, rows and ops.
    pub(super) fn services(&mut self) {
        let model = self.model;
        for (name, service) in &model.services {
            for (op, _) in &service.ops {
                let path = format!("{}.{}", name.value, op.value);
                self.ops.insert(path.clone(), self.op_names.len() as u32);
                self.op_names.push(path);
            }
        }
        for (name, _) in &model.transactions {
            let path = format!("transactions.{}", name.value);
            self.ops.insert(path.clone(), self.op_names.len() as u32);
            self.op_names.push(path);
        }
        for (index, (name, service)) in model.services.iter().enumerate() {
            let compiled = self.service(&name.value, service);
            self.plan.services.push(compiled);
            for (op_name, op) in &service.ops {
                let entry = self.plan.program.len() as u32;
                let path = format!("{}.{}", name.value, op_name.value);
                debug_assert_eq!(self.op_names[self.plan.ops.len()], path);
                for (variable, written) in &op.vars {
                    let drawn = self.variable(written);
                    if let Some(id) = self.variables.id(&variable.value) {
                        self.set(Setting::Drawn(id, drawn));
                    }
                }
                self.whole(Site { service: &name.value, path: &path }, &op.steps);
                self.plan.program.push(Instruction::Return);
                let (size, reply_size) = (op.size, op.reply_size);
                let idempotent = op.idempotent.as_ref().and_then(|key| self.identity(&name.value, key));
                let result = self.result(&path);
                self.plan.ops.push(plan::Op { service: index as u32, entry, size, reply_size, idempotent, result });
            }
        }
    }

    /// What makes a request the same as an earlier one: `true` is the root request.
    pub(super) fn identity(&mut self, service: &str, key: &At<Value>) -> Option<Program> {
        match self.assignment(service, key)? {
            Assignment::Program(program) => Some(program),
            Assignment::Text(..) => {
                self.not_yet(key.place, "a text with variables as the key of an idempotent op");
                None
            }
        }
    }

    fn service(&mut self, name: &str, service: &Service) -> plan::Service {
        let (first, nodes) = self.first[name];
        let cells = ServiceCells {
            queue_depth: self.view(name, "queue_depth", nodes, 0, Some("queue_depth")),
            busy: self.view(name, "busy", nodes, 0, Some("busy")),
            in_system: self.view(name, "in_flight", nodes, 0, Some("in_system")),
        };
        let up = self.view(name, "up", nodes, 1, None);
        for number in 0..nodes {
            self.up.push(Some((up, u64::from(number))));
        }
        let series = (0..nodes).map(|n| self.service_series(name, first, n)).collect();
        // Rows of services that take part in a distributed transaction are the commit protocol's.
        // So are those of one that is played: what is there, its process says.
        let commits = self.takes_part(name) || service.process.is_some();
        let items = if commits {
            service.state.iter().map(|(item, state)| self.item(name, &item.value, state)).collect()
        } else {
            Vec::new()
        };
        let state = if commits { None } else { self.database(name, service) };
        let database = if state.is_some() && nodes > 1 { self.database_node(name) } else { first };
        plan::Service {
            first,
            nodes,
            workers: service.workers.unwrap_or(u32::MAX),
            blocking: service.mode == Mode::Blocking,
            capacity: service.queue.capacity.unwrap_or(u32::MAX),
            newest_first: service.queue.order == Order::Lifo,
            drop_oldest: service.queue.overflow == Overflow::DropOldest,
            cells,
            series,
            rows: std::sync::Arc::new(plan::RowsPlan { items, steps: Vec::new() }),
            commits: false,
            deadline_check: service.deadline_check,
            database,
            state,
            relay: service.outbox.as_ref().map(|outbox| plan::Relay {
                every: match outbox.relay {
                    model::Relay::Poll => Some(outbox.every),
                    model::Relay::LogTail => None,
                },
                batch: outbox.batch,
            }),
            mutant: mutant_of(service),
            drives: false,
            guest: None,
        }
    }

    /// Whether the service's rows change in distributed transactions.
    fn takes_part(&self, name: &str) -> bool {
        let rows = self.model.transactions.iter().flat_map(|(_, t)| &t.work).filter_map(|step| step.verb.row());
        rows.into_iter().any(|row| row.owner == name)
    }

    fn item(&mut self, service: &str, item: &str, state: &State) -> plan::Item {
        let (keys, initial) = match *state {
            State::Counter { keys, initial } => (keys, initial),
            // `later` says that these are not supported.
            State::Map { .. } | State::List => (1, 0),
        };
        let cell = self.names.cell(Cell {
            path: format!("{service}.{item}"),
            keys,
            initial,
            sort: CellSort::State,
            metric: None,
            labels: Vec::new(),
        });
        self.names.items.push(Item { path: format!("{service}.{item}"), kind: ItemKind::Counter { cell } });
        plan::Item { cell, keys, initial }
    }

    fn view(
        &mut self,
        service: &str,
        view: &str,
        keys: u32,
        initial: i64,
        metric: Option<&'static str>,
    ) -> kernel::CellId {
        self.names.cell(Cell {
            path: format!("{service}.{view}"),
            keys,
            initial,
            sort: CellSort::View,
            metric,
            labels: vec![("service", service.to_owned())],
        })
    }

    fn service_series(&mut self, name: &str, first: NodeId, number: u32) -> ServiceSeries {
        let lane = self.names.node(NodeId(first.0 + number)).to_owned();
        let mut series = |metric| self.names.series(metric, vec![("service", name.to_owned()), ("node", lane.clone())]);
        ServiceSeries {
            wait: series("wait"),
            service_time: series("service_time"),
            sojourn: series("sojourn"),
            refused: series("refused"),
        }
    }

    /// Workloads: when their operations come, what these carry and call.
    pub(super) fn workloads(&mut self, edits: &Edits) {
        let model = self.model;
        for (index, (name, workload)) in model.workloads.iter().enumerate() {
            let compiled = self.workload((index, &name.value), workload, edits);
            self.plan.workloads.push(compiled);
            self.up.push(None);
        }
    }

    fn workload(&mut self, of: (usize, &str), workload: &Workload, edits: &Edits) -> plan::Workload {
        let (index, name) = of;
        let target = self.target_of(name, workload);
        let transaction = target.strip_prefix("transactions.").and_then(|wanted| {
            self.model.transactions.iter().position(|(name, _)| name.value == wanted).map(|n| n as u32)
        });
        let mut labels = vec![("op", target.clone()), ("from", name.to_owned()), ("workload", name.to_owned())];
        if transaction.is_some() {
            labels.push(("tx", target.trim_start_matches("transactions.").to_owned()));
        }
        // Where each operation is one step at a store, that is what is measured.
        let measured = (!matches!(workload.activity, model::Activity::Mix(..))).then(|| plan::Measured {
            latency: self.names.series("latency", labels.clone()),
            spent: self.spent_series(&labels),
            rejected: self.names.series("rejected", labels.clone()),
        });
        let in_flight = self.names.cell(Cell {
            path: format!("workloads.{name}.in_flight"),
            keys: 1,
            initial: 0,
            sort: CellSort::View,
            metric: Some("in_flight"),
            labels,
        });
        let entry = self.plan.program.len() as u32;
        let before = self.names.series.len();
        self.activity(name, workload);
        for series in self.names.series[before..].iter_mut().filter(|series| series.metric == "retries") {
            series.labels = vec![("op", target.clone()), ("from", name.to_owned())];
        }
        let variables = self.variables_of(index, workload);
        let dropped = edits.dropped.iter().filter(|(w, _)| w == name).map(|&(_, number)| number).collect();
        let (start, stop) = (workload.start, workload.stop);
        let load = self.load(name, workload);
        let clients = workload.clients;
        let unit = Distribution::exponential(1.0).expect("one is a mean");
        plan::Workload {
            unit,
            clients,
            load,
            start,
            stop,
            entry,
            variables,
            timeout: workload.timeout(),
            measured,
            in_flight,
            transaction,
            dropped,
            only: only(workload),
        }
    }

    fn load(&self, name: &str, workload: &Workload) -> plan::Load {
        match &workload.load {
            Load::Rate { per_second, poisson } if !workload.stages.is_empty() => plan::Load::Stages {
                ramp: kernel::Ramp::new(
                    workload.start,
                    *per_second,
                    workload.stages.iter().map(|stage| (stage.to, stage.over)),
                ),
                poisson: *poisson,
                seed: self.seed,
                path: format!("workloads.{name}"),
            },
            Load::Rate { per_second, poisson } => {
                let mean = 1e9 / per_second;
                let gap = if *poisson { Distribution::exponential(mean) } else { Distribution::constant(mean) };
                let gap = gap.expect("a rate is positive: the scenario was checked");
                plan::Load::Rate { gap, seed: self.seed, path: format!("workloads.{name}") }
            }
            Load::Users { users, think } => plan::Load::Users { users: *users, think: self.draw(think) },
            Load::Trace(times) => plan::Load::Trace(times.clone()),
        }
    }
}

/// Operations with times of their own: by user, or all in one list.
fn only(workload: &Workload) -> plan::Only {
    let listed = match &workload.only {
        None => return plan::Only::All,
        Some(model::Only::Numbers(ranges)) => return plan::Only::Numbers(ranges.clone()),
        Some(model::Only::Listed(listed)) => listed,
    };
    let users = match &workload.load {
        Load::Users { users, .. } => *users as usize,
        Load::Rate { .. } | Load::Trace(_) => 1,
    };
    let mut lists = vec![Vec::new(); users];
    for begin in listed {
        // Who is no user was told when the references were checked.
        if let Some(list) = lists.get_mut(begin.user.unwrap_or(0) as usize) {
            list.push(plan::Listed { at: begin.at, number: begin.number });
        }
    }
    plan::Only::Listed(lists)
}

/// The mistake of a service, unless it is one of a commit protocol.
pub(super) fn mutant_of(service: &Service) -> Option<Mutant> {
    service.mutant.as_ref().and_then(|word| Mutant::named(&word.value))
}
