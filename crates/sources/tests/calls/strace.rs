//! What strace writes, brought into the form that `witness.rs` compares.

/// All calls that are on sockets by their name.
const ON_SOCKETS: &str = "socket socketpair bind listen accept accept4 connect shutdown getsockname \
                          getpeername setsockopt getsockopt sendto recvfrom sendmsg recvmsg \
                          sendmmsg recvmmsg epoll_wait epoll_pwait";

/// What strace is asked for: all that the tracer observes.
pub const TRACED: &str = "trace=%network,read,write,readv,writev,close,close_range,dup,dup2,dup3,\
                      fcntl,ioctl,poll,ppoll,select,pselect6,epoll_wait,epoll_pwait,epoll_ctl,\
                      sendfile,restart_syscall";

/// Which arguments of strace's are compared. The rest are lengths of what stands
/// before them, or pointers.
pub fn compared(name: &str) -> &'static [usize] {
    match name {
        "socket" | "read" | "write" | "dup3" => &[0, 1, 2],
        "socketpair" | "setsockopt" | "getsockopt" => &[0, 1, 2, 3],
        "accept4" => &[0, 1, 3],
        "bind" | "connect" | "listen" | "shutdown" | "accept" | "getsockname" | "getpeername"
        | "dup2" | "fcntl" | "ioctl" => &[0, 1],
        "sendto" | "recvfrom" => &[0, 1, 2, 3, 4],
        "poll" | "select" | "ppoll" | "pselect6" => &[],
        _ => &[0],
    }
}

/// One line of strace's, if it is on a socket.
pub fn strace_line(line: &str) -> Option<String> {
    let (name, rest) = line.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')').unwrap_or(arguments);
    let on_socket =
        arguments.contains("<socket:[") || ON_SOCKETS.split(' ').any(|known| known == name);
    let other_command = match name {
        "fcntl" => !arguments.contains("F_DUPFD") && !arguments.contains("F_SETFL"),
        "ioctl" => !arguments.contains("FION"),
        _ => false,
    };
    if !on_socket || other_command {
        return None;
    }
    let words = split(arguments);
    let chosen: Vec<String> = compared(name)
        .iter()
        .filter_map(|&index| words.get(index))
        .map(|word| strace_word(word))
        .collect();
    let first = |text: &str| text.split(' ').next().unwrap_or_default().to_string();
    let result = match result.trim() {
        "?" => "died".into(),
        result if result.starts_with("? ERESTART") => "interrupted".into(),
        result => match result.strip_prefix("-1 ") {
            Some(error) => first(error).replace("EINTR", "interrupted"),
            None => first(&without_link(result)),
        },
    };
    Some(format!("{name}({}) = {result}", chosen.join(", ")))
}

/// The arguments: at commas that are in no bracket and no string.
fn split(arguments: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for letter in arguments.chars() {
        if !escaped && letter == '"' {
            quoted = !quoted;
        }
        escaped = letter == '\\' && !escaped;
        if !quoted {
            match letter {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 0 => {
                    words.push(String::new());
                    continue;
                }
                _ => {}
            }
        }
        words.last_mut().expect("there is one").push(letter);
    }
    words.iter().map(|word| word.trim().to_string()).collect()
}

fn strace_word(word: &str) -> String {
    let after = |start: &str| {
        let (_, rest) = word.split_once(start)?;
        rest.split_once(['"', ')']).map(|(inner, _)| inner)
    };
    let port = || match after("htons(") {
        Some("0") => "0",
        _ => "PORT",
    };
    if word.starts_with('"') {
        word.into()
    } else if word.starts_with("0x") || word.starts_with("<unfinished") {
        "?".into()
    } else if let Some(ip) = after("inet_addr(\"") {
        format!("{ip}:{}", port())
    } else if let Some(ip) = after("inet_pton(AF_INET6, \"") {
        format!("{ip}:{}", port())
    } else if let Some(name) = after("sun_path=@\"") {
        format!("@\"{name}\"")
    } else if let Some(path) = after("sun_path=\"") {
        format!("\"{path}\"")
    } else if word == "{sa_family=AF_UNIX}" {
        "unnamed".into()
    } else {
        // The kernel has two numbers for some options, and both mean the same.
        without_link(word.strip_suffix("_OLD").unwrap_or(word))
    }
}

/// `3<socket:[1234]>` → 3
fn without_link(word: &str) -> String {
    let mut text = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('<') {
        text += before;
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    text + rest
}
