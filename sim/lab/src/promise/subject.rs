//! What a path in a promise names: a counter or view, a map, a field of its rows, a list; and what there is instead.

use kernel::CellId;

use crate::expression::{Finding, Path, Word};
use crate::names::{Field, Item, ItemKind, Names, path_of};
use crate::nearest::nearest;

/// What a path without key names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject<'a> {
    /// A counter or a view.
    Cell(CellId),
    /// A map.
    Map(&'a Item),
    /// A field of a map's rows.
    Field(&'a Item, &'a Field),
    /// A list, and the cell of its size.
    List(CellId),
}

/// Resolves the names of a path, without its key.
pub(super) fn subject<'a>(
    names: &'a Names,
    path: &Path,
    at: &Word,
    findings: &mut Vec<Finding>,
) -> Option<Subject<'a>> {
    if let Some(item) = names.items.iter().find(|item| item.path == at.text) {
        return Some(match item.kind {
            ItemKind::Counter { cell } => Subject::Cell(cell),
            ItemKind::Map { .. } => Subject::Map(item),
            ItemKind::List { size } => Subject::List(size),
        });
    }
    if let Some((owner, _)) = at.text.rsplit_once('.')
        && let Some(item) = names.items.iter().find(|item| item.path == owner)
        && let (ItemKind::Map { fields, .. }, Some(word)) = (&item.kind, path.names.last())
    {
        return Some(Subject::Field(item, field(item, fields, word, findings)?));
    }
    let found = names.find_cell(&at.text);
    if found.is_none() {
        findings.push(unknown(names, at));
    }
    found.map(Subject::Cell)
}

/// The field of this name.
pub(super) fn field<'a>(
    item: &Item,
    fields: &'a [Field],
    word: &Word,
    findings: &mut Vec<Finding>,
) -> Option<&'a Field> {
    let found = fields.iter().find(|field| field.name == word.text);
    if found.is_none() {
        let message = format!("a row of `{}` has no field `{}`", item.path, word.text);
        let owner = item.path.split('.').next().unwrap_or_default();
        // Steps give rows their fields.
        let finding = Finding::new(word.from, word.to, message)
            .about(path_of(&item.path))
            .about(format!("services.{owner}.ops"))
            .about(format!("services.{owner}.consumers"));
        findings.push(match nearest(&word.text, fields.iter().map(|field| field.name.as_str())) {
            Some(near) => finding.help(format!("`{near}`?")),
            None => finding.help(said(fields)),
        });
    }
    found
}

/// The fields there are.
fn said(fields: &[Field]) -> String {
    match fields {
        [] => "no step writes a field of it; its key is `key`".to_owned(),
        [one] => format!("its only field is `{}`, its key is `key`", one.name),
        _ => {
            let names: Vec<_> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
            format!("its fields are {}, its key is `key`", names.join(", "))
        }
    }
}

/// A field to show in a help.
pub(super) fn example(item: &Item) -> &str {
    match &item.kind {
        ItemKind::Map { fields, .. } => fields.first().map_or("field", |field| &field.name),
        ItemKind::Counter { .. } | ItemKind::List { .. } => "field",
    }
}

/// Nothing is called so: the nearest path, or what there is of that part.
fn unknown(names: &Names, at: &Word) -> Finding {
    let finding = Finding::new(at.from, at.to, format!("nothing is called `{}`", at.text)).about(path_of(&at.text));
    // The cells of maps and lists go by the name of their item.
    let hidden = |cell: CellId| {
        names.items.iter().any(|item| match &item.kind {
            ItemKind::Counter { .. } => false,
            ItemKind::List { size } => *size == cell,
            ItemKind::Map { present, fields, .. } => *present == cell || fields.iter().any(|f| f.cell == cell),
        })
    };
    let cells = names.cells.iter().enumerate().filter(|(n, _)| !hidden(CellId(*n as u32)));
    let others = names.items.iter().filter(|item| !matches!(item.kind, ItemKind::Counter { .. }));
    let paths: Vec<&str> = cells.map(|(_, c)| c.path.as_str()).chain(others.map(|item| item.path.as_str())).collect();
    if let Some(near) = nearest(&at.text, paths.iter().copied()) {
        return finding.help(format!("`{near}`?"));
    }
    let part = at.text.split('.').next().unwrap_or_default();
    let of_part = |p: &&str| p.split('.').next() == Some(part);
    let same_item = |p: &&str| p.split_once('.').is_some_and(|(_, item)| item == at.text);
    let mut found: Vec<&str> = paths.iter().copied().filter(|p| of_part(p)).collect();
    if found.is_empty() {
        found = paths.iter().copied().filter(|p| same_item(p)).collect();
    }
    found.truncate(6);
    if found.is_empty() { finding } else { finding.help(format!("there is {}", found.join(", "))) }
}
