//! The README quotes the code as it is.

#[test]
fn each_word_of_the_readme_is_kept() {
    house::Readme::of(env!("CARGO_MANIFEST_DIR")).check();
}
