//! Two ways to serve that lesson 7 leaves out, because only Linux has them.

pub mod io_uring;
pub mod udp_many;
