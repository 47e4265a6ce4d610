//! The queues in front of workers, and the services they belong to.

use super::Section;
use super::markup::Markup;
use super::table::{NONE, Table, most, numbers, words};
use crate::number::{mean, percent, plain, quantile, thousands, thousands_signed};
use lab::outcome::{Outcome, QueueResult};

/// A row per queue.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    let deepest = |queue: &QueueResult| (queue.depth.max, queue.entered);
    let (shown, note) = most(&outcome.queues, "the deepest", "queues.csv", deepest);
    if shown.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        words("queue"),
        numbers("in", ""),
        numbers("out", ""),
        numbers("refused", ""),
        numbers("lost", ""),
        numbers("waited", ""),
        numbers("wait mean", ""),
        numbers("wait p99", ""),
        numbers("depth mean", ""),
        numbers("max", ""),
        numbers("at end", ""),
        numbers("busy", "workers"),
        numbers("utilisation", ""),
    ]);
    for queue in shown {
        let mut cells = vec![queue.name.clone()];
        cells.extend([queue.entered, queue.left, queue.refused, queue.lost].map(thousands));
        cells.push(percent(queue.waited_share));
        cells.push(mean(&queue.wait));
        cells.extend([quantile(&queue.wait, 0.99), plain(queue.depth.mean)]);
        cells.extend([queue.depth.max, queue.depth.end].map(thousands_signed));
        cells.push(plain(queue.busy.mean));
        let service =
            outcome.services.iter().find(|service| service.name == queue.service && service.workers.is_some());
        cells.push(service.map_or(NONE.to_owned(), |service| percent(service.utilisation)));
        table.row(cells);
    }
    let mut body = Markup::default();
    body.leaf(
        "p",
        &[("class", "lead")],
        "Requests waiting for a worker. Utilisation is that of the whole service, after warm-up, until load ends.",
    );
    table.without_empty(&["refused", "lost", "utilisation"], &["0", NONE]).write(&mut body, note.as_deref());
    Some(Section { id: "queues", title: "Queues", body })
}
