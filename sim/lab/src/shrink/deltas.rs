//! Delta debugging as a state machine: it proposes what to keep, is told whether that still fails, and ends when nothing
//! that is left can go alone (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002).
//!
//! It knows neither what the elements are nor how a candidate is tried, so whoever asks may run a world, or call a function,
//! or hand the candidate to somebody else. The same answers give the same questions.

/// What of a number of elements is needed.
///
/// ```
/// use lab::shrink::deltas::Deltas;
///
/// // Of a hundred elements, 17 and 62 make it fail, together.
/// let mut deltas = Deltas::new(100);
/// while let Some(candidate) = deltas.candidate() {
///     let fails = candidate.contains(&17) && candidate.contains(&62);
///     deltas.told(fails);
/// }
/// assert_eq!(deltas.kept(), [17, 62]);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deltas {
    /// With these it fails.
    kept: Vec<usize>,
    /// So many are left out at once; 0: it is at its end.
    size: usize,
    /// From there on.
    at: usize,
    /// So many of those that are kept were left out, one candidate after the other, and were needed.
    needed: usize,
}

impl Deltas {
    /// All of so many elements, which fail together.
    pub fn new(count: usize) -> Self {
        Self { kept: (0..count).collect(), size: count, at: 0, needed: 0 }
    }

    /// The elements that are left: with them it fails.
    pub fn kept(&self) -> &[usize] {
        &self.kept
    }

    /// The elements to try next, in order; none if nothing is left to be tried. The first candidate is nothing at all.
    pub fn candidate(&self) -> Option<Vec<usize>> {
        if self.size == 0 {
            return None;
        }
        let gone = self.gone();
        Some([&self.kept[..gone.start], &self.kept[gone.end..]].concat())
    }

    /// What became of the candidate. Once there is none, it changes nothing.
    pub fn told(&mut self, fails: bool) {
        if self.size == 0 {
            return;
        }
        let gone = self.gone();
        if fails {
            self.kept.drain(gone);
            // What was needed before may be needed no longer.
            self.needed = 0;
        } else {
            self.needed += gone.len();
            self.at = gone.end;
        }
        if self.at >= self.kept.len() {
            self.at = 0;
        }
        if self.kept.is_empty() {
            self.size = 0;
        } else if self.needed >= self.kept.len() {
            // Every part of this size was needed: smaller parts.
            (self.at, self.needed) = (0, 0);
            self.size = if self.size == 1 { 0 } else { self.size.min(self.kept.len()).div_ceil(2) };
        }
    }

    /// The places of what the candidate lacks.
    fn gone(&self) -> core::ops::Range<usize> {
        self.at..(self.at + self.size).min(self.kept.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goes to the end; how many candidates were tried.
    fn to_the_end(count: usize, fails: impl Fn(&[usize]) -> bool) -> (Vec<usize>, usize) {
        let mut deltas = Deltas::new(count);
        let mut tried = 0;
        while let Some(candidate) = deltas.candidate() {
            assert!(candidate.is_sorted() && candidate.len() < deltas.kept().len());
            let failed = fails(&candidate);
            deltas.told(failed);
            assert!(!failed || deltas.kept() == candidate);
            tried += 1;
            assert!(tried <= bound(count), "{count} elements, {tried} candidates");
        }
        let end = deltas.clone();
        deltas.told(true);
        assert_eq!(deltas, end);
        (end.kept, tried)
    }

    /// Every success takes at least one element; between two of them each size goes round at most twice, and sizes halve.
    fn bound(count: usize) -> usize {
        (count + 1) * (4 * count + 2)
    }

    fn without(kept: &[usize], gone: usize) -> Vec<usize> {
        kept.iter().copied().filter(|element| *element != gone).collect()
    }

    #[test]
    fn what_is_left_fails_and_nothing_of_it_can_go_alone() {
        let mut random = kernel::Seed(7).key("shrink.deltas", "tests").draw(0, 0, 0);
        for case in 0..400 {
            let count = (random.bits() % 40) as usize;
            let mut some = |most: usize| -> Vec<usize> {
                (0..random.bits() % 6).filter(|_| most > 0).map(|_| (random.bits() as usize) % most.max(1)).collect()
            };
            let (needed, either, fewest) = (some(count), some(count), case % 5);
            // All of these, one of those, and so many: also what does not grow evenly, such as an odd number of them.
            let fails = |candidate: &[usize]| {
                needed.iter().all(|element| candidate.contains(element))
                    && (either.is_empty() || either.iter().any(|element| candidate.contains(element)))
                    && candidate.len() >= fewest.min(count)
                    && (case % 7 != 0 || candidate.len() % 2 == count % 2)
            };
            assert!(fails(&(0..count).collect::<Vec<_>>()), "the whole fails");
            let (kept, _) = to_the_end(count, fails);
            assert!(fails(&kept), "{case}: {kept:?}");
            for gone in &kept {
                assert!(!fails(&without(&kept, *gone)), "{case}: {gone} could go from {kept:?}");
            }
        }
    }

    #[test]
    fn one_needed_of_thousands_is_found_in_few_tries() {
        for needed in [0, 1, 2_047, 4_095] {
            let (kept, tried) = to_the_end(4_096, |candidate| candidate.contains(&needed));
            assert_eq!(kept, [needed]);
            assert!(tried <= 60, "{tried} candidates for {needed}");
        }
        assert_eq!(to_the_end(4_096, |_| true), (vec![], 1));
        assert_eq!(to_the_end(0, |_| true), (vec![], 0));
    }

    #[test]
    fn if_everything_is_needed_each_element_was_left_out_alone() {
        let (kept, tried) = to_the_end(64, |candidate| candidate.len() == 64);
        assert_eq!(kept.len(), 64);
        assert_eq!(tried, 1 + 2 + 4 + 8 + 16 + 32 + 64);
    }

    /// A machine that stopped after parts of two would leave 4 and 5, of which either can go.
    #[test]
    fn an_end_before_single_elements_would_be_seen() {
        let fails = |candidate: &[usize]| candidate.contains(&4) || candidate.contains(&5);
        let (kept, _) = to_the_end(8, fails);
        assert_eq!(kept.len(), 1);
        assert!(fails(&without(&[4, 5], 4)) && fails(&without(&[4, 5], 5)));
    }
}
