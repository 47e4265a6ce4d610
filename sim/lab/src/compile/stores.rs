//! Replicated stores, and steps that ask them.

use kernel::{NodeId, Span};
use systems::app::plan::{self, Access, Instruction, Keeping, Part, Place, StorePlan};
use systems::replication::leader_follower::{self, Cells, Fencing, LeaseClock};
use systems::replication::quorum;
use systems::replication::routing::Choice;

use super::Compiler;
use super::scripts::Site;
use crate::expression::Type;
use crate::model::{Acks, Activity, At, Consult, Otherwise, Reads, Store, StoreKind, Value, Verb, Wants, Workload};
use crate::names::{Cell, CellSort, Node};
use crate::scenario::Diagnostic;

/// How long a coordinator without enough answers remembers what it was asked; a connection lasts as long.
const REMEMBERED: Span = Span::secs(15);

/// How long a client waits that could not reach a machine of a store without leader.
const PAUSE: Span = Span::millis(50);

/// How many entries one message of a log has at most.
const BATCH: usize = 64;

/// The business error of a cas that found another value.
const MISMATCH: &str = "mismatch";

impl Compiler<'_> {
    /// Gives the machines of stores their numbers.
    pub(super) fn store_nodes(&mut self) {
        for (index, (name, store)) in self.model.stores.iter().enumerate() {
            let first = NodeId(self.plan.nodes.len() as u32);
            self.first.insert(name.value.clone(), (first, store.nodes));
            for number in 0..store.nodes {
                self.plan.nodes.push(Place { part: Part::Replica(index as u32), number });
                let lane = if store.nodes == 1 { name.value.clone() } else { format!("{}[{number}]", name.value) };
                self.names.nodes.push(Node { name: lane, part: name.value.clone(), number });
            }
        }
    }

    /// How stores are carried out.
    pub(super) fn replicated_stores(&mut self) {
        let model = self.model;
        for (name, store) in &model.stores {
            self.names.protocols.push(format!("stores.{}", name.value));
            let protocol = self.names.protocols.len() as u32 - 1;
            let compiled = self.store(&name.value, store, protocol);
            let up = self.store_view(&name.value, store.nodes, "up", 1);
            for number in 0..store.nodes {
                let node = compiled.first.0 + number;
                self.up.resize(self.up.len().max(node as usize + 1), None);
                self.up[node as usize] = Some((up, u64::from(number)));
            }
            self.plan.stores.push(compiled);
        }
    }

    fn store(&mut self, name: &str, store: &Store, protocol: u32) -> StorePlan {
        let (first, nodes) = self.first[name];
        let machines: Vec<NodeId> = (first.0..first.0 + nodes).map(NodeId).collect();
        let (keeping, pause) = match &store.kind {
            StoreKind::Log(log) => {
                let mut view = |view: &str| self.store_view(name, nodes, view, 0);
                let cells = Cells {
                    term: view("term"),
                    leads: view("believed_leaders"),
                    agreed: view("commit_index"),
                    executed: view("applied_index"),
                    end: view("log_end"),
                };
                let plan = leader_follower::Plan {
                    store: protocol,
                    replicas: machines.clone(),
                    acks: match log.acks.value {
                        Acks::Leader => leader_follower::Acks::Leader,
                        Acks::Majority => leader_follower::Acks::Majority,
                        Acks::All => leader_follower::Acks::All,
                        Acks::Count(copies) => leader_follower::Acks::Count(copies.clamp(1, nodes) as usize),
                    },
                    reads: match log.reads.value {
                        Reads::Leader => leader_follower::Reads::Leader,
                        Reads::ReadIndex => leader_follower::Reads::ReadIndex,
                        Reads::Log => leader_follower::Reads::Log,
                        Reads::Quorum => leader_follower::Reads::Quorum(Choice::Nearest),
                        Reads::Any | Reads::Nearest | Reads::Sticky => {
                            leader_follower::Reads::Memory(choice(log.reads.value))
                        }
                        Reads::Lease => leader_follower::Reads::Lease(leader_follower::Lease {
                            length: log.lease,
                            margin: Span(log.lease.0 / 5),
                            clock: if log.lease_by_wall { LeaseClock::Wall } else { LeaseClock::Monotonic },
                        }),
                    },
                    heartbeat: log.heartbeat,
                    election_timeout: log.election_timeout.law.clone(),
                    key: self.seed.key(&log.election_timeout.path, "draw"),
                    fencing: if log.fencing { Fencing::Term } else { Fencing::None },
                    snapshot_every: log.snapshot_every,
                    batch: BATCH,
                    device: None,
                    first: log.leader.as_ref().and_then(|leader| machines.get(leader.value as usize).copied()),
                    told: false,
                    cells: Some(cells),
                    points: self.store_points(),
                    mutant: store.mutant.as_ref().and_then(|word| leader_follower::Mutant::named(&word.value)),
                };
                (Keeping::Ordered(plan), log.heartbeat)
            }
            StoreKind::Quorum(of) => {
                let copies = of.replicas.map_or(nodes, |replicas| replicas.value.min(nodes)) as usize;
                let quorum = |wanted: &Option<At<u32>>| {
                    wanted.as_ref().map_or(copies / 2 + 1, |wanted| (wanted.value as usize).clamp(1, copies))
                };
                let plan = quorum::Plan {
                    store: protocol,
                    nodes: machines,
                    copies,
                    read: quorum(&of.read_quorum),
                    write: quorum(&of.write_quorum),
                    asked: quorum::Asked::All,
                    repair: if of.read_repair { quorum::Repair::OnRead } else { quorum::Repair::None },
                    coordinator: choice(of.reads.value),
                    timeout: REMEMBERED,
                    mutant: store.mutant.as_ref().and_then(|word| quorum::Mutant::named(&word.value)),
                };
                (Keeping::Quorum(plan), PAUSE)
            }
        };
        let ask_again = store.ask_again;
        StorePlan { first, nodes, keeping, ask_again, pause, remembered: self.remembered(name) }
    }

    fn store_view(&mut self, store: &str, keys: u32, view: &str, initial: i64) -> kernel::CellId {
        self.names.cell(Cell {
            path: format!("{store}.{view}"),
            keys,
            initial,
            sort: CellSort::View,
            metric: None,
            labels: vec![("store", store.to_owned())],
        })
    }

    /// Moments of the protocol, as far as some fault names them.
    fn store_points(&mut self) -> leader_follower::Points {
        leader_follower::Points {
            after_vote_persisted: self.named_moment("raft.after_vote_persisted"),
            after_vote_sent: self.named_moment("raft.after_vote_sent"),
            after_elected: self.named_moment("raft.after_elected"),
            after_entries_persisted: self.named_moment("raft.after_entries_persisted"),
            after_agreed: self.named_moment("raft.after_agreed"),
            after_first_agreed: self.named_moment("raft.after_first_agreed"),
            after_snapshot: self.named_moment("raft.after_snapshot"),
        }
    }

    /// Some step on this store reads `$last_read`.
    fn remembered(&self, store: &str) -> bool {
        let mut steps = self.model.workloads.iter().flat_map(|(_, workload)| workload.steps());
        steps.any(|step| {
            let here = matches!(&step.verb, Verb::Consult(consult) if consult.store.value == store);
            here && reads_last(&step.verb)
        })
    }

    /// Appends the instruction of a step that asks a store; gives its number.
    pub(super) fn consult(&mut self, site: Site<'_>, consult: &Consult) -> Option<u16> {
        let index = self.model.stores.iter().position(|(name, _)| name.value == consult.store.value);
        let Some(index) = index else {
            let message = format!("no store is called `{}`", consult.store.value);
            let error = Diagnostic::error(consult.store.place, message, "named here");
            self.errors.push(error.about(format!("stores.{}", consult.store.value)));
            return None;
        };
        let op = format!("{}.{}", consult.store.value, consult.wants.word());
        let from = site.path.strip_prefix("workloads.").unwrap_or(site.service).to_owned();
        let mut labels = vec![("op", op), ("from", from.clone()), ("store", consult.store.value.clone())];
        if site.path.starts_with("workloads.") {
            labels.push(("workload", from));
        }
        let known = self.names.series.iter().position(|series| series.metric == "latency" && series.labels == labels);
        let latency =
            known.map_or_else(|| self.names.series("latency", labels), |number| kernel::SeriesId(number as u32));
        let key = self.expression(site.service, &consult.row.key, Type::Int)?;
        let wants = self.wants(site, &consult.wants)?;
        let otherwise = match &consult.otherwise {
            Otherwise::Fail | Otherwise::Steps(_) => plan::Otherwise::Fail,
            Otherwise::Skip => plan::Otherwise::Skip,
            Otherwise::Word(word) => plan::Otherwise::Word(self.error(&word.value)),
        };
        let access = Access {
            store: index as u32,
            key,
            wants,
            last_read: reads_last(&Verb::Consult(consult.clone())).then(|| self.variables.last_read()).flatten(),
            timeout: consult.timeout,
            latency,
            otherwise,
        };
        self.plan.accesses.push(access);
        let number = (self.plan.accesses.len() - 1) as u16;
        self.plan.program.push(Instruction::Consult(number));
        Some(number)
    }

    fn wants(&mut self, site: Site<'_>, wants: &Wants) -> Option<plan::Wants> {
        Some(match wants {
            Wants::Read { into } => {
                plan::Wants::Read { into: into.as_ref().and_then(|into| self.variables.id(&into.value)) }
            }
            Wants::Write { value } => plan::Wants::Write { value: self.assignment(site.service, value)? },
            Wants::Delete => plan::Wants::Delete,
            Wants::Cas { expected, value } => plan::Wants::Cas {
                expected: self.assignment(site.service, expected)?,
                value: self.assignment(site.service, value)?,
                mismatch: self.error(MISMATCH),
            },
        })
    }

    /// The program of a workload whose operations are steps.
    pub(super) fn activity(&mut self, name: &str, workload: &Workload) {
        let path = format!("workloads.{name}");
        let site = Site { service: name, path: &path };
        match &workload.activity {
            Activity::Call(call) => {
                self.call(None, call);
            }
            Activity::Steps(steps, _) => self.whole(site, steps),
            Activity::Mix(mix, _) => {
                let mut left: f64 = mix.iter().map(|(weight, _)| weight).sum();
                for (n, (weight, step)) in mix.iter().enumerate() {
                    let chance = if n + 1 < mix.len() { (weight / left).clamp(0.0, 1.0) } else { 1.0 };
                    left -= weight;
                    self.one_of(site, step, chance);
                }
            }
        }
        self.plan.program.push(Instruction::Return);
    }
}

/// Whether a step names `$last_read`.
fn reads_last(verb: &Verb) -> bool {
    let named = |value: &&At<Value>| match &value.value {
        Value::Variable(path) => path.name == "last_read",
        Value::Expression(text) => text.value.contains("$last_read"),
        Value::Integer(_) | Value::Truth(_) | Value::Text(_) => false,
    };
    verb.values().iter().any(named)
}

const fn choice(reads: Reads) -> Choice {
    match reads {
        Reads::Nearest => Choice::Nearest,
        Reads::Sticky => Choice::Sticky,
        Reads::Any | Reads::Leader | Reads::Lease | Reads::ReadIndex | Reads::Log | Reads::Quorum => Choice::Any,
    }
}
