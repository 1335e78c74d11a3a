//! House rules that a machine can check.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use regex::Regex;

/// What each room may know of the others. What is not named, it must not know.
const ROOMS: &[(&str, &[&str])] = &[
    ("timeline", &[]),
    ("kernel", &["timeline"]),
    ("terminal_size", &["kernel"]),
    ("sources", &["kernel", "timeline"]),
    ("wire", &["kernel", "timeline"]),
    ("views", &["timeline"]),
    ("switchboard", &["timeline", "views"]),
    ("xray", &["kernel", "sources", "timeline", "wire"]),
    ("scene", &["kernel", "timeline", "views", "xray"]),
    ("check", &["kernel", "sources", "timeline", "views", "xray"]),
    ("exercise", &[]),
    (
        "dial",
        &[
            "kernel",
            "sources",
            "switchboard",
            "timeline",
            "views",
            "exercise",
            "wire",
            "xray",
        ],
    ),
    ("house", &["exercise", "scene"]),
    ("claims", &[]),
    // Beyond the lessons: it takes their programs, and nobody knows it.
    ("race", &["lesson-7", "scene"]),
];

/// What every lesson may be written with. What a single lesson is about stands
/// in its manifest, below `[package.metadata.dialtone]`, as `about`.
const LESSON_CRATES: [&str; 6] = ["anyhow", "check", "clap", "colored", "scene", "socket2"];

const SECTIONS: [&str; 11] = [
    "After this you can",
    "Minutes",
    "What is new",
    "Predict",
    "Run it",
    "What you saw and why",
    "Break it",
    "What tutorials say",
    "Exercise",
    "Questions for the room",
    "On the board",
];

/// Where the code is that is no lesson.
const NO_LESSONS: [&str; 2] = ["crates", "beyond"];

/// A file of these above this holds two ideas.
const LONGEST_FILE: usize = 400;

/// A lesson program above this hides its story. Comments do not count.
const LONGEST_PROGRAM: usize = 135;

/// The first build of lesson 1, our own crates included.
const MOST_CRATES: usize = 32;

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap()
}

fn text(file: impl AsRef<Path>) -> String {
    let file = file.as_ref();
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn metadata() -> Metadata {
    let mut cargo = MetadataCommand::new();
    cargo.no_deps().current_dir(root()).exec().unwrap()
}

/// All lessons: there are some, or else a rule about them would hold of nothing.
fn lessons(metadata: &Metadata) -> impl Iterator<Item = &Package> {
    let is_lesson = |package: &&Package| !package.metadata["dialtone"].is_null();
    let found = metadata.packages.iter().filter(is_lesson);
    assert!(found.clone().count() > 0, "no lesson is found");
    found
}

fn dependencies(package: &Package) -> impl Iterator<Item = &str> {
    let all = package.dependencies.iter();
    let normal = all.filter(|dependency| dependency.kind == DependencyKind::Normal);
    normal.map(|dependency| dependency.name.as_str())
}

/// All files below a folder that git would keep, with this ending.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with('.') && !["target", "my"].contains(&name) {
            found.extend(files(&path, ending));
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found
}

#[test]
fn each_room_knows_only_the_rooms_that_it_may() {
    let metadata = metadata();
    let packages = metadata.packages.iter();
    let packages: Vec<&str> = packages.map(|package| package.name.as_str()).collect();
    let is_lesson = |package: &&Package| lessons(&metadata).any(|it| it.name == package.name);
    for package in metadata
        .packages
        .iter()
        .filter(|package| !is_lesson(package))
    {
        let name = package.name.as_str();
        let room = ROOMS.iter().find(|(room, _)| *room == name);
        let (_, may) = room.unwrap_or_else(|| panic!("{name} is in no plan of the house"));
        for dependency in dependencies(package).filter(|name| packages.contains(name)) {
            let may_know = may.contains(&dependency);
            assert!(may_know, "{name} must not know {dependency}");
        }
    }
}

#[test]
fn a_lesson_is_written_with_the_usual_crates_and_with_what_it_is_about() {
    let metadata = metadata();
    for lesson in lessons(&metadata) {
        let about = lesson.metadata["dialtone"]["about"].as_array();
        for dependency in dependencies(lesson) {
            let is_named = about.is_some_and(|names| names.iter().any(|name| name == dependency));
            let is_usual = LESSON_CRATES.contains(&dependency);
            assert!(
                is_usual || is_named,
                "{} depends on {dependency}",
                lesson.name
            );
        }
    }
}

#[test]
fn a_lesson_has_a_scene_a_server_and_a_client_and_its_number_in_all_names() {
    let metadata = metadata();
    for lesson in lessons(&metadata) {
        let number = lesson.metadata["dialtone"]["lesson"].as_u64().unwrap();
        let name = format!("lesson-{number}");
        assert_eq!(lesson.name.as_str(), name);
        assert_eq!(lesson.default_run.as_deref(), Some(name.as_str()));
        let folder = lesson.manifest_path.parent().unwrap().file_name().unwrap();
        assert!(folder.starts_with(&format!("{number:02}-")), "{folder}");
        for side in ["", "-server", "-client"] {
            let program = format!("{name}{side}");
            let is_there = lesson.targets.iter().any(|target| target.name == program);
            assert!(is_there, "{name} has no program {program}");
        }
    }
}

#[test]
fn the_readme_of_each_lesson_has_the_sections_in_their_order() {
    for lesson in lessons(&metadata()) {
        let text = text(lesson.manifest_path.with_file_name("README.md"));
        let sections = text.lines().filter_map(|line| line.strip_prefix("## "));
        assert_eq!(sections.collect::<Vec<_>>(), SECTIONS, "{}", lesson.name);
    }
}

#[test]
fn each_lesson_has_three_to_five_experiments() {
    for lesson in lessons(&metadata()) {
        let text = text(lesson.manifest_path.with_file_name("README.md"));
        let mut sections = text.split("\n## ");
        let break_it = sections.find(|section| section.starts_with("Break it"));
        let count = break_it.unwrap().matches("\n### ").count();
        assert!((3..=5).contains(&count), "{count} in {}", lesson.name);
    }
}

#[test]
fn the_tables_of_lessons_say_what_the_manifests_say() {
    for (table, before) in [("lessons/README.md", ""), ("README.md", "lessons/")] {
        let text = text(root().join(table));
        for lesson in lessons(&metadata()) {
            let said = &lesson.metadata["dialtone"];
            let folder = lesson.manifest_path.parent().unwrap().file_name().unwrap();
            let (number, minutes) = (&said["lesson"], &said["minutes"]);
            let [title, idea] = ["title", "idea"].map(|name| said[name].as_str().unwrap());
            let link = format!("[{title}]({before}{folder}/README.md)");
            let row = format!("| {number} | {link} | {idea} | {minutes} |");
            assert!(text.contains(&row), "{table} has no row {row}");
        }
    }
}

#[test]
fn each_lesson_program_can_be_read_in_one_sitting() {
    for lesson in lessons(&metadata()) {
        for side in ["server.rs", "client.rs"] {
            let file = lesson.manifest_path.with_file_name(side);
            let text = text(&file);
            let code = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let count = code.filter(|line| !line.starts_with("//")).count();
            assert!(count <= LONGEST_PROGRAM, "{file}: {count} lines of code");
        }
    }
}

/// One name, one thing: whoever meets a name in two rooms need not ask which it is.
#[test]
fn no_two_public_types_of_the_crates_share_a_name() {
    let public = Regex::new(r"(?m)^\s*pub (?:struct|enum|trait|union|type) (\w+)").unwrap();
    let mut homes: HashMap<String, PathBuf> = HashMap::new();
    let sources = files(&root().join("crates"), ".rs").into_iter();
    let is_test = |file: &PathBuf| file.iter().any(|part| part == "tests");
    // What stands in for something on other systems has its name.
    let is_stand_in = |file: &PathBuf| file.ends_with("elsewhere.rs");
    for file in sources.filter(|file| !is_stand_in(file) && !is_test(file)) {
        for name in all(&public, &text(&file)) {
            if let Some(other) = homes.insert(name.clone(), file.clone()) {
                panic!("{name} is in {} and in {}", other.display(), file.display());
            }
        }
    }
    assert!(homes.len() > 100, "only {} types are found", homes.len());
}

/// Whoever has read the small print of one lesson knows that of the others.
#[test]
fn the_small_print_is_the_same_in_each_lesson_but_for_the_ways_out() {
    let function = Regex::new(r"(?m)^pub fn (\w+)").unwrap();
    let port = Regex::new(r":\d{4}\b").unwrap();
    let mut first: HashMap<String, (String, Vec<String>)> = HashMap::new();
    let mut compared = 0;
    for lesson in lessons(&metadata()) {
        let small_print = lesson.manifest_path.with_file_name("small_print.rs");
        let keyboard = lesson.manifest_path.with_file_name("keyboard.rs");
        assert!(small_print.exists(), "{small_print} is missing");
        for file in [small_print, keyboard].iter().filter(|file| file.exists()) {
            let text = text(file);
            let text = port.replace_all(&text, "PORT");
            for name in all(&function, &text) {
                let here = house::region(&text, &name).unwrap();
                let known = first.entry(name.clone());
                let (there, seen) = known.or_insert((file.to_string(), here.clone()));
                assert_eq!(&here, seen, "{name} differs in {there} and {file}");
                compared += 1;
            }
        }
    }
    assert!(compared > 0, "there is no small print");
}

#[test]
fn no_file_of_a_crate_holds_more_than_one_idea() {
    let tests = std::ffi::OsStr::new("tests");
    let sources = NO_LESSONS.map(|folder| files(&root().join(folder), ".rs"));
    let sources = sources.into_iter().flatten();
    for file in sources.filter(|file| !file.iter().any(|part| part == tests)) {
        let count = text(&file).lines().count();
        assert!(count <= LONGEST_FILE, "{}: {count} lines", file.display());
    }
}

/// Where a manifest says `doctest = false`, an example would never be run.
#[test]
fn no_example_in_a_documentation_is_forgotten() {
    let fence = |line: &str| {
        let line = line.trim_start();
        let comments = ["/// ```", "//! ```"].into_iter();
        let mut tags = comments.filter_map(|fence| line.strip_prefix(fence));
        tags.next().map(str::to_string)
    };
    for package in &metadata().packages {
        let mut targets = package.targets.iter();
        let Some(library) = targets.find(|target| target.is_lib() && !target.doctest) else {
            continue;
        };
        let folder = library.src_path.parent().unwrap();
        for file in files(folder.as_std_path(), ".rs") {
            let text = text(&file);
            let mut openings = text.lines().filter_map(fence).step_by(2);
            let plain = openings.all(|tag| tag == "text");
            assert!(plain, "{}: an example that nobody runs", file.display());
        }
    }
}

/// Cargo does not look for them where a manifest says `autotests = false`, and a
/// file that nobody names is not even compiled.
#[test]
fn no_file_of_tests_is_forgotten() {
    for package in &metadata().packages {
        let folder = package.manifest_path.parent().unwrap().join("tests");
        let Ok(main) = fs::read_to_string(folder.join("main.rs")) else {
            continue;
        };
        let is_target = |path: &Path| {
            let mut targets = package.targets.iter();
            targets.any(|target| target.src_path.as_std_path() == path)
        };
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let is_test = path.extension().is_some_and(|ending| ending == "rs");
            assert!(
                !is_test || is_target(&path) || main.contains(&format!("\nmod {name};\n")),
                "{} is never run: {folder}/main.rs does not name it",
                path.display()
            );
        }
    }
}

#[test]
fn what_the_compiler_cannot_check_stands_in_one_place() {
    let word = Regex::new(r"(?m)^[^/\n]*\bunsafe\b *(\{|fn|impl|extern)").unwrap();
    let homes = [
        "crates/kernel/src",
        // io_uring: the kernel reads and writes memory while the program runs on.
        "beyond/race/src/os",
    ];
    let homes = homes.map(|home| root().join(home));
    let folders = NO_LESSONS.into_iter().chain(["lessons"]);
    for file in folders.flat_map(|folder| files(&root().join(folder), ".rs")) {
        let text = text(&file);
        let is_in = |home: &PathBuf| file.starts_with(home) || file == home.with_extension("rs");
        let at_home = homes.iter().any(is_in);
        assert!(
            // The word alone is quickly found, and is in few files.
            at_home || !text.contains("unsafe") || !word.is_match(&text),
            "{} holds unsafe code",
            file.display()
        );
    }
}

/// A learner waits for each of them. Those below are three ways to the one kernel
/// that `kernel` reaches through libc.
#[test]
fn the_first_lesson_is_built_from_few_crates() {
    let tree = ["tree", "--package", "lesson-1", "--edges", "normal,build"];
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(tree).args(["--prefix", "none", "--offline"]);
    let output = cargo.current_dir(root()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split(' ').next());
    let crates: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
    assert!((10..=MOST_CRATES).contains(&crates.len()), "{crates:?}");
    for unwanted in ["ctrlc", "nix", "rustix"] {
        assert!(!crates.contains(unwanted), "lesson-1 waits for {unwanted}");
    }
}

#[test]
fn every_link_in_a_text_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    for file in files(&root(), ".md") {
        let targets = all(&link, &text(&file)).into_iter();
        for target in targets.filter(|target| !target.contains("://")) {
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = match path {
                "" => file.clone(),
                path => file.with_file_name(path),
            };
            assert!(path.exists(), "{}: {target} leads nowhere", file.display());
            if !anchor.is_empty() && path.extension().is_some_and(|ending| ending == "md") {
                let is_there = anchors(&text(&path)).iter().any(|place| place == anchor);
                assert!(is_there, "{}: no place {target}", file.display());
            }
        }
    }
}

/// Places that a link can lead to: headings, and what is marked by hand.
fn anchors(text: &str) -> Vec<String> {
    let marked = Regex::new(r#"<a id="([^"]+)">"#).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let headings = headings.map(|line| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
        let kept: String = heading.chars().filter(kept).collect();
        kept.replace(' ', "-")
    });
    all(&marked, text).into_iter().chain(headings).collect()
}

/// What the first group of the pattern finds, each time.
fn all(pattern: &Regex, text: &str) -> Vec<String> {
    let found = pattern.captures_iter(text);
    found.map(|found| found[1].to_string()).collect()
}
