//! The journal of a sweep on disk: what is finished stands there before anything else is done with it, so that a sweep that
//! was killed goes on where it stopped.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use lab::sweep::journal::{Header, line, read};
use lab::sweep::{Prepared, SeedResult};

use crate::files::{self, Growing};

/// What a finished shard leaves in its folder.
pub(crate) const SHARD_FILE: &str = "shard.jsonl";

/// The journal of a sweep that is under way.
pub(crate) struct Kept {
    path: PathBuf,
    identity: String,
    file: Mutex<Growing>,
    /// Why not everything could be written, if so.
    trouble: Mutex<Option<String>>,
}

impl Kept {
    /// Opens the journal of a sweep, and gives what stands in it already. What is of another sweep is not used, and said so.
    pub(crate) fn open(
        folder: &Path,
        prepared: &Prepared,
        header: &Header,
        runs: u64,
    ) -> Result<(Self, Vec<SeedResult>), String> {
        let path = folder.join(format!("{}.journal", header.request.folder(prepared.seeds())));
        let journal = files::text_if_there(&path)?.map(|text| read(&text));
        let known = match journal {
            None => None,
            Some(Some(journal)) if journal.header.identity == header.identity => Some(journal),
            Some(Some(_)) => {
                let what = "of another sweep (the scenario, its seeds or the engine changed)";
                files::note(&format!("{} is {what}: starting anew\n", path.display()));
                None
            }
            Some(None) => {
                files::note(&format!("{} is no journal of a sweep: starting anew\n", path.display()));
                None
            }
        };
        let mut file = Growing::open(&path, known.is_none())?;
        let known = if let Some(journal) = known {
            // The last line may be torn: what follows must not stand behind it.
            file.add("\n")?;
            let finished = journal.results.len();
            files::note(&format!("going on: {finished} of {runs} runs stand in {}\n", path.display()));
            journal.results
        } else {
            file.add(&header.line())?;
            Vec::new()
        };
        Ok((Self { path, identity: header.identity.clone(), file: Mutex::new(file), trouble: Mutex::new(None) }, known))
    }

    /// Adds a result. If that fails the sweep goes on: its results do not depend on it.
    pub(crate) fn add(&self, result: &SeedResult) {
        let Ok(mut file) = self.file.lock() else { return };
        let added = file.add(&line(&self.identity, result));
        if let (Err(error), Ok(mut trouble)) = (added, self.trouble.lock()) {
            trouble.get_or_insert(error);
        }
    }

    /// Says why not everything stands in it, if so.
    pub(crate) fn complain(&self) {
        if let Ok(Some(trouble)) = self.trouble.lock().map(|mut trouble| trouble.take()) {
            files::note(&format!("{trouble}; what is missing there would have to be run again\n"));
        }
    }

    /// The sweep is over, and its results are written: there is nothing to go on with.
    pub(crate) fn remove(self) -> Result<(), String> {
        let Self { path, file, .. } = self;
        drop(file);
        files::remove(&path)
    }
}
