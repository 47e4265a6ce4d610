//! Every scenario of the repository, by the library: what happens is what its file says, in the base and in each variant.
//!
//! Theory has tests of its own (`tests/theory`); all seeds are swept by CI (`stormglass test scenarios`).

use std::path::Path;

use stormglass::lab::scenario::{Choice, Scenario, Source, load};

fn as_expected(theme: &str, seeds: u64) {
    let folder = Path::new("scenarios").join(theme);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(!files.is_empty(), "no scenarios in {}", folder.display());
    for file in files {
        let base = load_file(&file, None);
        let variants = base.model.variants.iter().map(|variant| Some(variant.value.clone()));
        for variant in [None].into_iter().chain(variants) {
            let some_seed = load_file(&file, variant.clone()).model.expect.some_seed;
            let mut check = stormglass::scenario(&file).seeds(0..seeds);
            if let Some(variant) = variant.clone() {
                check = check.variant(variant);
            }
            let runs = check.run();
            let unexpected: Vec<_> = runs.unexpected().collect();
            let told = format!("{}, {variant:?}: {} {unexpected:?}", file.display(), runs.summary());
            assert!(unexpected.is_empty(), "{told}");
            // What is to fail on some seed need not fail on one of these few.
            assert!(runs.as_expected() || some_seed, "{told}");
        }
    }
}

fn load_file(file: &Path, variant: Option<String>) -> Scenario {
    let text = std::fs::read_to_string(file).expect("it can be read");
    load(&Source::new(file.display().to_string(), text), &Choice { variant, ..Choice::default() }).expect("it is right")
}

#[test]
fn bank() {
    as_expected("bank", 12);
}

#[test]
fn checkout() {
    as_expected("checkout", 2);
}

#[test]
fn kv() {
    as_expected("kv", 12);
}

#[test]
fn sharing() {
    as_expected("sharing", 2);
}
