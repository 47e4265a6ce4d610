//! Rows that sagas keep to themselves, as the databases know them where they are.

use std::sync::Arc;

use systems::database::{self, Guard};

use super::Compiler;
use super::scripts::Site;
use crate::model::{LockedOut, SagaIsolation};

impl Compiler<'_> {
    /// Guards the rows of a saga. Gives the services where they are kept for it until it is over.
    pub(super) fn guards(&mut self, saga: u16, isolation: &SagaIsolation, choreographed: bool) -> Vec<u32> {
        if isolation.keys.is_empty() {
            return Vec::new();
        }
        // A variant without the lock knows the word, too: none is rejected for it.
        let locked = self.error("locked");
        let others = isolation.others.map(|others| match others {
            LockedOut::Reject => database::LockedOut::Refused(locked),
            LockedOut::Wait => database::LockedOut::Waits(choreographed.then_some(locked)),
        });
        let mut kept_at = Vec::new();
        for row in &isolation.keys {
            let Some(service) = self.model.services.iter().position(|(name, _)| name.value == row.owner) else {
                continue;
            };
            let Some((table, key)) = self.row(Site { service: &row.owner, path: "" }, row) else { continue };
            let Some(state) = &mut self.plan.services[service].state else { continue };
            let state = Arc::make_mut(state);
            let rows = &state.tables[usize::from(table)];
            let Some(cell) = rows.presence.or(rows.columns.first().map(|(cell, _)| *cell)) else { continue };
            state.guards.push(Guard { saga, table, key, cell, others });
            if others.is_some() && !kept_at.contains(&(service as u32)) {
                kept_at.push(service as u32);
            }
        }
        kept_at
    }
}
