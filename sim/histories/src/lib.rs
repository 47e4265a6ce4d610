//! Files of histories, as many tools write them, read into what the judges of `checkers` take.
//!
//! | begins with | is |
//! |---|---|
//! | `{"` | JSON lines, one operation map each; a first map with `history` is a header |
//! | `[{"` | a JSON array of operation maps, as elle-cli takes them |
//! | `{:`, `[{:`, `({:`, `#`, `;` | EDN, as Jepsen writes it: maps one after the other, or in a vector or list |
//! | `INFO … jepsen.util` | the log of an old Jepsen |
//! | `r(` or `w(` | reads and writes of sessions, `r(key,value,session,transaction)` |
//!
//! What cannot be read is refused with its line. Nothing is guessed: where formats mean different things by the same
//! words, the [`Dialect`] says what is meant. Read `syntax` first (values), then `operations` (maps of operations).

mod log;
mod operations;
mod sessions;
mod syntax;

use checkers::history::{Clock, Dialect, Event, FailedCas, NilRead, Refusal, Value, WriteOrder};

/// Files beyond this size have lines and positions that do not fit.
pub const BYTES_MAX: u64 = 4_000_000_000;

/// What a file says.
#[derive(Clone, PartialEq, Debug)]
pub struct Read {
    /// Its events, in order.
    pub events: Vec<Event>,
    /// How they are to be understood.
    pub dialect: Dialect,
    /// What it is.
    pub format: Format,
    /// What a header says of the model.
    pub model: Option<String>,
    /// What a header says that objects hold at first.
    pub initial: Option<Value>,
}

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// JSON, one map per line.
    JsonLines,
    /// A JSON array.
    JsonArray,
    /// EDN.
    Edn,
    /// The log of an old Jepsen.
    JepsenLog,
    /// Reads and writes of sessions.
    Sessions,
}

/// Reads a history; the format shows at its beginning.
pub fn read(text: &str) -> Result<Read, Refusal> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let format = detect(text)?;
    let dialect = Dialect {
        failed_cas: if format == Format::JepsenLog { FailedCas::Observed } else { FailedCas::Dropped },
        nil_read: match format {
            Format::JsonLines | Format::JepsenLog | Format::Sessions => NilRead::Nothing,
            Format::JsonArray | Format::Edn => NilRead::Unknown,
        },
        clock: if format == Format::Sessions { Clock::PerProcess } else { Clock::Shared },
        write_order: WriteOrder::Unknown,
    };
    let mut read = Read { events: Vec::new(), dialect, format, model: None, initial: None };
    match format {
        Format::JsonLines | Format::JsonArray => operations::read(text, syntax::Syntax::Json, &mut read)?,
        Format::Edn => operations::read(text, syntax::Syntax::Edn, &mut read)?,
        Format::JepsenLog => log::read(text, &mut read)?,
        Format::Sessions => sessions::read(text, &mut read)?,
    }
    Ok(read)
}

/// One value, as JSON or EDN, for arguments of a command.
pub fn value(text: &str) -> Result<Value, Refusal> {
    syntax::one(text, syntax::Syntax::Json).or_else(|_| syntax::one(text, syntax::Syntax::Edn))
}

fn detect(text: &str) -> Result<Format, Refusal> {
    let start = text.trim_start();
    let line =
        (text.len() - start.len()..text.len()).next().map_or(0, |at| text[..at].matches('\n').count() + 1) as u32;
    if start.is_empty() {
        return Err(Refusal { line: 0, what: "the history is empty".into() });
    }
    if start.lines().take(HEADING_LINES).any(|line| line.contains("jepsen.util - ")) {
        return Ok(Format::JepsenLog);
    }
    if start.starts_with("r(") || start.starts_with("w(") {
        return Ok(Format::Sessions);
    }
    let inside = start.strip_prefix('[').unwrap_or(start).trim_start();
    let json = inside.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(['"', '}']));
    match (json, start.as_bytes()[0]) {
        (true, b'[') => Ok(Format::JsonArray),
        (true, _) => Ok(Format::JsonLines),
        (false, b'{' | b'[' | b'(' | b'#' | b';') => Ok(Format::Edn),
        (false, _) => Err(Refusal {
            line,
            what:
                "this is no history: JSON lines, a JSON array, EDN, a Jepsen log, or r(key,value,session,transaction)"
                    .into(),
        }),
    }
}

/// Lines of other programs that may stand before the first line of a log.
const HEADING_LINES: usize = 100;
