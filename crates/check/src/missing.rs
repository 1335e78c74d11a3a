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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn error() -> Option<io::Error> {
        Some(io::Error::other("Forbidden"))
    }

    #[rstest]
    #[case::network(
        Missing { network: error(), tracing: None },
        0,
        "without a network of their own (forbidden): on this machine's network, one at a time, \
         no X-ray of a failure;"
    )]
    #[case::tracing(
        Missing { network: None, tracing: error() },
        1,
        "without ptrace (forbidden): no X-ray of a failure, 1 check of calls is left out;"
    )]
    #[case::both(
        Missing { network: error(), tracing: error() },
        5,
        "without a network of their own (forbidden) and without ptrace (forbidden): on this \
         machine's network, one at a time, no X-ray of a failure, 5 checks of calls are left out;"
    )]
    fn what_is_missing_is_said_with_what_follows(
        #[case] missing: Missing,
        #[case] left_out: usize,
        #[case] said: &str,
    ) {
        assert!(missing.anything());
        let note = missing.note(left_out);
        assert!(note.contains(said), "{note}");
    }
}
