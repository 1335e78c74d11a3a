//! Six ways to serve many callers, and what they share.

pub mod service;

pub mod async_tasks;
pub mod event_loop;
#[cfg(target_os = "linux")]
pub mod io_uring;
#[cfg(not(target_os = "linux"))]
#[path = "no_io_uring.rs"]
pub mod io_uring;
pub mod one_at_a_time;
pub mod self_call;
pub mod thread_per_client;
pub mod thread_pool;
pub mod udp;
#[cfg(target_os = "linux")]
pub mod udp_many;
#[cfg(not(target_os = "linux"))]
#[path = "no_udp_many.rs"]
pub mod udp_many;
