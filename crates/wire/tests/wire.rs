//! Real programs' sockets on real hosts, with rules on the cable.

#[cfg(target_os = "linux")]
#[path = "../../kernel/tests/plays/mod.rs"]
mod harness;
#[cfg(target_os = "linux")]
mod plays {
    mod counters;
    pub mod fates;
    pub mod hosts;
    mod lab;
    pub mod limits;
}

fn main() {
    #[cfg(target_os = "linux")]
    harness::main(
        &[
            plays::hosts::PLAYS,
            plays::fates::PLAYS,
            plays::limits::PLAYS,
        ]
        .concat(),
    );
    #[cfg(not(target_os = "linux"))]
    println!("namespaces exist on Linux only: nothing to test here");
}
