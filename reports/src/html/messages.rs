//! The queues of brokers, whether their books balanced, the groups that read topics, and the outboxes that feed both.

use super::Section;
use super::markup::Markup;
use super::table::{Table, most, numbers, words};
use crate::names::group_name;
use crate::number::{plain, quantile, thousands, thousands_signed};
use crate::terminal::books;
use lab::outcome::{GroupResult, MessageQueueResult, OutboxResult, Outcome};

/// A row per queue, per group and per outbox.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    let deepest = |queue: &MessageQueueResult| (queue.depth.max, queue.accepted);
    let (shown, note) = most(&outcome.message_queues, "the deepest", "messages.csv", deepest);
    if shown.is_empty() && outcome.groups.is_empty() && outcome.outboxes.is_empty() {
        return None;
    }
    let mut body = Markup::default();
    if !shown.is_empty() {
        body.leaf(
            "p",
            &[("class", "lead")],
            "Queues of brokers. Depth: messages ready and in flight. Wait: from accepted to the first delivery; age: until \
             it is gone. The books: ready + in flight = accepted − acknowledged − expired − dead-lettered − dropped.",
        );
        queues(&mut body, &shown, note.as_deref());
    }
    if !outcome.groups.is_empty() {
        let lead = "Groups that read topics. Lag: what is published and not yet committed by the group; age: from published \
                    to committed.";
        body.leaf("p", &[("class", "lead")], lead);
        groups(&mut body, &outcome.groups);
    }
    if !outcome.outboxes.is_empty() {
        outboxes(&mut body, &outcome.outboxes);
    }
    Some(Section { id: "messages", title: "Messages", body })
}

fn queues(body: &mut Markup, shown: &[&MessageQueueResult], note: Option<&str>) {
    let mut table = Table::new(&[
        words("queue"),
        numbers("in", ""),
        numbers("out", ""),
        numbers("redelivered", ""),
        numbers("dead", ""),
        numbers("expired", ""),
        numbers("dropped", ""),
        numbers("refused", ""),
        numbers("depth mean", ""),
        numbers("max", ""),
        numbers("at end", ""),
        numbers("wait p50", ""),
        numbers("wait p99", ""),
        numbers("age p99", ""),
    ]);
    for queue in shown {
        let mut cells = vec![queue.name.clone()];
        let counts = [queue.accepted, queue.acknowledged, queue.redelivered, queue.dead_lettered];
        cells.extend(counts.map(thousands));
        cells.extend([queue.expired, queue.dropped, queue.refused].map(thousands));
        cells.push(plain(queue.depth.mean));
        cells.extend([queue.depth.max, queue.depth.end].map(thousands_signed));
        cells.extend([quantile(&queue.wait, 0.5), quantile(&queue.wait, 0.99)]);
        cells.push(quantile(&queue.age, 0.99));
        table.row(cells);
        if queue.identity.checked > 0 {
            table.below(format!("books {}", books(queue)));
        }
    }
    table.without_empty(&["expired", "dropped", "refused"], &["0"]).write(body, note);
}

fn groups(body: &mut Markup, all: &[GroupResult]) {
    let (shown, note) = most(all, "the furthest behind", "timeseries.csv", |group| group.lag.max);
    let mut table = Table::new(&[
        words("group"),
        numbers("read", ""),
        numbers("lag mean", ""),
        numbers("max", ""),
        numbers("at end", ""),
        numbers("age p50", ""),
        numbers("age p99", ""),
        numbers("longest", ""),
    ]);
    for group in shown {
        let mut cells = vec![group_name(group), thousands(group.age.count()), plain(group.lag.mean)];
        cells.extend([group.lag.max, group.lag.end].map(thousands_signed));
        cells.extend([0.5, 0.99, 1.0].map(|q| quantile(&group.age, q)));
        table.row(cells);
    }
    table.write(body, note.as_deref());
}

fn outboxes(body: &mut Markup, all: &[OutboxResult]) {
    let (shown, note) = most(all, "the fullest", "timeseries.csv", |outbox| outbox.depth.max);
    let mut table = Table::new(&[
        words("outbox of"),
        numbers("messages", ""),
        numbers("waiting mean", ""),
        numbers("max", ""),
        numbers("at end", ""),
        numbers("lag p50", ""),
        numbers("lag p99", ""),
        numbers("longest", ""),
    ]);
    for outbox in shown {
        let mut cells = vec![outbox.service.clone(), thousands(outbox.lag.count()), plain(outbox.depth.mean)];
        cells.extend([outbox.depth.max, outbox.depth.end].map(thousands_signed));
        cells.extend([0.5, 0.99, 1.0].map(|q| quantile(&outbox.lag, q)));
        table.row(cells);
    }
    table.write(body, note.as_deref());
}
