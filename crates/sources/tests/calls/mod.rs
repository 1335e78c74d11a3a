//! What the tracer reports of real programs.

#![cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

mod change;
mod life;
mod line;
mod pair;
mod stage;
mod strace;
mod witness;
