//! What a value of each shape looks like: for examples in documentation. It is a value of TOML and of Rust alike.

use super::distributions::Sort;
use super::schema::{POINTS, Shape};

/// A value of this key; none of what is a table.
pub(super) fn sample(key: &str, shape: &Shape) -> Option<String> {
    let word = |word: &str| format!("\"{word}\"");
    Some(match shape {
        Shape::Version => "1".to_owned(),
        Shape::Integer(from, to) => 3.clamp(*from, *to).to_string(),
        Shape::Boolean => "true".to_owned(),
        Shape::Percentage => word("5%"),
        Shape::Operations(_) => "[3]".to_owned(),
        Shape::Count(_) => "3".to_owned(),
        Shape::Duration | Shape::Warmup | Shape::CallsOrDuration => word("2s"),
        Shape::Rate | Shape::RateOrUsers => word("20/s"),
        Shape::Size => word("2KiB"),
        Shape::Bandwidth => word("100Mbit/s"),
        Shape::Capacity => word("64KiB"),
        Shape::Distribution(Sort::Durations) => word("exp(2ms)"),
        Shape::Distribution(Sort::Drifts) => word("20ppm"),
        Shape::Distribution(Sort::Offsets) => word("uniform(-5ms, 5ms)"),
        Shape::Distribution(Sort::Numbers | Sort::Counts) | Shape::Variable => word("int(0, 9)"),
        Shape::Word(words, _) => word(words.first()?),
        Shape::Words(words, _) => format!("[\"{}\"]", words.first()?),
        Shape::Name if key == "fail" => word("sold_out"),
        Shape::Name if key == "into" => word("seen"),
        Shape::Name if key == "like" => word("other"),
        Shape::Name | Shape::FileName | Shape::Policy(_) | Shape::Destination(_) => word("shop"),
        Shape::Names | Shape::Texts => "[\"shop\"]".to_owned(),
        Shape::Text => word("in words"),
        Shape::Expression => word("$amount > 100"),
        Shape::Assigned => word("= $seen + 1"),
        Shape::Threshold => word("p99(latency) < 100ms"),
        Shape::Window | Shape::WindowOrPhase => word("3s..5s"),
        Shape::Seeds => word("0..100"),
        Shape::Targets => word("shop[0]"),
        Shape::Sides => "[[\"shop[0]\"], [\"shop[1]\"]]".to_owned(),
        Shape::Hits => "[\"7/2/0\"]".to_owned(),
        Shape::CallTarget => word("shop.buy"),
        Shape::Row => word("shop.orders[$id]"),
        Shape::Point => word(POINTS.first()?),
        Shape::Points => format!("[\"{}\"]", POINTS.first()?),
        Shape::Value => word("$amount"),
        Shape::Initial => "10".to_owned(),
        Shape::Factor(least) => format!("{:?}", least + 2.5),
        Shape::Acks => word("majority"),
        Shape::Effort => word("50M"),
        Shape::Staleness => word("500ms"),
        Shape::Item => word("shop.orders"),
        Shape::Rows => "[\"shop.orders[$id]\"]".to_owned(),
        Shape::Events => word("placed"),
        Shape::Pattern => word("order.*"),
        Shape::Path => word("transactions.transfer"),
        Shape::Trace => "[\"1s\", \"1500ms\"]".to_owned(),
        Shape::SweepVariants => word("all"),
        Shape::Matrix => "[1, 2]".to_owned(),
        Shape::Keyed(inner) => return sample(key, inner),
        Shape::Else(_)
        | Shape::List(_)
        | Shape::Table(_)
        | Shape::Links(_)
        | Shape::Verbed(_)
        | Shape::Steps(_)
        | Shape::Variants => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::data::Files;
    use super::super::leaf::check;
    use super::super::schema::{Key, ROOT, Verbs};
    use super::super::tree::parse_value;
    use super::*;

    /// Every key below a shape, each table once.
    fn walk(shape: &Shape, seen: &mut BTreeSet<usize>, told: &mut dyn FnMut(&str, &Shape)) {
        let mut each = |key: &Key, seen: &mut BTreeSet<usize>| {
            told(key.name, &key.shape);
            walk(&key.shape, seen, told);
        };
        if let Shape::Table(form) | Shape::Policy(form) | Shape::List(form) | Shape::Links(form) = shape {
            if seen.insert(core::ptr::from_ref(*form).addr()) {
                form.keys.iter().for_each(|key| each(key, seen));
            }
        } else if let Shape::Verbed(verbs) = shape {
            verbed(verbs, seen, &mut each);
        } else if let Shape::Steps(of) | Shape::Else(of) = shape {
            verbed(of.verbs(), seen, &mut each);
        } else if let Shape::Keyed(inner) = shape {
            walk(inner, seen, told);
        }
    }

    fn verbed(verbs: &'static Verbs, seen: &mut BTreeSet<usize>, each: &mut dyn FnMut(&Key, &mut BTreeSet<usize>)) {
        if seen.insert(core::ptr::from_ref(verbs).addr()) {
            verbs.common.iter().for_each(|key| each(key, seen));
            for verb in verbs.each {
                each(&verb.key, seen);
                verb.modifiers.iter().for_each(|key| each(key, seen));
            }
        }
    }

    #[test]
    fn every_sample_is_what_the_loader_takes() {
        let (mut count, mut wrong) = (0, Vec::new());
        walk(&Shape::Table(&ROOT), &mut BTreeSet::new(), &mut |name, shape| {
            // Of what has names in front the sample is what stands behind one of them.
            let Some(text) = sample(name, shape).filter(|_| !matches!(shape, Shape::Keyed(_) | Shape::Matrix)) else {
                return;
            };
            let node = parse_value(0, 0, &text).unwrap_or_else(|| panic!("{name}: {text} is no TOML"));
            if let Err(problem) = check(&node, *shape, &Files::default()) {
                wrong.push(format!("{name} = {text}: {}", problem.label));
            }
            count += 1;
        });
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(count > 200, "{count} keys have a sample");
    }
}
