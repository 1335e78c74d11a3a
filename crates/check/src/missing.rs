//! What the machine does not allow, and what follows for the checks.

use std::io;

/// What could not be had, and why.
#[derive(Debug)]
pub(crate) struct Missing {
    /// A network of its own for each check.
    pub(crate) network: Option<io::Error>,
    /// The X-ray's view of calls.
    pub(crate) tracing: Option<io::Error>,
}

impl Missing {
    /// Whether there is less evidence than there could be.
    pub(crate) fn anything(&self) -> bool {
        self.network.is_some() || self.tracing.is_some()
    }

    /// One sentence for the head of the report.
    pub(crate) fn note(&self, left_out: usize) -> String {
        let all = [
            ("a network of their own", &self.network),
            ("ptrace", &self.tracing),
        ];
        let named = all.iter().filter_map(|(name, error)| {
            let error = error.as_ref()?.to_string().to_lowercase();
            Some(format!("without {name} ({error})"))
        });
        let named = named.collect::<Vec<_>>().join(" and ");
        let mut follows = Vec::new();
        if self.network.is_some() {
            follows.push("on this machine's network, one at a time".to_string());
        }
        follows.push("no X-ray of a failure".to_string());
        match left_out {
            0 => {}
            1 => follows.push("1 check of calls is left out".to_string()),
            count => follows.push(format!("{count} checks of calls are left out")),
        }
        let follows = follows.join(", ");
        format!("the checks run {named}: {follows}; see \"cargo dial doctor\"")
    }
}
