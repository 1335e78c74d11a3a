//! How much the cable costs: `cargo run --release -p wire --example figures`.
//!
//! Each figure is taken on the wire, and on the same two hosts joined directly.

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the wire exists on Linux only");
}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(target_os = "linux")]
#[path = "../tests/plays/counters.rs"]
mod counters;

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use wire::rules::Rules;
    use wire::{Host, Side, Wire};

    use super::counters::counters;

    const ROUND_TRIPS: usize = 20_000;
    const BULK: Duration = Duration::from_secs(5);

    pub fn main() {
        // Without namespaces of our own this works as root alone.
        let _ = kernel::network::enter_private();
        setting_up();
        let direct = Wire::joined_directly().expect("two hosts");
        let (wire, control) = plugged("");
        let on_wire = hosts(&wire);
        println!("{:32} {:>14} {:>14}", "", "direct", "on the wire");
        let row = |what: &str, of: &dyn Fn(&[Host; 2]) -> String| {
            println!("{what:32} {:>14} {:>14}", of(&direct), of(&on_wire));
        };
        row("round trip, median", &|hosts| {
            format!("{:.1} µs", round_trip(hosts).as_nanos() as f64 / 1000.0)
        });
        row("one TCP flow", &|hosts| {
            format!("{:.0} Mbit/s", bulk(hosts, BULK) * 8.0 / 1e6)
        });
        row("UDP, 100 bytes, arrived", &|hosts| {
            format!("{:.0}/s", flood(hosts))
        });
        let counts = Side::BOTH.map(|side| control.counts(side));
        let came: u64 = counts.iter().map(|counts| counts.came).sum();
        let lost: u64 = counts.iter().map(|counts| counts.lost).sum();
        println!("frames in all {came}, lost by us {lost} (in the UDP flood)");
        drop(wire);
        many();
        exactness();
        far_away();
    }

    fn plugged(rules: &str) -> (Wire, wire::CableControl) {
        let mut wire = Wire::new().expect("a wire");
        let rules = Rules::parse(rules).expect("rules");
        let settings = rules.settings();
        let control = wire.plug(rules, settings, |_| {}).expect("a cable");
        (wire, control)
    }

    fn hosts(wire: &Wire) -> [Host; 2] {
        Side::BOTH.map(|side| wire.host(side).clone())
    }

    fn setting_up() {
        let times = (0..20).map(|_| {
            let start = Instant::now();
            let wire = plugged("");
            let made = start.elapsed();
            drop(wire);
            (made, start.elapsed() - made)
        });
        let (made, gone) = times.unzip();
        let (made, gone) = (part(made, 50), part(gone, 50));
        println!("set-up {made:.1?}, tear-down {gone:.1?} (median of 20)");
    }

    /// The time that so many of 100 do not exceed; 50 is the median.
    fn part(mut times: Vec<Duration>, percent: usize) -> Duration {
        times.sort();
        times[times.len() * percent / 100]
    }

    fn pair(hosts: &[Host; 2]) -> (TcpStream, TcpStream) {
        let listen = || TcpListener::bind("10.0.0.1:0");
        let listener = hosts[0].inside(listen).expect("listen");
        let addr = listener.local_addr().expect("an address");
        let client = hosts[1]
            .inside(|| TcpStream::connect(addr))
            .expect("connect");
        let (server, _) = listener.accept().expect("accept");
        for stream in [&server, &client] {
            stream.set_nodelay(true).expect("TCP_NODELAY");
        }
        (server, client)
    }

    fn round_trip(hosts: &[Host; 2]) -> Duration {
        let (mut server, mut client) = pair(hosts);
        thread::spawn(move || {
            let mut byte = [0];
            while server.read_exact(&mut byte).is_ok() && server.write_all(&byte).is_ok() {}
        });
        let times = (0..ROUND_TRIPS).map(|_| {
            let start = Instant::now();
            client.write_all(b"x").expect("send");
            client.read_exact(&mut [0]).expect("receive");
            start.elapsed()
        });
        part(times.collect(), 50)
    }

    /// Bytes a second.
    fn bulk(hosts: &[Host; 2], time: Duration) -> f64 {
        let (mut server, mut client) = pair(hosts);
        let start = Instant::now();
        let sender = thread::spawn(move || {
            let block = vec![0; 256 * 1024];
            while start.elapsed() < time && client.write_all(&block).is_ok() {}
        });
        let mut buffer = vec![0; 1 << 20];
        let mut bytes = 0;
        while let length @ 1.. = server.read(&mut buffer).expect("receive") {
            bytes += length;
        }
        sender.join().expect("a sender");
        bytes as f64 / start.elapsed().as_secs_f64()
    }

    /// The server's socket, and one of the client that sends to it.
    fn datagrams(hosts: &[Host; 2]) -> (UdpSocket, UdpSocket) {
        let bind = |addr: &'static str| move || UdpSocket::bind(addr);
        let server = hosts[0].inside(bind("10.0.0.1:7788")).expect("bind");
        let client = hosts[1].inside(bind("0.0.0.0:0")).expect("bind");
        client.connect("10.0.0.1:7788").expect("connect");
        (server, client)
    }

    /// Datagrams a second that have arrived.
    fn flood(hosts: &[Host; 2]) -> f64 {
        let (server, client) = datagrams(hosts);
        let (stop, arrived) = (AtomicBool::new(false), AtomicU64::new(0));
        let timeout = Some(Duration::from_millis(200));
        server.set_read_timeout(timeout).expect("a timeout");
        let start = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut buffer = [0; 200];
                while !stop.load(Ordering::Relaxed) {
                    if server.recv(&mut buffer).is_ok() {
                        arrived.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
            while start.elapsed() < Duration::from_secs(3) {
                let _ = client.send(&[0; 100]);
            }
            stop.store(true, Ordering::Relaxed);
        });
        arrived.into_inner() as f64 / start.elapsed().as_secs_f64()
    }

    /// A million frames in one TCP flow: what the hosts have counted, and we.
    fn many() {
        const BLOCKS: usize = 10_000;
        let (wire, control) = plugged("");
        let (mut server, mut client) = pair(&hosts(&wire));
        let reader = thread::spawn(move || {
            let mut buffer = vec![0; 1 << 20];
            while server.read(&mut buffer).is_ok_and(|length| length > 0) {}
        });
        let start = Instant::now();
        let block = vec![0; 1448 * 100];
        (0..BLOCKS).for_each(|_| client.write_all(&block).expect("send"));
        drop(client);
        reader.join().expect("a reader");
        let time = start.elapsed();
        thread::sleep(Duration::from_millis(100));
        for from in Side::BOTH {
            let counter = |side, name| counters(wire.host(side))[name];
            let counts = control.counts(from);
            println!(
                "{} sent {}, we saw {} and passed on {}, the other received {}; lost by us {}",
                from.name(),
                counter(from, "Tcp.OutSegs") + counter(from, "Tcp.RetransSegs"),
                counts.came,
                counts.delivered,
                counter(from.other(), "Tcp.InSegs"),
                counts.lost
            );
        }
        println!("in {time:.1?}");
    }

    fn exactness() {
        for latency in [1, 10, 50] {
            let (wire, _control) = plugged(&format!("client→server latency {latency} ms"));
            let (server, client) = datagrams(&hosts(&wire));
            let wanted = Duration::from_millis(latency);
            let errors = (0..200).map(|_| {
                let start = Instant::now();
                client.send(b"x").expect("send");
                server.recv(&mut [0; 9]).expect("receive");
                start.elapsed().abs_diff(wanted)
            });
            let errors: Vec<Duration> = errors.collect();
            let (median, most) = (part(errors.clone(), 50), part(errors, 99));
            println!(
                "latency {latency} ms, from send to receive: off by {median:.1?} at the median, \
                 {most:.1?} at 99 %"
            );
        }
    }

    fn far_away() {
        let (wire, control) = plugged("latency 50 ms");
        let rate = bulk(&hosts(&wire), Duration::from_secs(10));
        println!(
            "one TCP flow with 100 ms of round trip: {:.0} Mbit/s, which is {:.1} MB a round trip; \
             frames lost {}",
            rate * 8.0 / 1e6,
            rate * 0.1 / 1e6,
            control.counts(Side::Client).lost
        );
    }
}
