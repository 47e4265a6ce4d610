//! The tables of the outcome.

use std::collections::BTreeMap;

use kernel::{Histogram, Time};
use systems::app::ending::Ending;
use systems::app::spent::Waiting;

use super::Recorder;
use super::level::Level;
use super::stream::Stream;
use super::wanted::{carries, has, label, row_labels};
use crate::names::Names;
use crate::outcome::{
    BreakerResult, GroupResult, LevelResult, LittleResult, MessageCount, MessageQueueResult, OperationResult,
    OutboxResult, QueueResult, RetryResult, SagaResult, ServiceResult, SpentTime, TransactionResult,
};

/// The parts of the outcome that are statistics.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Per operation, those of workloads first.
    pub operations: Vec<OperationResult>,
    /// Per queue.
    pub queues: Vec<QueueResult>,
    /// Per service.
    pub services: Vec<ServiceResult>,
    /// Per transaction type.
    pub transactions: Vec<TransactionResult>,
    /// Per queue of a broker.
    pub message_queues: Vec<MessageQueueResult>,
    /// Per kind of saga.
    pub sagas: Vec<SagaResult>,
    /// Per operation and caller that tries again.
    pub retries: Vec<RetryResult>,
    /// Per breaker.
    pub breakers: Vec<BreakerResult>,
    /// Per group that reads a topic.
    pub groups: Vec<GroupResult>,
    /// Per outbox.
    pub outboxes: Vec<OutboxResult>,
    /// Messages after the warm-up.
    pub messages: Vec<MessageCount>,
    /// Little's law on every queue, over the whole run.
    pub little: Vec<LittleResult>,
}

impl Recorder {
    /// The run ended at `end`; what was open has been told with `still_open`. Called once.
    pub fn finish(&mut self, end: Time, names: &Names) -> Measured {
        assert!(self.end.is_none(), "a run ends once");
        self.stop(end);
        let machines = Machines::new(names);
        Measured {
            operations: self.operations(end, names),
            queues: self.queues(names, &machines),
            services: self.service_results(names),
            transactions: self.transactions(names),
            message_queues: self.message_queues(names),
            sagas: self.saga_results(names),
            retries: self.retry_results(names, end),
            breakers: self.breaker_results(names, end),
            groups: self.group_results(names),
            outboxes: self.outbox_results(names, end),
            messages: self.traffic.result(&self.traffic_warm, names),
            little: self.little(names, &machines),
        }
    }

    fn operations(&self, end: Time, names: &Names) -> Vec<OperationResult> {
        let seconds = self.measured_seconds();
        let calls = names.series.iter().zip(&self.streams).filter(|(series, _)| series.metric == "latency");
        let mut found: Vec<OperationResult> = calls
            .map(|(series, stream)| OperationResult {
                name: label(&series.labels, "op").unwrap_or_default().to_owned(),
                from: label(&series.labels, "from").unwrap_or_default().to_owned(),
                external: has(&series.labels, "workload"),
                ok: stream.tally.ended_as(Ending::Ok),
                failed: stream.tally.ended_as(Ending::Fail),
                unknown: stream.tally.ended_as(Ending::Info),
                rejected: stream.tally.ended_as(Ending::Reject),
                open: stream.tally.cut_short(),
                seconds,
                latency: stream.tally.histogram.clone(),
                spent: self.spent(names, &series.labels),
                windows: stream.windows(end),
            })
            .collect();
        found.sort_by_key(|operation| !operation.external);
        found
    }

    /// Where the time of the calls with these labels went.
    fn spent(&self, names: &Names, labels: &[(&'static str, String)]) -> SpentTime {
        let of = |waiting: &str| -> u128 {
            let is_it = |found: &[(&'static str, String)]| {
                found.split_last().is_some_and(|(last, rest)| last.1 == waiting && rest == labels)
            };
            let all = names.series.iter().zip(&self.streams);
            all.filter(|(series, _)| series.metric == "spent" && is_it(&series.labels)).map(|(_, s)| s.kept).sum()
        };
        let [work, worker, network, data, retries] = Waiting::ALL.map(|(_, name)| of(name));
        SpentTime { work, worker, network, data, retries }
    }

    fn level(&self, names: &Names, metric: &str, labels: &[(&'static str, String)]) -> Option<&Level> {
        let asked = owned(labels);
        let rows = rows(names, metric);
        let (cell, row, _) = rows.iter().find(|(_, _, found)| carries(found, &asked))?;
        Some(self.levels.row(*cell, *row))
    }

    pub(super) fn level_result(&self, names: &Names, metric: &str, labels: &[(&'static str, String)]) -> LevelResult {
        self.level(names, metric, labels).map(Level::result).unwrap_or_default()
    }

    /// The series of a metric that carry labels.
    pub(super) fn streams<'a>(
        &'a self,
        names: &'a Names,
        metric: &'a str,
        labels: &'a [(String, String)],
    ) -> impl Iterator<Item = &'a Stream> {
        let fits = move |(series, _): &(&crate::names::Series, &Stream)| {
            series.metric == metric && carries(&series.labels, labels)
        };
        names.series.iter().zip(&self.streams).filter(fits).map(|(_, stream)| stream)
    }

    fn queues(&self, names: &Names, machines: &Machines<'_>) -> Vec<QueueResult> {
        let mut found = Vec::new();
        for (_, _, labels) in rows(names, "in_system") {
            let streams = |metric| machines.series(metric, &labels).iter().map(|&number| &self.streams[number]);
            let sum = |metric, what: fn(&Stream) -> u64| -> u64 { streams(metric).map(what).sum() };
            let level = |metric| machines.row(metric, &labels).map(|(cell, row)| self.levels.row(cell, row).result());
            let left = sum("sojourn", |stream| stream.tally.ended());
            let cut = sum("sojourn", |stream| stream.tally.cut_short());
            let open = sum("sojourn", |stream| stream.open);
            let wait = merged(streams("wait"));
            found.push(QueueResult {
                name: self.queue_name(&labels),
                service: label(&labels, "service").unwrap_or_default().to_owned(),
                entered: left + cut,
                left,
                refused: sum("refused", |stream| stream.tags.values().sum()),
                lost: cut - open,
                waited_share: if wait.is_empty() { 0.0 } else { 1.0 - wait.share_at_most(0) },
                wait,
                depth: level("queue_depth").unwrap_or_default(),
                busy: level("busy").unwrap_or_default(),
            });
        }
        found
    }

    /// `payment[1]`, or `payment` when there is only one.
    fn queue_name(&self, labels: &[(&'static str, String)]) -> String {
        let (service, node) = (label(labels, "service").unwrap_or_default(), label(labels, "node").unwrap_or_default());
        let nodes = self.services.iter().find(|info| info.name == service).map_or(1, |info| info.nodes);
        if nodes == 1 { service.to_owned() } else { node.to_owned() }
    }

    fn service_results(&self, names: &Names) -> Vec<ServiceResult> {
        let (mut found, all) = (Vec::new(), rows(names, "busy"));
        for info in &self.services {
            let busy = all.iter().filter(|(_, _, labels)| label(labels, "service") == Some(&info.name));
            let busy: Vec<LevelResult> = busy.map(|(cell, row, _)| self.levels.row(*cell, *row).result()).collect();
            let workers = f64::from(info.workers.unwrap_or(0)) * f64::from(info.nodes);
            let share = |busy: f64| if workers > 0.0 { busy / workers } else { 0.0 };
            let windows = busy.iter().map(|level| level.window_mean.len()).max().unwrap_or(0);
            let part = self.traffic.parts.iter().position(|part| *part == info.name);
            found.push(ServiceResult {
                name: info.name.clone(),
                nodes: info.nodes,
                workers: info.workers,
                utilisation: share(busy.iter().map(|level| level.mean).sum()),
                window_utilisation: (0..windows)
                    .map(|n| share(busy.iter().filter_map(|level| level.window_mean.get(n)).sum()))
                    .collect(),
                fsyncs: part.map_or(0, |part| self.traffic.fsyncs[part] - self.traffic_warm.fsyncs[part]),
            });
        }
        found
    }

    fn transactions(&self, names: &Names) -> Vec<TransactionResult> {
        let mut found = Vec::new();
        for (number, protocol) in names.protocols.iter().enumerate() {
            let Some(name) = protocol.strip_prefix("transactions.") else { continue };
            let asked = vec![("tx".to_owned(), name.to_owned())];
            let [in_doubt_level, locks_held] =
                self.transaction_levels[number].map(|level| self.levels.get(level).result());
            let (now, warm) = (self.traffic.decisions[number], self.traffic_warm.decisions[number]);
            let calls = |stream: &Stream| stream.tally.ended() + stream.tally.cut_short();
            found.push(TransactionResult {
                name: name.to_owned(),
                requests: self.streams(names, "latency", &asked).map(calls).sum(),
                begun: now.begun - warm.begun,
                committed: now.committed - warm.committed,
                aborted: now.aborted - warm.aborted,
                reasons: self.reasons(names, &asked),
                in_doubt: merged(self.streams(names, "in_doubt", &asked)),
                lock_wait: merged(self.streams(names, "lock_wait", &asked)),
                hold_time: merged(self.streams(names, "hold_time", &asked)),
                in_doubt_level,
                locks_held,
                wounded: self.streams(names, "wounded", &asked).flat_map(|stream| stream.tags.values()).sum(),
            });
        }
        found
    }

    /// Aborts by reason, in the order of the error words.
    fn reasons(&self, names: &Names, asked: &[(String, String)]) -> Vec<(String, u64)> {
        let mut by_tag = BTreeMap::new();
        for stream in self.streams(names, "aborted", asked) {
            for (tag, count) in &stream.tags {
                *by_tag.entry(*tag).or_insert(0) += count;
            }
        }
        let word = |tag: u16| names.errors.get(usize::from(tag)).cloned().unwrap_or_else(|| format!("reason {tag}"));
        by_tag.into_iter().map(|(tag, count)| (word(tag), count)).collect()
    }

    /// Both sides of Little's law for every queue. They come from different events and share no code.
    fn little(&self, names: &Names, machines: &Machines<'_>) -> Vec<LittleResult> {
        let mut found = Vec::new();
        for (cell, row, labels) in rows(names, "in_system") {
            let sojourns = machines.series("sojourn", &labels).iter().map(|&number| self.streams[number].sum());
            found.push(LittleResult {
                queue: self.queue_name(&labels),
                integral: self.levels.row(cell, row).integral(),
                sojourns: sojourns.sum(),
            });
        }
        found
    }
}

/// Where the statistics of each machine of a service are: services may have many, and none is searched for.
struct Machines<'a> {
    /// Numbers of series, by metric and machine.
    series: BTreeMap<Machine<'a>, Vec<usize>>,
    /// Cells and rows.
    rows: BTreeMap<(&'static str, String, String), (usize, u64)>,
}

/// A metric, a service and one of its machines.
type Machine<'a> = (&'a str, &'a str, &'a str);

impl<'a> Machines<'a> {
    fn new(names: &'a Names) -> Self {
        let mut series: BTreeMap<Machine<'_>, Vec<usize>> = BTreeMap::new();
        for (number, of) in names.series.iter().enumerate() {
            if let Some((service, node)) = machine(&of.labels) {
                series.entry((of.metric, service, node)).or_default().push(number);
            }
        }
        let mut found = BTreeMap::new();
        for metric in ["queue_depth", "busy"] {
            for (cell, row, labels) in rows(names, metric) {
                if let Some((service, node)) = machine(&labels) {
                    found.entry((metric, service.to_owned(), node.to_owned())).or_insert((cell, row));
                }
            }
        }
        Self { series, rows: found }
    }

    /// The series of a metric of the machine that has these labels.
    fn series<'b>(&'b self, metric: &'b str, labels: &'b [(&'static str, String)]) -> &'b [usize] {
        let found = machine(labels).and_then(|(service, node)| self.series.get(&(metric, service, node)));
        found.map_or(&[], Vec::as_slice)
    }

    /// The cell and row of one of its levels.
    fn row(&self, metric: &'static str, labels: &[(&'static str, String)]) -> Option<(usize, u64)> {
        let (service, node) = machine(labels)?;
        self.rows.get(&(metric, service.to_owned(), node.to_owned())).copied()
    }
}

/// Service and machine among labels; the only machine of a service has no number.
fn machine<'a>(labels: &'a [(&'static str, String)]) -> Option<(&'a str, &'a str)> {
    let node = label(labels, "node")?;
    Some((label(labels, "service")?, node.strip_suffix("[0]").unwrap_or(node)))
}

/// A cell's number, one of its rows, and the row's labels.
pub(super) type Row = (usize, u64, Vec<(&'static str, String)>);

/// The rows of all cells of a metric: service by service, node by node.
pub(super) fn rows(names: &Names, metric: &str) -> Vec<Row> {
    let cells = names.cells.iter().enumerate().filter(|(_, cell)| cell.metric == Some(metric));
    let rows =
        cells.flat_map(|(number, cell)| (0..u64::from(cell.keys)).map(move |row| (number, row, row_labels(cell, row))));
    rows.collect()
}

pub(super) fn owned(labels: &[(&'static str, String)]) -> Vec<(String, String)> {
    labels.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

pub(super) fn merged<'a>(streams: impl Iterator<Item = &'a Stream>) -> Histogram {
    let mut whole = Histogram::new(Histogram::PER_OP);
    for stream in streams {
        whole.merge(&stream.tally.histogram);
    }
    whole
}
