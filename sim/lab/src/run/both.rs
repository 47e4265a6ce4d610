//! Two who listen to the same run, one after the other.

use cluster::{FaultEvent, Instance, MessageEvent, Watch};
use kernel::{Delta, Fact, NodeId, PointId, Process, Sample, SeriesId, Time};

/// Tells both what it is told.
pub(super) struct Both<'a, A, B>(pub(super) &'a mut A, pub(super) &'a mut B);

impl<P: Process, A: Watch<P>, B: Watch<P>> Watch<P> for Both<'_, A, B> {
    fn output(&mut self, now: Time, node: NodeId, output: &P::Output) {
        self.0.output(now, node, output);
        self.1.output(now, node, output);
    }
    fn fact(&mut self, fact: Fact) {
        self.0.fact(fact);
        self.1.fact(fact);
    }
    fn change(&mut self, now: Time, node: NodeId, change: &[Delta]) {
        self.0.change(now, node, change);
        self.1.change(now, node, change);
    }
    fn sample(&mut self, now: Time, node: NodeId, sample: Sample) {
        self.0.sample(now, node, sample);
        self.1.sample(now, node, sample);
    }
    fn cut_short(&mut self, now: Time, node: NodeId, series: SeriesId, since: Time) {
        self.0.cut_short(now, node, series, since);
        self.1.cut_short(now, node, series, since);
    }
    fn kept_sum(&mut self, now: Time, node: NodeId, series: SeriesId, sum: u128) {
        self.0.kept_sum(now, node, series, sum);
        self.1.kept_sum(now, node, series, sum);
    }
    fn point(&mut self, now: Time, node: NodeId, point: PointId, of: u32) {
        self.0.point(now, node, point, of);
        self.1.point(now, node, point, of);
    }
    fn letter(&mut self, now: Time, id: u64, ends: (NodeId, NodeId), message: &P::Message, waited: Option<u32>) {
        self.0.letter(now, id, ends, message, waited);
        self.1.letter(now, id, ends, message, waited);
    }
    fn withheld(&mut self, now: Time, node: NodeId, waiting: u32) {
        self.0.withheld(now, node, waiting);
        self.1.withheld(now, node, waiting);
    }
    fn copied(&mut self, now: Time, copy: u64, of: u64) {
        self.0.copied(now, copy, of);
        self.1.copied(now, copy, of);
    }
    fn armed(&mut self, now: Time, node: NodeId, timer: &P::Timer) {
        self.0.armed(now, node, timer);
        self.1.armed(now, node, timer);
    }
    fn fires(&mut self, now: Time, node: NodeId, timer: &P::Timer) {
        self.0.fires(now, node, timer);
        self.1.fires(now, node, timer);
    }
    fn hears_reset(&mut self, now: Time, node: NodeId, id: u64) {
        self.0.hears_reset(now, node, id);
        self.1.hears_reset(now, node, id);
    }
    fn persists(&mut self, now: Time, node: NodeId, record: &P::Record) {
        self.0.persists(now, node, record);
        self.1.persists(now, node, record);
    }
    fn message(&mut self, now: Time, message: MessageEvent) {
        self.0.message(now, message);
        self.1.message(now, message);
    }
    fn fault(&mut self, now: Time, instance: &Instance, event: FaultEvent) {
        self.0.fault(now, instance, event);
        self.1.fault(now, instance, event);
    }
    fn fsync(&mut self, now: Time, node: NodeId, records: u32) {
        self.0.fsync(now, node, records);
        self.1.fsync(now, node, records);
    }
    fn disk_full(&mut self, now: Time, node: NodeId) {
        self.0.disk_full(now, node);
        self.1.disk_full(now, node);
    }
    fn crashed(&mut self, now: Time, node: NodeId) {
        self.0.crashed(now, node);
        self.1.crashed(now, node);
    }
    fn restarted(&mut self, now: Time, node: NodeId) {
        self.0.restarted(now, node);
        self.1.restarted(now, node);
    }
}
