//! The nearest valid name to a mistyped one, for error messages.

/// The candidate that differs least from `word`, if it differs little enough to be what was meant: at most a third of
/// its letters inserted, deleted, replaced or swapped with their neighbour. Among equals the first.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|&(far, candidate)| far <= allowed && far < candidate.chars().count())
        .min_by_key(|&(far, _)| far)
        .map(|(_, candidate)| candidate)
}

/// Edits between two words: insertions, deletions, replacements and swaps of neighbours, each one
/// (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut older = vec![0; b.len() + 1];
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = previous[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(previous[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(older[j - 2] + 1);
            }
            row.push(least);
        }
        older = std::mem::replace(&mut previous, row);
    }
    previous[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_nonsense_finds_none() {
        let names = ["money_is_conserved", "no_overdraft", "bank_a.accounts", "bank_b.accounts"];
        assert_eq!(nearest("no_overdarft", names), Some("no_overdraft"));
        assert_eq!(nearest("bank_a.acounts", names), Some("bank_a.accounts"));
        assert_eq!(nearest("money_conserved", names), Some("money_is_conserved"));
        assert_eq!(nearest("queues", names), None);
        assert_eq!(nearest("x", ["y"]), None, "one letter for another is no slip");
        assert_eq!(distance("abcd", "acbd"), 1);
    }
}
