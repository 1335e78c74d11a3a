//! What the compiler cannot check, behind functions that it can.
//!
//! While a request to an io_uring is on its way, the kernel reads or writes memory
//! behind the compiler's back. So a request never borrows its memory: the ring owns
//! it, and hands it back with the result.

pub mod pool;
pub mod ring;
pub mod scheduling;
