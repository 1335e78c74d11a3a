//! What the client does with an answer: a list is shown, a file is saved.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Error, Result, bail, ensure};

use crate::download::{Download, not_there, receive_body};
use crate::folder::file_name;
use crate::message::{Incoming, Request, entries};
use crate::{Called, plain, quoted, say};

/// A list is kept in memory, so it has a limit of its own.
const LONGEST_LIST: u64 = 16 * 1024 * 1024;

/// The folder in which files are saved.
#[derive(Clone, Copy)]
pub struct Inbox<'a> {
    /// Where it is.
    pub folder: &'a Path,
    /// Whether files that are there already are replaced.
    pub force: bool,
}

impl Inbox<'_> {
    /// A line as a request. Whether its answer can be saved is asked before it is
    /// sent: afterwards the body would be on its way.
    ///
    /// # Errors
    /// When it is no request, or the file is there already.
    pub fn request(self, line: &[u8]) -> Result<Request> {
        let request = Request::from_text(line).map_err(Error::msg)?;
        if let Request::Get { name } = &request
            && file_name(name).is_ok()
            && !self.force
        {
            not_there(&self.folder.join(name))?;
        }
        Ok(request)
    }

    /// Takes what was answered to a request; false when it is no answer to it.
    ///
    /// # Errors
    /// When the call cannot go on.
    pub fn take(self, incoming: Incoming, request: &Request, peer: SocketAddr) -> Result<bool> {
        match request {
            Request::List => show(incoming, peer),
            Request::Get { name } => self.save(incoming, name, peer),
        }
    }

    /// Saves a file: written under a temporary name, checked, then renamed.
    fn save(self, incoming: Incoming, name: &str, peer: SocketAddr) -> Result<bool> {
        belongs(&incoming, name, peer)?;
        let size = incoming.size;
        let checked = incoming.sha256.is_some();
        let mut download = Download::begin(self.folder, name, self.force)?;
        let fetch = format!("fetch {} from", quoted(name.as_bytes()));
        receive_body(incoming, &mut download).called(&fetch, peer)?;
        download.keep()?;
        let digest = if checked { ", digest right" } else { "" };
        say(format!("saved {name}, {size} bytes{digest}"));
        Ok(true)
    }
}

/// Shows a list, if it is one.
fn show(incoming: Incoming, peer: SocketAddr) -> Result<bool> {
    let size = incoming.size;
    ensure!(
        size <= LONGEST_LIST,
        "list from {peer}: the answer has {size} bytes, and {LONGEST_LIST} is the limit; \
         a list has no larger one"
    );
    belongs(&incoming, "list", peer)?;
    let mut list = Vec::new();
    receive_body(incoming, &mut list).called("list from", peer)?;
    match entries(&list) {
        Ok(lines) => lines.iter().for_each(|line| say(format!("  {}", plain(line, 300)))),
        Err(line) => {
            say(format!("that is no list: {}", quoted(line)));
            return Ok(false);
        }
    }
    Ok(true)
}

/// Does the answer belong to the question? `none` and `ack` cannot know.
fn belongs(incoming: &Incoming, wanted: &str, peer: SocketAddr) -> Result<()> {
    match &incoming.name {
        Some(name) if name != wanted => {
            let (name, wanted) = (quoted(name.as_bytes()), quoted(wanted.as_bytes()));
            bail!("recv from {peer}: the answer is for {name}, not for {wanted}; hanging up")
        }
        _ => Ok(()),
    }
}
