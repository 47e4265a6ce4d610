//! Checks a certificate. It knows the model and nothing of the search.
//!
//! An order explains a history if it has every operation that happened, none that did not, none twice, nothing before
//! something that had ended before it began, and if the model, asked in this order, answers as was answered.

use alloc::format;
use alloc::string::String;
use alloc::vec;

use crate::history::{History, Order, Outcome};
use crate::models::Spec;

/// Whether these orders explain the history; if not, why not.
pub fn replay<S: Spec>(spec: &S, history: &History, orders: &[Order]) -> Result<(), String> {
    let mut seen = vec![false; history.operations.len()];
    for order in orders {
        let mut state = spec.initial(&order.key);
        for &index in &order.operations {
            let Some(operation) = history.operations.get(index as usize) else {
                return Err(format!("there is no operation {index}"));
            };
            if core::mem::replace(&mut seen[index as usize], true) {
                return Err(format!("{operation} stands there twice"));
            }
            if spec.key(operation) != order.key {
                return Err(format!("{operation} is not about {}", order.key));
            }
            let call = spec.call(operation, history.dialect).map_err(|refusal| refusal.what)?;
            let Some(call) = call else { return Err(format!("{operation} constrains nothing")) };
            if !spec.advance(&mut state, &call) {
                return Err(format!("{operation}: {}", spec.refusal(&state, &call)));
            }
        }
        let mut earliest_end = u32::MAX;
        for &index in order.operations.iter().rev() {
            let operation = &history.operations[index as usize];
            if earliest_end < operation.invoked {
                return Err(format!("{operation} stands before something that had ended before it began"));
            }
            let ends = if operation.outcome == Outcome::Info { u32::MAX } else { operation.returned };
            earliest_end = earliest_end.min(ends);
        }
    }
    for (operation, seen) in history.operations.iter().zip(seen) {
        let needed = !seen && operation.outcome != Outcome::Info;
        if needed && spec.call(operation, history.dialect).map_err(|refusal| refusal.what)?.is_some() {
            return Err(format!("{operation} is missing"));
        }
    }
    // Two orders of one object would each begin at its beginning.
    let mut keys: alloc::vec::Vec<_> = orders.iter().map(|order| &order.key).collect();
    keys.sort();
    match keys.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("{} has two orders", pair[0])),
        None => Ok(()),
    }
}
