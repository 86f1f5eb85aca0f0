//! A service on the standard library that reads a file beside it.
use std::{env, fs, io::{Read, Write}, net::TcpListener};

fn main() -> std::io::Result<()> {
    let greeting = fs::read_to_string(env::var("GREETING").unwrap_or_else(|_| "static/greeting.txt".into()))?;
    let port = env::var("PORT").unwrap_or_else(|_| "8080".into());
    for stream in TcpListener::bind(format!("0.0.0.0:{port}"))?.incoming() {
        let mut stream = stream?;
        let _ = stream.read(&mut [0; 1024])?;
        let body = format!("{} from rust\n", greeting.trim());
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())?;
    }
    Ok(())
}
