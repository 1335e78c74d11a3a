//! Datagrams: one a call against many a call.
use super::{Setting, entrant::Entrant};
pub fn race(_: bool, _: &Setting, _: &[Entrant]) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
