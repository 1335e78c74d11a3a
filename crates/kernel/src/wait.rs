//! Waiting for descriptors: poll(2), and a bell that wakes who waits.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use crate::check;

/// Waits until a read of one of these would give something, if only its end, but
/// no longer than `limit`; None is without end. Which of them are readable: none
/// when the time is over. One call for all of them: ppoll(2).
///
/// # Errors
/// EINTR when a signal came; else those of poll(2).
pub fn readable(descriptors: &[BorrowedFd], limit: Option<Duration>) -> io::Result<Vec<bool>> {
    let wanted = |descriptor: &BorrowedFd| libc::pollfd {
        fd: descriptor.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let mut polled: Vec<libc::pollfd> = descriptors.iter().map(wanted).collect();
    check(poll(&mut polled, limit))?;
    Ok(polled.iter().map(|polled| polled.revents != 0).collect())
}

/// How many bytes a pipe or a socket holds that nobody has read: ioctl(2), FIONREAD.
///
/// # Errors
/// ENOTTY for what cannot be asked.
pub fn bytes_waiting(pipe: &impl AsFd) -> io::Result<u64> {
    let mut count: libc::c_int = 0;
    let pipe = pipe.as_fd().as_raw_fd();
    // SAFETY: the kernel writes one int to where the pointer points.
    check(unsafe { libc::ioctl(pipe, libc::FIONREAD as _, &raw mut count) })?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// To the nanosecond.
#[cfg(target_os = "linux")]
fn poll(polled: &mut [libc::pollfd], limit: Option<Duration>) -> libc::c_int {
    let limit = limit.map(|limit| libc::timespec {
        tv_sec: limit.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: limit.subsec_nanos() as _,
    });
    let time = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the array and its length belong together; the time is null or lives
    // as long as the call; no signals are blocked.
    unsafe {
        libc::ppoll(
            polled.as_mut_ptr(),
            polled.len() as _,
            time,
            std::ptr::null(),
        )
    }
}

/// To the millisecond, rounded up.
#[cfg(not(target_os = "linux"))]
fn poll(polled: &mut [libc::pollfd], limit: Option<Duration>) -> libc::c_int {
    let milliseconds = limit.map_or(-1, |limit| {
        let whole = limit.as_nanos().div_ceil(1_000_000);
        whole.try_into().unwrap_or(libc::c_int::MAX)
    });
    // SAFETY: the array and its length belong together.
    unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as _, milliseconds) }
}

#[cfg(target_os = "linux")]
pub use bell::Bell;

#[cfg(target_os = "linux")]
mod bell {
    use std::fs::File;
    use std::io::{self, Read, Write};
    use std::os::fd::{AsFd, BorrowedFd};

    use crate::own;

    /// Wakes a thread that waits for it among others: eventfd(2).
    #[derive(Debug)]
    pub struct Bell(File);

    impl Bell {
        /// A bell that has not rung.
        ///
        /// # Errors
        /// EMFILE when no descriptor is left.
        pub fn new() -> io::Result<Self> {
            let flags = libc::EFD_CLOEXEC | libc::EFD_NONBLOCK;
            // SAFETY: the call takes numbers, and its descriptor is new.
            let bell = unsafe { own(libc::eventfd(0, flags)) }?;
            Ok(Self(bell.into()))
        }

        /// Rings: it is readable until [`Bell::heard`].
        pub fn ring(&self) {
            // It fails when it has rung very often and was not heard yet.
            let _ = (&self.0).write(&1_u64.to_ne_bytes());
        }

        /// It was heard, and is silent again.
        pub fn heard(&self) {
            // It fails when it has not rung.
            let _ = (&self.0).read(&mut [0; 8]);
        }
    }

    impl AsFd for Bell {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_pipe_is_readable_when_something_is_in_it_and_at_its_end() {
        let ((silent, _kept), (full, mut writer)) = (io::pipe().unwrap(), io::pipe().unwrap());
        let (ended, _) = io::pipe().unwrap();
        writer.write_all(b"x").unwrap();
        let pipes = [silent.as_fd(), full.as_fd(), ended.as_fd()];
        assert_eq!(readable(&pipes, None).unwrap(), [false, true, true]);
        let waiting = pipes.map(|pipe| bytes_waiting(&pipe).unwrap());
        assert_eq!(waiting, [0, 1, 0]);
    }

    #[test]
    fn a_wait_ends_with_its_time() {
        let (silent, _kept) = io::pipe().unwrap();
        let found = readable(&[silent.as_fd()], Some(Duration::from_nanos(1)));
        assert_eq!(found.unwrap(), [false]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_bell_wakes_until_it_is_heard() {
        let bell = Bell::new().unwrap();
        let rings = || readable(&[bell.as_fd()], Some(Duration::ZERO)).unwrap();
        assert_eq!(rings(), [false]);
        bell.ring();
        bell.ring();
        assert_eq!((rings(), rings()), (vec![true], vec![true]));
        bell.heard();
        assert_eq!(rings(), [false]);
    }
}
