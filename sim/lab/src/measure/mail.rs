//! The queues of brokers: what came in and what went out, and whether the books balance after every change.
//!
//! A queue tells both sides of `ready + in flight = accepted − acknowledged − expired − dead-lettered − dropped` (it starts
//! empty): the left is the length of what it holds, the right is counted where it happens. Here they are compared.

use kernel::{Delta, Time};
use systems::messaging::Figure;

use super::levels::Levels;
use super::wanted::{carries, label};
use crate::names::Names;
use crate::outcome::{Identity, MessageWindow};

/// The metric of a queue's figure, as cells and thresholds call it.
pub(crate) const fn queue_metric(figure: Figure) -> &'static str {
    match figure {
        Figure::Depth => "queue_depth",
        Figure::Ready => "queue_ready",
        Figure::InFlight => "queue_unacked",
        Figure::Accepted => "accepted",
        Figure::Acknowledged => "acknowledged",
        Figure::Expired => "expired",
        Figure::DeadLettered => "dead_lettered",
        Figure::Dropped => "dropped",
        Figure::Delivered => "delivered",
        Figure::Redelivered => "redelivered",
        Figure::Blocked => "blocked",
        Figure::Refused => "refused_publishes",
        Figure::StaleAcks => "stale_acks",
    }
}

/// Whether a figure only grows, as long as its broker lives.
const fn grows(figure: Figure) -> bool {
    !matches!(figure, Figure::Depth | Figure::Ready | Figure::InFlight | Figure::Blocked)
}

/// Whether cells of this metric count occurrences, and are no levels.
pub(super) fn is_count(metric: &str) -> bool {
    metric == "unroutable" || Figure::ALL.iter().any(|(figure, _)| grows(*figure) && queue_metric(*figure) == metric)
}

const FIGURES: usize = Figure::ALL.len();
/// No queue's cell.
const NONE: u32 = u32::MAX;

/// All queues of brokers.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    /// By cell: which queue and figure it is, as queue × [`FIGURES`] + figure.
    by_cell: Vec<u32>,
    pub(super) queues: Vec<Books>,
    /// Those that the change at hand is about.
    touched: Vec<u32>,
}

/// The books of one queue.
#[derive(Clone, Debug)]
pub(super) struct Books {
    pub(super) name: String,
    /// As it was told last. A crash sets back what it loses.
    now: [i64; FIGURES],
    /// How often each figure grew by one, over the whole run: what a crash sets back has happened all the same.
    counted: [u64; FIGURES],
    /// The same when the warm-up ended.
    warm: [u64; FIGURES],
    /// The level of the identity's error.
    error: usize,
    pub(super) identity: Identity,
    windows: Vec<MessageWindow>,
    /// What was counted when the current window began.
    begun: [u64; FIGURES],
}

impl Mail {
    pub(super) fn new(names: &Names, levels: &mut Levels) -> Self {
        let mut queues: Vec<Books> = Vec::new();
        let mut by_cell = vec![NONE; names.cells.len()];
        for (code, cell) in by_cell.iter_mut().zip(&names.cells) {
            let figure = Figure::ALL.iter().find(|(figure, _)| Some(queue_metric(*figure)) == cell.metric);
            let (Some((figure, _)), Some(name)) = (figure, label(&cell.labels, "queue")) else { continue };
            let found = queues.iter().position(|books| books.name == name);
            let queue = found.unwrap_or_else(|| {
                queues.push(Books::new(name.to_owned(), levels.add()));
                queues.len() - 1
            });
            *code = (queue * FIGURES + *figure as usize) as u32;
        }
        Self { by_cell, queues, touched: Vec::new() }
    }

    /// The numbers of the queues that carry labels.
    pub(super) fn called(&self, labels: &[(String, String)]) -> Vec<usize> {
        let fits = |n: usize| carries(&[("queue", self.queues[n].name.clone())], labels);
        (0..self.queues.len()).filter(|&n| fits(n)).collect()
    }

    /// How often a figure of a queue grew, over the whole run.
    pub(super) fn counted(&self, queue: usize, figure: Figure) -> u64 {
        self.queues[queue].counted[figure as usize]
    }

    /// The level of a queue's error.
    pub(super) fn error(&self, queue: usize) -> usize {
        self.queues[queue].error
    }

    /// Whether changes of this cell matter here.
    pub(super) fn knows(&self, cell: usize) -> bool {
        self.by_cell[cell] != NONE
    }

    /// Something changed, all of it at once.
    #[inline]
    pub(super) fn change(&mut self, now: Time, change: &[Delta], levels: &mut Levels) {
        if self.queues.is_empty() {
            return;
        }
        for delta in change {
            let code = self.by_cell[delta.cell.0 as usize];
            if code != NONE {
                self.tell(code as usize, delta.after);
            }
        }
        while let Some(queue) = self.touched.pop() {
            let books = &mut self.queues[queue as usize];
            let error = books.balance(now);
            levels.set(now, books.error, error);
        }
    }

    fn tell(&mut self, code: usize, value: i64) {
        let (queue, figure) = (code / FIGURES, code % FIGURES);
        let books = &mut self.queues[queue];
        books.counted[figure] += (value - books.now[figure]).max(0) as u64;
        books.now[figure] = value;
        if !self.touched.contains(&(queue as u32)) {
            self.touched.push(queue as u32);
        }
    }

    pub(super) fn warmed_up(&mut self) {
        for books in &mut self.queues {
            books.warm = books.counted;
        }
    }

    pub(super) fn close_window(&mut self) {
        for books in &mut self.queues {
            books.close_window();
        }
    }
}

impl Books {
    fn new(name: String, error: usize) -> Self {
        Self {
            name,
            now: [0; FIGURES],
            counted: [0; FIGURES],
            warm: [0; FIGURES],
            error,
            identity: Identity::default(),
            windows: Vec::new(),
            begun: [0; FIGURES],
        }
    }

    /// Compares both sides and gives their difference. What it holds is told twice, whole and in its two parts.
    fn balance(&mut self, now: Time) -> i64 {
        let told = |figure: Figure| self.now[figure as usize];
        let gone = [Figure::Acknowledged, Figure::Expired, Figure::DeadLettered, Figure::Dropped];
        let right = told(Figure::Accepted) - gone.into_iter().map(told).sum::<i64>();
        let parts = told(Figure::Ready) + told(Figure::InFlight);
        let error = (parts - right).abs().max((told(Figure::Depth) - right).abs());
        self.identity.checked += 1;
        if error > 0 {
            self.identity.violations += 1;
            self.identity.worst = self.identity.worst.max(error.unsigned_abs());
            self.identity.first.get_or_insert(now);
        }
        error
    }

    /// How often a figure grew after the warm-up.
    pub(super) fn measured(&self, figure: Figure) -> u64 {
        self.counted[figure as usize] - self.warm[figure as usize]
    }

    fn close_window(&mut self) {
        let since = |figure: Figure| self.counted[figure as usize] - self.begun[figure as usize];
        self.windows.push(MessageWindow {
            accepted: since(Figure::Accepted),
            acknowledged: since(Figure::Acknowledged),
            redelivered: since(Figure::Redelivered),
        });
        self.begun = self.counted;
    }

    /// The windows of the whole run, as many as levels have.
    pub(super) fn windows(&self, count: usize) -> Vec<MessageWindow> {
        self.windows.iter().take(count).copied().collect()
    }
}
