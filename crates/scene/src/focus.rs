use views::only::Only;

/// What a scene shows of its X-ray. Everything is recorded in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// What the programs say, their calls, the packets and TCP states.
    #[default]
    All,
    /// What the programs say, and their calls.
    Calls,
    /// What the programs say, the packets and TCP states.
    Packets,
    /// What the programs say: for what was seen before, or goes on for long.
    Words,
}

impl Focus {
    pub(crate) fn only(self) -> Only {
        let calls = matches!(self, Focus::All | Focus::Calls);
        let packets = matches!(self, Focus::All | Focus::Packets);
        Only {
            output: true,
            calls,
            packets,
            tcp: false,
            states: packets,
            services: false,
        }
    }
}
