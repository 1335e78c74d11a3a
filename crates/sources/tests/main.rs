//! What programs write, and what the tracer reports of their calls.

mod calls;
mod output;
