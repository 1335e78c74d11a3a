//! seccomp(2): a filter that the kernel asks at each call of a program, and how a
//! program gets under observation before its first instruction.

#![allow(unsafe_code)]

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{self, Command};

use libc::c_uint;

use crate::check;

/// One instruction of a filter: linux/filter.h, `struct sock_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// What to do: load, compare, return.
    pub code: u16,
    /// How many instructions are skipped when the comparison holds.
    pub jump_true: u8,
    /// How many are skipped when it does not.
    pub jump_false: u8,
    /// Which word is loaded, what is compared with it, or what is returned.
    pub value: u32,
}

/// A word between the child and its parent: a process id, or an errno.
pub type Word = [u8; 4];

/// The errno that says that all is well.
pub const FINE: i32 = 0;

/// Has the child do three things between fork and exec: say its process id through
/// `stream`, wait for a word (an errno other than [`FINE`] ends it), and put the
/// filter before itself. When the kernel refuses the filter, the child says the
/// errno and ends.
pub fn filter_before_exec(command: &mut Command, stream: UnixStream, filter: Vec<Instruction>) {
    let prepare = move || prepare(&stream, &filter);
    // SAFETY: the closure makes system calls, and its errors are numbers.
    unsafe { command.pre_exec(prepare) };
}

/// The child, between fork and exec: system calls only, nothing that allocates.
fn prepare(mut stream: &UnixStream, filter: &[Instruction]) -> io::Result<()> {
    stream.write_all(&process::id().to_ne_bytes())?;
    let mut word = Word::default();
    stream.read_exact(&mut word)?;
    match i32::from_ne_bytes(word) {
        FINE => {}
        errno => return Err(io::Error::from_raw_os_error(errno)),
    }
    let installed = install(filter);
    if let Err(error) = &installed {
        let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
        stream.write_all(&errno.to_ne_bytes())?;
    }
    installed
}

/// With the privilege for it, the program keeps the right to gain privileges
/// (sudo, ping); without it, the kernel demands that it gives up this right.
fn install(filter: &[Instruction]) -> io::Result<()> {
    match set_filter(filter) {
        Err(error) if error.raw_os_error() == Some(libc::EACCES) => {
            // SAFETY: the option takes a number.
            check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })?;
            set_filter(filter)
        }
        result => result,
    }
}

/// Puts the filter before this task for ever, and before all that it starts.
fn set_filter(filter: &[Instruction]) -> io::Result<()> {
    /// linux/filter.h, `struct sock_fprog`.
    #[repr(C)]
    struct Program {
        length: u16,
        instructions: *const Instruction,
    }
    const SECCOMP_SET_MODE_FILTER: c_uint = 1;
    // Without it some kernels slow the whole program down for a protection
    // that is meant for programs that run foreign code.
    const SECCOMP_FILTER_FLAG_SPEC_ALLOW: c_uint = 1 << 2;
    let program = Program {
        length: filter.len() as u16,
        instructions: filter.as_ptr(),
    };
    // SAFETY: the kernel copies `length` instructions, which are there, checks
    // them, and keeps no pointer.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            SECCOMP_SET_MODE_FILTER,
            SECCOMP_FILTER_FLAG_SPEC_ALLOW,
            &raw const program,
        )
    };
    check(result).map(drop)
}
