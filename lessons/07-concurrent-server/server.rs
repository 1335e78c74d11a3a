//! Lesson 7, the server: many callers at the same time, in five ways.
//!
//! Read in this order: `run` below, then `models/service.rs` (what all models
//! share), then the models from `models/one_at_a_time.rs` on. Each is the same
//! program with one difference.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, ValueEnum, builder::NonEmptyStringValueParser};
use lesson_7::models::service::{Reply, Service, Settings};
use lesson_7::models::{
    async_tasks, event_loop, one_at_a_time, thread_per_client, thread_pool, udp,
};
use lesson_7::{Called, ended, from_1_to, host_port, moved, pause, resolve, say, stop};
use socket2::{Domain, Socket, Type};

/// Takes many calls at the same time, and sends back in upper case what it hears
#[derive(Parser)]
#[command(
    name = "lesson-7-server",
    allow_negative_numbers = true,
    after_help = "Example:\n  cargo run -p lesson-7 server --model event-loop\n  \
                  cargo run -p lesson-7 server --model thread-pool --workers 2 --grace 10"
)]
pub struct Args {
    /// Where to listen; with port 0 the system chooses a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8084", value_parser = host_port)]
    addr: String,

    /// How the calls are served at the same time
    #[arg(long, value_enum, default_value_t = Model::ThreadPerClient)]
    pub model: Model,

    /// Serve datagrams: one socket, one loop, no model needed
    #[arg(long, conflicts_with_all = ["model", "max_clients", "workers", "backlog", "grace"])]
    udp: bool,

    /// With --udp: up to 64 datagrams with one system call (beyond/race has it)
    #[arg(long, requires = "udp")]
    pub many: bool,

    /// What to send back: the bytes in ASCII upper case, or as they came
    #[arg(long, value_enum, default_value_t = Reply::Upper)]
    reply: Reply,

    /// How many calls may run at once; one more caller waits in the accept queue
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = from_1_to::<1_000_000>)]
    max_clients: usize,

    /// How many threads the model thread-pool has
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = from_1_to::<1_000_000>)]
    workers: usize,

    /// The size of a receive buffer in bytes; a longer message comes in pieces
    #[arg(long, value_name = "BYTES", default_value_t = 16_384, value_parser = from_1_to::<1_000_000>)]
    room: usize,

    /// How many callers the kernel keeps waiting; net.core.somaxconn bounds it
    #[arg(long, value_name = "N", default_value_t = 4096)]
    backlog: i32,

    /// How long running calls may go on after Ctrl-C
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = pause)]
    grace: Duration,

    /// Panic in the handler when it receives this text, to see who is hurt
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    panic_on: Option<String>,

    /// Say nothing about single calls (for crowds)
    #[arg(long)]
    quiet: bool,
}

/// Who serves the calls, and so who waits for whom.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Model {
    /// The server of lesson 2: the next caller waits until this one has hung up
    OneAtATime,
    /// A thread for each call
    ThreadPerClient,
    /// A fixed number of threads that take call after call
    ThreadPool,
    /// One thread that serves whichever call is ready
    EventLoop,
    /// Like event-loop, with the waiting written by the compiler
    Async,
    /// One thread that asks the kernel to do the reading and writing (beyond/race has it)
    IoUring,
}

/// A model: it serves all calls of a listener until it is asked to stop.
pub type Serve = fn(TcpListener, &Arc<Service>) -> Result<()>;

/// The same with datagrams, which come through one socket.
pub type ServeDatagrams = fn(UdpSocket, &Arc<Service>) -> Result<()>;

/// Chooses the model, and lets it serve.
pub fn run(args: &Args) -> Result<()> {
    if args.many {
        moved::to_the_race();
    }
    if args.udp {
        return serve_datagrams(args, udp::serve);
    }
    let model: Serve = match args.model {
        Model::OneAtATime => one_at_a_time::serve,
        Model::ThreadPerClient => thread_per_client::serve,
        Model::ThreadPool => thread_pool::serve,
        Model::EventLoop => event_loop::serve,
        Model::Async => async_tasks::serve,
        Model::IoUring => moved::to_the_race(),
    };
    serve_calls(args, model)
}

/// Takes the calls of a phone, in the way of this model.
pub fn serve_calls(args: &Args, serve: Serve) -> Result<()> {
    let service = service(args)?;
    let listener = switch_on(resolve(&args.addr)?, args.backlog)?;
    serve(listener, &service)?;
    say(service.summary("call"));
    Ok(())
}

/// Answers the letters of a post office box (lesson 3).
pub fn serve_datagrams(args: &Args, serve: ServeDatagrams) -> Result<()> {
    let service = service(args)?;
    let post = open(resolve(&args.addr)?)?;
    serve(post, &service)?;
    if args.quiet {
        say(service.system_calls());
    }
    say(service.summary("datagram"));
    Ok(())
}

/// What all models share. From now on Ctrl-C and a panic are taken care of.
fn service(args: &Args) -> Result<Arc<Service>> {
    let service = Service::new(Settings {
        reply: args.reply,
        panic_on: args.panic_on.clone().map(String::into_bytes),
        quiet: args.quiet,
        max_clients: args.max_clients,
        workers: args.workers,
        room: args.room,
        grace: args.grace,
    });
    stop::on_ctrl_c(&service)?;
    stop::panics_in_one_line();
    Ok(service)
}

/// Buy a phone, put in the SIM, switch it on.
fn switch_on(addr: SocketAddr, backlog: i32) -> Result<TcpListener> {
    let phone =
        Socket::new(Domain::for_address(addr), Type::STREAM, None).called("socket", addr)?;
    // On Windows the option means something else: it takes the port from others.
    #[cfg(not(windows))]
    phone.set_reuse_address(true).called("SO_REUSEADDR on", addr)?;
    // A second piece of an answer shall not wait until the first has been
    // acknowledged (Nagle's algorithm). Each accepted connection inherits this.
    phone.set_tcp_nodelay(true).called("TCP_NODELAY on", addr)?;
    phone.bind(&addr.into()).called("bind", addr)?;
    phone.listen(backlog).called("listen", addr)?;
    let phone = TcpListener::from(phone);
    let own = phone.local_addr().called("getsockname of", addr)?;
    say(format!("listening on {own}"));
    Ok(phone)
}

/// Open a post office box: one socket for the letters of all.
fn open(addr: SocketAddr) -> Result<UdpSocket> {
    let post = UdpSocket::bind(addr).called("bind", addr)?;
    let own = post.local_addr().called("getsockname of", addr)?;
    say(format!("bound to {own}"));
    Ok(post)
}

#[allow(dead_code, reason = "in the scene's program, scene/main.rs calls run")]
fn main() -> ExitCode {
    ended(run(&Args::parse()))
}
