//! What the views show and write, as one program: to link one takes longer than to
//! run it.

mod json;
mod ladder;
mod pcapng;
mod reading;
mod sample;
mod services;
mod svg;
mod text;
