//! The server's side of the files: one folder, and nothing outside it.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, anyhow};

use crate::message::{Answer, Content, Request};
use crate::quoted;

/// A folder whose files are handed out: those in it, not those in folders in
/// it. What `list` does not show, `get` does not give.
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder at a path. A file that is created later is found later.
    ///
    /// # Errors
    /// When there is no folder, or it may not be read.
    pub fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        // canonicalize: the absolute path without `..` and without links. It
        // is the measure for what lies inside.
        let root = fs::canonicalize(path)
            .and_then(|root| fs::read_dir(&root).map(|_| root))
            .map_err(|error| {
                let reason = error.to_string().to_lowercase();
                anyhow!("open the folder {shown}: {reason}; pass another --root")
            })?;
        Ok(Self { root })
    }

    /// What a request gets.
    pub fn answer(&self, request: &Request) -> Answer {
        match request {
            Request::List => self.list(),
            Request::Get { name } => self.get(name),
        }
    }

    /// One line for each file, sorted by name. Left out is what `get` would
    /// refuse, and names that are not UTF-8: nobody could ask for them.
    fn list(&self) -> Answer {
        let refused = |error| format!("the folder cannot be read: {}", reason(&error));
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(refused)? {
            let name = entry.map_err(refused)?.file_name();
            if let Some(name) = name.to_str()
                && let Ok((_, metadata)) = self.find(name)
            {
                files.push((name.to_string(), metadata.len()));
            }
        }
        files.sort();
        let lines = files.iter().map(|(name, size)| format!("{size} {name}\n"));
        Ok(Content::new("list", lines.collect::<String>()))
    }

    fn get(&self, name: &str) -> Answer {
        let (path, _) = self.find(name)?;
        let failed = |error| format!("{}: {}", quoted(name.as_bytes()), reason(&error));
        let file = open(&path).map_err(failed)?;
        // Asked of the open file: this is what will be sent, whatever has been
        // put in its place meanwhile.
        let metadata = file.metadata().map_err(failed)?;
        regular(name, &metadata)?;
        Ok(Content {
            name: name.to_string(),
            size: metadata.len(),
            body: Box::new(file),
        })
    }

    /// The file behind a name that a stranger sent.
    fn find(&self, name: &str) -> Result<(PathBuf, Metadata), String> {
        let shown = quoted(name.as_bytes());
        file_name(name)?;
        // A name without folders can still be a link. Where does it lead?
        let path = fs::canonicalize(self.root.join(name))
            .map_err(|error| format!("{shown}: {}", reason(&error)))?;
        if !path.starts_with(&self.root) {
            return Err(format!("{shown} is a link that leads out of the folder"));
        }
        // Only regular files: to open a FIFO would wait for a writer.
        let metadata =
            fs::metadata(&path).map_err(|error| format!("{shown}: {}", reason(&error)))?;
        regular(name, &metadata)?;
        Ok((path, metadata))
    }
}

/// Is this the name of a file, and of nothing else? The client asks that too,
/// before it writes a file under a name.
///
/// # Errors
/// The reason why not.
pub fn file_name(name: &str) -> Result<(), String> {
    let shown = quoted(name.as_bytes());
    let mut parts = Path::new(name).components();
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(format!("{shown} is no name of a file"));
    }
    if parts.clone().any(|part| part == Component::ParentDir) {
        return Err(format!("{shown} leads out of the folder"));
    }
    match (parts.next(), parts.next()) {
        (Some(Component::RootDir | Component::Prefix(_)), _) => Err(format!(
            "{shown} is an absolute name: ask for a name as in the list"
        )),
        // `components` leaves out what means nothing, as in `./a` and `a/`.
        (Some(Component::Normal(part)), None) if part == OsStr::new(name) => Ok(()),
        _ => Err(format!(
            "{shown} names a folder: ask for a name as in the list"
        )),
    }
}

fn regular(name: &str, metadata: &Metadata) -> Result<(), String> {
    let shown = quoted(name.as_bytes());
    if metadata.is_dir() {
        return Err(format!("{shown} is a folder"));
    }
    if !metadata.is_file() {
        return Err(format!("{shown} is no regular file"));
    }
    Ok(())
}

/// Opens a file for reading. Between the look at it and this moment somebody
/// could have put a link or a FIFO there: the link is not followed, the FIFO
/// is not waited for, and what was opened is looked at again.
#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    options.read(true);
    options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options.open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<File> {
    File::open(path)
}

/// The reason of an error, without the path: where the folder lies is nobody
/// else's business.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file".into(),
        ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string().to_lowercase(),
    }
}
