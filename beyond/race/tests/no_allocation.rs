//! A server that asks for memory for each message can be made slow by it, and
//! its memory becomes full of holes. The models with one thread do not.

// The allocator counts for the whole process. So one test runs at a time, where the
// usual harness has a thread that waits, and asks for memory first.
#![allow(dead_code, reason = "the models are taken in whole, and used in part")]

#[path = "../src/models/mod.rs"]
mod models;
#[path = "../src/os/mod.rs"]
mod os;

use std::alloc::System;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use lesson_7::models::service::{Reply, Service, Settings};
use lesson_7::models::{async_tasks, event_loop};
use libtest_mimic::{Arguments, Trial};
use models::io_uring;
use os::ring::Ring;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Serve = fn(TcpListener, &Arc<Service>) -> anyhow::Result<()>;

/// How often memory is asked for while some callers exchange messages.
fn allocations(serve: Serve, size: usize) -> usize {
    let service = Service::new(Settings {
        reply: Reply::Upper,
        panic_on: None,
        quiet: true,
        max_clients: 100,
        workers: 1,
        room: 16_384,
        grace: Duration::from_secs(5),
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let running = service.clone();
    let thread = thread::spawn(move || serve(listener, &running));
    let mut callers: Vec<TcpStream> = (0..16).map(|_| TcpStream::connect(addr).unwrap()).collect();
    for caller in &callers {
        caller
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
    }
    let (asked, mut answer) = (vec![b'a'; size], vec![0; size]);
    let wanted = vec![b'A'; size];
    let mut exchange = |rounds: usize| {
        for _ in 0..rounds {
            callers
                .iter_mut()
                .for_each(|caller| caller.write_all(&asked).unwrap());
            for caller in &mut callers {
                caller.read_exact(&mut answer).unwrap();
                assert!(answer == wanted);
            }
        }
    };
    exchange(20); // lists find their size
    let region = Region::new(ALLOCATOR);
    exchange(100);
    let change = region.change();
    drop(callers);
    service.stop();
    thread.join().unwrap().unwrap();
    change.allocations + change.reallocations
}

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let test = |name: &str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let tests = vec![
        test(
            "no_event_model_asks_for_memory_while_messages_come",
            no_event_model_asks_for_memory,
        ),
        test(
            "a_ring_that_is_given_up_frees_nothing_that_is_being_sent",
            a_ring_frees_nothing_that_is_being_sent,
        ),
    ];
    libtest_mimic::run(&arguments, tests).exit();
}

/// The kernel goes on reading it for a while.
fn a_ring_frees_nothing_that_is_being_sent() {
    const LONG: usize = 64 << 20; // more than any queue takes
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let line = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut ring = Ring::new(1, 1, 64).unwrap();
    ring.enter(0, &line).unwrap();
    ring.send(0, vec![b'x'; LONG]);
    ring.hand_over().unwrap();
    let region = Region::new(ALLOCATOR);
    drop(ring);
    let freed = region.change().bytes_deallocated;
    assert!(freed < LONG, "{freed} bytes were freed");
}

fn no_event_model_asks_for_memory() {
    let models: [(&str, Serve); 3] = [
        ("event-loop", event_loop::serve),
        ("async", async_tasks::serve),
        ("io-uring", io_uring::serve),
    ];
    for (name, serve) in models {
        for size in [64, 16_384] {
            let count = allocations(serve, size);
            assert_eq!(count, 0, "{name}, for 1600 messages of {size} bytes");
        }
    }
}
