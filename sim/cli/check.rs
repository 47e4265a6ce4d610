//! `stormglass check`.

use std::path::Path;

use checkers::catalogue::{self, Question};
use checkers::history::{FailedCas, NilRead, WriteOrder};
use checkers::linearizable::Budget;
use clap::ValueEnum as _;
use reports::judged::Judged;

use crate::args::{CheckArgs, FailedCasArg, Format, NilReads, WriteOrderArg};
use crate::{BAD_INPUT, files};

/// Of several results the first of these that occurred is the exit code.
const WORST_FIRST: [u8; 4] = [BAD_INPUT, 1, 3, 0];

/// Judges every history; what cannot be read does not keep the others from being judged.
pub(crate) fn check(args: &CheckArgs) -> Result<u8, String> {
    if let [_, _, ..] = &args.histories[..]
        && (args.html.is_some() || args.dot.is_some())
    {
        return Err(format!("--html and --dot are of one history; {} were given", args.histories.len()));
    }
    for drawn in [&args.html, &args.dot].into_iter().flatten() {
        if args.histories.iter().any(|history| files::are_one(history, drawn)) {
            return Err(format!("{} is the history; it would be lost", drawn.display()));
        }
    }
    // What was drawn before is not what is judged now.
    for old in [&args.html, &args.dot].into_iter().flatten() {
        files::remove(old)?;
    }
    let mut codes = Vec::new();
    let mut all = Vec::new();
    let mut drawn = None;
    for path in &args.histories {
        match judge(path, args) {
            Ok(judged) => {
                codes.push(judged.exit());
                match args.format {
                    Format::Human => files::print(&judged.text()),
                    Format::Json => all.push(judged.json()),
                }
                drawn = Some(judged);
            }
            Err(why) => {
                codes.push(BAD_INPUT);
                match args.format {
                    Format::Human => files::note(&format!("error: {why}\n")),
                    Format::Json => all.push(serde_json::json!({ "file": path.display().to_string(), "error": why })),
                }
            }
        }
    }
    if args.format == Format::Json {
        let text = serde_json::to_string_pretty(&all).map_err(|error| error.to_string())?;
        files::print(&format!("{text}\n"));
    }
    if let Some(judged) = drawn {
        args.html.as_deref().map_or(Ok(()), |path| files::replace(path, &judged.page()))?;
        args.dot.as_deref().map_or(Ok(()), |path| files::replace(path, &judged.dot()))?;
    }
    Ok(WORST_FIRST.into_iter().find(|code| codes.contains(code)).unwrap_or(0))
}

fn judge(path: &Path, args: &CheckArgs) -> Result<Judged, String> {
    let file = path.display().to_string();
    let at = |refusal: checkers::history::Refusal| match refusal.line {
        0 => format!("{file}: {}", refusal.what),
        line => format!("{file}:{line}: {}", refusal.what),
    };
    let read = histories::read(&files::history(path)?).map_err(at)?;
    let model = match (args.model, &read.model) {
        (Some(model), _) => model,
        (None, Some(name)) => catalogue::model(name).map_err(|why| format!("{file}: in the header: {why}"))?,
        (None, None) => return Err(format!("{file} has no header that names a model: say --model")),
    };
    let mut dialect = read.dialect;
    match args.failed_cas {
        Some(FailedCasArg::Observed) => dialect.failed_cas = FailedCas::Observed,
        Some(FailedCasArg::Dropped) => dialect.failed_cas = FailedCas::Dropped,
        None => {}
    }
    match args.nil_reads {
        Some(NilReads::Nothing) => dialect.nil_read = NilRead::Nothing,
        Some(NilReads::Unknown) => dialect.nil_read = NilRead::Unknown,
        None => {}
    }
    match args.write_order {
        Some(WriteOrderArg::RealTime) => dialect.write_order = WriteOrder::RealTime,
        Some(WriteOrderArg::Unknown) => dialect.write_order = WriteOrder::Unknown,
        None => {}
    }
    let question = Question {
        model,
        consistency: args.consistency.unwrap_or_else(|| catalogue::usual(model)),
        initial: args.init.clone().or(read.initial),
        budget: Budget { steps: args.budget, bytes: args.memory },
    };
    let (history, judgement) = catalogue::judge(&read.events, dialect, &question).map_err(at)?;
    Ok(Judged { file, question, options: options(args), history, judgement })
}

/// The options that change an answer, as they were given.
fn options(args: &CheckArgs) -> Vec<String> {
    let mut options = Vec::new();
    let mut option = |name: &str, value: Option<String>| options.extend(value.map(|value| format!("{name}={value}")));
    let word = |value: &dyn Fn() -> Option<clap::builder::PossibleValue>| value().map(|v| v.get_name().to_owned());
    option("--init", args.init.as_ref().map(ToString::to_string));
    option("--failed-cas", args.failed_cas.and_then(|value| word(&|| value.to_possible_value())));
    option("--nil-reads", args.nil_reads.and_then(|value| word(&|| value.to_possible_value())));
    option("--write-order", args.write_order.and_then(|value| word(&|| value.to_possible_value())));
    option("--budget", (args.budget != Budget::USUAL.steps).then(|| args.budget.to_string()));
    option("--memory", (args.memory != Budget::USUAL.bytes).then(|| args.memory.to_string()));
    options
}
