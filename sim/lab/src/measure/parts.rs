//! The tables of brokers, groups of readers, sagas, retries, breakers and outboxes.

use kernel::Time;
use systems::messaging::Figure;

use super::finish::{merged, owned, rows};
use super::wanted::label;
use super::{Levels, Recorder, wanted};
use crate::names::Names;
use crate::outcome::{
    BreakerResult, GroupResult, LevelResult, MessageQueueResult, OperationWindow, OutboxResult, RetryResult,
    RetryWindow, SagaResult,
};

impl Recorder {
    pub(super) fn message_queues(&self, names: &Names) -> Vec<MessageQueueResult> {
        let result = |books: &super::mail::Books| {
            let labels = [("queue", books.name.clone())];
            let asked = owned(&labels);
            let depth = self.level_result(names, "queue_depth", &labels);
            MessageQueueResult {
                accepted: books.measured(Figure::Accepted),
                acknowledged: books.measured(Figure::Acknowledged),
                delivered: books.measured(Figure::Delivered),
                redelivered: books.measured(Figure::Redelivered),
                expired: books.measured(Figure::Expired),
                dead_lettered: books.measured(Figure::DeadLettered),
                dropped: books.measured(Figure::Dropped),
                refused: books.measured(Figure::Refused),
                stale_acks: books.measured(Figure::StaleAcks),
                wait: merged(self.streams(names, "wait", &asked)),
                age: merged(self.streams(names, "age", &asked)),
                in_flight: self.level_result(names, "queue_unacked", &labels),
                identity: books.identity,
                windows: books.windows(depth.window_mean.len()),
                depth,
                name: books.name.clone(),
            }
        };
        self.mail.queues.iter().map(result).collect()
    }

    pub(super) fn saga_results(&self, names: &Names) -> Vec<SagaResult> {
        let result = |kind: &super::sagas::Kind| {
            let labels = [("saga", kind.name.clone())];
            let open_level = self.level_result(names, "sagas_open", &labels);
            SagaResult {
                name: kind.name.clone(),
                started: kind.started,
                completed: kind.completed,
                undone: kind.undone,
                open: open_level.end.max(0) as u64,
                time: merged(self.streams(names, "saga_time", &owned(&labels))),
                open_level,
                steps: kind.steps.clone(),
            }
        };
        self.sagas.kinds.iter().map(result).collect()
    }

    /// Who tries again: per operation and caller, though several places of the caller call it.
    pub(super) fn retry_results(&self, names: &Names, end: Time) -> Vec<RetryResult> {
        let mut found: Vec<RetryResult> = Vec::new();
        for series in names.series.iter().filter(|series| series.metric == "retries") {
            let text = |name: &str| label(&series.labels, name).unwrap_or_default().to_owned();
            let (operation, from) = (text("op"), text("from"));
            if found.iter().any(|known| known.operation == operation && known.from == from) {
                continue;
            }
            let asked = owned(&series.labels);
            let mut result = RetryResult { operation, from, calls: 0, retries: 0, windows: Vec::new() };
            for stream in self.streams(names, "latency", &asked) {
                result.calls += stream.tally.ended() + stream.tally.cut_short();
                add(&mut result.windows, stream, end, |window, begun| window.calls += begun.offered);
            }
            for stream in self.streams(names, "retries", &asked) {
                result.retries += stream.tally.ended();
                add(&mut result.windows, stream, end, |window, seen| {
                    window.of_calls += seen.offered;
                    window.retries += seen.ok + seen.failed + seen.rejected;
                });
            }
            found.push(result);
        }
        found
    }

    pub(super) fn breaker_results(&self, names: &Names, end: Time) -> Vec<BreakerResult> {
        let mut found = Vec::new();
        for (number, cell) in names.cells.iter().enumerate().filter(|(_, c)| c.metric == Some("breaker_state")) {
            let part = |name: &str| label(&cell.labels, name).unwrap_or_default();
            let (from, to, whole) = (part("from"), part("to"), part("scope") == "service");
            let nodes = |name: &str| self.services.iter().find(|info| info.name == name).map_or(1, |info| info.nodes);
            let callees = u64::from(nodes(to)).max(1);
            for row in 0..u64::from(cell.keys) {
                let (caller, callee) = (row / callees, row % callees);
                if whole && callee > 0 {
                    continue;
                }
                let called = |name: &str, node: u64, one: bool| {
                    if one || nodes(name) == 1 { name.to_owned() } else { format!("{name}[{node}]") }
                };
                let occupancy = &self.levels.row(number, row).occupancy;
                let (opened, spans) = self.breakers.history(number, row, end);
                found.push(BreakerResult {
                    from: called(from, caller, false),
                    to: called(to, callee, whole),
                    opened,
                    open_share: occupancy.share_at(2),
                    half_open_share: occupancy.share_at(1),
                    spans,
                });
            }
        }
        found
    }

    /// How far each machine of a store is behind its leader; nothing without leaders, and in a run of many.
    pub fn lags(&self, store: &str) -> Vec<LevelResult> {
        let known = self.replication.iter().flat_map(|replication| &replication.stores);
        let levels = known.filter(|known| known.name == store).flat_map(|known| &known.levels);
        levels.map(|level| self.levels.get(*level).result()).collect()
    }

    pub(super) fn group_results(&self, names: &Names) -> Vec<GroupResult> {
        let result = |group: &Group| GroupResult {
            topic: group.topic.clone(),
            group: group.name.clone(),
            lag: self.levels.get(group.lag).result(),
            age: merged(self.streams(names, "age", &group.labels())),
        };
        self.groups.iter().map(result).collect()
    }

    pub(super) fn outbox_results(&self, names: &Names, end: Time) -> Vec<OutboxResult> {
        let result = |(cell, row, labels): (usize, u64, Vec<(&'static str, String)>)| {
            let service = label(&labels, "service").unwrap_or_default().to_owned();
            let asked = [("service".to_owned(), service.clone())];
            let windows = self.streams(names, "outbox_lag", &asked).next().map(|stream| stream.windows(end));
            OutboxResult {
                service,
                depth: self.levels.row(cell, row).result(),
                lag: merged(self.streams(names, "outbox_lag", &asked)),
                lag_windows: windows.unwrap_or_default().iter().map(|window| window.percentiles).collect(),
            }
        };
        rows(names, "outbox_depth").into_iter().map(result).collect()
    }
}

fn add(
    windows: &mut Vec<RetryWindow>,
    stream: &super::Stream,
    end: Time,
    count: fn(&mut RetryWindow, &OperationWindow),
) {
    let seen = stream.windows(end);
    if windows.len() < seen.len() {
        windows.resize(seen.len(), RetryWindow::default());
    }
    windows.iter_mut().zip(&seen).for_each(|(window, seen)| count(window, seen));
}

/// A group that reads a topic.
#[derive(Clone, Debug)]
pub(super) struct Group {
    topic: String,
    name: String,
    /// By number: the level of what it has still to read, over all partitions.
    lag: usize,
}

impl Group {
    pub(super) fn all(names: &Names, levels: &mut Levels) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for cell in names.cells.iter().filter(|cell| cell.metric == Some("lag")) {
            let of = |name: &str| label(&cell.labels, name).unwrap_or_default().to_owned();
            let mut group = Self { topic: of("topic"), name: of("group"), lag: 0 };
            group.lag = levels.together(&wanted::rows_called(names, "lag", &group.labels()), 0);
            found.push(group);
        }
        found
    }

    fn labels(&self) -> [(String, String); 2] {
        [("topic".to_owned(), self.topic.clone()), ("group".to_owned(), self.name.clone())]
    }
}
