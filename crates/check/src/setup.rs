//! What is asked of a run, for every check of it.

use std::path::PathBuf;

use crate::address::Usual;

/// What is under test, and how.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) server: Option<String>,
    pub(crate) client: Option<String>,
    /// The lesson's usual port.
    pub(crate) port: u16,
    /// Whether the network is our own.
    pub(crate) private: bool,
    /// Whether the programs are under the X-ray.
    pub(crate) observed: bool,
    pub(crate) seed: u64,
    /// The most memory that the programs may have, in bytes.
    pub(crate) memory: u64,
    /// Where a check may make files; they are taken away when its process is gone.
    pub(crate) scratch: PathBuf,
}

impl Setup {
    pub(crate) fn usual(&self) -> Usual {
        Usual {
            port: self.port,
            private: self.private,
        }
    }
}
