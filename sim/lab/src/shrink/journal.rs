//! What was tried, as lines of a file that is written as it goes: whoever begins again need not try it once more.
//!
//! Each line has its checksum, so one that was torn, or belongs to something else, is as if it were not there; and each
//! names its candidate by a hash of all that it depends on, so that lines of other searches do no harm.

use std::collections::BTreeMap;

use kernel::Time;

use super::candidate::Tried;

/// What is known of candidates, by their names.
pub type Known = BTreeMap<u128, Tried>;

/// Lines beyond this many are not read.
const LINES_MAX: usize = 1_000_000;

/// What a journal says.
pub fn known(journal: &str) -> Known {
    journal.lines().take(LINES_MAX).filter_map(read).collect()
}

fn read(line: &str) -> Option<(u128, Tried)> {
    let (sum, rest) = line.split_once(' ')?;
    if u64::from_str_radix(sum, 16).ok()? != checksum(rest) {
        return None;
    }
    let mut words = rest.split(' ');
    let name = u128::from_str_radix(words.next()?, 16).ok()?;
    let breaks = match words.next()? {
        "breaks" => true,
        "holds" => false,
        _ => return None,
    };
    let first = match words.next()? {
        "-" => None,
        time => Some(Time(time.parse().ok()?)),
    };
    Some((name, Tried { breaks, first }))
}

/// A line of a journal, with its line feed.
pub(super) fn line(name: u128, tried: Tried) -> String {
    let breaks = if tried.breaks { "breaks" } else { "holds" };
    let first = tried.first.map_or_else(|| "-".to_owned(), |time| time.0.to_string());
    let rest = format!("{name:032x} {breaks} {first}");
    format!("{:016x} {rest}\n", checksum(&rest))
}

fn checksum(text: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_what_is_torn_is_not() {
        let tried = [
            (1, Tried { breaks: true, first: Some(Time(7_000_000)) }),
            (u128::MAX, Tried { breaks: false, first: None }),
            (3, Tried { breaks: true, first: None }),
        ];
        let text: String = tried.iter().map(|(name, tried)| line(*name, *tried)).collect();
        assert_eq!(known(&text), Known::from(tried));
        // Wherever it is cut, and whichever byte is another: nothing wrong is read.
        for cut in 0..text.len() {
            let whole = text[..cut].matches('\n').count();
            let read = known(&text[..cut]);
            assert!(read.len() == whole || text[cut..].starts_with('\n') && read.len() == whole + 1);
        }
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let read = known(&String::from_utf8(bytes).expect("ASCII"));
            assert!(read.len() < tried.len() && read.iter().all(|entry| tried.contains(&(*entry.0, *entry.1))));
        }
    }
}
