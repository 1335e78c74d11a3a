//! What a host's kernel has counted: `/proc/net/snmp`, `snmp6` and `netstat`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek};

/// The counters of one host, read again each time they are asked for.
#[derive(Debug)]
pub struct Counters(Vec<File>);

impl Counters {
    /// Opens them in the network of this thread, to which they belong for ever.
    pub(crate) fn open() -> io::Result<Self> {
        let files = ["snmp", "netstat", "snmp6"];
        let open = files.map(|file| File::open(format!("/proc/thread-self/net/{file}")));
        // A kernel without IPv6 has no snmp6.
        let open = open
            .into_iter()
            .filter(|file| !matches!(file, Err(error) if error.kind() == io::ErrorKind::NotFound));
        open.collect::<io::Result<_>>().map(Self)
    }

    /// All counters by name, such as `Tcp.RetransSegs`, `Udp.InCsumErrors`,
    /// `TcpExt.TCPDSACKRecv`, `Ip6InReceives`.
    ///
    /// # Errors
    /// Those of read(2).
    pub fn read(&mut self) -> io::Result<BTreeMap<String, i64>> {
        let mut counters = BTreeMap::new();
        for file in &mut self.0 {
            let mut text = String::new();
            file.rewind()?;
            file.read_to_string(&mut text)?;
            add(&text, &mut counters);
        }
        Ok(counters)
    }

    /// One counter; 0 for one that this kernel does not have.
    ///
    /// # Errors
    /// Those of read(2).
    pub fn get(&mut self, name: &str) -> io::Result<i64> {
        Ok(self.read()?.get(name).copied().unwrap_or(0))
    }
}

/// Two forms: a line of names and a line of numbers, both with the protocol in
/// front; or a name and its number on each line.
fn add(text: &str, counters: &mut BTreeMap<String, i64>) {
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some((protocol, names)) = line.split_once(':') {
            let numbers = lines.next().and_then(|line| line.split_once(':'));
            let numbers = numbers.map_or("", |(_, numbers)| numbers);
            let pairs = names.split_whitespace().zip(numbers.split_whitespace());
            for (name, number) in pairs {
                let number = number.parse().unwrap_or(0);
                counters.insert(format!("{protocol}.{name}"), number);
            }
        } else if let Some((name, number)) = line.split_once(char::is_whitespace) {
            counters.insert(name.to_string(), number.trim().parse().unwrap_or(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_kernels_files_are_read() {
        let mut counters = BTreeMap::new();
        add("Tcp: InSegs MaxConn\nTcp: 12 -1\n", &mut counters);
        add("Ip6InReceives                   \t7\n", &mut counters);
        assert_eq!(counters["Tcp.InSegs"], 12);
        assert_eq!(counters["Tcp.MaxConn"], -1);
        assert_eq!(counters["Ip6InReceives"], 7);
    }
}
