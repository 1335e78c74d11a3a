//! What the operating system is asked, as functions that are safe to call.
//!
//! All code of the crates that the compiler cannot check is in this one, each
//! piece with the reason why it is right. It speaks to the kernel through libc, by
//! the names that the man pages have, and knows no program and no lesson. What it
//! finds out is handed over in the plain values of [`timeline`]: a packet, a TCP
//! state, an end.
//!
//! On every system: [`terminal`], [`signal`], [`clock`], [`before_exec`], [`probe`].
//! On Unix: [`file`](mod@file), [`wait`]. On Linux: `process`; namespaces (`network`,
//! `namespace`, `device`); packet(7) (`packets`, `ring`); netlink(7) (`sock_diag`,
//! `states`, `rtnetlink`); and ptrace(2) with seccomp(2) (`trace`).

pub mod before_exec;
pub mod clock;
#[cfg(unix)]
pub mod file;
pub mod probe;
pub mod signal;
pub mod terminal;
#[cfg(unix)]
pub mod wait;

#[cfg(target_os = "linux")]
pub mod device;
#[cfg(target_os = "linux")]
pub mod namespace;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
pub mod network;
#[cfg(target_os = "linux")]
pub mod packets;
#[cfg(target_os = "linux")]
pub mod process;
#[cfg(target_os = "linux")]
pub mod rtnetlink;
#[cfg(target_os = "linux")]
mod sock_diag;
#[cfg(target_os = "linux")]
pub mod states;

#[cfg(all(
    target_os = "linux",
    target_endian = "little",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
pub mod trace;

/// What most calls of C say: -1 and an errno, or a number.
#[cfg(unix)]
fn check<N: Into<i64> + Copy>(result: N) -> std::io::Result<N> {
    match result.into() {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(result),
    }
}

/// A descriptor that a call has just made, or its error.
///
/// # Safety
/// The descriptor is open, and nobody else has it.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
unsafe fn own(made: libc::c_int) -> std::io::Result<std::os::fd::OwnedFd> {
    use std::os::fd::FromRawFd;
    let descriptor = check(made)?;
    // SAFETY: as the caller promises.
    Ok(unsafe { std::os::fd::OwnedFd::from_raw_fd(descriptor) })
}
