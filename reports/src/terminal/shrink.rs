//! The text of a failing run that was made small: how small, the story that is left, how to get it again.

use super::paint::Paint;
use super::{INDENT, WIDTH, clean, wrapped};
use crate::number::thousands;
use kernel::Span;
use lab::shrink::{Shrunk, Size};

/// The text, with a line feed at its end. `of` is what was made small: `checkout-saga, seed 42`; `file` is where it is now.
pub fn shrink(shrunk: &Shrunk, of: &str, file: &str, colour: bool) -> String {
    let paint = Paint { colour };
    let indent = " ".repeat(INDENT);
    let invariant = shrunk.outcome.invariants.iter().find(|result| result.class == shrunk.class);
    let form = invariant.map(|result| format!("  {}", result.form)).unwrap_or_default();
    let promise = paint.bold(&clean(&shrunk.promise));
    let mut lines = vec![format!("{}  {} → {promise}{form}", paint.bad("✗ SHRUNK"), clean(of))];
    lines.push(format!("{indent}{}", sizes(shrunk.from, shrunk.to)));
    let runs = format!("{} runs", thousands(shrunk.runs));
    lines.push(if shrunk.necessary {
        format!("{indent}{runs}; none of the faults and operations that are left can go")
    } else {
        paint.doubtful(&format!("{indent}{runs}, which was the budget: it might be made smaller still"))
    });
    lines.push(String::new());
    if let Some(result) = invariant {
        let at = result.first.map(|(time, event)| format!("first broken at {time} (event {})", thousands(event)));
        lines.extend(at.map(|at| format!("{indent}{at}")));
        let told = result.witness.iter().flat_map(|line| wrapped(line, WIDTH - INDENT));
        lines.extend(told.map(|line| format!("{indent}{line}")));
    }
    for fault in shrunk.outcome.faults.iter().filter(|fault| fault.effective) {
        let (name, target) = (clean(&fault.name), clean(&fault.target));
        lines.push(format!("{indent}{}  {}  {name}: {} of {target}", fault.from, fault.kind, fault.effects.join(", ")));
    }
    lines.push(String::new());
    let how = if shrunk.edited { "your file, with its comments" } else { "everything written out" };
    lines.push(format!("written  {file}   ({} lines: {how})", shrunk.text.lines().count()));
    lines.push(format!("replay   stormglass run {file}"));
    lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

fn sizes(from: Size, to: Size) -> String {
    let count = |name: &str, from: usize, to: usize| {
        (from != to).then(|| format!("{name} {} → {}", thousands(from as u64), thousands(to as u64)))
    };
    let parts = [
        count("faults", from.faults, to.faults),
        count("operations", from.operations, to.operations),
        count("machines", from.machines, to.machines),
        (from.duration != to.duration).then(|| format!("load {} → {}", Span(from.duration), Span(to.duration))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "nothing can be left out".to_owned() } else { parts.join(" · ") }
}
