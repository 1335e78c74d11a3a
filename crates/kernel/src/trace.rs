//! ptrace(2), waitpid(2) and process_vm_readv(2): what a tracer of calls needs of
//! the kernel. The filter that stops a program at some calls alone is in [`filter`],
//! the change of a call in [`registers`].
//!
//! One thread traces, and only that thread may ask about the tasks that it traces:
//! all else is refused with ESRCH.

#![allow(unsafe_code)]

pub mod filter;
pub mod registers;

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Once;

use libc::{c_int, c_long, c_uint, c_ulong, c_void, pid_t};

use crate::check;

// Constants of linux/ptrace.h; libc gives them another type on each C library.
const PTRACE_GETEVENTMSG: c_uint = 0x4201;
const PTRACE_GET_SYSCALL_INFO: c_uint = 0x420e;

/// Requests that take numbers only: none of them points into our memory.
#[derive(Clone, Copy)]
#[repr(u32)]
enum Plain {
    Cont = 7,
    Syscall = 24,
    SetOptions = 0x4200,
    Seize = 0x4206,
    Listen = 0x4208,
}

/// What the kernel is asked to report: the stop at the end of a call told apart
/// from a SIGTRAP, each new task, exec, the filter's calls; and to kill the traced
/// programs when the tracer is gone.
const OPTIONS: c_int = libc::PTRACE_O_TRACESYSGOOD
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACESECCOMP
    | libc::PTRACE_O_EXITKILL;

/// A stop for a job-control signal, or the first stop of a new task.
pub const EVENT_STOP: c_int = 128;

/// How a stopped task goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoOn {
    /// Until the filter or an event stops it.
    Freely,
    /// Until its call has ended.
    ToTheEndOfTheCall,
    /// It stays stopped, as its signal demands, until SIGCONT.
    Stopped,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// In no call.
    Nothing,
    /// The filter has stopped it before a call.
    Entry {
        /// Which call, for the machine for which the program is written.
        number: u64,
        /// Its arguments, those that it does not have too.
        args: [u64; 6],
    },
    /// The call has ended.
    Exit {
        /// Its result, or minus its errno.
        result: i64,
    },
}

fn plain(request: Plain, tid: i32, data: c_ulong) -> io::Result<()> {
    let nowhere = ptr::null_mut::<c_void>();
    // SAFETY: the request takes numbers only, and changes only the traced task. The
    // kernel refuses a task that is not ours to trace.
    let result = unsafe { libc::ptrace(request as _, tid as pid_t, nowhere, data) };
    check(result).map(drop)
}

/// Makes this thread the tracer of a running process.
///
/// # Errors
/// EPERM when it is traced already, or a sandbox forbids it.
pub fn seize(pid: i32) -> io::Result<()> {
    plain(Plain::Seize, pid, OPTIONS as c_ulong)
}

/// From now on the kernel reports also that the task, or one that it makes, is on
/// its way out.
///
/// Not from the beginning: the parent of a child that cannot exec waits for its
/// end, and waitpid(2) would give it this stop in place of the end.
///
/// # Errors
/// ESRCH when the task is not stopped, or not traced by this thread.
pub fn report_exit(tid: i32) -> io::Result<()> {
    let options = OPTIONS | libc::PTRACE_O_TRACEEXIT;
    plain(Plain::SetOptions, tid, options as c_ulong)
}

/// Lets a stopped task go on, and delivers a signal to it; 0 is none.
///
/// # Errors
/// ESRCH when the task is not stopped, or not traced by this thread.
pub fn go_on(tid: i32, how: GoOn, signal: i32) -> io::Result<()> {
    let request = match how {
        GoOn::Freely => Plain::Cont,
        GoOn::ToTheEndOfTheCall => Plain::Syscall,
        GoOn::Stopped => Plain::Listen,
    };
    plain(request, tid, signal as c_ulong)
}

/// What belongs to the event at which a task stands, such as the new task's id.
///
/// # Errors
/// ESRCH when the task is not stopped, or not traced by this thread.
pub fn event_message(tid: i32) -> io::Result<u64> {
    let mut message = 0_u64;
    let nowhere = ptr::null_mut::<c_void>();
    // SAFETY: the kernel writes an unsigned long, which has 64 bits here, to where
    // the pointer points, and that is where it lives.
    let result = unsafe {
        libc::ptrace(
            PTRACE_GETEVENTMSG as _,
            tid as pid_t,
            nowhere,
            &raw mut message,
        )
    };
    check(result).map(|_| message)
}

/// Where a stopped task stands in a call, and for which machine its program is
/// written, by `AUDIT_ARCH_…`: `struct ptrace_syscall_info`.
///
/// # Errors
/// ESRCH when the task is not stopped, or not traced by this thread.
pub fn call_info(tid: i32) -> io::Result<(At, u32)> {
    const ENTRY: u64 = 1;
    const EXIT: u64 = 2;
    const SECCOMP: u64 = 3;
    // The structure holds numbers of 64 bits, but for its first 8 bytes: the
    // kind (1 byte), 3 bytes of nothing, the machine (4 bytes).
    let mut words = [0_u64; 11];
    let size = size_of_val(&words);
    // SAFETY: the kernel writes at most `size` bytes, and that is how many the
    // array has; any bytes make valid numbers.
    let result = unsafe {
        libc::ptrace(
            PTRACE_GET_SYSCALL_INFO as _,
            tid as pid_t,
            size as *mut c_void,
            words.as_mut_ptr(),
        )
    };
    check(result)?;
    let [head, _instruction, _stack, first, args @ ..] = words;
    let at = match head & 0xff {
        ENTRY | SECCOMP => {
            let [args @ .., _] = args;
            let number = first;
            At::Entry { number, args }
        }
        EXIT => At::Exit {
            result: first as i64,
        },
        _ => At::Nothing,
    };
    Ok((at, (head >> 32) as u32))
}

/// Waits until something is to be reported of this task, or of any (None) that this
/// thread traces. Children of other threads are theirs. None: a signal came to this
/// thread.
///
/// # Errors
/// ECHILD when this thread traces nobody and has no child.
pub fn wait_for(tid: Option<i32>) -> io::Result<Option<(i32, c_int)>> {
    let mut status: c_int = 0;
    let flags = libc::__WALL | libc::__WNOTHREAD;
    // SAFETY: the kernel writes one int to where the pointer points.
    let tid = unsafe { libc::waitpid(tid.unwrap_or(-1), &raw mut status, flags) };
    Ok(unless_interrupted(tid)?.map(|tid| (tid, status)))
}

fn unless_interrupted(result: c_int) -> io::Result<Option<c_int>> {
    match check(result) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
        result => result.map(Some),
    }
}

/// As [`wait_for`] any task, but leaves the report where it is: which task, and
/// whether it has ended.
///
/// # Errors
/// ECHILD when this thread traces nobody and has no child.
pub fn peek() -> io::Result<Option<(i32, bool)>> {
    look(libc::WEXITED | libc::WSTOPPED)
}

/// A task that is stopped, if there is one, and never one that has ended.
///
/// # Errors
/// ECHILD when this thread traces nobody and has no child.
pub fn peek_at_stops() -> io::Result<Option<i32>> {
    let found = look(libc::WSTOPPED | libc::WNOHANG)?;
    Ok(found.map(|(tid, _)| tid).filter(|&tid| tid != 0))
}

fn look(what: c_int) -> io::Result<Option<(i32, bool)>> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let flags = what | libc::WNOWAIT | libc::__WALL | libc::__WNOTHREAD;
    // SAFETY: the kernel writes one siginfo_t to where the pointer points.
    let result = unsafe { libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), flags) };
    if unless_interrupted(result)?.is_none() {
        return Ok(None);
    }
    // SAFETY: all bytes were set to zero, which is a valid siginfo_t, and after
    // success the kernel has filled in the fields of a SIGCHLD, or none of them.
    let (tid, code) = unsafe {
        let info = info.assume_init();
        (info.si_pid(), info.si_code)
    };
    let ended = matches!(code, libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED);
    Ok(Some((tid, ended)))
}

/// Reads the memory of another process into the buffer, up to the first page
/// that cannot be read. How many bytes were read.
///
/// # Errors
/// EFAULT when nothing can be read there; EPERM and ENOSYS where it is forbidden.
pub fn read_memory(pid: i32, address: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let local = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    let remote = libc::iovec {
        iov_base: address as *mut c_void,
        iov_len: buffer.len(),
    };
    // SAFETY: the kernel writes into `buffer` alone and at most its length. The
    // remote address is a number to it, checked in the other process.
    let result = unsafe {
        libc::process_vm_readv(pid as pid_t, &raw const local, 1, &raw const remote, 1, 0)
    };
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// The signal that gets a thread out of its waiting. It is ignored by default,
/// so it harms no thread that has not asked for it.
const WAKE: c_int = libc::SIGURG;

/// Lets this thread be woken: see [`wake`].
pub fn can_be_woken() {
    extern "C" fn nothing(_signal: c_int) {}
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: a sigaction of zeros is valid: no flags (so that a waiting call
        // is interrupted, not restarted), no signals blocked. The handler does
        // nothing, so it may run at any time.
        unsafe {
            let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
            action.sa_sigaction = nothing as extern "C" fn(c_int) as libc::sighandler_t;
            libc::sigaction(WAKE, &raw const action, ptr::null_mut());
        }
    });
    // SAFETY: the set is initialised by sigemptyset before it is used, and the
    // mask that changes is that of this thread.
    unsafe {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), WAKE);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), ptr::null_mut());
    }
}

/// Interrupts the call in which a thread of this process waits, if it waits.
pub fn wake(tid: i32) {
    let pid = std::process::id();
    // SAFETY: the call takes numbers. A thread that is gone is an error, which
    // the caller learns from the missing answer.
    unsafe {
        libc::syscall(
            libc::SYS_tgkill,
            pid as c_long,
            c_long::from(tid),
            WAKE as c_long,
        )
    };
}

/// The signal at which a task has stopped, from a status as waitpid(2) gives it;
/// None when it has ended.
pub fn stop_signal(status: c_int) -> Option<c_int> {
    libc::WIFSTOPPED(status).then(|| libc::WSTOPSIG(status))
}

/// The status that the kernel packs as for waitpid(2): returned or killed.
pub fn ending(status: c_int) -> timeline::Ending {
    if libc::WIFSIGNALED(status) {
        timeline::Ending::Signal(libc::WTERMSIG(status))
    } else {
        timeline::Ending::Status(libc::WEXITSTATUS(status))
    }
}
