//! Keys that there are not, and what was probably meant: that is as wrong as what is written.

use super::super::diagnostic::{COLLECTED_MAX, Diagnostic};
use super::super::nearest::{listed, nearest};
use super::super::schema::{FOREIGN, Form, LATER_SECTIONS};
use super::super::tree::{Entry, Table};
use super::super::values::clip;
use super::{Resolver, join};

impl Resolver<'_> {
    pub(super) fn unknown_keys(&mut self, entries: &Table, form: &Form, path: &str) {
        for (name, entry) in &entries.entries {
            if form.key(name).is_none() && self.errors.len() < COLLECTED_MAX {
                let known: Vec<&str> = form.keys.iter().map(|k| k.name).collect();
                let later =
                    form.later.contains(&name.as_str()) || (path.is_empty() && LATER_SECTIONS.contains(&name.as_str()));
                self.unknown_key(name, entry, &known, later, path, form.what);
                let meant = nearest(name, known).filter(|meant| !later && entries.get(meant).is_none());
                if let Some(meant) = meant {
                    self.broken.insert(join(path, meant));
                    if meant == "like" {
                        self.broken.insert(path.to_owned());
                        self.not_copied.push(path.to_owned());
                    }
                }
            }
        }
    }

    pub(super) fn unknown_key(
        &mut self,
        name: &str,
        entry: &Entry,
        known: &[&str],
        later: bool,
        path: &str,
        what: &str,
    ) {
        let full = join(path, name);
        if later {
            let label = "not supported by this version yet";
            self.error(&full, Diagnostic::error(entry.key, format!("`{full}` is known, but not built"), label));
            return;
        }
        let label = format!("unknown key; {what} has {}", listed(known.iter().copied(), 24));
        let error = Diagnostic::error(entry.key, format!("there is no key `{}`", clip(&full)), label);
        let help = match FOREIGN.iter().find(|f| f.0 == name) {
            Some((_, here)) => Some((*here).to_owned()),
            None => nearest(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?")),
        };
        self.error(&full, error.maybe_help(help));
    }
}
