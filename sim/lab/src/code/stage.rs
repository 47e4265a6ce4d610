//! Processes that are written in Rust take the places that the file has for them.

use std::sync::Arc;

use systems::app::guest::Stage;
use systems::app::message;

use crate::compile::Compiled;
use crate::scenario::Scenario;

/// Every service with `process` is played. That there is such a process was checked when the scenario was loaded.
pub(crate) fn attach(scenario: &Scenario, compiled: &mut Compiled) {
    let code = scenario.code();
    let mut first_op = 0;
    for (number, (name, service)) in scenario.model.services.iter().enumerate() {
        let ops = (first_op..).zip(service.ops.iter().map(|(op, _)| op.value.clone()));
        first_op += service.ops.len() as u32;
        let Some(made) = service.process.as_ref().and_then(|process| code.made(&process.value)) else { continue };
        let kinds_from = compiled.names.kinds.len();
        assert!(kinds_from + made.kinds.len() <= 256, "protocols have too many kinds of messages");
        let kinds = made.kinds.iter().map(|kind| (*kind).to_owned());
        compiled.names.kinds.extend(kinds);
        let plan = Arc::make_mut(&mut compiled.plan);
        let host = &plan.services[number];
        let items = service.state.iter().zip(&host.rows.items);
        let stage = Stage {
            service: name.value.clone(),
            nodes: (0..host.nodes).map(|node| kernel::NodeId(host.first.0 + node)).collect(),
            cells: items.map(|((item, _), row)| (item.value.clone(), row.cell)).collect(),
            ops: ops.collect(),
            variables: compiled.variables.iter().cloned().zip((0..).map(systems::expression::VariableId)).collect(),
            errors: compiled.names.errors.clone(),
            kinds_from: kinds_from as u8,
        };
        plan.services[number].guest = Some((made.host)(stage));
    }
    debug_assert!(compiled.names.kinds.len() >= message::kinds().len(), "kinds are only added");
}
