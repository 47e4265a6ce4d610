//! The example of a protocol of one's own: its bug is found and made small, and gone once it is mended.

#[path = "../examples/lock_service.rs"]
#[expect(dead_code, reason = "what prints is for people")]
mod example;

#[test]
fn a_process_of_ones_own_is_run_judged_and_made_small_like_what_is_built_in() {
    let out = std::env::temp_dir().join(format!("stormglass-lock-{}", std::process::id()));
    let careless = example::lock(false).seeds(0..20).out(&out);
    let runs = careless.run();
    assert!(runs.any_broke("one_holder"), "{}", runs.summary());
    assert_eq!(runs.fingerprints(), careless.clone().jobs(1).run().fingerprints());

    let story = careless.story(&runs);
    let small = story.lines().find_map(|line| line.strip_prefix("file:")).expect("a file was written").trim();
    let small = std::fs::read_to_string(small).unwrap();
    assert_eq!(small.matches("{ n = ").count() + small.matches("n = 0").count(), 1, "one crash is enough:\n{small}");
    std::fs::remove_dir_all(out).unwrap();

    example::lock(true).seeds(0..20).assert_passes();
    let outcome = example::lock(true).seed(0).outcome();
    let kinds: Vec<&str> = outcome.messages.iter().map(|count| count.kind.as_str()).collect();
    assert!(["request", "reply", "ask", "vote", "free"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    assert!(outcome.operations[0].ok > 50 && outcome.operations[0].rejected > 10, "{:?}", outcome.operations[0].ok);
}

#[test]
fn a_service_that_is_played_needs_its_process() {
    let text = "version = 1\nrun.duration = \"1s\"\n[services.x]\nprocess = \"lokc\"\nops.a = [{ fail = \"no\" }]\n\
                state = { m = { kind = \"map\" } }\n[workloads.w]\nrate = \"1/s\"\ntarget = \"x.a\"\n";
    let bare = lab_errors(&stormglass::lab::scenario::Source::new("x.toml", text));
    assert!(bare.contains("no process is called `lokc`") && bare.contains("x.toml:4:"), "{bare}");
    assert!(bare.contains("`m` is no counter"), "{bare}");
    let near = std::panic::catch_unwind(|| example::lock(true).set("services.lock.process", "lokc").run());
    let near = near.expect_err("it is wrong").downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(near.contains("`lock`?"), "{near}");
}

fn lab_errors(source: &stormglass::lab::scenario::Source) -> String {
    use stormglass::lab::scenario::{Choice, Colour, load};
    load(source, &Choice::default()).expect_err("it is wrong").render(Colour::Plain)
}
