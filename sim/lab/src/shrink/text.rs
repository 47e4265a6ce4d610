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

/// The whole numbers in a line; `1 099 511` is one.
pub(super) fn numbers(line: &str) -> Vec<u64> {
    let mut all = Vec::new();
    let mut digits = String::new();
    let mut words = line.split(' ').peekable();
    while let Some(word) = words.next() {
        let own: String = word.chars().filter(char::is_ascii_digit).collect();
        let bare = own.len() == word.len();
        let grouped = !digits.is_empty() && word.len() >= 3 && word.as_bytes()[..3].iter().all(u8::is_ascii_digit);
        if !grouped {
            all.extend(digits.parse::<u64>().ok());
            digits.clear();
        }
        if grouped || bare {
            digits += &own;
        } else {
            // Several in one word are a time, or a range.
            let mut inside = word.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
            let one = inside.next().filter(|_| inside.next().is_none());
            all.extend(one.and_then(|digits| digits.parse::<u64>().ok()));
        }
        if !bare || words.peek().is_none() {
            all.extend(digits.parse::<u64>().ok());
            digits.clear();
        }
    }
    all
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
    use super::{numbers, ranges};

    #[test]
    fn numbers_are_found_with_their_groups() {
        assert_eq!(numbers("trip 1 099 511 628 861: at 00:29.417"), [1_099_511_628_861]);
        assert_eq!(numbers("orders[342] and 17 rows, 5"), [342, 17, 5]);
    }

    #[test]
    fn neighbours_are_ranges() {
        assert_eq!(ranges(&[]), "[]");
        assert_eq!(ranges(&[3]), "[3]");
        assert_eq!(ranges(&[0, 1, 2, 7, 9, 10]), "[\"0..3\", 7, \"9..11\"]");
    }
}
