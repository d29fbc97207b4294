//! The network of a real run: a loopback proxy in every path, which a fault can hold, slow down or tear.
//!
//! One listener for each pair of hosts, so that who calls is known. Each direction of a connection passes
//! its bytes on as a link of the plan would: after a drawn latency, in order, held back while the link is
//! stalled. What no proxy can do stands in `express.rs`.
#![expect(clippy::disallowed_methods, reason = "bytes take real time")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use picklock_sim::host::HostName;
use picklock_sim::plan::Latency;
use picklock_sim::seed::{Seed, Stream};
use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::links::{Links, Target};

/// As much as is taken at once. Requests and replies are far shorter.
const PIECE_BYTES: usize = 16 * 1024;
/// Pieces on their way before a sender has to wait: about what the buffers of a socket hold.
const PIECES: usize = 64;

/// The proxies of a run; they end with it.
pub(super) struct Network {
    links: Arc<Links>,
    latency: Latency,
    seed: Seed,
    runtime: tokio::runtime::Runtime,
}

impl Network {
    pub(super) fn new(links: Arc<Links>, latency: Latency, seed: Seed) -> io::Result<Self> {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build()?;
        Ok(Self { links, latency, seed, runtime })
    }

    /// Makes a way from one host to another; the port where it begins.
    pub(super) fn path(&self, from: HostName, to: HostName) -> io::Result<u16> {
        let _inside = self.runtime.enter();
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = listener.local_addr()?;
        let path = Path {
            links: Arc::clone(&self.links),
            latency: self.latency,
            seed: self.seed,
            from,
            to,
        };
        self.runtime.spawn(path.serve(listener, address));
        Ok(address.port())
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

/// The way from one host to another.
#[derive(Clone)]
struct Path {
    links: Arc<Links>,
    latency: Latency,
    seed: Seed,
    from: HostName,
    to: HostName,
}

/// A connection that a fault or an error ended: both sides see a reset.
struct Torn;

impl From<io::Error> for Torn {
    fn from(_: io::Error) -> Self {
        Torn
    }
}

impl Path {
    /// Accepts while the link does not refuse; a port without a listener is what a refusal is.
    async fn serve(self, listener: TcpListener, address: SocketAddr) {
        let mut listener = Some(listener);
        let mut connections = 0_u64;
        loop {
            let Some(open) = &listener else {
                self.links.until(|links| !links.refuses(self.from, self.to)).await;
                listener = listen(address).ok();
                continue;
            };
            tokio::select! {
                accepted = open.accept() => if let Ok((client, _)) = accepted {
                    connections += 1;
                    tokio::spawn(self.clone().carry(client, connections));
                },
                () = self.links.until(|links| links.refuses(self.from, self.to)) => listener = None,
            }
        }
    }

    /// One connection, until either side or a fault ends it.
    async fn carry(self, mut client: TcpStream, number: u64) {
        let Ok(mut server) = self.call().await else {
            reset(&client);
            return;
        };
        let torn = {
            let ((from_client, to_client), (from_server, to_server)) =
                (client.split(), server.split());
            let there = self.direction(from_client, to_server, (self.from, self.to), number);
            let back = self.direction(from_server, to_client, (self.to, self.from), number);
            tokio::select! {
                ended = async { tokio::try_join!(there, back) } => ended.is_err(),
                () = self.links.until(|links| links.refuses(self.from, self.to)) => true,
            }
        };
        if torn {
            reset(&client);
            reset(&server);
        }
    }

    async fn call(&self) -> io::Result<TcpStream> {
        let Target { port, introduced } =
            self.links.target(self.to).ok_or(io::ErrorKind::ConnectionRefused)?;
        let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        server.set_nodelay(true)?;
        self.links.comes_from(self.to, server.local_addr()?.port(), self.from);
        if introduced {
            server.write_all(format!("{}\n", self.from).as_bytes()).await?;
        }
        Ok(server)
    }

    /// One direction: a piece leaves when its time has come, in the order in which it came.
    async fn direction(
        &self,
        mut source: ReadHalf<'_>,
        sink: WriteHalf<'_>,
        (from, to): (HostName, HostName),
        number: u64,
    ) -> Result<(), Torn> {
        let mut random = self.seed.stream(format_args!("proxy {from} {to} {number}"));
        let (pieces, on_the_way) = mpsc::channel(PIECES);
        let taking = async move {
            loop {
                let mut piece = vec![0; PIECE_BYTES];
                let count = source.read(&mut piece).await?;
                piece.truncate(count);
                let due = Instant::now() + self.latency(from, to, &mut random);
                if pieces.send((due, piece)).await.is_err() || count == 0 {
                    return Ok(());
                }
            }
        };
        tokio::try_join!(taking, self.giving(on_the_way, sink, from, to)).map(drop)
    }

    async fn giving(
        &self,
        mut on_the_way: mpsc::Receiver<(Instant, Vec<u8>)>,
        mut sink: WriteHalf<'_>,
        from: HostName,
        to: HostName,
    ) -> Result<(), Torn> {
        while let Some((due, piece)) = on_the_way.recv().await {
            tokio::time::sleep_until(due).await;
            self.links.until(|links| links.flows(from, to)).await;
            if piece.is_empty() {
                sink.shutdown().await?;
            } else if self.links.take_reset(from, to) {
                return Err(Torn);
            } else {
                sink.write_all(&piece).await?;
            }
        }
        Ok(())
    }

    fn latency(&self, from: HostName, to: HostName, random: &mut Stream) -> Duration {
        let drawn = random.between(self.latency.min_us, self.latency.max_us);
        Duration::from_micros(drawn) + Duration::from_millis(self.links.delay_ms(from, to))
    }
}

/// Ends a connection so that its other side sees a reset, and not an orderly end.
fn reset(stream: &TcpStream) {
    // If it is gone already, its other side has seen something as bad.
    let _ = set_socket_linger(stream, Some(Duration::ZERO));
}
