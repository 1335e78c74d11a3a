//! Signals: Ctrl-C and its like for this process, and those that are sent to
//! others. See signal(7).

#![allow(unsafe_code)]

use std::io;

#[cfg(unix)]
pub use libc::{SIGINT, SIGKILL, SIGTERM};
#[cfg(target_os = "linux")]
pub(crate) use unix::one_process;
#[cfg(unix)]
pub use unix::send;

/// From now on SIGINT (Ctrl-C), SIGTERM and SIGHUP do not end this process:
/// `action` is called each time one of them comes, in a thread of its own, so that
/// it may do whatever it likes. A later call replaces nothing: it is an error.
///
/// Where there are no such signals, Ctrl-C goes on ending the process.
///
/// # Errors
/// "Already exists" from the second call on; when the system has no descriptor or
/// thread left.
pub fn on_end(action: impl FnMut() + Send + 'static) -> io::Result<()> {
    #[cfg(unix)]
    return unix::on_end(action);
    #[cfg(not(unix))]
    {
        drop(action);
        Ok(())
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::{self, ErrorKind, Read};
    use std::mem::MaybeUninit;
    use std::os::fd::{IntoRawFd, OwnedFd};
    use std::ptr;
    use std::sync::atomic::{AtomicI32, Ordering};
    use std::thread;

    use libc::c_int;

    use crate::check;

    /// 0 and numbers that no process has would mean groups.
    pub(crate) fn one_process(pid: u32) -> io::Result<libc::pid_t> {
        let pid = i32::try_from(pid).ok().filter(|pid| *pid > 0);
        Ok(pid.ok_or(ErrorKind::InvalidInput)?)
    }

    /// Sends a signal to one process: kill(2).
    ///
    /// # Errors
    /// ESRCH when there is no such process, EPERM when it is not ours; "invalid
    /// input" for 0 and for numbers that no process has, which would mean groups.
    pub fn send(pid: u32, signal: i32) -> io::Result<()> {
        let pid = one_process(pid)?;
        // SAFETY: the call takes numbers.
        check(unsafe { libc::kill(pid, signal) }).map(drop)
    }

    /// Where the handler writes to; -1 as long as nobody listens.
    static PIPE: AtomicI32 = AtomicI32::new(-1);

    pub(super) fn on_end(mut action: impl FnMut() + Send + 'static) -> io::Result<()> {
        let (reader, writer) = io::pipe()?;
        let mut reader = File::from(OwnedFd::from(reader));
        // A handler must not wait, however often signals come.
        crate::file::set_nonblocking(&writer)?;
        let writer = OwnedFd::from(writer).into_raw_fd();
        let first = PIPE.compare_exchange(-1, writer, Ordering::SeqCst, Ordering::SeqCst);
        if first.is_err() {
            // SAFETY: the descriptor is ours, and nobody else knows it.
            unsafe { libc::close(writer) };
            return Err(ErrorKind::AlreadyExists.into());
        }
        let work = move || {
            let mut byte = [0];
            // The other end is never closed.
            while reader.read_exact(&mut byte).is_ok() {
                action();
            }
        };
        thread::Builder::new().name("signals".into()).spawn(work)?;
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            handle(signal)?;
        }
        Ok(())
    }

    /// sigaction(2): what waits in a call goes on waiting.
    fn handle(signal: c_int) -> io::Result<()> {
        // SAFETY: a sigaction of zeros is valid: no flags, no signals blocked. The
        // handler does nothing but write(2), which signal-safety(7) allows.
        check(unsafe {
            let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
            action.sa_sigaction = came as extern "C" fn(c_int) as libc::sighandler_t;
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal, &raw const action, ptr::null_mut())
        })
        .map(drop)
    }

    extern "C" fn came(_signal: c_int) {
        let before = io::Error::last_os_error();
        let byte = 0_u8;
        // SAFETY: one byte that is there. A full pipe is full of the same news.
        unsafe { libc::write(PIPE.load(Ordering::SeqCst), (&raw const byte).cast(), 1) };
        set_errno(&before);
    }

    /// The call that the signal has interrupted may be about to look at it.
    fn set_errno(before: &io::Error) {
        let _errno = before.raw_os_error().unwrap_or(0);
        // SAFETY: the function gives the place where this thread keeps its errno.
        #[cfg(target_os = "linux")]
        unsafe {
            libc::__errno_location().write(_errno);
        }
        // SAFETY: as above.
        #[cfg(target_vendor = "apple")]
        unsafe {
            libc::__error().write(_errno);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::process;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn numbers_that_would_mean_a_group_are_refused() {
        for group in [0, u32::MAX, i32::MAX as u32 + 1] {
            let refused = send(group, SIGTERM).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{group}");
        }
    }

    #[test]
    fn ctrl_c_and_its_like_are_told_and_do_not_end_the_process() {
        let (told, news) = mpsc::channel();
        on_end(move || told.send(()).unwrap()).unwrap();
        for signal in [SIGINT, SIGTERM, SIGINT] {
            send(process::id(), signal).unwrap();
            news.recv_timeout(Duration::from_secs(20)).unwrap();
        }
        let again = on_end(|| {}).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }
}
