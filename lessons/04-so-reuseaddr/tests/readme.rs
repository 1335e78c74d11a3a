//! What the README says is what happens.

#[test]
fn the_readme_keeps_its_word() {
    house::Readme::of(env!("CARGO_MANIFEST_DIR")).lesson(env!("CARGO_BIN_EXE_lesson-4")).check();
}
