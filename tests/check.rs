//! `stormglass check`: exit codes, what is printed, and the same bytes twice.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A history of one register: written, then read.
fn history(name: &str, read: u32) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("check");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    let path = folder.join(name);
    let text = format!(
        "{{\"history\":1,\"model\":\"register\",\"init\":0}}\n\
         {{\"process\":1,\"type\":\"invoke\",\"f\":\"write\",\"value\":1}}\n\
         {{\"process\":1,\"type\":\"ok\",\"f\":\"write\",\"value\":1}}\n\
         {{\"process\":2,\"type\":\"invoke\",\"f\":\"read\"}}\n\
         {{\"process\":2,\"type\":\"ok\",\"f\":\"read\",\"value\":{read}}}\n"
    );
    fs::write(&path, text).expect("the target folder can be written");
    path.display().to_string()
}

fn check(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.arg("check").args(arguments).output().expect("the binary runs")
}

fn code(arguments: &[&str]) -> Option<i32> {
    check(arguments).status.code()
}

#[test]
fn each_verdict_has_its_exit_code_and_of_several_the_worst_wins() {
    let (valid, stale) = (history("valid.jsonl", 1), history("stale.jsonl", 0));
    assert_eq!(code(&[&valid]), Some(0));
    assert_eq!(code(&[&stale]), Some(1));
    assert_eq!(code(&[&stale, "--consistency", "sequential"]), Some(0));
    assert_eq!(code(&[&stale, "--consistency", "linearizable", "--budget", "0"]), Some(3));
    assert_eq!(code(&[&valid, "--init", "{"]), Some(2));
    assert_eq!(code(&[&valid, "--model", "regsiter"]), Some(2));
    assert_eq!(code(&[&valid, "--model", "mutex"]), Some(2));
    assert_eq!(code(&["there is no such file", "--model", "register"]), Some(2));
    assert_eq!(code(&[&valid, &stale]), Some(1));
    assert_eq!(code(&[&stale, "there is no such file"]), Some(2));
}

#[test]
fn a_stale_read_is_told_with_its_lines_twice_the_same() {
    let stale = history("told.jsonl", 0);
    let told = check(&[&stale]).stdout;
    assert_eq!(told, check(&[&stale]).stdout);
    let text = String::from_utf8(told).expect("the text is UTF-8");
    let story = text.split_once("operations\n").expect("a first line").1;
    assert_eq!(
        story,
        "  no order of the operations explains process 2 read 0 ok (lines 4, 5): it read 0, but the value is 1\n\n\
         \x20 the operations that show it\n\
         \x20   process 1 write 1 ok (lines 2, 3)\n\
         \x20   process 2 read 0 ok (lines 4, 5)\n\n\
         \x20 the longest beginning that can be explained ends in the state 1, and then\n\
         \x20   process 2 read 0 ok (lines 4, 5): it read 0, but the value is 1\n"
    );
    let json = check(&[&stale, "--format", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).expect("valid JSON");
    assert_eq!(
        (&json[0]["verdict"], &json[0]["witness"][1]["lines"]),
        (&"violated".into(), &serde_json::json!([4, 5]))
    );
}
