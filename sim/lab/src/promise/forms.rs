//! The forms of promises over state, compiled: which predicate, and what it reads.

use kernel::CellId;

use super::aggregate::Over;
use super::predicate::{Predicate, Reads};
use super::state::State;
use super::tally::Kind;
use super::watch::{Form, Open};
use crate::expression::Problem;
use crate::model;
use crate::model::At;
use crate::names::Names;
use crate::nearest::nearest;

/// Compiles one form over state.
pub(super) fn compile_form(
    form: &model::Form,
    names: &Names,
    state: &mut State,
) -> Result<(Form, Reads), Vec<Problem>> {
    let mut one = |text: &At<String>, transition| Predicate::compile(text, transition, names, state);
    Ok(match form {
        model::Form::Always(text) => with(one(text, false)?, |predicate| Form::Always { predicate, wanted: true }),
        model::Form::Never(text) => with(one(text, false)?, |predicate| Form::Always { predicate, wanted: false }),
        model::Form::AtRest { predicate, of: None } => {
            with(one(predicate, false)?, |predicate| Form::AtRest { predicate, of: None })
        }
        model::Form::AtRest { predicate, of: Some(of) } => {
            let compiled = one(predicate, false);
            let ((predicate, reads), (cell, open)) = both(compiled, open_instances(of, names, state))?;
            (Form::AtRest { predicate, of: Some(open) }, [reads, vec![(cell, None)]].concat())
        }
        model::Form::Finally { predicate, after } => {
            with(one(predicate, false)?, |predicate| Form::Finally { predicate, after: *after })
        }
        model::Form::EventuallyAfterHeal { predicate, within } => with(one(predicate, false)?, |predicate| {
            Form::Eventually { predicate, within: *within, healed: None, true_since: None }
        }),
        model::Form::Sometimes { predicate, at_least } => {
            with(one(predicate, false)?, |predicate| Form::Sometimes { predicate, at_least: *at_least, reached: None })
        }
        model::Form::Transition(text) => {
            with(one(text, true)?, |predicate| Form::Transition { predicate, blurred: false })
        }
        model::Form::LeadsTo { when, then, within, for_each: _ } => {
            let (when, then) = both(one(when, false), one(then, false))?;
            let reads = [when.1, then.1].concat();
            (Form::LeadsTo { when: when.0, then: then.0, within: *within, was: false, pending: None }, reads)
        }
        model::Form::Check(_) => unreachable!("judges are compiled elsewhere"),
    })
}

fn with((predicate, reads): (Predicate, Reads), form: impl FnOnce(Predicate) -> Form) -> (Form, Reads) {
    (form(predicate), reads)
}

/// Both, or the problems of both.
pub(super) fn both<A, B>(a: Result<A, Vec<Problem>>, b: Result<B, Vec<Problem>>) -> Result<(A, B), Vec<Problem>> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(a), Err(b)) => Err([a, b].concat()),
        (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => Err(problems),
    }
}

/// How many instances of `sagas.x` are open, and the cell that tells it.
fn open_instances(of: &At<String>, names: &Names, state: &mut State) -> Result<(CellId, Open), Vec<Problem>> {
    let path = format!("{}.open", of.value);
    let Some(cell) = names.find_cell(&path) else {
        let known = || names.cells.iter().filter_map(|cell| cell.path.strip_suffix(".open"));
        let help = nearest(&of.value, known()).map(|near| format!("`{near}`?")).or_else(|| {
            let all: Vec<_> = known().take(6).collect();
            (!all.is_empty()).then(|| format!("there is {}", all.join(", ")))
        });
        let message = format!("nothing that comes to rest by itself is called `{}`", of.value);
        let about = vec![of.value.clone()];
        return Err(vec![Problem { place: of.place, message, label: String::new(), help, others: Vec::new(), about }]);
    };
    let rows = state.rows(cell, names);
    let over = Over::Counter { cell: cell.0, rows };
    let count = state.aggregate(Kind::Sum, over, None, (&path, &[cell]));
    Ok((cell, Open { subject: of.value.clone(), count, left: 0 }))
}

/// The place of the predicate that is judged.
pub(super) fn predicate_place(form: &model::Form) -> model::Place {
    match form {
        model::Form::Always(text) | model::Form::Never(text) | model::Form::Transition(text) => text.place,
        model::Form::AtRest { predicate, .. }
        | model::Form::Finally { predicate, .. }
        | model::Form::EventuallyAfterHeal { predicate, .. }
        | model::Form::Sometimes { predicate, .. } => predicate.place,
        model::Form::LeadsTo { then, .. } => then.place,
        model::Form::Check(check) => check.judge.place,
    }
}
