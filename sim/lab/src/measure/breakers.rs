//! Circuit breakers over time: when each of them was not closed. For charts; the shares of time come from their levels.

use kernel::{Delta, Time};

use crate::names::Names;
use crate::outcome::{BreakerSpan, BreakerState};

/// Of each breaker at most this many stretches are kept; what comes later is in the shares of time alone.
const SPANS_MAX: usize = 2_000;

/// No breaker's cell.
const NONE: u32 = u32::MAX;

/// All breakers.
#[derive(Clone, Debug)]
pub(super) struct Breakers {
    /// By cell: its first row in `rows`.
    first: Vec<u32>,
    rows: Vec<Row>,
}

/// One breaker: one node's view of another.
#[derive(Clone, Default, Debug)]
struct Row {
    /// It opened so often, over the whole run.
    opened: u64,
    /// What it is now, and since when, if it is not closed.
    now: Option<(BreakerState, Time)>,
    spans: Vec<BreakerSpan>,
}

impl Breakers {
    pub(super) fn new(names: &Names) -> Self {
        let (mut rows, mut first) = (Vec::new(), Vec::new());
        for cell in &names.cells {
            let breaker = cell.metric == Some("breaker_state");
            first.push(if breaker { rows.len() as u32 } else { NONE });
            if breaker {
                rows.extend((0..cell.keys).map(|_| Row::default()));
            }
        }
        Self { first, rows }
    }

    /// Whether changes of this cell matter here.
    pub(super) fn knows(&self, cell: usize) -> bool {
        self.first[cell] != NONE
    }

    #[inline]
    pub(super) fn change(&mut self, now: Time, change: &[Delta]) {
        if self.rows.is_empty() {
            return;
        }
        for delta in change {
            let first = self.first[delta.cell.0 as usize];
            if first != NONE {
                self.rows[first as usize + delta.key as usize].turn(now, delta.after);
            }
        }
    }

    /// How often a breaker opened, and when it was not closed; what has not ended ends with the run.
    pub(super) fn history(&self, cell: usize, row: u64, end: Time) -> (u64, Vec<BreakerSpan>) {
        let mut row = self.rows[self.first[cell] as usize + row as usize].clone();
        row.close(end);
        (row.opened, row.spans)
    }
}

impl Row {
    fn turn(&mut self, now: Time, value: i64) {
        let state = match value {
            1 => Some(BreakerState::HalfOpen),
            2 => Some(BreakerState::Open),
            _ => None,
        };
        if state == self.now.map(|(state, _)| state) {
            return;
        }
        self.close(now);
        self.opened += u64::from(state == Some(BreakerState::Open));
        self.now = state.map(|state| (state, now));
    }

    fn close(&mut self, now: Time) {
        if let Some((state, from)) = self.now.take()
            && self.spans.len() < SPANS_MAX
            && from < now
        {
            self.spans.push(BreakerSpan { state, from, to: now });
        }
    }
}
