//! The exercise: its solutions pass, and its starters say what to do.

use exercise::{Language, Trial};

fn trial() -> Trial {
    Trial::of(
        env!("CARGO_MANIFEST_DIR"),
        env!("CARGO_BIN_EXE_lesson-1"),
        env!("CARGO_TARGET_TMPDIR"),
    )
}

const FIRST: &str = "1/start/says-where";

#[test]
#[ignore = "builds a package of its own"]
fn the_solution_in_rust_passes_all_checks() {
    trial().solution_passes(Language::Rust);
}

#[test]
#[ignore = "builds a package of its own"]
fn the_starter_in_rust_fails_at_its_first_gap() {
    trial().starter_fails_at_its_first_gap(Language::Rust, FIRST);
}

#[test]
#[ignore = "needs python3"]
fn the_solution_in_python_passes_all_checks() {
    trial().solution_passes(Language::Python);
}

#[test]
#[ignore = "needs python3"]
fn the_starter_in_python_fails_at_its_first_gap() {
    trial().starter_fails_at_its_first_gap(Language::Python, FIRST);
}
