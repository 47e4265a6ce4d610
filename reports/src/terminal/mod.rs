//! Results as text for a terminal: verdict first, then what is wrong, then how it behaved, then where to look.
//!
//! At most 100 columns where names allow it, no wall times, colour only when asked for. The layout is that of the
//! interface document.

mod grid;
mod paint;
mod parts;
mod run;
mod sections;
mod shrink;
mod stores;
mod story;
mod suite;
mod sweep;

pub(crate) use parts::books;
pub use run::run;
pub(crate) use run::{counts, missed, over_its_seeds, simply_passed, verdict_mark, virtual_time};
pub(crate) use sections::{expectation, fault_name, invariant_told, left_to_sweeps, reasons, when};
pub use shrink::shrink;
pub use story::story;
pub(crate) use story::{counts as story_counts, passing as story_passing};
pub use suite::suite;
pub use sweep::sweep;
pub(crate) use sweep::way;

/// Columns of a line.
const WIDTH: usize = 100;
/// Columns before what belongs to a verdict.
const INDENT: usize = 9;

/// Columns a text takes: one per character, which holds for everything we print.
fn columns(text: &str) -> usize {
    text.chars().count()
}

/// Cuts a text into lines of at most `width` columns, at spaces; a longer word gets a line of its own. Characters that
/// would move the cursor or switch colours become `�`.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut current = String::new();
        for word in line.split(' ') {
            if !current.is_empty() && columns(&current) + 1 + columns(word) > width {
                lines.push(std::mem::take(&mut current));
            } else if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines.iter().map(|line| clean(line)).collect()
}

fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}
