//! A network of our own, its packets and its states.

#[cfg(target_os = "linux")]
mod plays;

fn main() {
    #[cfg(target_os = "linux")]
    plays::main(linux::PLAYS);
    #[cfg(not(target_os = "linux"))]
    println!("namespaces exist on Linux only: nothing to test here");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;
    use std::time::{Duration, Instant};

    use kernel::clock::now;
    use kernel::network::enter_private;
    use kernel::packets::{Capture, Captured};
    use kernel::states::States;
    use socket2::{Domain, Socket, Type};
    use timeline::packet::{Content, Segment};
    use timeline::state::TcpState;

    use super::plays::{Play, plays};

    pub(super) const PLAYS: &[Play] = plays![
        a_port_that_is_taken_outside_is_free_inside,
        a_talk_shows_as_its_packets_in_order,
        a_large_send_shows_as_segments_that_fit_a_cable,
        a_datagram_to_nobody_is_answered_by_icmp_that_names_it,
        the_states_of_a_talk_are_found_look_by_look,
        an_accept_queue_is_the_receive_queue_of_its_listener,
        two_sockets_that_listen_at_one_address_are_both_found,
    ];

    fn a_port_that_is_taken_outside_is_free_inside() {
        let outside = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = outside.local_addr().unwrap();
        enter_private().unwrap();
        TcpListener::bind(addr).unwrap();
    }

    /// A pair of connected streams, the server's first.
    fn pair(addr: &str) -> (TcpListener, TcpStream, TcpStream) {
        let listener = TcpListener::bind(addr).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        (listener, server, client)
    }

    /// All packets until none has come for a while.
    fn all(capture: &mut Capture) -> Vec<Captured> {
        let patience = Duration::from_millis(300);
        std::iter::from_fn(|| capture.next(patience).unwrap()).collect()
    }

    fn segments(captured: &[Captured]) -> Vec<&Segment> {
        let contents = captured.iter().map(|captured| &captured.packet.content);
        let segments = contents.filter_map(|content| match content {
            Content::Tcp(segment) => Some(segment),
            _ => None,
        });
        segments.collect()
    }

    fn a_talk_shows_as_its_packets_in_order() {
        enter_private().unwrap();
        for addr in ["127.0.0.1:8081", "[::1]:8081"] {
            let mut capture = Capture::on("lo").unwrap();
            let before = now();
            let (_listener, mut server, mut client) = pair(addr);
            client.write_all(b"hello").unwrap();
            server.read_exact(&mut [0; 5]).unwrap();
            drop(client);
            assert_eq!(server.read(&mut [0; 5]).unwrap(), 0);
            let captured = all(&mut capture);
            let meanwhile = before..=now();
            assert!(
                captured
                    .iter()
                    .all(|captured| meanwhile.contains(&captured.at))
            );
            // Each is stamped before it is put into the queue, and two processors may do
            // that at the same time.
            let step = Duration::from_millis(1);
            assert!(captured.windows(2).all(|two| two[0].at <= two[1].at + step));
            let segments = segments(&captured);
            let flags = segments
                .iter()
                .map(|segment| segment.flags.names().join(" "));
            let flags: Vec<String> = flags.collect();
            assert_eq!(flags[..4], ["SYN", "SYN ACK", "ACK", "PSH ACK"], "{addr}");
            assert!(flags.contains(&"FIN ACK".to_string()));
            assert_eq!(segments[0].destination_port, 8081);
            assert!(segments[0].options.maximum_segment_size.is_some());
            assert_eq!(
                (segments[3].length, &segments[3].data[..]),
                (5, &b"hello"[..])
            );
            assert_eq!(segments[3].seq, segments[0].seq.wrapping_add(1));
            assert_eq!(capture.dropped().unwrap(), 0);
        }
    }

    fn a_large_send_shows_as_segments_that_fit_a_cable() {
        enter_private().unwrap();
        let mut capture = Capture::on("lo").unwrap();
        let (_listener, mut server, mut client) = pair("127.0.0.1:8081");
        client.write_all(&[b'x'; 20_000]).unwrap();
        server.read_exact(&mut [0; 20_000]).unwrap();
        let captured = all(&mut capture);
        assert!(
            captured
                .iter()
                .all(|captured| captured.packet.length <= 1500)
        );
        let mut sent = segments(&captured);
        sent.retain(|segment| segment.destination_port == 8081);
        let sent = sent.iter().map(|segment| segment.length);
        assert_eq!(sent.sum::<u32>(), 20_000);
    }

    fn a_datagram_to_nobody_is_answered_by_icmp_that_names_it() {
        enter_private().unwrap();
        let mut capture = Capture::on("lo").unwrap();
        let client = UdpSocket::bind("127.0.0.1:5000").unwrap();
        client.send_to(b"anybody?", "127.0.0.1:7788").unwrap();
        let captured = all(&mut capture);
        let Content::Udp(datagram) = &captured[0].packet.content else {
            panic!("{captured:?}")
        };
        assert_eq!((datagram.length, &datagram.data[..]), (8, &b"anybody?"[..]));
        let Content::Icmp { kind, code, about } = &captured[1].packet.content else {
            panic!("{captured:?}")
        };
        // Destination unreachable: port unreachable.
        assert_eq!((*kind, *code), (3, 3));
        let about = about.as_ref().unwrap();
        assert_eq!(about.source.to_string(), "127.0.0.1:5000");
        assert_eq!(about.destination.to_string(), "127.0.0.1:7788");
        assert_eq!(about.protocol, 17);
    }

    /// The changes of one look, as `port: state`, without those of queues alone.
    fn look(states: &mut States) -> Vec<String> {
        let mut changes = states.look().unwrap();
        changes.retain(|change| change.from != Some(change.to));
        let side = |port| if port == 8081 { "server" } else { "client" };
        let named = changes
            .iter()
            .map(|change| format!("{} {}", side(change.local.port()), change.to.name()));
        let mut changes: Vec<String> = named.collect();
        changes.sort();
        changes
    }

    /// Looks until this was seen. An acknowledgement may be late by 40 ms, so a
    /// state may last for more than one look.
    fn look_until(states: &mut States, expected: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut seen = Vec::new();
        while !seen.contains(&expected.to_string()) {
            assert!(
                Instant::now() < deadline,
                "waited for {expected}, saw {seen:?}"
            );
            seen.extend(look(states));
        }
    }

    fn the_states_of_a_talk_are_found_look_by_look() {
        enter_private().unwrap();
        let mut states = States::open().unwrap();
        assert_eq!(look(&mut states), Vec::<String>::new());
        let (listener, mut server, mut client) = pair("127.0.0.1:8081");
        assert_eq!(
            look(&mut states),
            ["client ESTABLISHED", "server ESTABLISHED", "server LISTEN"]
        );
        client.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(server.read(&mut [0]).unwrap(), 0);
        look_until(&mut states, "client FIN-WAIT-2");
        drop(server);
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        look_until(&mut states, "client TIME-WAIT");
        drop(client);
        drop(listener);
        let left = look(&mut States::open().unwrap());
        assert_eq!(
            left,
            ["client TIME-WAIT"],
            "the first to close stays behind"
        );
    }

    fn an_accept_queue_is_the_receive_queue_of_its_listener() {
        enter_private().unwrap();
        let mut states = States::open().unwrap();
        let listener = TcpListener::bind("127.0.0.1:8081").unwrap();
        let _clients: Vec<TcpStream> = (0..3)
            .map(|_| TcpStream::connect(listener.local_addr().unwrap()).unwrap())
            .collect();
        let changes = states.look().unwrap();
        let listening = changes.iter().find(|change| change.to == TcpState::Listen);
        let listening = listening.unwrap();
        assert_eq!(listening.queues.receive, 3);
        assert!(listening.inode.is_some());
        // Sockets that nobody has accepted have no inode.
        let waiting = changes.iter().filter(|change| change.inode.is_none());
        assert_eq!(waiting.count(), 3);
    }

    fn two_sockets_that_listen_at_one_address_are_both_found() {
        enter_private().unwrap();
        let mut states = States::open().unwrap();
        let address: SocketAddr = "127.0.0.1:8081".parse().unwrap();
        let listen = || {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_reuse_port(true).unwrap();
            socket.bind(&address.into()).unwrap();
            socket.listen(5).unwrap();
            let link = format!("/proc/self/fd/{}", socket.as_raw_fd());
            let inode = fs::metadata(link).unwrap().ino();
            (socket, inode)
        };
        let ((one, first), (_two, second)) = (listen(), listen());
        let mut found: Vec<_> = states.look().unwrap();
        found.sort_by_key(|change| change.inode);
        let mut inodes = [Some(first), Some(second)];
        inodes.sort();
        let seen: Vec<_> = found.iter().map(|change| change.inode).collect();
        assert_eq!(seen, inodes);
        assert!(found.iter().all(|change| change.to == TcpState::Listen));
        drop(one);
        let gone = states.look().unwrap();
        let gone: Vec<_> = gone.iter().map(|gone| (gone.inode, gone.to)).collect();
        assert_eq!(gone, [(Some(first), TcpState::Closed)]);
    }
}
