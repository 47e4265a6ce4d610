//! `stormglass merge`: the shards of a sweep become the sweep.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use lab::sweep::journal::{Header, Journal, read};
use lab::sweep::{Known, Prepared, Request, Shard, prepare};

use crate::args::MergeArgs;
use crate::files;
use crate::journal::SHARD_FILE;
use crate::run::told;
use crate::sweep::Results;

/// Numbers of shards that are told one by one.
const NUMBERS_TOLD: usize = 10;

/// Puts the shards of a sweep together.
pub(crate) fn merge(args: &MergeArgs) -> Result<u8, String> {
    let (mut journals, mut wrong) = (Vec::new(), Vec::new());
    for folder in &args.shards {
        match shard(folder) {
            Ok(journal) => journals.push((folder.display().to_string(), journal)),
            Err(what) => wrong.push(what),
        }
    }
    let Some((_, first)) = journals.first() else { return Err(wrong.join("\n")) };
    let Header { source, earlier, .. } = first.header.clone();
    let request = Request { shard: None, ..first.header.request.clone() };
    let prepared = prepare(&source, &request).map_err(|errors| told(&errors, args.format))?;
    wrong.extend(unfit(&journals, &prepared));
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    let results = journals.into_iter().flat_map(|(_, journal)| journal.results).collect();
    let known = Known { earlier, results, keep: &|_| () };
    let swept = prepared.run(known, &AtomicBool::new(false), &|_| ());
    Results { swept: &swept, request: &request, source: &source, out: &args.out }.tell(args.format)?;
    Ok(swept.exit)
}

/// What a shard left in its folder.
fn shard(folder: &Path) -> Result<Journal, String> {
    let name = folder.display();
    let Some(text) = files::text_if_there(&folder.join(SHARD_FILE))? else {
        return Err(format!("{name} has no {SHARD_FILE}: it is no folder of a shard, or the shard is not finished"));
    };
    match read(&text) {
        Some(journal) if journal.header.request.shard.is_some() => Ok(journal),
        Some(_) | None => Err(format!("{name}/{SHARD_FILE} is not what a shard leaves behind")),
    }
}

/// Why these shards are not the whole sweep, and nothing but it.
fn unfit(journals: &[(String, Journal)], prepared: &Prepared) -> Vec<String> {
    let mut wrong = Vec::new();
    let (first_name, first) = &journals[0];
    if prepared.identity() != first.header.identity {
        wrong.push(format!("{first_name} was made by another version of stormglass, whose runs may differ"));
    }
    let of = first.header.request.shard.map_or(1, |shard| shard.of);
    let mut there: BTreeMap<u64, &str> = BTreeMap::new();
    for (name, journal) in journals {
        let Some(shard) = journal.header.request.shard else { continue };
        if let Some(what) = foreign(&first.header, &journal.header) {
            wrong.push(format!("{name} does not belong to {first_name}: {what}"));
            continue;
        }
        if let Some(other) = there.insert(shard.number, name) {
            wrong.push(format!("{name} is shard {shard}, and so is {other}"));
        }
        let lacking = lacking(journal, shard, prepared, &first.header);
        if lacking > 0 {
            let torn =
                if journal.torn > 0 { format!("; {} of its lines are damaged", journal.torn) } else { String::new() };
            wrong.push(format!("{name} lacks {lacking} of its runs{torn}: run shard {shard} again"));
        }
    }
    let missing: Vec<u64> = (1..=of).filter(|number| !there.contains_key(number)).collect();
    if !missing.is_empty() {
        let told: Vec<String> = missing.iter().take(NUMBERS_TOLD).map(u64::to_string).collect();
        let more = if missing.len() > told.len() {
            format!(" and {} more", missing.len() - told.len())
        } else {
            String::new()
        };
        let (noun, verb) = if missing.len() == 1 { ("shard", "is") } else { ("shards", "are") };
        wrong.push(format!("{noun} {} of {of}{more} {verb} missing", told.join(", ")));
    }
    wrong
}

/// Why a shard is of another sweep.
fn foreign(first: &Header, other: &Header) -> Option<&'static str> {
    let of = |header: &Header| header.request.shard.map(|shard| shard.of);
    if of(first) != of(other) {
        Some("it is of another number of shards")
    } else if first.identity != other.identity {
        Some("its scenario, seeds or engine are others")
    } else if first.source.text != other.source.text || first.source.files != other.source.files {
        Some("its scenario reads differently")
    } else if (&first.request.sets, &first.request.matrix) != (&other.request.sets, &other.request.matrix) {
        Some("other values are set")
    } else if first.earlier != other.earlier {
        Some("other seeds had failed earlier")
    } else {
        None
    }
}

/// How many runs of a shard are not in its journal.
fn lacking(journal: &Journal, shard: Shard, prepared: &Prepared, header: &Header) -> usize {
    let there: BTreeSet<(usize, u64)> = journal.results.iter().map(|result| (result.point, result.seed)).collect();
    let first = prepared.first(&header.earlier, Some(shard));
    prepared.runs(Some(shard)).chain(first).filter(|run| !there.contains(run)).count()
}
