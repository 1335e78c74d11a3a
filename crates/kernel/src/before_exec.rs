//! What a child does between fork and exec, before it becomes the program.
//!
//! Another thread of the parent may have held any lock at the moment of the fork,
//! that of the allocator too. So the child makes system calls and nothing else:
//! it allocates nothing, not even for an error. That is why what it does is chosen
//! here, from plain values that were made before the fork, and not handed over as
//! a closure.

#![allow(unsafe_code)]

use std::process::Command;

#[cfg(target_os = "linux")]
pub use linux::enter_network;
#[cfg(target_os = "linux")]
pub(crate) use linux::{in_a_network_of_its_own, let_parent_trace};

/// Ends the program when the thread that started it dies, however it dies.
///
/// On Linux this is `prctl(PR_SET_PDEATHSIG, SIGKILL)`, see prctl(2). Elsewhere
/// it does nothing: there only an orderly end takes the programs along.
pub fn end_with_parent(command: &mut Command) {
    #[cfg(target_os = "linux")]
    linux::end_with_parent(command);
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::process::CommandExt;
    use std::process::{self, Command};
    use std::sync::Arc;

    use crate::check;
    use crate::namespace::{Cover, New, SameIds, enter, unshare};

    pub(super) fn end_with_parent(command: &mut Command) {
        let parent = process::id();
        let ask_kernel = move || {
            let kill = libc::SIGKILL as libc::c_ulong;
            // SAFETY: the option takes a number.
            check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, kill, 0, 0, 0) })?;
            // A shell starts what stands before "&" with SIGINT ignored, and that is
            // inherited: the program is to end at Ctrl-C all the same.
            // SAFETY: no handler is installed, so no code of ours runs in it.
            unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
            // The parent may have died before the kernel was asked.
            if std::os::unix::process::parent_id() != parent {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            Ok(())
        };
        // SAFETY: the closure makes system calls, and its errors are numbers.
        unsafe { command.pre_exec(ask_kernel) };
    }

    /// Gives the program a network of its own, in which there is nothing but a
    /// loopback that is switched off; it keeps its user and group.
    pub(crate) fn in_a_network_of_its_own(command: &mut Command) {
        let ids = SameIds::new();
        let leave = move || unshare(New::UserAndNetwork).and_then(|()| ids.map());
        // SAFETY: both make system calls only, and their errors are numbers.
        unsafe { command.pre_exec(leave) };
    }

    /// Makes the program a tracee of its parent: `ptrace(PTRACE_TRACEME)`.
    pub(crate) fn let_parent_trace(command: &mut Command) {
        let ask = || {
            // SAFETY: PTRACE_TRACEME ignores its other arguments.
            check(unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) }).map(drop)
        };
        // SAFETY: the closure makes one system call, and its error is a number.
        unsafe { command.pre_exec(ask) };
    }

    /// Has the program run in another network, and read a cover in the place of a
    /// file, if there is one. What fails comes out of the command's spawn.
    pub fn enter_network(command: &mut Command, network: Arc<OwnedFd>, cover: Option<Cover>) {
        let go = move || {
            enter(&network)?;
            cover.as_ref().map_or(Ok(()), Cover::lay)
        };
        // SAFETY: both make system calls only, and their errors are numbers.
        unsafe { command.pre_exec(go) };
    }
}
