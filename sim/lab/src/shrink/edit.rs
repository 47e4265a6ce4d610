//! The user's file with values set, its comments and its order kept.

use crate::scenario::none_is_a_word;
use toml_edit::{Array, DocumentMut, Item, Key, Table, TableLike, Value};

/// The file with this variant merged in and these values set, and with one promise left of all, which it is `known` to break.
/// `None` if that cannot be said in it.
pub(super) fn edited(
    text: &str,
    variant: Option<&str>,
    sets: &[(String, String)],
    promise: &str,
    known: bool,
) -> Option<String> {
    let mut document = text.parse::<DocumentMut>().ok()?;
    let variants = document.remove("variants");
    if let Some(name) = variant {
        let over = variants.as_ref()?.as_table_like()?.get(name)?.clone();
        merge(document.as_table_mut(), over.as_table_like()?, &mut Vec::new());
    }
    for (path, value) in sets {
        set(document.as_table_mut(), path, value)?;
    }
    // What else is promised was never meant for a run like this; nor are other seeds.
    for section in ["invariants", "thresholds"] {
        if let Some(table) = document.get_mut(section).and_then(Item::as_table_like_mut) {
            let others: Vec<String> = table.iter().map(|(name, _)| name.to_owned()).filter(|n| n != promise).collect();
            for name in &others {
                table.remove(name);
            }
            if table.is_empty() {
                document.remove(section);
            }
        }
    }
    for section in ["expect", "sweep"] {
        document.remove(section);
    }
    if known {
        let mut expect = Table::new();
        expect.insert("verdict", Item::Value("fail".into()));
        expect.insert("fails", Item::Value(Array::from_iter([promise]).into()));
        document.insert("expect", Item::Table(expect));
    }
    Some(document.to_string())
}

/// `over` on top of `base`: tables key by key, everything else replaces.
fn merge(base: &mut dyn TableLike, over: &dyn TableLike, path: &mut Vec<String>) {
    let inherits = base.get("like").is_some();
    for (name, item) in over.iter() {
        let known = base.get(name).is_some();
        path.push(name.to_owned());
        if let (Some(below), Some(above)) = (base.get_mut(name).and_then(Item::as_table_like_mut), item.as_table_like())
        {
            merge(below, above, path);
        } else if item.as_str() == Some("none") && known && !inherits && !none_is_a_word(path) {
            base.remove(name);
        } else {
            base.insert(name, item.clone());
        }
        path.pop();
    }
}

/// Sets one value; `none` takes it away.
fn set(root: &mut Table, path: &str, value: &str) -> Option<()> {
    let keys = Key::parse(path).ok()?;
    let parts: Vec<&str> = keys.iter().map(Key::get).collect();
    let (last, above) = parts.split_last()?;
    let mut table: &mut dyn TableLike = root;
    for part in above {
        let known = table.get(part).is_some();
        if value == "none" && !known {
            return Some(());
        }
        if !known {
            let mut fresh = Table::new();
            fresh.set_implicit(true);
            table.insert(part, Item::Table(fresh));
        }
        table = table.get_mut(part)?.as_table_like_mut()?;
    }
    if value == "none" {
        let inherits = table.get("like").is_some();
        table.remove(last);
        if inherits {
            table.insert(last, Item::Value("none".into()));
        }
        return Some(());
    }
    let mut value = format!("x = {value}").parse::<DocumentMut>().ok()?.remove("x")?.into_value().ok()?;
    if let Value::Array(array) = &mut value {
        in_lines(array);
    }
    // What is said beside a value stays when the value changes.
    if let Some(before) = table.get(last).and_then(Item::as_value) {
        value.decor_mut().clone_from(before.decor());
    }
    table.insert(last, Item::Value(value));
    Some(())
}

/// A list of tables has a line for each.
fn in_lines(array: &mut Array) {
    if !array.iter().any(Value::is_inline_table) {
        return;
    }
    for item in array.iter_mut() {
        item.decor_mut().set_prefix("\n  ");
        item.decor_mut().set_suffix("");
    }
    array.set_trailing_comma(true);
    array.set_trailing("\n");
}

#[cfg(test)]
mod tests {
    use super::edited;

    #[test]
    fn none_takes_away_what_is_there_unless_it_is_a_word() {
        let text = "[sagas.trip]\nisolation = { kind = \"semantic_lock\", others = \"reject\" }\n\
                    [services.shop]\nqueue = 5\n\
                    [variants.free]\nsagas.trip.isolation = { kind = \"none\", others = \"none\" }\nservices.shop.queue = \"none\"\n";
        let made = edited(text, Some("free"), &[], "b", false).expect("it can be said");
        assert_eq!(made, "[sagas.trip]\nisolation = { kind = \"none\"}\n[services.shop]\n");
    }

    #[test]
    fn comments_stay_where_they_are() {
        let text = "# A shop.\nversion = 1\n\n[faults.dies] # it does\nkind = \"crash\"\nrate = \"1/s\"   # often\n\n\
                    [faults.slow]\nlike = \"dies\"\nrate = \"2/s\"\n\n\
                    [invariants]\na = 1\nb = 2\n\n[expect]\nfails = [\"a\"]\n\n\
                    [variants.hard]\nservices.x.nodes = 3 # three\nfaults.dies.rate = \"none\"\n";
        let sets = [
            ("faults.dies.instances", "[{ n = 1, at = \"1s\" }, { n = 2, at = \"2s\" }]"),
            ("faults.slow.rate", "none"),
            ("faults.gone", "none"),
            ("services.x.nodes", "1"),
        ];
        let sets = sets.map(|(path, value)| (path.to_owned(), value.to_owned()));
        let made = edited(text, Some("hard"), &sets, "b", true).expect("it can be said");
        let expected = "# A shop.\nversion = 1\nservices.x.nodes = 1 # three\n\n[faults.dies] # it does\nkind = \"crash\"\n\
                        instances = [\n  { n = 1, at = \"1s\" },\n  { n = 2, at = \"2s\" },\n]\n\n\
                        [faults.slow]\nlike = \"dies\"\nrate = \"none\"\n\n\
                        [invariants]\nb = 2\n\n[expect]\nverdict = \"fail\"\nfails = [\"b\"]\n";
        assert_eq!(made, expected);
    }
}
