//! The real world: tokio's sockets and clocks.
//!
//! For `picklock serve` and for the suite that runs the same lock clients against real servers.
//! Nothing here repeats. The only place in this crate where real clocks may be read; randomness
//! still comes from a seeded stream, so that what a client draws can be told afterwards. Tasks are
//! tokio's local ones: run programs inside a `tokio::task::LocalSet`.
#![expect(clippy::disallowed_methods, reason = "the real world is where Env ends")]

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use picklock_models::time::{SteadyTime, WallTime};
use tokio::net::{TcpListener, TcpStream};

use crate::env::Env;
use crate::host::HostName;
use crate::seed::{Seed, Stream};

/// What a program in the real world knows of the outside: this machine. It listens on the loopback
/// address only, because model servers know no password.
#[derive(Clone)]
pub struct RealEnv {
    /// Where the steady clock began.
    origin: Instant,
    random: Rc<RefCell<Stream>>,
}

impl RealEnv {
    /// This machine; clones share its stream of random numbers.
    pub fn new(seed: Seed) -> Self {
        Self { origin: Instant::now(), random: Rc::new(RefCell::new(seed.stream("real"))) }
    }
}

impl Env for RealEnv {
    type Stream = TcpStream;
    type Listener = TcpListener;

    async fn connect(&self, address: &str) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        // Requests are small and wait for their answers: Nagle would delay them.
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn listen(&self, port: u16) -> io::Result<TcpListener> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
    }

    async fn accept(
        &self,
        listener: &mut TcpListener,
    ) -> io::Result<(TcpStream, Option<HostName>)> {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok((stream, None))
    }

    fn steady(&self) -> SteadyTime {
        SteadyTime::from_nanos(nanos(self.origin.elapsed()))
    }

    fn wall(&self) -> WallTime {
        // A machine whose clock shows a time before 1970 is taken to be in 1970.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        WallTime::from_unix_nanos(nanos(since))
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + 'static {
        tokio::time::sleep(duration)
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        tokio::task::spawn_local(task);
    }

    fn random(&self) -> u64 {
        self.random.borrow_mut().next_u64()
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
