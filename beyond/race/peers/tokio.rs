//! An echo server on tokio, as its own tutorial writes one.
//!
//!     cargo run --release -p race --example tokio 8084 1
//!
//! The second number says how many threads the runtime has. With 1 it is the
//! peer of lesson 7's model `async`. With more, look at who is served least.

use std::env::args;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Builder;

async fn echo(mut call: TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; 16_384];
    loop {
        match call.read(&mut buffer).await? {
            0 => return Ok(()),
            length => call.write_all(&buffer[..length]).await?,
        }
    }
}

async fn serve(port: u16) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    let listener = socket.listen(4096)?;
    loop {
        let (call, _) = listener.accept().await?;
        tokio::spawn(echo(call));
    }
}

fn main() -> std::io::Result<()> {
    let numbers: Vec<u16> = args()
        .skip(1)
        .filter_map(|word| word.parse().ok())
        .collect();
    let [port, threads] = numbers[..] else {
        eprintln!("usage: tokio PORT THREADS");
        std::process::exit(2);
    };
    let mut builder = match threads {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = builder
        .worker_threads(threads.into())
        .enable_all()
        .build()?;
    runtime.block_on(serve(port))
}
