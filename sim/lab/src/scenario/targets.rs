//! What names something in the file: targets, links, callees, rows of state. By shape only; whether the name exists is
//! asked in `references`.

use core::ops::Range;

use super::nearest::nearest;
use super::values::{Bad, clip, is_name, percentage};
use crate::model::{LinkEnds, Pick, Place, Target, TargetKind};

/// Sections that have no nodes, so that a target in them means nothing in this version.
const OTHER_ROOTS: [&str; 4] = ["transactions", "sagas", "exchanges", "groups"];

/// A target: `payment`, `payment[any]`, `workloads.near`, `faults.f`, `others`.
pub(super) fn target(text: &str, place: Place) -> Result<Target, Bad> {
    Ok(Target { kind: kind(text)?, place })
}

fn kind(text: &str) -> Result<TargetKind, Bad> {
    match text {
        "" => return Err(Bad::new("nothing is named here")),
        "*" => return Ok(TargetKind::Everything),
        "others" => return Ok(TargetKind::Others),
        _ => {}
    }
    if let Some((sort, name)) = text.split_once(':').filter(|(_, name)| !name.contains(['[', '.'])) {
        let sort = sort.trim();
        let help = if sort == "service" { name.to_owned() } else { format!("{sort}s.{name}") };
        return Err(Bad::new("a path is written with dots").help(format!("\"{help}\"?")));
    }
    // The database behind a service of several nodes is a machine of its own.
    if text.strip_suffix(DATABASE).is_some_and(|service| is_name(service) && !OTHER_ROOTS.contains(&service)) {
        return Ok(TargetKind::Nodes { name: text.to_owned(), pick: Pick::All });
    }
    if let Some((root, name)) = text.split_once('.').filter(|(root, _)| !root.contains('[')) {
        let bad_name = || Bad::new(format!("`{}` is no name", clip(name))).at(root.len() + 1..text.len());
        return match root {
            "workloads" if is_name(name) => Ok(TargetKind::Workload(name.to_owned())),
            "faults" if is_name(name) => Ok(TargetKind::HitBy(name.to_owned())),
            "zones" if is_name(name) => Ok(TargetKind::Zone(name.to_owned())),
            "queues" if is_name(name) => Ok(TargetKind::Queue(name.to_owned())),
            "topics" if is_name(name) => Ok(TargetKind::Topic(name.to_owned())),
            "workloads" | "faults" | "zones" | "queues" | "topics" => Err(bad_name()),
            "services" => {
                Err(Bad::new("a thing with nodes goes by its bare name").help(format!("\"{}\"?", clip(name))))
            }
            root if OTHER_ROOTS.contains(&root) => Err(Bad::new(format!(
                "`{root}.…` has no nodes in this version; targets are services, brokers, queues, topics, workloads and zones"
            ))),
            _ => Err(Bad::new("a target is a thing with nodes, `workloads.w`, `zones.z` or `faults.f`, not an op")),
        };
    }
    let (name, pick) = match text.split_once('[') {
        Some((name, rest)) => {
            let inner =
                rest.strip_suffix(']').ok_or_else(|| Bad::new("`]` is missing").at(text.len() - 1..text.len()))?;
            let from = name.len() + 1;
            (name, pick(inner).map_err(|bad| bad.shifted(from, inner.len()))?)
        }
        None => (text, Pick::All),
    };
    if !is_name(name) {
        return Err(Bad::new(format!("`{}` is no name", clip(name))).help("names are written in lower case with `_`"));
    }
    Ok(TargetKind::Nodes { name: name.to_owned(), pick })
}

fn pick(text: &str) -> Result<Pick, Bad> {
    let text = text.trim();
    if let Some(count) = text.strip_prefix("any(").and_then(|rest| rest.strip_suffix(')')) {
        return match count.trim().parse() {
            Ok(count) if count > 0 => Ok(Pick::Any(count)),
            Ok(_) | Err(_) => Err(Bad::new(format!("`{}` is no number of nodes", clip(count)))),
        };
    }
    if let Some(share) = text.strip_prefix("fraction(").and_then(|rest| rest.strip_suffix(')')) {
        return percentage(share.trim()).map(|(share, _)| Pick::Fraction(share));
    }
    match text {
        "any" => return Ok(Pick::Any(1)),
        "minority" => return Ok(Pick::Minority),
        "majority" => return Ok(Pick::Majority),
        "same" => return Ok(Pick::Same),
        "leader" => return Ok(Pick::Leader),
        "followers" => return Ok(Pick::Followers),
        _ if text.starts_with("leader of ") => return Err(Bad::new("roles are not supported by this version yet")),
        _ => {}
    }
    let words = ["any", "minority", "majority", "same", "fraction", "leader", "followers"];
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let bad = Bad::new(format!("there is no choice of nodes `{}`", clip(text)));
        return Err(match nearest(text, words) {
            Some(near) => bad.help(format!("did you mean `{near}`?")),
            None => {
                bad.help("for example `[0]`, `[0..2]`, `[0, 3]`, `[any]`, `[any(2)]`, `[minority]`, `[fraction(30%)]`")
            }
        });
    }
    numbers(text).map(Pick::Numbers)
}

/// `0`, `0..2` (half open), `0, 3`.
fn numbers(text: &str) -> Result<Vec<u32>, Bad> {
    let number = |text: &str| {
        let number = text.trim().parse::<u32>().ok().filter(|n| *n < 10_000);
        number.ok_or_else(|| Bad::new(format!("`{}` is no number of a node", clip(text))))
    };
    if let Some((from, to)) = text.split_once("..") {
        let (from, to) = (number(from)?, number(to)?);
        if from >= to {
            return Err(Bad::new("there is no node in this range: its end is not included"));
        }
        return Ok((from..to).collect());
    }
    let mut result = text.split(',').map(number).collect::<Result<Vec<_>, _>>()?;
    result.sort_unstable();
    result.dedup();
    Ok(result)
}

/// What the name of a service's database ends with.
pub(super) const DATABASE: &str = ".db";

/// How a target is written.
pub(crate) fn write_target(target: &Target) -> String {
    match &target.kind {
        TargetKind::Everything => "*".to_owned(),
        TargetKind::Others => "others".to_owned(),
        TargetKind::Workload(name) => format!("workloads.{name}"),
        TargetKind::HitBy(name) => format!("faults.{name}"),
        TargetKind::Zone(name) => format!("zones.{name}"),
        TargetKind::Queue(name) => format!("queues.{name}"),
        TargetKind::Topic(name) => format!("topics.{name}"),
        TargetKind::Nodes { name, pick } => match pick {
            Pick::All => name.clone(),
            Pick::Any(1) => format!("{name}[any]"),
            Pick::Any(count) => format!("{name}[any({count})]"),
            Pick::Minority => format!("{name}[minority]"),
            Pick::Majority => format!("{name}[majority]"),
            Pick::Fraction(share) => format!("{name}[fraction({}%)]", share * 100.0),
            Pick::Same => format!("{name}[same]"),
            Pick::Leader => format!("{name}[leader]"),
            Pick::Followers => format!("{name}[followers]"),
            Pick::Numbers(numbers) => {
                let all: Vec<String> = numbers.iter().map(u32::to_string).collect();
                format!("{name}[{}]", all.join(", "))
            }
        },
    }
}

/// It is meant as a link.
pub(super) fn looks_like_link(text: &str) -> bool {
    text.contains("->") || text.contains("<-")
}

/// `a -> b` or `a <-> b`.
pub(super) fn link(text: &str, place: Place) -> Result<LinkEnds, Bad> {
    let help = "a link is written \"a -> b\" or \"a <-> b\"";
    let (arrow, both) = if text.contains("<->") { ("<->", true) } else { ("->", false) };
    let Some((from, to)) = text.split_once(arrow) else {
        return Err(Bad::new(format!("`{}` is no link", clip(text))).help(help));
    };
    let right = from.len() + arrow.len();
    let end = |part: &str, offset: usize| -> Result<Target, Bad> {
        let lead = part.len() - part.trim_start().len();
        let name = part.trim();
        target(name, place).map_err(|bad| bad.shifted(offset + lead, name.len()))
    };
    Ok(LinkEnds { from: end(from, 0)?, to: end(to, right)?, both, text: text.to_owned(), place })
}

/// How a link is written.
pub(super) fn write_link(link: &LinkEnds) -> String {
    let arrow = if link.both { "<->" } else { "->" };
    format!("{} {arrow} {}", write_target(&link.from), write_target(&link.to))
}

/// `service`, `service.op`, `transactions.x` or `sagas.x`, by shape.
pub(super) fn callee(text: &str) -> Result<(), Bad> {
    let parts: Vec<&str> = text.split('.').collect();
    match parts.as_slice() {
        ["queues" | "exchanges" | "topics", _] => {
            let help = format!("write `publish = \"{}\"`", clip(text));
            Err(Bad::new("messages are published, not called").help(help))
        }
        ["services", rest @ ..] if !rest.is_empty() => {
            Err(Bad::new("a service goes by its bare name").help(format!("\"{}\"?", clip(&rest.join(".")))))
        }
        [one] if is_name(one) => Ok(()),
        [first, second] if is_name(first) && is_name(second) => Ok(()),
        _ => {
            let label = format!("`{}` is neither `service`, `service.op`, `transactions.x` nor `sagas.x`", clip(text));
            Err(Bad::new(label))
        }
    }
}

/// The parts of `owner.item[key]`: the key's bytes if it is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct RowText<'a> {
    /// Empty: the service of this op.
    pub(super) owner: &'a str,
    pub(super) item: &'a str,
    pub(super) key: Option<Range<usize>>,
}

/// Takes a row apart.
pub(super) fn row(text: &str) -> Result<RowText<'_>, Bad> {
    let help = "a row is written \"owner.item[key]\" or \"item[key]\"";
    let (path, key) = match text.find('[') {
        Some(open) => {
            let inner = text[open + 1..].strip_suffix(']');
            let inner = inner.ok_or_else(|| Bad::new("`]` is missing at the end").help(help).at(open..text.len()))?;
            if inner.trim().is_empty() {
                return Err(Bad::new("which row? The key is missing").help(help).at(open..text.len()));
            }
            (&text[..open], Some(open + 1..text.len() - 1))
        }
        None => (text, None),
    };
    let (owner, item) = path.split_once('.').unwrap_or(("", path));
    if !is_name(item) || !(owner.is_empty() || is_name(owner)) || path.starts_with('.') {
        return Err(Bad::new(format!("`{}` names no item of state", clip(path))).help(help).at(0..path.len()));
    }
    Ok(RowText { owner, item, key })
}

/// Expressions are only scanned here: every `$name` in it, with its bytes. Text in quotes does not count.
pub(super) fn variables(expression: &str) -> Vec<(&str, Range<usize>)> {
    let bytes = expression.as_bytes();
    let (mut found, mut at, mut quoted) = (Vec::new(), 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\'' => quoted = !quoted,
            b'$' if !quoted => {
                let rest = &expression[at + 1..];
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                if end > 0 {
                    found.push((&rest[..end], at..at + 1 + end));
                }
                at += end;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_links_are_read_and_written_in_one_way() {
        for (text, canonical) in [
            ("payment", "payment"),
            ("payment[0..2]", "payment[0, 1]"),
            ("payment[3,0]", "payment[0, 3]"),
            ("kv[any]", "kv[any]"),
            ("kv[any(2)]", "kv[any(2)]"),
            ("kv[leader]", "kv[leader]"),
            ("kv[fraction(30%)]", "kv[fraction(30%)]"),
            ("workloads.near", "workloads.near"),
            ("faults.f", "faults.f"),
            ("zones.eu", "zones.eu"),
            ("queues.q", "queues.q"),
            ("others", "others"),
        ] {
            assert_eq!(write_target(&target(text, Place::default()).expect(text)), canonical);
        }
        for text in ["a -> b", "a <-> b", "* -> kv[minority]"] {
            assert_eq!(write_link(&link(text, Place::default()).expect(text)), text);
        }
        for text in
            ["", "a b", "kv[leaders]", "kv[0", "kv[2..2]", "exchanges.e", "queue:orders", "orders.place", "kv[anny]"]
        {
            assert!(target(text, Place::default()).is_err(), "{text}");
        }
        assert_eq!(link("a -> b c", Place::default()).expect_err("space").range, Some(5..8));
        assert!(link("a - b", Place::default()).is_err());
    }

    #[test]
    fn rows_keep_the_place_of_their_key() {
        let all = row("bank_a.accounts[$from]").expect("a row");
        assert_eq!((all.owner, all.item, all.key), ("bank_a", "accounts", Some(16..21)));
        assert_eq!(row("stock").expect("a row").key, None);
        assert!(row("a.b.c").is_err() && row("a[").is_err() && row("a[]").is_err() && row("").is_err());
        assert_eq!(variables("$a + x['$b'] - $c_1"), [("a", 0..2), ("c_1", 15..19)]);
        assert!(callee("orders.place").is_ok() && callee("services.orders").is_err() && callee("a.b.c").is_err());
    }
}
