//! What is saved: the files of a folder, when each was changed, how long it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Two that are equal: nothing was saved in between.
pub(super) type Files = BTreeMap<PathBuf, (SystemTime, u64)>;

/// What tools write. Cargo makes its `target` under another name first, with one
/// file in it.
const BY_TOOLS: [&str; 4] = ["target", "CACHEDIR.TAG", "Cargo.lock", "__pycache__"];

/// All files of a learner. What tools write beside them is left out: a build
/// must not be the cause of the next build.
pub(super) fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    collect(folder, &mut found);
    found
}

fn collect(folder: &Path, found: &mut Files) {
    // Between two looks anything may vanish: what is gone is no file.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let by_tools = BY_TOOLS.contains(&name.as_ref());
        if name.starts_with('.') || name.ends_with('~') || by_tools {
            continue;
        }
        let path = entry.path();
        match entry.metadata() {
            Ok(data) if data.is_dir() => collect(&path, found),
            Ok(data) => {
                let changed = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.insert(path, (changed, data.len()));
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_learner_saves_is_noticed_and_what_tools_write_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("server.rs", "one");
        let before = files(folder.path());
        for name in [
            "target/debug/server",
            "targetI5LsfL/CACHEDIR.TAG",
            "Cargo.lock",
            "__pycache__/x.pyc",
            ".server.swp",
            "x~",
        ] {
            write(name, "by a tool");
        }
        assert_eq!(files(folder.path()), before);
        for (name, text) in [("server.rs", "two!"), ("parts/more.rs", "")] {
            let before = files(folder.path());
            write(name, text);
            assert_ne!(files(folder.path()), before, "{name}");
        }
    }
}
