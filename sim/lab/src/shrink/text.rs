//! Operations as they stand in a file, and as witnesses tell of them.

use std::fmt::Write as _;

use super::state::Operations;
use crate::scenario::{toml_duration, toml_text};

impl Operations {
    /// How it stands in a file.
    pub(super) fn toml(&self) -> String {
        if !self.timed || self.begins.is_empty() {
            let mut numbers: Vec<u64> = self.begins.iter().map(|begin| begin.number).collect();
            numbers.sort_unstable();
            return ranges(&numbers);
        }
        let mut text = String::from("[");
        for begin in &self.begins {
            let comma = if text.len() > 1 { ", " } else { "" };
            let at = toml_text(&toml_duration(begin.at.0));
            let _ = write!(text, "{comma}{{ n = {}, at = {at}", begin.number);
            if let Some(user) = begin.user {
                let _ = write!(text, ", user = {user}");
            }
            text += " }";
        }
        text + "]"
    }
}

/// Numbers as a list in which neighbours are ranges.
fn ranges(numbers: &[u64]) -> String {
    let mut texts = Vec::new();
    let mut at = 0;
    while at < numbers.len() {
        let mut end = at + 1;
        while end < numbers.len() && numbers[end] == numbers[end - 1] + 1 {
            end += 1;
        }
        texts.push(match end - at {
            1 => numbers[at].to_string(),
            _ => format!("\"{}..{}\"", numbers[at], numbers[end - 1] + 1),
        });
        at = end;
    }
    format!("[{}]", texts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn neighbours_are_ranges() {
        assert_eq!(ranges(&[]), "[]");
        assert_eq!(ranges(&[3]), "[3]");
        assert_eq!(ranges(&[0, 1, 2, 7, 9, 10]), "[\"0..3\", 7, \"9..11\"]");
    }
}
