//! The only place that touches files and standard output.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use lab::scenario::{Files, Source};

/// Scenario files beyond this size are refused unread; nobody writes one.
const SCENARIO_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A summary beyond this size is not ours.
const SUMMARY_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads a scenario.
pub fn scenario(path: &Path) -> Result<Source, String> {
    let name = path.display().to_string();
    let about = fs::metadata(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    if about.is_dir() {
        return Err(format!("{name} is a folder; a scenario is a file (`stormglass list {name}` shows what is in it)"));
    }
    if about.len() > SCENARIO_BYTES_MAX {
        return Err(format!("{name} has {} MB; a scenario has at most 4", about.len() / 1_000_000));
    }
    let bytes = fs::read(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("{name} is not UTF-8 text: byte {at} is not part of a character")
    })?;
    Ok(Source::new(name, text))
}

/// Reads a scenario with the files that it and these `--set`s name; those are found from the scenario's folder.
pub fn scenario_with_data(path: &Path, sets: &[(String, String)]) -> Result<Source, String> {
    let source = scenario(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let read = |name: String| {
        let contents = data(&folder.join(&name));
        (name, contents)
    };
    let files = lab::scenario::files_named(&source, sets).into_iter().map(read).collect();
    Ok(source.with_files(Files::new(files)))
}

/// The text of a file that a scenario names, or why there is none.
fn data(path: &Path) -> Result<String, String> {
    let about = fs::metadata(path).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("it is no file".to_owned());
    }
    if about.len() > SCENARIO_BYTES_MAX {
        return Err(format!("it has {} MB, and at most 4 are read", about.len() / 1_000_000));
    }
    fs::read_to_string(path).map_err(|error| error.to_string())
}

/// The text of a run's summary.
pub fn summary(path: &Path) -> Result<String, String> {
    let name = path.display().to_string();
    let about = fs::metadata(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    if about.len() > SUMMARY_BYTES_MAX {
        return Err(format!(
            "{name} has {} MB, and at most {} are read",
            about.len() / 1_000_000,
            SUMMARY_BYTES_MAX >> 20
        ));
    }
    fs::read_to_string(path).map_err(|error| format!("cannot read {name}: {error}"))
}

/// The text of a history.
pub fn history(path: &Path) -> Result<String, String> {
    let name = path.display().to_string();
    let about = fs::metadata(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    if about.is_dir() {
        return Err(format!("{name} is a folder; a history is a file"));
    }
    if about.len() > histories::BYTES_MAX {
        return Err(format!(
            "{name} has {} MB; a history has at most {}",
            about.len() / 1_000_000,
            histories::BYTES_MAX / 1_000_000
        ));
    }
    let bytes = fs::read(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    String::from_utf8(bytes).map_err(|error| {
        format!("{name} is not UTF-8 text: byte {} is not part of a character", error.utf8_error().valid_up_to())
    })
}

/// Every TOML file in these files and folders, in order.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = fs::read_dir(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            let mut inside: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|e| e.path())).collect();
            inside.sort();
            inside.retain(|p| p.is_dir() || p.extension().is_some_and(|e| e == "toml"));
            found.extend(find(&inside)?);
        } else if path.exists() {
            found.push(path.clone());
        } else {
            return Err(format!("there is no {}", path.display()));
        }
    }
    Ok(found)
}

/// Writes a run's files as one directory: all of them or none. An existing one is replaced.
pub fn directory(path: &Path, files: &[(String, Vec<u8>)]) -> Result<(), String> {
    let name = path.file_name().map_or_else(|| "run".to_owned(), |n| n.to_string_lossy().into_owned());
    let parent = path.parent().unwrap_or(Path::new("."));
    let fresh = parent.join(format!(".{name}.{}", std::process::id()));
    let old = parent.join(format!(".{name}.{}.old", std::process::id()));
    let write = || -> io::Result<()> {
        for (file, bytes) in files {
            let file = fresh.join(file);
            fs::create_dir_all(file.parent().unwrap_or(&fresh))?;
            fs::write(file, bytes)?;
        }
        if path.exists() {
            fs::rename(path, &old)?;
        }
        fs::rename(&fresh, path)?;
        if old.exists() {
            fs::remove_dir_all(&old)?;
        }
        Ok(())
    };
    write().map_err(|error| {
        // The half-written copy is of no use to anybody.
        let _ = fs::remove_dir_all(&fresh);
        format!("cannot write {}: {error}", path.display())
    })
}

/// Writes a file, all of it or nothing.
pub fn replace(path: &Path, text: &str) -> Result<(), String> {
    let name = path.file_name().map_or_else(|| "file".to_owned(), |n| n.to_string_lossy().into_owned());
    let fresh = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(&fresh, text)).and_then(|()| fs::rename(&fresh, path)).map_err(|error| {
        // The half-written copy is of no use to anybody.
        let _ = fs::remove_file(&fresh);
        format!("cannot write {}: {error}", path.display())
    })
}

/// The text of a file that need not be there; what is no UTF-8 in it becomes `\u{fffd}`.
pub fn text_if_there(path: &Path) -> Result<Option<String>, String> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

/// A file that grows while the work goes on.
pub struct Growing {
    file: fs::File,
    name: String,
}

impl Growing {
    /// Goes on behind what stands there, or begins anew. The folder is made.
    pub fn open(path: &Path, anew: bool) -> Result<Self, String> {
        let name = path.display().to_string();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let open = || {
            folder.map_or(Ok(()), fs::create_dir_all)?;
            let mut options = fs::OpenOptions::new();
            options.create(true).write(true);
            if anew { options.truncate(true) } else { options.append(true) }.open(path)
        };
        open().map(|file| Self { file, name: name.clone() }).map_err(|error| format!("cannot write {name}: {error}"))
    }

    /// Adds this with one call of the system, so that what dies here leaves a whole beginning.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        self.file.write_all(text.as_bytes()).map_err(|error| format!("cannot write {}: {error}", self.name))
    }
}

/// Where failures of a scenario are kept: `regressions` in the folder `scenarios` that it is in, else beside it.
pub fn regressions(scenario: &Path) -> PathBuf {
    let root = scenario.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "scenarios"));
    root.or_else(|| scenario.parent()).unwrap_or_else(|| Path::new("")).join("regressions")
}

/// A journal beyond this size is not read.
const JOURNAL_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The text of a journal, as far as it can be read.
pub fn journal(path: &Path) -> String {
    let readable = fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() <= JOURNAL_BYTES_MAX);
    let bytes = if readable { fs::read(path).unwrap_or_default() } else { Vec::new() };
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Puts lines at the end of a file.
pub fn append(path: &Path, lines: &str) -> Result<(), String> {
    let write = || -> io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        fs::OpenOptions::new().create(true).append(true).open(path)?.write_all(lines.as_bytes())
    };
    write().map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Whether two paths lead to one file.
pub fn are_one(path: &Path, other: &Path) -> bool {
    path == other || matches!((path.canonicalize(), other.canonicalize()), (Ok(path), Ok(other)) if path == other)
}

/// Removes a file, if it is there.
pub fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot write {}: {error}", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints to standard output. A reader that has gone away is no error.
pub fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints to standard error.
pub fn note(text: &str) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Colour belongs on a terminal, and nowhere when `NO_COLOR` is set.
pub fn colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// The same for standard error.
pub fn colour_of_errors() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}
