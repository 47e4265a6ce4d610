//! Progress on standard error: a bar on a terminal, a line per tenth elsewhere, nothing for what is over at once.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::files;

/// Nothing is shown before this.
const PATIENCE: Duration = Duration::from_millis(500);

/// Set by Ctrl-C.
pub(crate) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Makes Ctrl-C end the work in an orderly way; pressed again, it ends the program.
pub(crate) fn catch_interrupt() {
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(crate::INTERRUPTED));
        }
    };
    // Without a handler Ctrl-C ends the program at once: less polite, not wrong.
    let _ = ctrlc::set_handler(handler);
}

/// Wall time; the engine itself knows none.
#[expect(clippy::disallowed_methods, reason = "wall time is shown on standard error and in meta.json only")]
pub(crate) fn clock() -> Instant {
    Instant::now()
}

/// Wall time since this was asked first.
pub(crate) fn since_start() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(clock).elapsed()
}

/// What is under way.
pub(crate) struct Progress {
    started: Instant,
    terminal: bool,
    bar: ProgressBar,
    state: Mutex<State>,
}

struct State {
    shown: bool,
    tenth: u64,
}

impl Progress {
    /// `unit` is what is counted: `runs`, `virtual s`.
    pub(crate) fn new(name: &str, all: u64, unit: &str) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::hidden());
        let template = format!("{name}  {{bar:40}}  {{pos}} / {{len}} {unit}   {{msg}}   ETA {{eta}}");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("━╸─"));
        Self { started: clock(), terminal, bar, state: Mutex::new(State { shown: false, tenth: 0 }) }
    }

    /// So much is done.
    pub(crate) fn at(&self, done: u64, message: &str) {
        if self.started.elapsed() < PATIENCE {
            return;
        }
        let Ok(mut state) = self.state.lock() else { return };
        if !state.shown {
            state.shown = true;
            if self.terminal {
                self.bar.set_draw_target(ProgressDrawTarget::stderr());
            }
        }
        let all = self.bar.length().unwrap_or(1).max(1);
        if self.terminal {
            self.bar.set_position(done.max(self.bar.position()));
            self.bar.set_message(message.to_owned());
        } else {
            let tenth = done * 10 / all;
            if tenth > state.tenth {
                state.tenth = tenth;
                files::note(&format!("{} %  {message}\n", tenth * 10));
            }
        }
    }

    /// One of many things is over, and has a line of its own, above the bar.
    pub(crate) fn passed(&self, done: u64, line: &str) {
        if !self.terminal {
            return files::note(&format!("{line}\n"));
        }
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
        self.bar.println(line);
        self.bar.set_position(done.max(self.bar.position()));
    }

    /// It is over.
    pub(crate) fn finish(&self) -> Duration {
        self.bar.finish_and_clear();
        self.started.elapsed()
    }
}
