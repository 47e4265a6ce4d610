//! Services that a process written in Rust plays.

use super::Checker;
use crate::model::State;
use crate::nearest::nearest;
use crate::scenario::Diagnostic;

impl Checker<'_> {
    /// There is such a process, and nothing else says what the service does.
    pub(super) fn processes(&mut self) {
        let model = self.model;
        for (name, service) in &model.services {
            let Some(process) = &service.process else { continue };
            let known = || self.sources[0].code.processes();
            if known().all(|known| known != process.value) {
                let label = "only the Rust program that has this process can run it";
                let all: Vec<&str> = known().collect();
                let help = match (nearest(&process.value, known()), all.is_empty()) {
                    (Some(near), _) => format!("`{near}`?"),
                    (None, true) => "`stormglass::scenario(…).process::<P>(\"name\", …)` hands one in".to_owned(),
                    (None, false) => format!("this program has {}", all.join(", ")),
                };
                let message = format!("no process is called `{}`", process.value);
                self.errors.push(Diagnostic::error(process.place, message, label).help(help));
            }
            for (item, _) in service.state.iter().filter(|(_, state)| !matches!(state, State::Counter { .. })) {
                let message = format!("`{}` is no counter", item.value);
                let label = format!("what `{}` remembers is written in Rust; the file sees counters of it", name.value);
                self.errors.push(Diagnostic::error(item.place, message, label).also(process.place, "it is played"));
            }
        }
    }
}
