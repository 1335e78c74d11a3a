//! What a stage does, without an audience.

#[cfg(target_os = "linux")]
mod observed;
mod stage;
