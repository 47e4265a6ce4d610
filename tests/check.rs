//! `stormglass check`: exit codes, what is printed, and the same bytes twice.

use std::fmt::Write as _;
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

/// Writes a history and judges it with a page and a graph; gives both.
fn drawn(name: &str, lines: &str) -> (String, String) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("check");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    let path = |end: &str| folder.join(format!("{name}.{end}")).display().to_string();
    let (history, page, graph) = (path("jsonl"), path("html"), path("dot"));
    fs::write(&history, lines).expect("the target folder can be written");
    let output = check(&[&history, "--html", &page, "--dot", &graph]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |path: &str| fs::read_to_string(path).expect("it was written");
    (read(&page), read(&graph))
}

#[test]
fn a_page_draws_a_bar_per_operation_in_lanes_of_clients_and_nodes_and_a_graph_says_what_came_first() {
    let (page, graph) = drawn(
        "drawn",
        "{\"history\":1,\"model\":\"register\",\"init\":\"</script>\"}\n\
         {\"process\":1,\"type\":\"invoke\",\"f\":\"write\",\"value\":1,\"node\":\"a\"}\n\
         {\"process\":1,\"type\":\"ok\",\"f\":\"write\",\"value\":1}\n\
         {\"process\":3,\"type\":\"invoke\",\"f\":\"write\",\"value\":7,\"node\":\"<b>\"}\n\
         {\"process\":2,\"type\":\"invoke\",\"f\":\"read\",\"node\":\"a\"}\n\
         {\"process\":2,\"type\":\"ok\",\"f\":\"read\",\"value\":\"</script>\"}\n",
    );
    let page = roxmltree::Document::parse_with_options(
        &page,
        roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() },
    );
    let page = page.expect("the page is well-formed");
    let section = |id: &str| {
        let mut all = page.descendants();
        all.find(|node| node.has_tag_name("section") && node.attribute("id") == Some(id)).expect("the section is there")
    };
    let classes =
        |id: &str, class: &str| section(id).descendants().filter(|node| node.attribute("class") == Some(class)).count();
    for id in ["clients", "nodes"] {
        let all = (classes(id, "operation"), classes(id, "operation against"), classes(id, "effect"));
        assert_eq!(all, (2, 1, 1), "{id}: two writes, a read that has no place, and the moment of the first write");
    }
    let lanes = |id: &str| section(id).descendants().filter(|node| node.attribute("class") == Some("about")).count();
    assert_eq!((lanes("clients"), lanes("nodes")), (3 + 1, 2 + 1), "a lane each, and the axis");
    assert_eq!(classes("order", "bad"), 1, "what is refused, and why");
    assert!(graph.contains("o0 -> o2 [color=\"#9aa2ac\""), "the write was over before the read: {graph}");
    assert!(graph.lines().any(|line| line.contains("o2 [label=") && line.contains("#c4321f")), "{graph}");
}

#[test]
fn a_page_of_large_values_stays_small_and_is_of_one_history() {
    let mut lines = String::from("{\"history\":1,\"model\":\"register\",\"init\":0}\n");
    let long = |n: usize| format!("\"{n}{}\"", "é".repeat(20_000));
    for n in 0..200 {
        for kind in ["invoke", "ok"] {
            let _ = writeln!(lines, "{{\"process\":1,\"type\":\"{kind}\",\"f\":\"write\",\"value\":{}}}", long(n));
        }
    }
    lines += "{\"process\":2,\"type\":\"invoke\",\"f\":\"read\"}\n";
    let _ = writeln!(lines, "{{\"process\":2,\"type\":\"ok\",\"f\":\"read\",\"value\":{}}}", long(3));
    let (page, _) = drawn("large", &lines);
    assert!(lines.len() > 10_000_000 && page.len() < 200_000, "{} of {}", page.len(), lines.len());
    let (one, other) = (history("one.jsonl", 1), history("other.jsonl", 0));
    let refused = check(&[&one, &other, "--html", "never.html"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("2 were given") && !PathBuf::from("never.html").exists());
}

#[test]
fn a_page_says_how_to_ask_again_and_draws_no_moments_where_real_time_says_nothing() {
    let read = history("it's again.jsonl", 0);
    let page = format!("{read}.html");
    let page_of = |arguments: &[&str]| {
        let all: Vec<&str> = [read.as_str(), "--html", &page].into_iter().chain(arguments.iter().copied()).collect();
        assert!(check(&all).status.code().is_some_and(|code| code < 2));
        fs::read_to_string(&page).expect("it was written")
    };
    let violated = page_of(&["--init", "0", "--failed-cas", "observed"]);
    assert!(violated.contains("it&#39;\\&#39;&#39;s again.jsonl&#39; --model register"), "quoted for a shell");
    assert!(violated.contains("--init=0 --failed-cas=observed") && violated.contains("class=\"effect\""));
    let sequential = page_of(&["--consistency", "sequential"]);
    assert!(sequential.contains("VALID") && !sequential.contains("class=\"effect\""));
    let (code_of_loss, before) = (code(&[&read, "--html", &read]), fs::read(&read).expect("it is there"));
    assert!(code_of_loss == Some(2) && before.starts_with(b"{\"history\""), "the history itself is never written over");
    // What cannot be judged leaves no page of something else.
    fs::write(&read, "{").expect("it can be written");
    assert_eq!(check(&[&read, "--html", &page]).status.code(), Some(2));
    assert!(!PathBuf::from(&page).exists());
}
