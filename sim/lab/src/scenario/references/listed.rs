//! Operations that begin at times of their own: whose are they, and is each there once?

use std::collections::BTreeMap;

use super::super::diagnostic::Diagnostic;
use super::Checker;
use crate::model::{At, Load, Only, Place, Workload};

impl<'a> Checker<'a> {
    pub(super) fn listed(&mut self, name: &'a At<String>, workload: &'a Workload) {
        let Some(Only::Listed(listed)) = &workload.only else { return };
        if self.broken(&[&format!("workloads.{}.users", name.value)]) {
            return;
        }
        let mut known: BTreeMap<u64, Place> = BTreeMap::new();
        for begin in listed {
            if let Some(first) = known.insert(begin.number, begin.place) {
                let message = format!("operation {} of `{}` begins twice", begin.number, name.value);
                self.errors.push(Diagnostic::error(begin.place, message, "the second").also(first, "the first"));
            }
            let told = match (&workload.load, begin.user) {
                (Load::Users { users, .. }, Some(user)) if user < *users => continue,
                (Load::Users { users: 1, .. }, Some(_)) => "`users` is 1: there is user 0 only".to_owned(),
                (Load::Users { users, .. }, Some(_)) => format!("there are users 0 to {}", users - 1),
                (Load::Users { .. }, None) => "whose it is: `user = 0`".to_owned(),
                (Load::Rate { .. } | Load::Trace(_), None) => continue,
                (Load::Rate { .. } | Load::Trace(_), Some(_)) => "only a closed loop has users".to_owned(),
            };
            let message = format!("operation {} of `{}` is nobody's", begin.number, name.value);
            self.errors.push(Diagnostic::error(begin.place, message, told));
        }
    }
}
