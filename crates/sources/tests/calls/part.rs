//! Programs that the tests of the tracer observe. Each is one part, named by the
//! first argument; none knows that it is observed.

#[cfg(unix)]
mod parts {
    use std::env::{args, current_exe};
    use std::io::{self, Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
    use std::os::fd::OwnedFd;
    use std::os::unix::process::CommandExt;
    use std::process::{self, Command, exit};
    use std::thread;

    const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

    pub fn main() -> io::Result<()> {
        let mut args = args().skip(1);
        let part = args.next().unwrap_or_default();
        let address = args.next().unwrap_or_default();
        match part.as_str() {
            "server" => server(),
            "client" => client(&address),
            "threads" => threads(),
            "exec from a thread" => exec_from_a_thread(),
            "superserver" => superserver(),
            "echo on 0 and 1" => echo_on_0_and_1(),
            "sender" => sender(&address),
            "exit without close" => exit_without_close(),
            "wait for input" => wait_for_input(),
            "sleep" => sleep(),
            "say hello" => say_hello(),
            "tracer" => tracer(),
            other => panic!("no such part: {other:?}"),
        }
    }

    /// A listener whose address has been told.
    fn listener() -> io::Result<TcpListener> {
        let listener = TcpListener::bind(ANY_PORT)?;
        println!("{}", listener.local_addr()?);
        Ok(listener)
    }

    /// Answers one message, until EOF.
    fn server() -> io::Result<()> {
        let (mut stream, _) = listener()?.accept()?;
        let mut buffer = [0; 64];
        loop {
            match stream.read(&mut buffer)? {
                0 => return Ok(()),
                count => stream.write_all(&buffer[..count])?,
            }
        }
    }

    fn client(address: &str) -> io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"hello")?;
        stream.read_exact(&mut [0; 5])
    }

    /// One thread waits in accept while another talks UDP with itself.
    fn threads() -> io::Result<()> {
        let listener = listener()?;
        let waits = thread::spawn(move || listener.accept());
        io::stdin().read_exact(&mut [0])?;
        let socket = UdpSocket::bind(ANY_PORT)?;
        socket.send_to(b"to myself", socket.local_addr()?)?;
        socket.recv_from(&mut [0; 64])?;
        waits.join().expect("the thread waits")?;
        Ok(())
    }

    /// One thread waits in accept; another becomes a program, and that ends it.
    fn exec_from_a_thread() -> io::Result<()> {
        let listener = listener()?;
        let execs = thread::spawn(|| -> io::Error {
            if let Err(error) = io::stdin().read_exact(&mut [0]) {
                return error;
            }
            match current_exe() {
                Ok(program) => Command::new(program).arg("say hello").exec(),
                Err(error) => error,
            }
        });
        listener.accept()?;
        Err(execs.join().expect("the thread does not panic"))
    }

    /// Like inetd: the connection becomes the input and output of a program.
    fn superserver() -> io::Result<()> {
        let (stream, _) = listener()?.accept()?;
        let output = OwnedFd::from(stream.try_clone()?);
        let mut child = Command::new(current_exe()?)
            .arg("echo on 0 and 1")
            .stdin(OwnedFd::from(stream))
            .stdout(output)
            .spawn()?;
        child.wait()?;
        Ok(())
    }

    fn echo_on_0_and_1() -> io::Result<()> {
        let mut buffer = [0; 64];
        let count = io::stdin().read(&mut buffer)?;
        io::stdout().write_all(&buffer[..count])
    }

    /// Sends more than fits to one who does not receive.
    fn sender(address: &str) -> io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(&vec![b'x'; 64 << 20])
    }

    fn exit_without_close() -> io::Result<()> {
        let _listener = listener()?;
        exit(7)
    }

    fn wait_for_input() -> io::Result<()> {
        println!("ready");
        io::stdin().read_to_end(&mut Vec::new())?;
        Ok(())
    }

    /// Says its number, and makes no call any more that is observed.
    fn sleep() -> ! {
        println!("{}", process::id());
        loop {
            thread::park();
        }
    }

    fn say_hello() -> io::Result<()> {
        println!("hello");
        Ok(())
    }

    /// Observes a program, and waits to be killed.
    fn tracer() -> io::Result<()> {
        let (tracer, _events) = sources::calls::channel(Default::default())?;
        let mut command = Command::new(current_exe()?);
        command.arg("sleep");
        tracer.start(timeline::Actor(0), command)?;
        io::stdin().read_to_end(&mut Vec::new())?;
        Ok(())
    }
}

#[cfg(unix)]
fn main() -> std::io::Result<()> {
    parts::main()
}

/// Nothing can be observed here.
#[cfg(not(unix))]
fn main() {}
