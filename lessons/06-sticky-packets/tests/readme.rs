//! What the README says is what happens.

#[test]
fn the_readme_keeps_its_word() {
    // The clients of the README save into `target`: here into one that is empty.
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("target")).unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    house::Readme::of(env!("CARGO_MANIFEST_DIR")).lesson(env!("CARGO_BIN_EXE_lesson-6")).check();
    std::env::set_current_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
}
