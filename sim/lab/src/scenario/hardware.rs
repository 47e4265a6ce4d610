//! The parts of the model that are hardware: links, zones, disks.

use super::build::{Reader, dist};
use super::distributions::Sort;
use super::resolve::join;
use super::tree::Node;
use super::values;
use crate::model::{At, Disk, Limit, Link, Loss, Transport, ZonePath};

/// Why a value may be relied on.
const CHECKED: &str = "resolve checked the value";

/// The keys of `[network]` or of one link.
pub(super) fn link(r: &Reader<'_>) -> Link {
    let buffer = r.node("buffer").map(|node| At { value: limit(node, values::bytes), place: node.place });
    Link {
        latency: r.maybe_dist("latency", Sort::Durations),
        loss: r.node("loss").map(|_| loss(&r.below("loss"))),
        duplicate: r.maybe_share("duplicate"),
        reorder: r.node("reorder").map(|node| At { value: r.share("reorder"), place: node.place }),
        corrupt: r.maybe_share("corrupt"),
        bandwidth: r.node("bandwidth").map(|node| limit(node, values::bandwidth)),
        buffer,
        transport: r.node("transport").map(|_| match r.text("transport") {
            "udp" => Transport::Udp,
            "http1" => Transport::Http1,
            "http2" => Transport::Http2,
            "grpc" => Transport::Grpc,
            _ => Transport::Tcp,
        }),
    }
}

fn loss(r: &Reader<'_>) -> Loss {
    if r.text("kind") == "gilbert_elliott" {
        let (good_to_bad, bad_to_good) = (r.share("good_to_bad"), r.share("bad_to_good"));
        return Loss::GilbertElliott { good_to_bad, bad_to_good, bad: r.share("bad") };
    }
    Loss::Independent(r.share("share"))
}

fn limit(node: &Node, one: impl Fn(&str) -> Result<u64, values::Bad>) -> Limit {
    match node.as_text() {
        None | Some("unlimited") => Limit::Unlimited,
        Some(written) => Limit::At(one(written).expect(CHECKED)),
    }
}

/// `disk` of everything with nodes.
pub(super) fn disk(r: &Reader<'_>) -> Disk {
    Disk {
        fsync: r.dist("fsync"),
        throughput: r.node("throughput").map_or(Limit::Unlimited, |node| limit(node, values::bandwidth)),
        group_commit: r.span("group_commit"),
        capacity: r.node("capacity").map_or(Limit::Unlimited, |node| limit(node, values::bytes)),
    }
}

/// `zone` or `zones`.
pub(super) fn zones(r: &Reader<'_>) -> Vec<At<String>> {
    r.maybe_at("zone").map_or_else(|| r.texts("zones"), |zone| vec![zone])
}

/// `[zones]`: every way that is written.
pub(super) fn zone_paths(r: &Reader<'_>) -> Vec<ZonePath> {
    let mut paths = Vec::new();
    for (from, entry) in &r.table.entries {
        let there = r.below(from);
        for (to, way) in &there.table.entries {
            paths.push(ZonePath {
                from: At { value: from.clone(), place: entry.key },
                to: At { value: to.clone(), place: way.key },
                latency: dist(&way.node, Sort::Durations, join(&there.path, to)),
            });
        }
    }
    paths
}
