//! The parts of the scene, one after the other.

use std::net::{SocketAddr, TcpListener, UdpSocket};

use anyhow::{Context, Result, bail, ensure};
use scene::{Actor, Focus, Program, Sign, Stage};

/// The port of a client that asks for none, and of one that does.
pub fn whose_port(stage: &mut Stage) -> Result<()> {
    let (server, addr) = server(stage, &[])?;
    stage.note(format!(
        "The server made a socket and bound it to port {}. It neither listens nor accepts. \
         Predict: a client sends without a bind of its own. What will the server see as sender?",
        addr.port()
    ));
    stage.beat();
    stage.when(
        Sign::Datagram,
        "One sendto is one datagram. No handshake came before it, and no ACK follows.",
    );
    let first = visit(stage, server, &["--to", &addr.to_string()])?;
    stage.note(format!(
        "The sender is {first}. recvfrom gave the server the bytes and this address, and the \
         answer went there. The kernel chose port {} when the client sent.",
        first.port()
    ));
    stage.note("Predict: the same client runs once more. Will it have the same port?");
    stage.beat();
    stage.focus(Focus::Words);
    let second = visit(stage, server, &["--to", &addr.to_string()])?;
    let verdict = if first == second {
        "By chance it is the same"
    } else {
        "It is another one"
    };
    stage.note(format!(
        "{verdict}: {}, and before it was {}. Now the client asks for a port: --bind {first}. \
         It runs twice.",
        second.port(),
        first.port()
    ));
    stage.beat();
    let own = first.to_string();
    let bound = ["--to", &addr.to_string(), "--bind", &own];
    let third = visit(stage, server, &bound)?;
    let fourth = visit(stage, server, &bound)?;
    ensure!(third == first && fourth == first, "a bound port changed");
    stage.note(format!(
        "Port {} both times. A program that others have to find needs a bind. One that only \
         asks can leave the port to the kernel: the answer finds it.",
        fourth.port()
    ));
    stage.beat();
    farewell(stage, server, addr)
}

/// Datagrams keep their borders, also when they have to wait.
pub fn one_send_is_one_receive(stage: &mut Stage) -> Result<()> {
    stage.headline("One send is one receive");
    stage.note(
        "The server does not receive yet. The client sends four times, once without a single \
         byte. Predict: how many receives will the server need, and with how many bytes?",
    );
    stage.beat();
    let (server, addr) = server(stage, &["--hold", "--reply", "none"])?;
    stage.wait_line(server, "not yet")?;
    stage.focus(Focus::All);
    let says = ["--say", "one", "--say", "", "--say", "two", "--say", "bye"];
    let client = client(stage, addr, &[&says[..], &["--no-answer"]].concat())?;
    ended(stage, client)?;
    stage.note(
        "The client has ended already. Its datagrams wait in the receive queue of the server's \
         socket. The server gets its Enter now.",
    );
    stage.beat();
    stage.when(
        Sign::Returns("server", "recvfrom"),
        "Four datagrams are there. One recvfrom takes one, and names its sender.",
    );
    stage.tell(server, "")?;
    ended(stage, server)?;
    let received = said(stage, server, "received");
    let sent = said(stage, client, "sending");
    stage.note(format!(
        "{sent} sends, {received} receives, never two in one. The empty datagram is one of them: \
         with UDP a receive of 0 bytes is a message, and not the end of a stream."
    ));
    stage.beat();
    Ok(())
}

/// A buffer that is smaller than the datagram.
pub fn what_does_not_fit(stage: &mut Stage) -> Result<()> {
    stage.headline("What does not fit is gone");
    stage.focus(Focus::Calls);
    stage.note(
        "The server has room for 8 bytes (--buffer 8). The client sends 16, and then bye. \
         Predict: what does the next receive give?",
    );
    stage.beat();
    let (server, addr) = server(stage, &["--buffer", "8"])?;
    let says = ["--say", "abcdefghijklmnop", "--say", "bye"];
    let client = client(stage, addr, &says)?;
    ended(stage, client)?;
    let first = quote(&stage.wait_line(server, "received")?);
    let next = quote(&stage.wait_line(server, "received")?);
    ended(stage, server)?;
    stage.note(format!(
        "The first receive gave {first}, the next one {next}. A stream keeps the rest for the \
         next receive. Of a datagram the kernel throws it away, and recvfrom does not say so."
    ));
    stage.beat();
    Ok(())
}

/// A datagram that is larger than the largest.
pub fn too_large(stage: &mut Stage) -> Result<()> {
    stage.headline("Too large a datagram");
    stage.note(
        "An IPv4 packet has at most 65,535 bytes, and 28 of them are headers. A client sends one \
         byte more than that leaves, and then a short message. Predict: what gets through?",
    );
    stage.beat();
    let (server, addr) = server(stage, &[])?;
    let long = "x".repeat(65_508);
    let says = ["--say", &long, "--say", "short", "--say", "bye"];
    let client = client(stage, addr, &says)?;
    ended_badly(stage, client)?;
    ended(stage, server)?;
    // The error is on stderr and the answer on stdout. Where each is a pipe of its
    // own they may change places.
    let told = stage.lines(client);
    let line = |words| told.iter().find(|line| line.contains(words));
    let error = line("whole or not at all").context("the client told of no error")?;
    let answer = quote(line("received").context("the client had no answer")?);
    stage.note(format!(
        "The call that failed is {}: EMSGSIZE. Nothing was sent, not even a part. The socket is \
         as good as before: the answer to the next datagram is {answer}.",
        error.split(' ').next().unwrap_or_default()
    ));
    stage.beat();
    Ok(())
}

/// A port that nobody is bound to.
pub fn nobody_there(stage: &mut Stage) -> Result<()> {
    stage.headline("Nobody there");
    // It keeps the number, so that no other program gets it meanwhile. It is
    // connected to itself and hears nobody else: for others the port is closed.
    let keeper = UdpSocket::bind("127.0.0.1:0").context("bind")?;
    let closed = keeper.local_addr().context("getsockname")?;
    keeper.connect(closed).context("connect")?;
    stage.note(format!(
        "Nobody receives on port {}. With TCP, connect would be refused. Predict: what does a \
         client learn here, first as before, and then with a connected socket?",
        closed.port()
    ));
    stage.beat();
    stage.focus(Focus::All);
    stage.when(
        Sign::PortUnreachable,
        "The host says that nobody is there. It says so to the kernel: this client's recvfrom \
         will not hear of it.",
    );
    let patient = client(stage, closed, &["--say", "hello", "--timeout", "0.3"])?;
    stage.wait_line(patient, "timed out")?;
    ended_badly(stage, patient)?;
    stage.when(
        Sign::Fails("client", "recv"),
        "The same ICMP message. A connected socket is told: its next call fails with it.",
    );
    let connected = ["--say", "hello", "--timeout", "0.3", "--connected"];
    let connected = client(stage, closed, &connected)?;
    stage.wait_line(connected, "start the server first")?;
    ended_badly(stage, connected)?;
    stage.note(
        "Both sends succeeded. The host sent back \"port unreachable\" (ICMP) both times. Only a \
         connected socket has one peer that it can belong to: there the next call reports it.",
    );
    stage.beat();
    Ok(())
}

/// The same characters, other bytes.
pub fn two_encodings(stage: &mut Stage) -> Result<()> {
    stage.headline("Bytes and characters");
    stage.focus(Focus::Words);
    stage.note(
        "A datagram carries bytes. Two clients send the same two characters, the first in \
         UTF-8, the second in GBK. Predict: what does a server print that expects UTF-8?",
    );
    stage.beat();
    let (utf8, addr) = server(stage, &[])?;
    let first = client(stage, addr, &["--say", "你好"])?;
    ended(stage, first)?;
    let in_gbk = ["--encoding", "gbk", "--say", "你好", "--say", "bye"];
    let second = client(stage, addr, &in_gbk)?;
    ended(stage, second)?;
    ended(stage, utf8)?;
    stage.note(
        "Those four bytes are not UTF-8, so the server shows the bytes. Now a server that expects \
         GBK, and the same two clients. Predict: what does it make of the UTF-8?",
    );
    stage.beat();
    let (gbk, addr) = server(stage, &["--encoding", "gbk"])?;
    let third = client(stage, addr, &["--say", "你好"])?;
    ended(stage, third)?;
    let wrong = quote(&stage.wait_line(gbk, "received")?);
    let fourth = client(stage, addr, &in_gbk)?;
    ended(stage, fourth)?;
    let right = quote(&stage.wait_line(gbk, "received")?);
    ended(stage, gbk)?;
    stage.note(format!(
        "It reads {wrong} and {right}. The first is nonsense without an error. No datagram says \
         which encoding it is in: both programs have to agree on one beforehand."
    ));
    stage.beat();
    Ok(())
}

/// Whose answer is it?
pub fn recv_and_strangers(stage: &mut Stage) -> Result<()> {
    stage.headline("recvfrom, recv, and a stranger");
    stage.lanes(&["server", "client", "stranger"]);
    stage.note(
        "The server holds back, and a client waits for its answer. Everybody who knows the \
         client's port can write to it. Predict: will it take the stranger's word?",
    );
    stage.beat();
    let (server, addr) = server(stage, &["--hold"])?;
    stage.wait_line(server, "not yet")?;
    let asking = client(stage, addr, &["--bind", "127.0.0.1:0", "--say", "hello"])?;
    let own = stage.ready(asking)?.to_string();
    stage.wait_line(asking, "sending")?;
    let fake = ["client", "--to", &own, "--say", "boo", "--no-answer"];
    let stranger = stage.start("stranger", &program(&fake))?;
    stage.wait_line(asking, "ignored")?;
    ended(stage, stranger)?;
    stage.tell(server, "")?;
    ended(stage, asking)?;
    stage.note(
        "recvfrom names the sender of each datagram, so the client could compare. A connected \
         client uses recv, which names nobody: the kernel lets only the one peer through.",
    );
    stage.beat();
    stage.focus(Focus::All);
    stage.focus_after(Sign::Returns("server", "recvfrom"), Focus::Words);
    stage.when(
        Sign::Calls("client", "connect"),
        "A connect of UDP: no packet leaves. It writes the peer's address into the socket.",
    );
    let before = said(stage, server, "received");
    let says = ["--connected", "--say", "hello", "--say", "bye"];
    let connected = client(stage, addr, &says)?;
    let to = stage.wait_line(connected, "connected to")?;
    let from = stage.wait_line(connected, "from")?;
    ended(stage, connected)?;
    ended(stage, server)?;
    let came = said(stage, server, "received") - before;
    stage.note(format!(
        "It was {}, {}. To the server that connect sent nothing: {came} datagrams came, the two \
         messages. The two addresses stand in the client's socket and nowhere else.",
        to.trim(),
        from.trim()
    ));
    stage.beat();
    Ok(())
}

/// What a port number belongs to.
pub fn the_same_number(stage: &mut Stage) -> Result<()> {
    stage.headline("An address names a host, a port the program on it");
    stage.focus(Focus::Calls);
    stage.lanes(&["echo", "upper", "client"]);
    let (tcp, number) = free_in_both()?;
    stage.note(format!(
        "This scene now listens with TCP on {number}. Predict: can a UDP server bind the very \
         same number? And a second UDP server?"
    ));
    stage.beat();
    let same = ["server", "--addr", &number.to_string()];
    let echo = stage.start("echo", &program(&same))?;
    stage.ready(echo)?;
    let second = stage.start("upper", &program(&same))?;
    stage.wait_line(second, "in use")?;
    ended_badly(stage, second)?;
    ensure!(tcp.local_addr().context("getsockname")? == number);
    stage.note(
        "TCP and UDP each have port numbers of their own. Within UDP the number was taken, so \
         the second server takes another, and answers in upper case.",
    );
    stage.beat();
    stage.focus(Focus::Words);
    let upper = ["server", "--addr", "127.0.0.1:0", "--reply", "upper"];
    let upper = stage.start("upper", &program(&upper))?;
    let other = stage.ready(upper)?;
    let mut answers = Vec::new();
    for addr in [number, other] {
        let asking = client(stage, addr, &["--say", "hi", "--say", "bye"])?;
        answers.push(quote(&stage.wait_line(asking, "received")?));
        ended(stage, asking)?;
    }
    ended(stage, echo)?;
    ended(stage, upper)?;
    stage.note(format!(
        "Both datagrams went to {}. Port {} is the program that answers {}, port {} the one that \
         answers {}.",
        number.ip(),
        number.port(),
        answers[0],
        other.port(),
        answers[1]
    ));
    stage.beat();
    Ok(())
}

/// A number that is free for TCP, where it is taken here, and free for UDP.
fn free_in_both() -> Result<(TcpListener, SocketAddr)> {
    for _ in 0..100 {
        let tcp = TcpListener::bind("127.0.0.1:0").context("bind")?;
        let number = tcp.local_addr().context("getsockname")?;
        if UdpSocket::bind(number).is_ok() {
            return Ok((tcp, number));
        }
    }
    bail!("no number is free for both TCP and UDP");
}

fn program(args: &[&str]) -> Program {
    Program::side(args[0]).args(&args[1..])
}

/// Starts a server on a free port and waits until it is bound.
fn server(stage: &mut Stage, args: &[&str]) -> Result<(Actor, SocketAddr)> {
    stage.serve(&[&["--addr", "127.0.0.1:0"], args].concat())
}

fn client(stage: &mut Stage, to: SocketAddr, args: &[&str]) -> Result<Actor> {
    let program = program(&["client", "--to", &to.to_string()]).args(args);
    stage.start("client", &program)
}

/// One hello and its answer; gives the sender as the server saw it.
fn visit(stage: &mut Stage, server: Actor, args: &[&str]) -> Result<SocketAddr> {
    let program = program(&["client", "--say", "hello"]).args(args);
    let client = stage.start("client", &program)?;
    let line = stage.wait_line(server, "from")?;
    ended(stage, client)?;
    let sender = line.trim().trim_start_matches("from ");
    sender.parse().with_context(|| format!("read {line:?}"))
}

/// Says bye to the server, and waits for both ends.
fn farewell(stage: &mut Stage, server: Actor, addr: SocketAddr) -> Result<()> {
    let client = client(stage, addr, &["--say", "bye"])?;
    ended(stage, client)?;
    ended(stage, server)
}

fn ended(stage: &mut Stage, actor: Actor) -> Result<()> {
    let ending = stage.wait_exit(actor)?;
    ensure!(ending.success(), "a program ended with {ending:?}");
    Ok(())
}

fn ended_badly(stage: &mut Stage, actor: Actor) -> Result<()> {
    let ending = stage.wait_exit(actor)?;
    ensure!(!ending.success(), "a program ended with {ending:?}");
    Ok(())
}

/// How many lines of an actor begin with a word.
fn said(stage: &Stage, actor: Actor, word: &str) -> usize {
    let lines = stage.lines(actor);
    lines.iter().filter(|line| line.starts_with(word)).count()
}

/// The part of a line that is in quotes.
fn quote(line: &str) -> String {
    let quoted = line.split_once(": ").map_or(line, |(_, quoted)| quoted);
    quoted.to_string()
}
