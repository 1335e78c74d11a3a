//! Lesson 4, the server: it can be started again at once.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::process::ExitCode;

use socket2::{Domain, Socket, Type};

/// One call. Rust closes a socket when it is dropped: here at the end, and first.
fn serve(address: SocketAddr) -> io::Result<()> {
    let phone = phone_with_option(address)?;
    put_in_the_sim(&phone, address)?;
    phone.listen(5)?;
    let own = phone.local_addr()?.as_socket().expect("an IP address");
    println!("listening on {own}");
    let (call, _caller) = phone.accept()?;
    answer(&call)
}

/// A socket that may share its port with calls in TIME-WAIT.
fn phone_with_option(address: SocketAddr) -> io::Result<Socket> {
    // gap: Make a TCP socket, and set SO_REUSEADDR on it.
    // Calls: Socket::new, set_reuse_address. The option counts in the moment of bind.
    // Taught in lesson 4, "What you saw and why".
    let phone = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    phone.set_reuse_address(true)?;
    Ok(phone)
    // end of gap
}

/// bind, with an error that helps.
fn put_in_the_sim(phone: &Socket, address: SocketAddr) -> io::Result<()> {
    // gap: Bind the socket. Make of an error one that says that it was bind, the address, the
    // reason, and a way out: main prints it. Do not try again. Calls: bind, map_err,
    // io::Error::new. Lesson 4, "Break it": "Take the port of a server that runs".
    phone.bind(&address.into()).map_err(|error| {
        let text = format!("bind {address}: {error}; see \"ss -ltnp\", or set ADDR");
        io::Error::new(error.kind(), text)
    })
    // end of gap
}

/// One receive and one send.
fn answer(mut call: &Socket) -> io::Result<()> {
    // gap: Receive once, at most 1,024 bytes, and send them back in upper case.
    // Calls: read, send. You know them from lesson 1.
    let mut buffer = [0; 1024];
    let length = call.read(&mut buffer)?;
    call.send(&buffer[..length].to_ascii_uppercase())?;
    Ok(())
    // end of gap
}

fn main() -> ExitCode {
    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:8082".into());
    let address = address.parse().expect("ADDR is IP:PORT");
    match serve(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
