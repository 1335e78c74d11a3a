//! A call as a reader knows it: the name of libc, arguments that say something,
//! and the result in words.

use timeline::call::{
    Address, Arg, Bytes, Changed, End, Flags, Message, Outcome, Output, Setting, Start, Symbol,
    Watch,
};

/// How values are written.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// How many bytes of data are shown.
    pub bytes: usize,
    /// Whether data is shown as hexadecimal numbers instead of text.
    pub hex: bool,
    /// Whether only ASCII may be used.
    pub ascii: bool,
}

impl Words {
    /// A call that begins, such as `bind(3, 127.0.0.1:8081)`.
    pub fn start(self, call: &Start) -> String {
        let args = call.args.iter().enumerate();
        let args = args.filter_map(|(at, arg)| self.arg(call, at, arg));
        format!("{}({})", name(call), list(args))
    }

    /// What came of it, such as `→ 5 "hello"`; empty where there is nothing to
    /// say, because it did what it was asked to do.
    pub fn end(self, call: &Start, end: &End) -> String {
        let arrow = if self.ascii { "->" } else { "→" };
        let result = match &end.outcome {
            Outcome::Returned(value) => self.result(call, *value, end),
            Outcome::Failed(symbol) => self.symbol(symbol),
            Outcome::Interrupted(_) => "interrupted by a signal".to_string(),
            Outcome::Died => "the program ended in it".to_string(),
        };
        match (result.is_empty(), changed(call, end)) {
            (true, _) => result,
            (false, None) => format!("{arrow} {result}"),
            (false, Some(changed)) => format!("{arrow} {result} ({changed})"),
        }
    }

    /// A call that has begun above, told again in short, such as `recv(4)`.
    pub fn again(self, call: &Start) -> String {
        let first = call.args.first().and_then(|arg| match arg {
            Arg::Descriptor(number) => Some(number.to_string()),
            _ => None,
        });
        format!("{}({})", name(call), first.unwrap_or_default())
    }

    fn result(self, call: &Start, value: i64, end: &End) -> String {
        let outputs = list(end.outputs.iter().filter_map(|out| self.output(out)));
        match call.name.as_ref() {
            "recvfrom" | "read" | "recvmsg" | "readv" if value == 0 && is_stream(call) => {
                "0, end of stream".to_string()
            }
            // An empty datagram is a message, too.
            "recvfrom" | "recvmsg" if value == 0 && !outputs.is_empty() => format!("0 {outputs}"),
            "sendto" | "write" if value == asked(call) => String::new(),
            "accept" | "accept4" if !outputs.is_empty() => format!("{value}, from {outputs}"),
            "getsockname" | "getpeername" | "getsockopt" | "socketpair" => outputs,
            _ if value == 0 => outputs,
            _ if outputs.is_empty() => value.to_string(),
            _ => format!("{value} {outputs}"),
        }
    }

    /// None for what only the kernel needs to know.
    fn arg(self, call: &Start, at: usize, arg: &Arg) -> Option<String> {
        match (call.name.as_ref(), at) {
            // The level is in the name of the option, the protocol in the type.
            ("setsockopt" | "getsockopt", 1) | ("socket" | "socketpair", 2) => return None,
            ("accept4", 2) => return None,
            _ => {}
        }
        Some(match arg {
            Arg::Descriptor(number) => number.to_string(),
            Arg::Descriptors(set) => format!("{{{}}}", list(set)),
            Arg::Address(address) => written(address),
            Arg::Bytes(bytes) => self.data(bytes),
            Arg::Room(most) => format!("{}{most}", if self.ascii { "<=" } else { "≤" }),
            Arg::Wanted | Arg::Null => return None,
            Arg::Number(number) => number.to_string(),
            Arg::Symbol(symbol) => self.symbol(symbol),
            Arg::Flags(flags) => self.flags(flags)?,
            Arg::Setting(setting) => self.setting(setting),
            Arg::Messages(messages) => self.messages(messages, ", "),
            Arg::Watched(watched) => events(watched),
            Arg::Timeout(None) => return None,
            Arg::Timeout(Some(wait)) => format!("{wait:?}"),
            Arg::Unreadable(address) => format!("0x{address:x}, not readable"),
        })
    }

    fn output(self, output: &Output) -> Option<String> {
        Some(match output {
            Output::Bytes(bytes) => self.data(bytes),
            Output::Address(address) => written(address),
            Output::Messages(messages) => self.messages(messages, " from "),
            Output::Watched(watched) => events(watched),
            Output::Descriptors(set) => list(set),
            Output::Setting(setting) => self.setting(setting),
            Output::Number(number) => number.to_string(),
            Output::Unreadable(_) => return None,
        })
    }

    /// Each with its data and, behind the link, with its address.
    fn messages(self, messages: &[Message], link: &str) -> String {
        let each = messages.iter().map(|message| {
            let address = message.address.as_ref();
            let address = address.map(|address| format!("{link}{}", written(address)));
            let data = self.data(&message.bytes);
            format!("{data}{}", address.unwrap_or_default())
        });
        list(each)
    }

    fn setting(self, setting: &Setting) -> String {
        match setting {
            Setting::Number(number) => number.to_string(),
            Setting::Time(time) => format!("{time:?}"),
            Setting::Linger(None) => "off".to_string(),
            Setting::Linger(Some(time)) => format!("{time:?}"),
            Setting::Text(text) => text.clone(),
            Setting::Bytes(bytes) => self.data(bytes),
        }
    }

    fn symbol(self, symbol: &Symbol) -> String {
        match &symbol.name {
            Some(name) => name.to_string(),
            None => symbol.number.to_string(),
        }
    }

    /// None where no flag is set that a reader would miss.
    fn flags(self, flags: &Flags) -> Option<String> {
        let quiet = |name: &&str| !["SOCK_CLOEXEC", "MSG_NOSIGNAL"].contains(name);
        let names = flags.names.iter().map(AsRef::as_ref).filter(quiet);
        let mut names = names.collect::<Vec<&str>>();
        let unnamed = format!("0x{:x}", flags.unnamed);
        if flags.unnamed != 0 {
            names.push(&unnamed);
        }
        (!names.is_empty()).then(|| names.join("|"))
    }

    /// Text in quotes, escaped where it is none, and how much of it is not shown.
    pub fn data(self, bytes: &Bytes) -> String {
        self.quoted(&bytes.first, bytes.length)
    }

    /// The first bytes of so many.
    pub fn quoted(self, first: &[u8], length: u64) -> String {
        let mut shown = &first[..first.len().min(self.bytes)];
        let text = if self.hex {
            let bytes: Vec<String> = shown.iter().map(|byte| format!("{byte:02x}")).collect();
            bytes.join(" ")
        } else {
            shown = whole_characters(first, shown.len());
            format!("\"{}\"", self.escaped(shown))
        };
        let more = match (length > shown.len() as u64, self.ascii) {
            (false, _) => "",
            (true, true) => " ...",
            (true, false) => " …",
        };
        format!("{text}{more}")
    }

    fn escaped(self, bytes: &[u8]) -> String {
        let mut text = String::new();
        for chunk in bytes.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '\'' => text.push('\''),
                    other if self.ascii && !other.is_ascii() => text.extend(other.escape_unicode()),
                    other => text.extend(other.escape_debug()),
                }
            }
            text += &chunk.invalid().escape_ascii().to_string();
        }
        text
    }
}

/// The first `most` bytes, or fewer: we do not cut a character. Where one is cut,
/// the program has done it.
fn whole_characters(bytes: &[u8], most: usize) -> &[u8] {
    let chunks = bytes.utf8_chunks().flat_map(|chunk| {
        let whole = chunk.valid().chars().map(char::len_utf8);
        whole.chain(chunk.invalid().iter().map(|_| 1))
    });
    let ends = chunks.scan(0, |end, length| {
        *end += length;
        Some(*end)
    });
    let end = ends.take_while(|end| *end <= most).last();
    &bytes[..end.unwrap_or(0)]
}

/// libc's name, which is what programs are written with.
fn name(call: &Start) -> &str {
    let addressed = call
        .args
        .iter()
        .any(|arg| matches!(arg, Arg::Address(_) | Arg::Wanted));
    match call.name.as_ref() {
        "recvfrom" if !addressed => "recv",
        "sendto" if !addressed => "send",
        "accept4" => "accept",
        "epoll_pwait" | "epoll_pwait2" => "epoll_wait",
        "ppoll" => "poll",
        "pselect6" => "select",
        other => other,
    }
}

fn is_stream(call: &Start) -> bool {
    let protocol = call
        .socket
        .as_ref()
        .and_then(|socket| socket.protocol.as_deref());
    let room = call.args.iter().any(|arg| matches!(arg, Arg::Room(1..)));
    room && protocol.is_none_or(|protocol| protocol.starts_with("TCP") || protocol == "UNIX-STREAM")
}

/// How the checker has changed the call. A cut that made no difference, because
/// fewer bytes came than it allowed, is not mentioned.
fn changed(call: &Start, end: &End) -> Option<String> {
    match (call.changed.as_ref()?, &end.outcome) {
        (Changed::CutTo(most), Outcome::Returned(value))
            if i128::from(*value) == (*most).into() =>
        {
            Some(format!("cut to {most} by the checker"))
        }
        (Changed::Failed(_), Outcome::Failed(_)) => Some("forced by the checker".to_string()),
        _ => None,
    }
}

/// How many bytes it was asked to send.
fn asked(call: &Start) -> i64 {
    let bytes = call.args.iter().find_map(|arg| match arg {
        Arg::Bytes(bytes) => i64::try_from(bytes.length).ok(),
        _ => None,
    });
    bytes.unwrap_or(-1)
}

fn events(watched: &[Watch]) -> String {
    let each = watched.iter();
    list(each.map(|watch| format!("{} {}", watch.descriptor, watch.events.names.join("|"))))
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items = items.into_iter().map(|item| item.to_string());
    items.collect::<Vec<_>>().join(", ")
}

fn written(address: &Address) -> String {
    match address {
        Address::Ip(address) => address.to_string(),
        Address::Path(path) => path.escape_ascii().to_string(),
        Address::Abstract(name) => format!("@{}", name.escape_ascii()),
        Address::Unnamed => "unnamed".to_string(),
        Address::Other { family, .. } => match family {
            Some(family) => format!("an address of family {family}"),
            None => "an empty address".to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Words;

    #[rstest]
    #[case::fits("你好".as_bytes(), 6, r#""你好""#)]
    #[case::in_a_character("你好".as_bytes(), 5, r#""你" …"#)]
    #[case::before_all("你好".as_bytes(), 2, r#""" …"#)]
    #[case::between_characters("a你b".as_bytes(), 4, r#""a你" …"#)]
    #[case::the_program_has_cut_it(b"a\xe4\xbd", 32, r#""a\xe4\xbd""#)]
    #[case::no_text(b"\xff\xfe\xfd", 2, r#""\xff\xfe" …"#)]
    fn no_character_is_cut_by_the_number_of_bytes_that_are_shown(
        #[case] data: &[u8],
        #[case] bytes: usize,
        #[case] expected: &str,
    ) {
        let (hex, ascii) = (false, false);
        let words = Words { bytes, hex, ascii };
        assert_eq!(words.quoted(data, data.len() as u64), expected);
    }
}
