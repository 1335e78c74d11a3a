//! Processes and threads, as far as the standard library does not reach.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crate::signal::one_process;
use crate::wait::readable;
use crate::{check, own};

/// The number of this thread: gettid(2).
pub fn thread_id() -> i32 {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::gettid() }
}

/// The user as whom this process runs, 0 for root: getuid(2).
pub fn user() -> u32 {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::getuid() }
}

/// The group as which this process runs: getgid(2).
pub fn group() -> u32 {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::getgid() }
}

/// From now on what programs leave behind when they end becomes a child of this
/// process, so that it can be found and ended: prctl(2), PR_SET_CHILD_SUBREAPER.
///
/// # Errors
/// EINVAL on kernels before 3.4.
pub fn adopt_orphans() -> io::Result<()> {
    // SAFETY: the option takes a number.
    check(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }).map(drop)
}

/// From now on the waits of this thread may end that much too late, in place of
/// the usual 50 µs: prctl(2), PR_SET_TIMERSLACK. At least 1 ns.
///
/// # Errors
/// Those of prctl(2).
pub fn set_timer_slack(slack: Duration) -> io::Result<()> {
    // 0 would mean the usual one.
    let nanoseconds = slack.as_nanos().clamp(1, i32::MAX as u128) as libc::c_ulong;
    // SAFETY: the option takes a number.
    check(unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0) }).map(drop)
}

/// Waits until a process has ended, whoever started it, but no longer than `limit`:
/// pidfd_open(2), Linux 5.3. False when it still runs then.
///
/// # Errors
/// Those of pidfd_open(2), but for ESRCH: then it is gone already.
pub fn has_ended(pid: u32, limit: Duration) -> io::Result<bool> {
    // SAFETY: the call takes numbers and gives a descriptor.
    let opened = unsafe { libc::syscall(libc::SYS_pidfd_open, libc::c_long::from(pid), 0) };
    // SAFETY: a descriptor that was made just now is nobody else's.
    let process = match unsafe { own(opened as libc::c_int) } {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return Ok(true),
        opened => opened?,
    };
    let end = Instant::now() + limit;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match readable(&[process.as_fd()], Some(left)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            ended => return Ok(ended?[0]),
        }
    }
}

/// Waits until a child has ended, and lets the kernel forget it: waitpid(2).
///
/// # Errors
/// ECHILD when it is no child of this process; "invalid input" for 0 and for
/// numbers that no process has, which would mean groups.
pub fn wait_for(pid: u32) -> io::Result<()> {
    let pid = one_process(pid)?;
    // SAFETY: no status is asked for, so the kernel writes nothing.
    check(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }).map(drop)
}

/// The unit of times in `/proc/PID/stat`: so many a second.
pub fn clock_ticks_per_second() -> u64 {
    sysconf(libc::_SC_CLK_TCK, 100)
}

/// The unit of memory in `/proc/PID/statm`, in bytes.
pub fn page_size() -> u64 {
    sysconf(libc::_SC_PAGESIZE, 4096)
}

/// sysconf(3); the usual value where the system does not say.
fn sysconf(name: libc::c_int, usual: u64) -> u64 {
    // SAFETY: the call takes a number.
    let value = unsafe { libc::sysconf(name) };
    u64::try_from(value).unwrap_or(usual)
}
