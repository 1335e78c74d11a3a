//! The tests that every lesson has.

/// What every lesson promises, as tests: a line in the `tests/main.rs` of a lesson,
/// with its number, the first check that its starters fail, and how the checks start
/// our own programs where that is not with `--addr {addr}` alone.
///
/// ```text
/// house::lesson!(number = 8, first_gap = "8/start/says-where");
/// ```
///
/// The lesson needs `house` and `exercise` to be built for its tests, and the
/// programs `lesson-8`, `lesson-8-server` and `lesson-8-client`.
#[macro_export]
macro_rules! lesson {
    (number = $number:literal, first_gap = $first:literal $(,)?) => {
        $crate::lesson!(
            number = $number,
            first_gap = $first,
            server = "--addr {addr}",
            client = "--addr {addr}"
        );
    };
    (number = $number:literal, first_gap = $first:literal, server = $server:literal, client = $client:literal $(,)?) => {
        /// What every lesson promises.
        mod lesson {
            use std::sync::LazyLock;

            use $crate::{Language, LessonSide, Matrix, Readme, Rehearsal, Scene, Trial};

            const LESSON: &str = env!(concat!("CARGO_BIN_EXE_lesson-", $number));
            const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

            /// One play; several tests look at it. Nobody is there for `--step`
            /// to wait for.
            static PLAY: LazyLock<Scene> =
                LazyLock::new(|| Scene::play(LESSON, &["--xray", "off", "--step"]));

            pub(crate) fn server() -> LessonSide {
                let executable = env!(concat!("CARGO_BIN_EXE_lesson-", $number, "-server"));
                LessonSide::new(
                    executable,
                    concat!("cargo run -p lesson-", $number, " server"),
                    $server,
                )
            }

            pub(crate) fn client() -> LessonSide {
                let executable = env!(concat!("CARGO_BIN_EXE_lesson-", $number, "-client"));
                LessonSide::new(
                    executable,
                    concat!("cargo run -p lesson-", $number, " client"),
                    $client,
                )
            }

            /// Both of them on a stage.
            pub(crate) fn stage() -> Rehearsal {
                Rehearsal::of(server(), client())
            }

            fn trial() -> Trial {
                Trial::of(FOLDER, LESSON, env!("CARGO_TARGET_TMPDIR"))
            }

            #[test]
            fn the_readme_keeps_its_word() {
                Readme::of(FOLDER).lesson(LESSON).check();
            }

            #[test]
            fn our_own_server_and_client_pass_all_checks() {
                $crate::our_own_programs_pass(LESSON);
            }

            #[test]
            #[ignore = "needs python3, cc and namespaces"]
            fn each_wrong_program_is_caught_and_each_right_one_passes() {
                Matrix::of(FOLDER, LESSON).check();
            }

            #[test]
            fn the_scene_ends_by_itself_in_less_than_15_seconds() {
                PLAY.is_short();
            }

            #[test]
            fn in_a_pipe_the_scene_has_no_escape_codes_and_no_row_wider_than_80() {
                PLAY.fits_a_page();
            }

            #[test]
            fn a_plain_scene_is_drawn_in_ascii() {
                Scene::play(LESSON, &["--xray", "off", "--plain"]).is_drawn_in_ascii();
            }

            #[test]
            fn a_reader_of_the_scene_that_goes_away_is_no_panic() {
                $crate::a_reader_may_go_away(LESSON);
            }

            #[test]
            fn the_help_of_both_sides_shows_an_example() {
                server().help_shows_an_example();
                client().help_shows_an_example();
            }

            #[test]
            fn wrong_usage_of_both_sides_is_status_2() {
                server().wrong_usage_is_status_2();
                client().wrong_usage_is_status_2();
            }

            #[test]
            fn the_server_is_where_it_is_told_and_says_so() {
                server().listens_where_it_is_told();
            }

            #[test]
            fn where_the_server_cannot_listen_it_says_why_in_one_line_with_a_way_out() {
                server().says_why_it_cannot_listen();
            }

            #[test]
            #[cfg_attr(not(target_os = "linux"), ignore = "needs /dev/full")]
            fn the_server_ends_quietly_where_nothing_can_be_written() {
                server().ends_quietly_where_nothing_can_be_written();
            }

            #[test]
            #[ignore = "builds a package of its own"]
            fn the_solution_in_rust_passes_all_checks() {
                trial().solution_passes(Language::Rust);
            }

            #[test]
            #[ignore = "builds a package of its own"]
            fn the_starter_in_rust_fails_at_its_first_gap() {
                trial().starter_fails_at_its_first_gap(Language::Rust, $first);
            }

            #[test]
            #[ignore = "needs python3"]
            fn the_solution_in_python_passes_all_checks() {
                trial().solution_passes(Language::Python);
            }

            #[test]
            #[ignore = "needs python3"]
            fn the_solution_in_python_talks_with_our_server_and_our_client() {
                let ours = [server().for_checks(), client().for_checks()];
                trial().solution_talks_with(Language::Python, ours, concat!($number, "/both"));
            }

            #[test]
            #[ignore = "needs python3"]
            fn the_starter_in_python_fails_at_its_first_gap() {
                trial().starter_fails_at_its_first_gap(Language::Python, $first);
            }
        }
    };
}
