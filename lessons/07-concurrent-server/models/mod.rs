//! Five ways to serve many callers, and what they share.

pub mod service;

pub mod async_tasks;
pub mod event_loop;
pub mod one_at_a_time;
pub mod self_call;
pub mod thread_per_client;
pub mod thread_pool;
pub mod udp;
