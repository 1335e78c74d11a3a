//! The plays, and what they are played with.

mod counters;
mod fates;
mod hosts;
mod lab;
mod limits;

use crate::harness::Play;

pub fn all() -> Vec<Play> {
    [hosts::PLAYS, fates::PLAYS, limits::PLAYS].concat()
}
