//! What the `toml` crate says about syntax, in the words of someone who writes scenarios.

use toml::de::Error;

use super::diagnostic::Diagnostic;
use crate::model::Place;

/// Said of every line after an array that is not closed.
const BETWEEN: &str = "between array elements";

/// More syntax errors than this are not shown.
const ERRORS_MAX: usize = 50;

/// What is worth reading of the errors of a text: the first of each line; nothing after an array that swallows the rest
/// of the file; and that the file is in another language is said once.
pub(super) fn all(source: u32, text: &str, errors: &[Error]) -> Vec<Diagnostic> {
    let mut shown: Vec<Diagnostic> = Vec::new();
    let mut line_end = None;
    for error in errors {
        let start = error.span().map_or(0, |s| s.start);
        if line_end.is_some_and(|end| start <= end) {
            continue;
        }
        line_end = Some(text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |n| start + n));
        let diagnostic = syntax(source, text, error);
        let foreign = diagnostic.help.as_ref().is_some_and(|help| help.starts_with("this looks like"));
        shown.push(diagnostic);
        if foreign || error.message().contains(BETWEEN) || shown.len() == ERRORS_MAX {
            break;
        }
    }
    shown
}

/// One syntax error.
fn syntax(source: u32, text: &str, error: &Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let place = Place { source, start: span.start as u32, end: span.end as u32 };
    let line_start = text.get(..span.start).and_then(|t| t.rfind('\n')).map_or(0, |n| n + 1);
    let line = text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or("");
    let message = error.message();
    if message.contains("duplicate key") || message.contains("with a dotted key") {
        return twice(source, text, place, line_start, line, message);
    }
    let diagnostic = Diagnostic::error(place, "this is not TOML", message);
    match hint(line, message) {
        Some(hint) => diagnostic.help(hint),
        None => diagnostic,
    }
}

/// A key or table that is there twice.
fn twice(source: u32, text: &str, place: Place, line_start: usize, line: &str, message: &str) -> Diagnostic {
    let name = text.get(place.start as usize..place.end as usize).unwrap_or("");
    let header = line.trim_start().starts_with('[');
    let found = earlier(text, line_start, line, header);
    if let Some(start) = found {
        let at = text[start..].find(name).unwrap_or(0) + start;
        let first = Place { source, start: at as u32, end: (at + name.len()) as u32 };
        return Diagnostic::error(place, format!("`{name}` is here twice"), "again").also(first, "first");
    }
    let diagnostic = Diagnostic::error(place, format!("`{name}` cannot be extended here"), message);
    diagnostic.help(
        "TOML forbids extending a table that was written with dotted keys or as `{ … }`: use one form for all of it, \
         for example `[services.x.ops.a]` and `[services.x.ops.b]`",
    )
}

/// Where the same header, or the same key of the same table, begins.
fn earlier(text: &str, line_start: usize, line: &str, header: bool) -> Option<usize> {
    let what = |line: &str| {
        let end =
            if header { line.find(']').map_or(line.len(), |n| n + 1) } else { line.find('=').unwrap_or(line.len()) };
        line[..end].split_whitespace().collect::<String>()
    };
    let wanted = what(line);
    let mut start = 0;
    let mut found = None;
    for each in text.get(..line_start)?.split_inclusive('\n') {
        if !header && each.trim_start().starts_with('[') {
            found = None;
        }
        if found.is_none() && what(each) == wanted {
            found = Some(start);
        }
        start += each.len();
    }
    found
}

fn hint(line: &str, message: &str) -> Option<&'static str> {
    let line = line.trim();
    if message.contains(BETWEEN) {
        return Some("is an array above this line not closed with `]`?");
    }
    if line.contains('\u{201c}') || line.contains('\u{201d}') {
        return Some("these are typographic quotes; TOML wants straight ones: \"");
    }
    let yaml = line.contains(": ") || line.ends_with(':');
    if line.starts_with("- ") || (yaml && !line.contains(['=', '"'])) {
        return Some("this looks like YAML; a scenario is TOML: `key = value` under `[table]`");
    }
    if line == "{" || line.starts_with('"') && line.contains("\":") {
        return Some("this looks like JSON; a scenario is TOML: `key = value` under `[table]`");
    }
    let value = line.split_once('=').map(|(_, value)| value.trim());
    match value {
        Some("") => Some("a value is missing after `=`"),
        Some(_) if message.contains("must be quoted") => {
            Some("text, durations and rates stand in quotes: \"5s\", \"exp(2ms)\", \"200/s\"")
        }
        Some(value) if value.starts_with('{') && !value.ends_with('}') => {
            Some("an inline table `{ … }` stands on one line; for more, write a `[table]`")
        }
        Some(_) | None => None,
    }
}
