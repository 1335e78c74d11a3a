//! Each model of the lesson keeps what all of them promise.

crate::promises::keep!(
    all: ("one-at-a-time", "thread-per-client", "thread-pool", "event-loop", "async"),
    concurrent: ("thread-per-client", "thread-pool", "event-loop", "async")
);
