//! `report.html` in a real browser: it renders without a script and without an error, asks nobody for anything, follows the
//! reader's colour scheme, and is nowhere wider than a narrow window.
//!
//! `STORMGLASS_BROWSER=chromium cargo test --test report_browser -- --nocapture`; without that variable it says that it was
//! skipped. Every check is first seen to fail on a page that is wrong on purpose.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

/// A page with everything a report must not have: an error, a request, something wide, one colour for all schemes.
const WRONG: &str = r#"<!DOCTYPE html><html><body style="background:#ffffff"><h1>wrong</h1>
<div style="width:700px">wide</div><img src="http://planted.invalid/x.png"/>
<script>console.error("planted")</script></body></html>"#;

/// Shows a page in a frame and writes down how wide it is and what colour it has. The frame is there because a headless
/// window is at least 500 pixels wide.
const MEASURE: &str = r#"<!DOCTYPE html><html style="color-scheme: light dark"><body>
<iframe id="page" src="PAGE" style="width:WIDEpx;height:4000px;border:0"></iframe><p id="found"></p><script>
document.getElementById("page").onload = function () {
  var inside = this.contentDocument, root = inside.documentElement, out = [];
  inside.querySelectorAll("body *").forEach(function (e) {
    if (e.getBoundingClientRect().right > WIDE + 0.5 && !e.parentElement.closest(".scroll, pre")) {
      out.push(e.tagName + "." + (e.getAttribute("class") || ""));
    }
  });
  document.getElementById("found").textContent = "[width " + root.scrollWidth + "] [outside " + out.join(" ") + "] [page " +
    getComputedStyle(inside.body).backgroundColor + "] [sections " + inside.querySelectorAll("section").length + "]";
};
</script></body></html>"#;

/// What the browser found out about a page.
struct Seen {
    /// The page after it was rendered.
    dom: String,
    /// What was logged to the console.
    console: Vec<String>,
    /// What was asked of the network.
    requests: Vec<String>,
}

struct Browser {
    program: String,
    home: PathBuf,
    proxy: u16,
    asked: Receiver<String>,
}

#[derive(Clone, Copy)]
enum Scheme {
    Dark,
    Light,
}

impl Browser {
    /// The browser that the environment names, with a proxy of ours behind which there is nothing.
    fn find() -> Option<Self> {
        let program = std::env::var("STORMGLASS_BROWSER").ok().filter(|program| !program.is_empty())?;
        let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("browser");
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).expect("the target folder can be written");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine");
        let proxy = listener.local_addr().expect("it is bound").port();
        let (tell, asked) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut line = String::new();
                let _ = BufReader::new(stream).read_line(&mut line);
                if tell.send(line.trim().to_owned()).is_err() {
                    return;
                }
            }
        });
        Some(Self { program, home, proxy, asked })
    }

    fn command(&self, scheme: Scheme, arguments: &[String]) -> (String, String) {
        let number = match scheme {
            Scheme::Dark => 0,
            Scheme::Light => 1,
        };
        let output = Command::new(&self.program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"])
            .args([
                "--disable-component-update",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                "--enable-logging=stderr",
            ])
            .arg("--allow-file-access-from-files")
            .arg(format!("--user-data-dir={}", self.home.join("profile").display()))
            .arg(format!("--proxy-server=http://127.0.0.1:{}", self.proxy))
            .arg(format!("--blink-settings=preferredColorScheme={number}"))
            .args(arguments)
            .output()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", self.program));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    }

    fn open(&self, page: &Path) -> Seen {
        // What the browser asks for on its own account is not the page's doing.
        // A connection that is closed again without a word is the browser's guess, not a request.
        let own = |line: &str| {
            line.is_empty()
                || [".google.com", ".googleapis.com", ".gvt1.com", ".gstatic.com"]
                    .iter()
                    .any(|host| line.contains(host))
        };
        drop(self.asked.try_iter().collect::<Vec<_>>());
        let (dom, errors) = self.command(Scheme::Light, &["--dump-dom".to_owned(), address(page)]);
        let console = errors.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
        let requests = self.asked.try_iter().filter(|line| !own(line)).collect();
        Seen { dom, console, requests }
    }

    /// What [`MEASURE`] finds in a frame of this width.
    fn measure(&self, page: &Path, wide: u32, scheme: Scheme) -> String {
        let file = self.home.join("measure.html");
        let text = MEASURE.replace("PAGE", &address(page)).replace("WIDE", &wide.to_string());
        fs::write(&file, text).expect("the folder can be written");
        let (dom, _) = self.command(scheme, &["--dump-dom".to_owned(), address(&file)]);
        let found = dom.split_once("<p id=\"found\">").and_then(|(_, rest)| rest.split_once("</p>"));
        found.unwrap_or_else(|| panic!("nothing was measured: {dom}")).0.to_owned()
    }

    fn picture(&self, page: &Path, scheme: Scheme) -> Vec<u8> {
        let file = self.home.join("picture.png");
        let _ = fs::remove_file(&file);
        let shot = format!("--screenshot={}", file.display());
        self.command(scheme, &["--window-size=1440,2000".to_owned(), shot, address(page)]);
        fs::read(&file).expect("a picture was written")
    }
}

fn address(page: &Path) -> String {
    format!("file://{}", page.display())
}

/// Runs the bank and returns its page.
fn page_of(browser: &Browser, name: &str, arguments: &[&str]) -> PathBuf {
    let out = browser.home.join(name);
    let output = Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", "scenarios/bank/two-phase-commit.toml", "--out", &out.display().to_string()])
        .args(arguments)
        .output()
        .expect("the binary runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let page =
        told.lines().find_map(|line| line.strip_prefix("report   ")).unwrap_or_else(|| panic!("no report: {told}"));
    assert!(page.ends_with("/report.html"), "{page}");
    PathBuf::from(page)
}

/// The page of a history that is wrong: more operations than a picture shows, at nodes with hostile names.
fn judged(browser: &Browser) -> PathBuf {
    let mut lines = String::from("{\"history\":1,\"model\":\"register\",\"init\":0}\n");
    for n in 0..60 {
        let told = if n == 59 { 7 } else { n };
        let node = if n % 2 == 0 { "</svg><script>" } else { "a node with quite a long name" };
        let f = if n == 59 { "read" } else { "write" };
        let process = n % 9;
        for kind in ["invoke", "ok"] {
            let value = if kind == "invoke" && f == "read" { "null".to_owned() } else { told.to_string() };
            let _ = writeln!(
                lines,
                "{{\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"value\":{value},\"node\":\"{node}\"}}"
            );
        }
    }
    let (history, page) = (browser.home.join("history.jsonl"), browser.home.join("judged.html"));
    fs::write(&history, lines).expect("the folder can be written");
    let output = Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .arg("check")
        .arg(&history)
        .arg("--html")
        .arg(&page)
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    page
}

/// A page says nothing on the console, asks for nothing, is whole, and fits.
fn renders(browser: &Browser, page: &Path, verdict: &str, last: &str) {
    let name = page.display();
    let seen = browser.open(page);
    assert_eq!(seen.console, [""; 0], "{name}");
    assert_eq!(seen.requests, [""; 0], "{name}");
    assert!(seen.dom.contains(&format!("<strong>{verdict}</strong>")), "{name}: {}", seen.dom);
    assert!(
        seen.dom.trim_end().ends_with("</html>") && seen.dom.contains(&format!("id=\"{last}\"")),
        "{name} is whole"
    );
    for (wide, scheme, colour) in
        [(420, Scheme::Light, "rgb(255, 255, 255)"), (420, Scheme::Dark, "rgb(21, 24, 28)"), (1440, Scheme::Light, "")]
    {
        let measured = browser.measure(page, wide, scheme);
        assert!(measured.contains(&format!("[width {wide}] [outside ]")), "{name} at {wide}: {measured}");
        assert!(measured.contains(&format!("[page {colour}")), "{name}: {measured}");
        assert!(!measured.contains("[sections 0]"), "{name}: {measured}");
    }
}

#[test]
fn a_report_renders_alone_in_both_schemes_and_fits_a_narrow_window() {
    let Some(browser) = Browser::find() else {
        eprintln!("skipped: STORMGLASS_BROWSER names no browser");
        return;
    };
    let wrong = browser.home.join("wrong.html");
    fs::write(&wrong, WRONG).expect("the folder can be written");
    let seen = browser.open(&wrong);
    assert!(seen.console.iter().any(|line| line.contains("planted")), "an error is seen: {:?}", seen.console);
    assert!(
        seen.requests.iter().any(|line| line.contains("planted.invalid")),
        "a request is seen: {:?}",
        seen.requests
    );
    let measured = browser.measure(&wrong, 420, Scheme::Dark);
    assert!(!measured.contains("[width 420]") && measured.contains("[outside DIV."), "{measured}");

    let lost = ["--variant", "lost_decisions", "--seed", "1"];
    let strict = ["--set", "thresholds.aborted=aborts{tx=transfer} < 1%"];
    for (name, arguments, verdict) in
        [("base", &[][..], "AS EXPECTED"), ("lost", &lost[..], "AS EXPECTED"), ("strict", &strict[..], "FAIL")]
    {
        renders(&browser, &page_of(&browser, name, arguments), verdict, "provenance");
    }
    renders(&browser, &judged(&browser), "VIOLATED", "witness");
    let base = browser.home.join("wrong.html");
    assert!(browser.picture(&base, Scheme::Light) == browser.picture(&base, Scheme::Light), "pictures can be compared");
    let page = page_of(&browser, "base", &[]);
    let (light, dark) = (browser.picture(&page, Scheme::Light), browser.picture(&page, Scheme::Dark));
    assert!(light != dark, "the page follows the reader's scheme");
    assert!(light.len() > 50_000, "it is not empty: {} bytes", light.len());
    eprintln!("rendered by {}: no error, no request, both schemes, 420 and 1440 pixels", browser.program);
}
