//! The tutorial: its files are written, its commands run, and what it shows is what they print.
//!
//! `BLESS=1 cargo test --test tutorial` writes what is shown anew; look at the difference before you keep it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The page with every command's output as it is now, and its commands.
fn played(page: &str, folder: &Path) -> (String, Vec<String>) {
    let (mut told, mut commands) = (String::new(), Vec::new());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        told += line;
        told.push('\n');
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match (language, block.split_first()) {
            ("toml", Some((first, rest))) => {
                write_file(folder, first, rest);
                told += &lines_of(&block);
            }
            ("console", Some((first, _))) => {
                let command = first.strip_prefix("$ stormglass ").expect("a command");
                commands.push(command.to_owned());
                let _ = write!(told, "{first}\n{}", output(folder, command));
            }
            (_, _) => told += &lines_of(&block),
        }
        told += "```\n";
    }
    (told, commands)
}

fn lines_of(block: &[&str]) -> String {
    block.iter().flat_map(|line| [line, "\n"]).collect()
}

/// A file, if the first line is a comment with its name; else what in `bank.toml` begins with the same line is replaced.
fn write_file(folder: &Path, first: &str, rest: &[&str]) {
    if let Some(name) = first.strip_prefix("# ") {
        fs::write(folder.join(name), rest.join("\n") + "\n").expect("it can be written");
        return;
    }
    let file = folder.join("bank.toml");
    let text = fs::read_to_string(&file).expect("it was written before");
    let from = text.find(&format!("{first}\n")).expect("it is there");
    let to = from + text[from..].find("\n]\n").expect("it ends") + 3;
    let new = format!("{}{first}\n{}\n{}", &text[..from], rest.join("\n"), &text[to..]);
    fs::write(file, new).expect("it can be written");
}

fn output(folder: &Path, command: &str) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_stormglass")).args(command.split(' ')).current_dir(folder).output();
    let ran = ran.expect("the binary runs");
    assert_ne!(ran.status.code(), Some(2), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("it prints text")
}

#[test]
fn the_tutorial_shows_what_its_commands_print() {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial.md");
    let text = fs::read_to_string(&page).expect("it is there");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tutorial");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the target folder can be written");
    let (told, commands) = played(&text, &folder);
    assert_eq!(commands.len(), 5, "{commands:?}");
    if std::env::var_os("BLESS").is_some() {
        fs::write(page, told).expect("it can be written");
    } else {
        snapbox::assert_data_eq!(told, text);
    }
    let mended = output(&folder, "run bank.toml --seed 9 --format json");
    assert!(mended.contains("\"verdict\"") && mended.contains("\"pass\""), "the bug is mended");
}
