//! Writes the registers and the memory of a stopped task, to change its call.

#![allow(unsafe_code)]

use std::io;
use std::ptr;

use libc::{c_uint, c_void, pid_t};

use crate::check;

const PTRACE_POKEDATA: c_uint = 5;
const PTRACE_GETREGSET: c_uint = 0x4204;
const PTRACE_SETREGSET: c_uint = 0x4205;

// linux/elf.h: the general registers, and (aarch64) the number of the call.
const NT_PRSTATUS: usize = 1;
const NT_ARM_SYSTEM_CALL: usize = 0x404;

const X86_64: bool = cfg!(target_arch = "x86_64");

// `struct user_regs_struct` of sys/user.h on x86-64, `struct user_pt_regs` of
// asm/ptrace.h on aarch64: words of 64 bits, and where in them is what.
const COUNT: usize = if X86_64 { 27 } else { 34 };
const ARGUMENTS: [usize; 6] = if X86_64 {
    [14, 13, 12, 7, 9, 8] // rdi, rsi, rdx, r10, r8, r9
} else {
    [0, 1, 2, 3, 4, 5]
};
const RESULT: usize = if X86_64 { 10 } else { 0 };
/// `orig_rax`. On aarch64 the number is in a set of its own.
const NUMBER: usize = 15;

/// Gives another value to an argument of a call that is about to begin, or gives
/// it back after the call has ended. `index` counts from 0 to 5.
///
/// # Errors
/// ESRCH when the task is not stopped, or not traced by this thread.
pub fn set_argument(tid: i32, index: usize, value: u64) -> io::Result<()> {
    set(tid, ARGUMENTS[index], value)
}

/// What the program is told of a call that has ended: minus an errno.
///
/// # Errors
/// ESRCH when the task is not stopped, or not traced by this thread.
pub fn set_result(tid: i32, result: i64) -> io::Result<()> {
    set(tid, RESULT, result as u64)
}

/// Has the kernel skip the call that is about to begin: no call has the number -1.
///
/// # Errors
/// ESRCH when the task is not stopped, or not traced by this thread.
pub fn skip_call(tid: i32) -> io::Result<()> {
    if X86_64 {
        return set(tid, NUMBER, u64::MAX);
    }
    // The kernel takes the first 32 bits.
    exchange(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &mut [u64::MAX])
}

fn set(tid: i32, register: usize, value: u64) -> io::Result<()> {
    let mut words = [0; COUNT];
    exchange(PTRACE_GETREGSET, tid, NT_PRSTATUS, &mut words)?;
    words[register] = value;
    exchange(PTRACE_SETREGSET, tid, NT_PRSTATUS, &mut words)
}

/// Reads or writes a set of registers.
fn exchange(request: c_uint, tid: i32, kind: usize, words: &mut [u64]) -> io::Result<()> {
    let mut place = libc::iovec {
        iov_base: words.as_mut_ptr().cast(),
        iov_len: size_of_val(words),
    };
    // SAFETY: the kernel reads or writes no more than the words, in which any bits
    // make numbers. It refuses a task that is not ours to trace.
    let result = unsafe {
        libc::ptrace(
            request as _,
            tid as pid_t,
            ptr::without_provenance_mut::<c_void>(kind),
            &raw mut place,
        )
    };
    check(result).map(drop)
}

/// Writes a word of 64 bits into the task's memory, also where the task itself
/// may only read.
///
/// # Errors
/// ESRCH when the task is not stopped, or not traced by this thread.
pub fn write_word(tid: i32, address: u64, value: u64) -> io::Result<()> {
    let address = ptr::without_provenance_mut::<c_void>(address as usize);
    let value = ptr::without_provenance_mut::<c_void>(value as usize);
    // SAFETY: both are numbers to the kernel: an address in the other process and
    // what is written there.
    let result = unsafe { libc::ptrace(PTRACE_POKEDATA as _, tid as pid_t, address, value) };
    check(result).map(drop)
}
