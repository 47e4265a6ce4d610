//! `set`: a value at a path, as `--set` writes it.

use lab::scenario::grammar::short_for;

use super::value::{Table, Value};

/// Writes a value at a path through tables, elements of lists and short forms. What leads nowhere stands in the file as it
/// is, as a key, so that loading it tells what is wrong with it.
pub(super) fn set(root: &mut Table, path: &str, value: Value) {
    let there = steps(path).and_then(|steps| place(root, &steps));
    match there {
        Some(place) => *place = value,
        None => root.put(path, value),
    }
}

/// One step: a key, or the number of an element.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    Name(String),
    Number(usize),
}

fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        if let Some(after) = rest.strip_prefix('[') {
            let (number, after) = after.split_once(']')?;
            steps.push(Step::Number(number.trim().parse().ok()?));
            rest = after;
        } else if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            let (name, after) = rest[1..].split_once(quote)?;
            steps.push(Step::Name(name.to_owned()));
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let name = name.trim();
            steps.push(match name.parse() {
                Ok(number) => Step::Number(number),
                Err(_) if name.is_empty() => return None,
                Err(_) => Step::Name(name.to_owned()),
            });
            rest = after;
        }
        match rest.chars().next() {
            None => return Some(steps),
            Some('.') => rest = &rest[1..],
            Some('[') => {}
            Some(_) => return None,
        }
    }
}

fn place<'a>(root: &'a mut Table, steps: &[Step]) -> Option<&'a mut Value> {
    let (Step::Name(first), rest) = steps.split_first()? else { return None };
    let mut path = vec![first.clone()];
    let mut value = entry(root, first, rest)?;
    for (n, step) in rest.iter().enumerate() {
        let short = match value {
            Value::Table(_) => None,
            Value::Array(_) => short_for(&path, true),
            Value::Text(_) | Value::Integer(_) | Value::Number(_) | Value::Truth(_) => short_for(&path, false),
        };
        if let Some(key) = short {
            let plain = core::mem::replace(value, Value::Truth(true));
            *value = Value::Table(Table::new().with(key, plain));
        }
        value = match (step, value) {
            (Step::Name(name), Value::Table(table)) => {
                path.push(name.clone());
                entry(table, name, &rest[n + 1..])?
            }
            (Step::Name(name), Value::Array(items)) => {
                path.push(name.clone());
                items.iter_mut().find(|item| is_called(item, name))?
            }
            // An op's steps go by its own path.
            (Step::Number(number), Value::Table(table)) => {
                path.extend(["steps".to_owned(), number.to_string()]);
                let (_, steps) = table.entries.iter_mut().find(|(name, _)| name == "steps")?;
                let Value::Array(items) = steps else { return None };
                items.get_mut(*number)?
            }
            (Step::Number(number), Value::Array(items)) => {
                path.push(number.to_string());
                items.get_mut(*number)?
            }
            (_, Value::Text(_) | Value::Integer(_) | Value::Number(_) | Value::Truth(_)) => return None,
        };
    }
    Some(value)
}

/// The value of a key; an empty table if there is none yet, and what comes then are names.
fn entry<'a>(table: &'a mut Table, name: &str, rest: &[Step]) -> Option<&'a mut Value> {
    let known = table.entries.iter().position(|(known, _)| known == name);
    if known.is_none() {
        if rest.iter().any(|step| matches!(step, Step::Number(_))) {
            return None;
        }
        table.add(name, Table::new());
    }
    let place = known.unwrap_or(table.entries.len() - 1);
    Some(&mut table.entries[place].1)
}

fn is_called(item: &Value, wanted: &str) -> bool {
    let Value::Table(table) = item else { return false };
    table.entries.iter().any(|(name, value)| name == "name" && *value == Value::from(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_goes_through_short_forms_elements_and_quotes() {
        let mut root = Table::new();
        set(&mut root, "services.a.ops.get", "exp(2ms)".into());
        set(&mut root, "services.a.ops.get.size", "2KiB".into());
        set(&mut root, "services.a.ops.put", Value::Array(vec![Table::new().with("work", "1ms").into()]));
        set(&mut root, "services.a.ops.put[0].work", "5ms".into());
        set(&mut root, "services.a.ops.put[0].chance", "50%".into());
        set(&mut root, "network.links.\"a <-> b\".loss", "1%".into());
        assert_eq!(
            Value::Table(root).to_string(),
            "{ services = { a = { ops = { get = { work = \"exp(2ms)\", size = \"2KiB\" }, \
             put = { steps = [{ work = \"5ms\", chance = \"50%\" }] } } } }, \
             network = { links = { \"a <-> b\" = { loss = \"1%\" } } } }"
        );
    }

    #[test]
    fn a_path_that_leads_nowhere_stands_in_the_file_as_it_is() {
        for wrong in ["", ".", "a..b", "a[", "a[x].b", "a.\"b", "services.a.nodes.x[9]", "run.seed.deeper", "[0]"] {
            let mut root = Table::new();
            root.inner("run").put("seed", 3.into());
            set(&mut root, wrong, true.into());
            assert!(root.entries.iter().any(|(name, _)| name == wrong), "{wrong}: {root:?}");
        }
    }
}
