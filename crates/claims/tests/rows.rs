//! The document and the experiments name each other: no claim without a test,
//! no test without a claim. The sources are read, not the built tests, so that
//! this holds on every platform, whichever experiments are built there.

use std::{fs, path::Path};

use claims::table::{ClaimRow, Platform, parse};

/// One experiment, as its source shows it.
#[derive(Debug, PartialEq, Eq)]
struct Experiment {
    name: String,
    /// Name of the file, without `.rs`.
    file: String,
    platform: Platform,
    /// How often it hands cases to `judge!`.
    judged: usize,
}

fn rows() -> Vec<ClaimRow> {
    parse(&claims::document()).unwrap_or_else(|error| panic!("docs/claims.md: {error:#}"))
}

/// The experiments of all files here but this one and the list of them.
fn experiments() -> Vec<Experiment> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder of the tests can be read") {
        let path = entry.expect("its entries too").path();
        let file = path.file_stem().unwrap().to_str().unwrap();
        if !["main", "rows"].contains(&file) {
            let source = fs::read_to_string(&path).expect("a source is text");
            all.extend(experiments_of(file, &source));
        }
    }
    all
}

fn experiments_of(file: &str, source: &str) -> Vec<Experiment> {
    let mut found: Vec<Experiment> = Vec::new();
    let mut platform_of_file = Platform::Any;
    let mut attributes = Vec::new();
    for text in source.lines().map(str::trim) {
        if text == "#![cfg(unix)]" {
            platform_of_file = Platform::Unix;
        } else if text.starts_with("#[") {
            attributes.push(text);
        } else if let Some(name) = function(text) {
            if attributes.contains(&"#[test]") {
                let linux = attributes.contains(&r#"#[cfg(target_os = "linux")]"#);
                found.push(Experiment {
                    name: name.into(),
                    file: file.into(),
                    platform: if linux {
                        Platform::Linux
                    } else {
                        platform_of_file
                    },
                    judged: 0,
                });
            }
            attributes.clear();
        } else if text.starts_with("judge!(")
            && let Some(experiment) = found.last_mut()
        {
            experiment.judged += 1;
        }
    }
    found
}

fn function(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix("fn ")?.split_once('(')?;
    Some(name)
}

/// The file that holds the experiments of a theme: `Local sockets` is
/// `local_sockets`.
fn file_of(theme: &str) -> String {
    theme.to_lowercase().replace(' ', "_")
}

#[test]
fn every_row_has_one_experiment_which_judges_once_in_the_file_of_its_theme_where_its_mark_says() {
    let experiments = experiments();
    for row in rows() {
        let named = experiments.iter().filter(|found| found.name == row.test);
        let expected = Experiment {
            name: row.test.clone(),
            file: file_of(&row.theme),
            platform: row.platform,
            judged: 1,
        };
        let found: Vec<&Experiment> = named.collect();
        assert_eq!(found, [&expected], "docs/claims.md:{}", row.line);
    }
}

#[test]
fn every_experiment_has_a_row() {
    let rows = rows();
    let mut experiments = experiments();
    experiments.retain(|experiment| rows.iter().all(|row| row.test != experiment.name));
    assert!(
        experiments.is_empty(),
        "docs/claims.md lacks {experiments:#?}"
    );
}

#[test]
fn an_experiment_is_recognised_in_a_source() {
    let source = r##"
#![cfg(unix)]
fn helper() {}

#[test]
fn water_is_wet() -> Result<()> {
    judge!([case(true, "wet")])
}

/// On Linux.
#[cfg(target_os = "linux")]
#[test]
fn water_is_dry() {
}
"##;
    let experiment = |name: &str, platform, judged| Experiment {
        name: name.into(),
        file: "water".into(),
        platform,
        judged,
    };
    assert_eq!(
        experiments_of("water", source),
        [
            experiment("water_is_wet", Platform::Unix, 1),
            experiment("water_is_dry", Platform::Linux, 0)
        ]
    );
}
