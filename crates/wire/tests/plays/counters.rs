//! What a host's kernel has counted: `/proc/net/snmp`, `snmp6` and `netstat`.

use std::collections::BTreeMap;
use std::fs;

use wire::Host;

/// All counters by name, such as `Tcp.RetransSegs`, `TcpExt.TCPDSACKRecv`,
/// `Ip6InReceives`.
pub fn counters(host: &Host) -> BTreeMap<String, u64> {
    let read = |file| fs::read_to_string(format!("/proc/thread-self/net/{file}"));
    // A kernel without IPv6 has no snmp6.
    let read = || Ok(read("snmp")? + &read("netstat")? + &read("snmp6").unwrap_or_default());
    let text = host.inside(read).expect("counters");
    let mut counters = BTreeMap::new();
    let mut lines = text.lines();
    // Either a line of names and a line of numbers, both with the protocol in front,
    // or a name and its number.
    while let Some(line) = lines.next() {
        let (names, numbers) = match line.split_once(':') {
            Some((protocol, names)) => {
                let names = names
                    .split_whitespace()
                    .map(|name| format!("{protocol}.{name}"));
                let numbers = lines.next().and_then(|line| line.split_once(':'));
                (names.collect(), numbers.map_or("", |(_, numbers)| numbers))
            }
            None => {
                let (name, number) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
                (vec![name.to_string()], number)
            }
        };
        let numbers = numbers
            .split_whitespace()
            .map(|number| number.parse().unwrap_or(0));
        counters.extend(names.into_iter().zip(numbers));
    }
    counters
}
