//! Which records of a saga are written together: those between which nothing is done.

use core::ops::Range;

use super::{Instruction, MarkKind, Plan};

impl Plan {
    /// The last of the records that are written with this one, at whose end the program stands at `pc`: those that follow
    /// at once, up to an end.
    pub fn last_record(&self, mark: u16, pc: u32) -> u16 {
        let rest = self.program.get(pc as usize..).unwrap_or_default();
        let mut last = mark;
        for instruction in rest {
            let goes_on = matches!(self.marks[usize::from(last)].what, MarkKind::At(_));
            if !goes_on || *instruction != Instruction::Mark(last + 1) || self.frees(last + 1) {
                break;
            }
            last += 1;
        }
        last
    }

    /// Whether this is no record here but somebody else's.
    fn frees(&self, mark: u16) -> bool {
        matches!(self.marks[usize::from(mark)].what, MarkKind::Free { .. })
    }

    /// The records with which a program begins.
    pub fn first_records(&self, entry: u32) -> Range<u16> {
        match self.program.get(entry as usize) {
            Some(Instruction::Mark(first)) if !self.frees(*first) => *first..self.last_record(*first, entry + 1) + 1,
            _ => 0..0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::plan::Mark;
    use kernel::SagaFact;

    #[test]
    fn records_between_which_nothing_is_done_are_one_write() {
        let at = |fact| MarkKind::At(fact);
        let kinds = [
            at(SagaFact::Intent { step: 0 }),
            at(SagaFact::Done { step: 0 }),
            MarkKind::Ended { completed: true },
            at(SagaFact::Compensating { step: 0 }),
        ];
        let mut plan = Plan::empty();
        let mark = |what| Mark { saga: 0, what, points: (None, None), of: 0 };
        plan.marks = kinds.into_iter().map(mark).collect();
        let mark = Instruction::Mark;
        plan.program = alloc::vec![mark(0), Instruction::Call(0), mark(1), mark(2), mark(3), Instruction::Call(1)];
        assert_eq!(plan.first_records(0), 0..1, "an action lies behind its intent");
        assert_eq!(plan.last_record(1, 3), 2, "the end of the last step and the end of all; what undoes it is apart");
        assert_eq!(plan.last_record(3, 5), 3);
    }
}
