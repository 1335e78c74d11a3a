//! Lesson 1, the server: one call, from buying the phone to switching it off.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::process::ExitCode;

use socket2::{Domain, Socket, Type};

/// The story of one call. Rust closes a socket when it is dropped: here at the end.
fn serve(address: SocketAddr) -> io::Result<()> {
    let phone = switch_on(address)?;
    say_where(&phone)?;
    let call = take_call(&phone)?;
    answer(&call)
}

/// Buy a phone, put in the SIM, switch it on.
fn switch_on(address: SocketAddr) -> io::Result<Socket> {
    // gap: Make a TCP socket, bind it to the address, and listen.
    // Calls: Socket::new, bind, listen. Taught in lesson 1, "What is new": the telephone table.
    let phone = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    phone.bind(&address.into())?;
    phone.listen(5)?;
    Ok(phone)
    // end of gap
}

/// The first line: it tells others that they may call, and where.
fn say_where(phone: &Socket) -> io::Result<()> {
    // gap: Print "listening on IP:PORT" with the port that the kernel gave, also for port 0.
    // Calls: local_addr (it is getsockname), println!. Taught in lesson 1, "What you saw and why".
    let own = phone.local_addr()?.as_socket().expect("an IP address");
    println!("listening on {own}");
    Ok(())
    // end of gap
}

/// A second socket, for one call.
fn take_call(phone: &Socket) -> io::Result<Socket> {
    // gap: Wait for a caller, and take the call.
    // Call: accept. Taught in lesson 1, "What you saw and why".
    let (call, _caller) = phone.accept()?;
    Ok(call)
    // end of gap
}

/// One receive and one send.
fn answer(mut call: &Socket) -> io::Result<()> {
    // gap: Receive once, at most 1,024 bytes, and send them back with a to z in upper case.
    // Calls: read, send. All other bytes stay as they are, so never make text of them.
    let mut buffer = [0; 1024];
    let length = call.read(&mut buffer)?;
    call.send(&buffer[..length].to_ascii_uppercase())?;
    Ok(())
    // end of gap
}

fn main() -> ExitCode {
    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:8081".into());
    let address = address.parse().expect("ADDR is IP:PORT");
    match serve(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("server at {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
