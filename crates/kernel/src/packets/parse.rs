//! From the bytes of a packet to its values. The bytes come from outside: any
//! of them may be missing or contradict the others, and none may do harm.

mod ip;
mod tcp;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use timeline::packet::{About, Content, Datagram, Packet, Segment, TcpFlags};

use ip::Ip;

// Protocol numbers, as IANA assigned them.
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const IPV6_ICMP: u8 = 58;

/// Reads a packet from its IP header on. `length` is how long it was on the
/// wire, of which `bytes` may be the beginning only.
pub fn packet(bytes: &[u8], length: u32) -> Packet {
    let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let (source, destination, content) = match Ip::read(bytes) {
        Ok(ip) => (ip.source, ip.destination, content(&ip, bytes, length)),
        Err(reason) => (nobody, nobody, Content::Broken { reason }),
    };
    Packet {
        source,
        destination,
        content,
        bytes: bytes.to_vec(),
        length,
        passage: None,
    }
}

fn content(ip: &Ip, bytes: &[u8], length: u32) -> Content {
    let protocol = ip.protocol;
    // A first fragment has the header of its transport.
    if ip.offset > 0 {
        let offset = ip.offset;
        return Content::Fragment { protocol, offset };
    }
    // What was on the wire behind the bytes that are here.
    let missing = length.saturating_sub(count(bytes));
    let read = match protocol {
        TCP => segment(ip.payload, missing),
        UDP => datagram(ip.payload, missing),
        // The errors: unreachable, quench, redirect, time exceeded, bad parameter.
        ICMP => icmp(ip.payload, |kind| matches!(kind, 3 | 4 | 5 | 11 | 12)),
        // RFC 4443: errors have the types below 128.
        IPV6_ICMP => icmp(ip.payload, |kind| kind < 128),
        _ => Ok(Content::Other { protocol }),
    };
    read.unwrap_or_else(|reason| Content::Broken { reason })
}

/// RFC 9293, section 3.1.
fn segment(bytes: &[u8], missing: u32) -> Result<Content, String> {
    let header: &[u8; 20] = first("a TCP header", bytes)?;
    let (options, data) = beyond("a TCP header", header.len(), header[12] >> 4, bytes)?;
    // The two highest bits are for congestion: ECE and CWR of RFC 3168.
    let flags = header[13] & 0x3f;
    Ok(Content::Tcp(Segment {
        source_port: half(header, 0),
        destination_port: half(header, 2),
        seq: word(header, 4),
        ack: word(header, 8),
        flags: TcpFlags(flags),
        window: half(header, 14),
        options: tcp::options(options),
        length: count(data).saturating_add(missing),
        data: data.to_vec(),
    }))
}

/// RFC 768.
fn datagram(bytes: &[u8], missing: u32) -> Result<Content, String> {
    let header: &[u8; 8] = first("a UDP header", bytes)?;
    // The kernel may have joined several datagrams, with the length of one.
    let length = usize::from(half(header, 4));
    let data = bytes.get(header.len()..length).unwrap_or(&bytes[8..]);
    Ok(Content::Udp(Datagram {
        source_port: half(header, 0),
        destination_port: half(header, 2),
        length: count(data).saturating_add(missing),
        data: data.to_vec(),
    }))
}

/// ICMP has type, code, checksum and four more bytes; errors repeat the packet
/// that they are about: RFC 792, RFC 4443.
fn icmp(bytes: &[u8], is_error: impl Fn(u8) -> bool) -> Result<Content, String> {
    let [kind, code, ..]: &[u8; 8] = first("an ICMP header", bytes)?;
    let repeated = is_error(*kind).then(|| about(&bytes[8..]));
    Ok(Content::Icmp {
        kind: *kind,
        code: *code,
        about: repeated.flatten(),
    })
}

fn about(bytes: &[u8]) -> Option<About> {
    let ip = Ip::read(bytes).ok()?;
    let ports: &[u8; 4] = ip.payload.first_chunk()?;
    Some(About {
        source: SocketAddr::new(ip.source, half(ports, 0)),
        destination: SocketAddr::new(ip.destination, half(ports, 2)),
        protocol: ip.protocol,
    })
}

/// The first bytes, if there are so many.
fn first<'a, const N: usize>(what: &str, bytes: &'a [u8]) -> Result<&'a [u8; N], String> {
    bytes.first_chunk().ok_or_else(|| needs(what, N, bytes))
}

/// The options of a header whose length is counted in words of four bytes, and
/// what follows the header.
fn beyond<'a>(
    what: &str,
    least: usize,
    words: u8,
    bytes: &'a [u8],
) -> Result<(&'a [u8], &'a [u8]), String> {
    let length = usize::from(words) * 4;
    if length < least {
        return Err(format!("{what} has {least} bytes, this one says {length}"));
    }
    let options = bytes.get(least..length);
    let options = options.ok_or_else(|| needs(what, length, bytes))?;
    Ok((options, &bytes[length..]))
}

fn needs(what: &str, length: usize, bytes: &[u8]) -> String {
    format!("{what} needs {length} bytes, here are {}", bytes.len())
}

/// 16 bits, the highest first.
fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

/// 32 bits, the highest first.
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from(half(bytes, at)) << 16 | u32::from(half(bytes, at + 2))
}

fn count(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
