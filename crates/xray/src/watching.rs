//! How programs are seen: a value.

/// How programs are seen.
#[derive(Clone, Debug)]
pub struct Watching {
    /// Whether each call is held until [`crate::Audience::go_on`] comes back.
    pub step: bool,
    /// How many bytes of what a call sends or receives are kept.
    pub keep: usize,
    /// Whether the programs are alone in their network. Where they are not,
    /// packets of others are left out.
    pub alone: bool,
    /// Whether the audience has the keyboard: then the last program reads what
    /// the audience writes, and it ends only when the audience has seen enough.
    pub keyboard: bool,
}

impl Default for Watching {
    /// Programs that are alone in their network; nothing is held.
    fn default() -> Self {
        Self {
            step: false,
            keep: 4096,
            alone: true,
            keyboard: false,
        }
    }
}
