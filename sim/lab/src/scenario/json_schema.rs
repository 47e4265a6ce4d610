//! The tables of `schema` as a JSON Schema (draft-07), for editors that complete and check scenario files.

use serde_json::{Map, Value as Json, json};

use super::distributions::Sort;
use super::schema::{Form, Key, POINTS, POLICIES, Preset, ROOT, Shape, Short, StepsOf, Verbs};

/// A name of a thing.
const NAME: &str = "^[a-z][a-z0-9_]{0,63}$";
/// A duration: `1m30s`, `1.5s`.
const DURATION: &str = r"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$";
/// A rate: `200/s`.
const RATE: &str = r"^[0-9]+(\.[0-9]+)? ?/ ?(ns|us|ms|s|m|h)$";
/// A percentage: `0.1%`.
const PERCENTAGE: &str = r"^(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?) ?%$";
/// A size: `64KiB`.
const SIZE: &str = r"^[0-9]+(\.[0-9]+)?(B|kB|MB|GB|KiB|MiB|GiB)$";
/// A bandwidth: `100Mbit/s`, `10MiB/s`.
const BANDWIDTH: &str = r"^(unlimited|[0-9]+(\.[0-9]+)?(bit|kbit|Mbit|Gbit|B|kB|MB|GB|KiB|MiB|GiB) ?/s)$";
/// A capacity: a size, or no limit.
const CAPACITY: &str = r"^(unlimited|[0-9]+(\.[0-9]+)?(B|kB|MB|GB|KiB|MiB|GiB))$";
/// A drift, or a law of drifts.
const DRIFTS: &str = r"ppm|\(";
/// An offset, or a law of offsets.
const OFFSETS: &str = r"^ *-?([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+|\(";
/// A law of numbers, texts or truth, or one text.
const VARIABLE: &str = r"^ *([a-z]+ *\(.*\)|'[^']+'|-?[0-9][0-9_.]*)( *\+ *.+)* *$";
/// A queue, an exchange or a topic: its name or its path.
const DESTINATION: &str = r"^((queues|exchanges|topics)\.)?[a-z][a-z0-9_]{0,63}$";
/// A window: `10s..40s`.
const WINDOW: &str = r"^ *([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+ *\.\. *([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+ *$";
/// A sum of constants and laws with balanced-looking parentheses.
const DISTRIBUTION: &str = r"^ *([a-z]+ *\(.*\)|-?[0-9][0-9_.]*(ns|us|ms|s|m|h|[0-9])*.*)( *\+ *.+)*$";

/// The whole schema.
pub fn json_schema() -> Json {
    let mut root = table(&ROOT);
    let each = [StepsOf::Op, StepsOf::Transaction].into_iter();
    let mut definitions: Map<String, Json> = each.map(|of| (definition(of).to_owned(), verbed(of.verbs()))).collect();
    definitions.insert("partial".to_owned(), partial());
    for form in POLICIES {
        definitions.insert(form.section().to_owned(), table(form));
    }
    if let Some(object) = root.as_object_mut() {
        object.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
        object.insert("title".into(), json!("stormglass scenario, version 1"));
        object.insert("definitions".into(), Json::Object(definitions));
    }
    root
}

/// Steps hold steps, so each sort of them is defined once, by name.
const fn definition(of: StepsOf) -> &'static str {
    match of {
        StepsOf::Op => "step",
        StepsOf::Transaction => "transaction_step",
        StepsOf::Client => "client_step",
        StepsOf::Mix => "mixed_step",
    }
}

/// A name, or the policy itself; those that stand in many places are defined once.
fn policy(form: &'static Form) -> Json {
    let defined = POLICIES.iter().any(|known| core::ptr::eq(*known, form));
    let itself = if defined { json!({ "$ref": format!("#/definitions/{}", form.section()) }) } else { table(form) };
    json!({ "anyOf": [pattern(NAME), itself] })
}

/// A variant: any part of a scenario, nothing of it required.
fn partial() -> Json {
    let properties: Map<String, Json> = ROOT.keys.iter().map(|k| (k.name.to_owned(), json!({}))).collect();
    let mut properties = properties;
    properties.remove("variants");
    properties.insert("like".into(), pattern(NAME));
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn pattern(regex: &str) -> Json {
    json!({ "type": "string", "pattern": regex })
}

fn words(words: &[&str]) -> Json {
    json!({ "type": "string", "enum": words })
}

/// Any optional key may be unset with `none`.
fn or_none(schema: Json, shape: &Shape) -> Json {
    if shape.has_none_word() || matches!(shape, Shape::Text | Shape::Expression | Shape::Item | Shape::Pattern) {
        return schema;
    }
    json!({ "anyOf": [schema, { "const": "none" }] })
}

fn shape(shape: &Shape) -> Json {
    match shape {
        Shape::Version => json!({ "const": 1 }),
        Shape::Integer(from, to) if *to == i64::MAX && *from == i64::MIN => json!({ "type": "integer" }),
        Shape::Integer(from, to) if *to == i64::MAX => json!({ "type": "integer", "minimum": from }),
        Shape::Integer(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Percentage => pattern(PERCENTAGE),
        Shape::Count(from) => json!({ "anyOf": [{ "type": "integer", "minimum": from }, { "const": "unlimited" }] }),
        Shape::Duration => pattern(DURATION),
        Shape::Warmup => json!({ "anyOf": [pattern(DURATION), { "const": "auto" }] }),
        Shape::Rate => pattern(RATE),
        Shape::Size => pattern(SIZE),
        Shape::Bandwidth => pattern(BANDWIDTH),
        Shape::Capacity => pattern(CAPACITY),
        Shape::Distribution(Sort::Drifts) => pattern(DRIFTS),
        Shape::Distribution(Sort::Durations) => pattern(DISTRIBUTION),
        Shape::Distribution(Sort::Numbers | Sort::Counts) => {
            json!({ "anyOf": [{ "type": "number" }, { "type": "string", "pattern": DISTRIBUTION }] })
        }
        Shape::Distribution(Sort::Offsets) => pattern(OFFSETS),
        Shape::Variable => json!({ "anyOf": [{ "type": ["number", "boolean"] }, pattern(VARIABLE)] }),
        Shape::Word(now, _) => words(now),
        Shape::Words(now, _) => json!({ "type": "array", "items": words(now) }),
        Shape::Name => pattern(NAME),
        Shape::Else(of) => json!({ "anyOf": [pattern(NAME), self::shape(&Shape::Steps(*of))] }),
        Shape::Policy(form) => policy(form),
        Shape::List(form) => json!({ "type": "array", "minItems": 1, "items": table(form) }),
        Shape::Value => json!({ "type": ["string", "integer", "boolean"] }),
        Shape::Initial => json!({ "type": ["integer", "object"] }),
        Shape::Factor(_) => json!({ "type": "number", "exclusiveMinimum": 0 }),
        Shape::CallsOrDuration => json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, pattern(DURATION)] }),
        Shape::Effort => json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, pattern("^[0-9_]+[kMG]?$")] }),
        Shape::Staleness => json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, pattern(DURATION)] }),
        Shape::Acks => {
            json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "enum": ["leader", "majority", "all"] }] })
        }
        Shape::RateOrUsers => json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, pattern(RATE)] }),
        Shape::Destination(_) => pattern(DESTINATION),
        Shape::Rows => json!({ "type": "array", "minItems": 1, "items": { "type": "string" } }),
        Shape::Events => {
            json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
        }
        Shape::Points => json!({ "type": "array", "items": self::shape(&Shape::Point) }),
        Shape::Names => json!({ "type": "array", "items": pattern(NAME) }),
        Shape::FileName => pattern("^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"),
        Shape::Text
        | Shape::Threshold
        | Shape::CallTarget
        | Shape::Row
        | Shape::Path
        | Shape::Item
        | Shape::Pattern => {
            json!({ "type": "string" })
        }
        Shape::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Shape::Expression => json!({ "type": ["string", "integer"] }),
        Shape::Assigned => json!({ "type": ["string", "integer", "object"] }),
        Shape::Window => pattern(WINDOW),
        Shape::WindowOrPhase => json!({ "anyOf": [pattern(WINDOW), pattern(NAME)] }),
        Shape::Seeds => pattern(r"^ *[0-9]+ *\.\. *[0-9]+ *$"),
        Shape::Targets => {
            json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
        }
        Shape::Sides => json!({ "type": "array", "items": { "type": "array", "items": { "type": "string" } } }),
        Shape::Hits => json!({ "type": "array", "items": pattern(r"^[0-9]+/[0-9]+/[0-9]+$") }),
        Shape::Operations(form) => json!({ "type": "array", "items": { "anyOf": [
            { "type": "integer", "minimum": 0 }, pattern(r"^ *[0-9]+ *\.\. *[0-9]+ *$"), table(form)
        ] } }),
        Shape::Point => json!({ "anyOf": [words(POINTS), { "type": "string", "pattern": r"^commit\.|\*" }] }),
        Shape::Trace => json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": pattern(DURATION) }] }),
        Shape::SweepVariants => {
            json!({ "anyOf": [words(&["all", "none"]), { "type": "array", "items": pattern(NAME) }] })
        }
        Shape::Matrix => json!({ "type": "object", "additionalProperties": { "type": "array", "minItems": 1 } }),
        Shape::Table(form) => short_or_table(form),
        Shape::Keyed(inner) => keyed(&self::shape(inner), inner, NAME),
        Shape::Links(form) => keyed(&table(form), &Shape::Links(form), "->"),
        Shape::Verbed(verbs) => verbed(verbs),
        Shape::Steps(of) => {
            json!({ "type": "array", "minItems": 1, "items": { "$ref": format!("#/definitions/{}", definition(*of)) } })
        }
        Shape::Variants => json!({
            "type": "object",
            "propertyNames": { "pattern": NAME },
            "additionalProperties": { "$ref": "#/definitions/partial" },
        }),
    }
}

fn keyed(inner: &Json, of: &Shape, names: &str) -> Json {
    json!({
        "type": "object",
        "propertyNames": { "pattern": names },
        "additionalProperties": or_none(inner.clone(), of),
    })
}

fn short_or_table(form: &Form) -> Json {
    match form.short {
        Short::None | Short::Body => table(form),
        Short::Key(name) => {
            let principal = form.key(name).map_or(json!({}), |k| shape(&k.shape));
            json!({ "anyOf": [principal, table(form)] })
        }
        Short::Op => {
            let short = |name| form.key(name).map_or(json!({}), |k| shape(&k.shape));
            json!({ "anyOf": [short("work"), short("steps"), table(form)] })
        }
    }
}

fn described(key: &Key) -> Json {
    let mut schema = shape(&key.shape);
    if key.preset != Preset::Required {
        schema = or_none(schema, &key.shape);
    }
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".into(), json!(key.doc));
        let default = match key.preset {
            Preset::Text(text) => Some(json!(text)),
            Preset::Integer(number) => Some(json!(number)),
            Preset::Boolean(truth) => Some(json!(truth)),
            Preset::Words(words) => Some(json!(words)),
            Preset::Required
            | Preset::Absent
            | Preset::Chosen(..)
            | Preset::For(..)
            | Preset::MinCalls
            | Preset::Table
            | Preset::Stem
            | Preset::RunDuration
            | Preset::Chaos
            | Preset::Seeds => None,
        };
        if let Some(default) = default {
            object.insert("default".into(), default);
        }
    }
    schema
}

/// A table may be a copy of a sibling or a variant's part, so only the root has required keys.
fn table(form: &Form) -> Json {
    let properties: Map<String, Json> = form.keys.iter().map(|k| (k.name.to_owned(), described(k))).collect();
    let copies = form.key("like").is_some();
    let required: Vec<&str> = form
        .keys
        .iter()
        .filter(|k| k.preset == Preset::Required && k.only.is_none() && !copies)
        .map(|k| k.name)
        .collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties, "required": required })
}

fn verbed(verbs: &Verbs) -> Json {
    let each = verbs.each.iter().map(|verb| {
        let keys = verbs.common.iter().chain([&verb.key]).chain(verb.modifiers);
        let properties: Map<String, Json> = keys.map(|k| (k.name.to_owned(), described(k))).collect();
        json!({
            "type": "object",
            "description": verb.key.doc,
            "additionalProperties": false,
            "properties": properties,
            "required": [verb.key.name],
        })
    });
    json!({ "anyOf": each.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::super::schema::INVARIANTS;
    use super::*;

    #[test]
    fn every_key_of_the_tables_is_in_the_schema_with_its_words() {
        let schema = json_schema();
        assert_eq!(schema["properties"]["run"]["properties"]["duration"]["pattern"], DURATION);
        assert_eq!(schema["required"], json!(["version", "run"]));
        let invariant = &schema["properties"]["invariants"].to_string();
        for verb in INVARIANTS.each {
            assert!(invariant.contains(&format!("\"{}\"", verb.key.name)), "{}", verb.key.name);
        }
        assert!(schema.to_string().contains("wound_wait"));
    }
}
