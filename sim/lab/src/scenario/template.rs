//! Text with variables in it: `payment.$result`. `$$` is a dollar sign.

use core::ops::Range;

use super::values::Bad;

/// A part of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// `$$` is a dollar sign here already.
    Literal(String),
    /// A variable, and its bytes with the dollar sign.
    Variable { name: String, field: Option<String>, range: Range<usize> },
}

/// Takes a text apart. A field (`$u.tier`) is meant where the variable is all of the text; within a longer text the dot
/// is a dot, but for `$message`, which has nothing but fields.
pub(super) fn template(text: &str) -> Result<Vec<Part>, Bad> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(dollar) = text[at..].find('$').map(|n| at + n) {
        literal.push_str(&text[at..dollar]);
        if text[dollar + 1..].starts_with('$') {
            literal.push('$');
            at = dollar + 2;
            continue;
        }
        let name = word(&text[dollar + 1..]);
        if name.is_empty() {
            return Err(Bad::new("a variable is `$name`; a dollar sign is `$$`").at(dollar..dollar + 1));
        }
        let mut end = dollar + 1 + name.len();
        let field = text[end..].strip_prefix('.').map(word).filter(|field| !field.is_empty());
        let field = field.filter(|field| name == "message" || dollar == 0 && end + 1 + field.len() == text.len());
        end += field.map_or(0, |field| 1 + field.len());
        if !literal.is_empty() {
            parts.push(Part::Literal(core::mem::take(&mut literal)));
        }
        let (name, field) = (name.to_owned(), field.map(str::to_owned));
        parts.push(Part::Variable { name, field, range: dollar..end });
        at = end;
    }
    literal.push_str(&text[at..]);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_one_only_where_the_variable_is_all_of_the_text() {
        let variable = |name: &str, field: Option<&str>, range| {
            let (name, field) = (name.to_owned(), field.map(str::to_owned));
            Part::Variable { name, field, range }
        };
        let literal = |text: &str| Part::Literal(text.to_owned());
        assert_eq!(template("$u.tier"), Ok(vec![variable("u", Some("tier"), 0..7)]));
        assert_eq!(template("$u.tier.x"), Ok(vec![variable("u", None, 0..2), literal(".tier.x")]));
        assert_eq!(template("a.$b.c"), Ok(vec![literal("a."), variable("b", None, 2..4), literal(".c")]));
        assert_eq!(template("<$message.key>").map(|parts| parts.len()), Ok(3));
        assert_eq!(template("5 $$ for $x"), Ok(vec![literal("5 $ for "), variable("x", None, 9..11)]));
        assert_eq!(template(""), Ok(Vec::new()));
        assert!(template("5 $").is_err() && template("$.x").is_err());
    }
}
