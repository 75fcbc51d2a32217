//! What the server says of itself on `/metrics`.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// The longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;

/// How long the server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What the process of the server has used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usage {
    /// Processor time since it started, in seconds.
    pub(super) cpu_seconds: f64,
    /// Resident memory, in bytes.
    pub(super) memory_bytes: f64,
}

/// Asks the server at `HOST:PORT`.
pub(super) async fn usage(authority: &str) -> io::Result<Usage> {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no answer came");
    let answer = timeout(TIMEOUT, get(authority)).await.map_err(late)??;
    let figure = |name| figure(&answer, name).ok_or_else(|| io::Error::other(format!("/metrics has no {name}")));
    Ok(Usage {
        cpu_seconds: figure("process_cpu_seconds_total")?,
        memory_bytes: figure("process_resident_memory_bytes")?,
    })
}

/// One GET of HTTP/1.1 whose answer ends with the connection.
async fn get(authority: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(authority).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).await?;
    Ok(answer)
}

/// A figure without labels, in the text format of Prometheus.
fn figure(answer: &str, name: &str) -> Option<f64> {
    answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_among_others() {
        let answer = "HTTP/1.1 200 OK\r\n\r\n# TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total_x 1\n\
                      process_cpu_seconds_total 2.5\nprocess_resident_memory_bytes 1.2e7\n# EOF\n";
        assert_eq!(figure(answer, "process_cpu_seconds_total"), Some(2.5));
        assert_eq!(figure(answer, "process_resident_memory_bytes"), Some(12_000_000.0));
        assert_eq!(figure(answer, "process_cpu"), None);
    }
}
