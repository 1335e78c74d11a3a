//! The experiments, one file for each part of the document. They are one program,
//! because that is built once, and what only waits, waits side by side.

mod addresses_and_ports;
mod closing;
mod datagrams;
mod listening_and_accepting;
mod local_sockets;
mod rows;
mod sending_and_receiving;
mod time;
