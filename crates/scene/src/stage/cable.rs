//! A stage of two hosts with a cable between them.

use anyhow::Result;

use super::Stage;

impl Stage {
    /// A hand on the cable, where the scene plays on a wire.
    #[cfg(target_os = "linux")]
    pub fn cable(&self) -> Option<&wire::Control> {
        self.cast.wire().map(|(_, cable)| cable)
    }

    /// Sets a value of the kernel for one host alone, such as
    /// `net.ipv4.tcp_syn_retries` (tcp(7)), and tells it. Without a cable nothing
    /// happens.
    ///
    /// # Errors
    /// One that this kernel does not have, or a value that it does not take.
    pub fn set(&mut self, host: wire::Side, name: &str, value: &str) -> Result<()> {
        #[cfg(target_os = "linux")]
        if let Some((wire, _)) = self.cast.wire() {
            let host = wire.host(host).clone();
            host.set(name, value)?;
            let side = host.side().name();
            self.note(format!("On the host {side}: {name} = {value}"));
        }
        let _ = (host, name, value);
        Ok(())
    }

    /// From here on these rules say what becomes of packets on the cable, and are
    /// told; an empty text ends all. `docs/wire.md` has the language. Without a
    /// cable nothing happens.
    ///
    /// # Errors
    /// A text that is no rule.
    pub fn rules(&mut self, text: &str) -> Result<()> {
        let rules = wire::rules::Rules::parse(text)?;
        #[cfg(target_os = "linux")]
        if let Some(cable) = self.cable() {
            let settings = rules.settings();
            cable.change(move |now| *now = settings);
            cable.give_to(rules.clone());
            let told: Vec<String> = rules.iter().map(ToString::to_string).collect();
            if !told.is_empty() {
                self.note(format!("On the cable: {}", told.join("; ")));
            }
        }
        drop(rules);
        Ok(())
    }
}
