//! Real programs' sockets on real hosts, with rules on the cable.

#[cfg(target_os = "linux")]
#[path = "../../kernel/tests/plays/mod.rs"]
mod harness;
#[cfg(target_os = "linux")]
mod plays;

fn main() {
    #[cfg(target_os = "linux")]
    harness::main(&plays::all());
    #[cfg(not(target_os = "linux"))]
    println!("namespaces exist on Linux only: nothing to test here");
}
