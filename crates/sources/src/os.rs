//! The code that the compiler cannot check, with the reason why it is right.

#[cfg(target_os = "linux")]
pub(crate) mod capture;
#[cfg(target_os = "linux")]
pub(crate) mod network;

#[cfg(all(
    target_os = "linux",
    target_endian = "little",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
pub(crate) mod trace;

use std::io;
use std::process::Command;

/// Ends the program when the thread that started it dies, however it dies.
///
/// On Linux this is `prctl(PR_SET_PDEATHSIG, SIGKILL)`, see prctl(2). Elsewhere
/// it does nothing: there only an orderly end takes the programs along.
#[allow(unsafe_code, unused_variables)]
pub(crate) fn end_with_parent(command: &mut Command) {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt;
        let parent = rustix::process::getpid();
        let ask_kernel = move || {
            let kill = rustix::process::Signal::KILL;
            rustix::process::set_parent_process_death_signal(Some(kill))?;
            // A shell starts what stands before "&" with SIGINT ignored, and that is
            // inherited: the program is to end at Ctrl-C all the same.
            // SAFETY: no handler is installed, so no code of ours runs in it.
            unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
            // The parent may have died before the kernel was asked.
            if rustix::process::getppid() != Some(parent) {
                return Err(io::Error::other("the parent is gone"));
            }
            Ok(())
        };
        // SAFETY: between fork and exec the closure makes system calls and
        // touches no lock; only its failure, which ends the child, allocates.
        unsafe { command.pre_exec(ask_kernel) };
    }
}

/// Gives the program a network of its own: `unshare(CLONE_NEWUSER | CLONE_NEWNET)`
/// in the child, and the identity map, so that it keeps its user and group.
///
/// # Errors
/// "Unsupported" on systems that are not Linux; the errors of the calls come out
/// of the command's spawn.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub(crate) fn unshare_network(command: &mut Command) -> io::Result<()> {
    use rustix::thread::UnshareFlags;
    use std::os::unix::process::CommandExt;
    let user = rustix::process::getuid().as_raw();
    let group = rustix::process::getgid().as_raw();
    let users = format!("{user} {user} 1\n");
    let groups = format!("{group} {group} 1\n");
    let unshare = move || {
        let flags = UnshareFlags::NEWUSER | UnshareFlags::NEWNET;
        // SAFETY: no other thread shares this child's descriptors or memory.
        unsafe { rustix::thread::unshare_unsafe(flags)? };
        std::fs::write("/proc/self/setgroups", "deny")?;
        std::fs::write("/proc/self/uid_map", &users)?;
        std::fs::write("/proc/self/gid_map", &groups)
    };
    // SAFETY: the closure makes system calls; short paths need no allocation.
    unsafe { command.pre_exec(unshare) };
    Ok(())
}

/// Makes the program a tracee of its parent: `ptrace(PTRACE_TRACEME)`.
///
/// # Errors
/// "Unsupported" on systems that are not Linux; the errors of the call come out
/// of the command's spawn.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub(crate) fn let_parent_trace(command: &mut Command) -> io::Result<()> {
    use std::os::unix::process::CommandExt;
    let ask = || {
        // SAFETY: PTRACE_TRACEME ignores its other arguments.
        match unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: the closure makes one system call.
    unsafe { command.pre_exec(ask) };
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn unshare_network(_: &mut Command) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "namespaces exist on Linux only",
    ))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn let_parent_trace(_: &mut Command) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this way of tracing exists on Linux only",
    ))
}
