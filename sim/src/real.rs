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
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use picklock_models::time::{SteadyTime, WallTime};
use tokio::net::{TcpListener, TcpStream};

use crate::env::Env;
use crate::history::{Kind, Op};
use crate::host::HostName;
use crate::recorder::{Recorder, Sink};
use crate::seed::{Seed, Stream};
use crate::time::SimTime;

/// What a program in the real world knows of the outside: this machine.
#[derive(Clone)]
pub struct RealEnv {
    /// Where the steady clock began.
    origin: Instant,
    random: Rc<RefCell<Stream>>,
    address: IpAddr,
}

impl RealEnv {
    /// This machine, listening on the loopback address; clones share its stream of random numbers.
    pub fn new(seed: Seed) -> Self {
        Self {
            origin: Instant::now(),
            random: Rc::new(RefCell::new(seed.stream("real"))),
            address: Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// The same machine, listening on another of its addresses. Which port a listener got for port 0,
    /// it says itself: `listen(0).await?.local_addr()?`.
    #[must_use]
    pub fn at(self, address: IpAddr) -> Self {
        Self { address, ..self }
    }
}

/// Runs a program of the real world to its end, on this thread.
///
/// # Errors
/// If the machine has no resources left for it.
pub fn block_on<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(tokio::task::LocalSet::new().block_on(&runtime, work))
}

/// Asks for as many file descriptors as this process may have: many machines give a program 1024 at
/// first, and every connection takes one. Redis does the same (`src/server.c`
/// `adjustOpenFilesLimit`). If it is refused, connections wait longer to be accepted.
pub fn allow_many_connections() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let wanted = Rlimit { current: limit.maximum, ..limit };
        if let Err(error) = setrlimit(Resource::Nofile, wanted) {
            tracing::warn!(%error, ?limit, "the limit of file descriptors cannot be raised");
        }
    }
}

/// Makes ready to hear Ctrl-C and SIGTERM, from now on instead of dying of them; the future that
/// comes back waits for the first of them.
///
/// # Errors
/// If the machine has no resources left for it.
#[cfg(unix)]
pub fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        crate::env::race(interrupt.recv(), terminate.recv()).await;
    })
}

/// Makes ready to hear Ctrl-C; the future that comes back waits for it.
///
/// # Errors
/// Never; elsewhere it may.
#[cfg(not(unix))]
pub fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// A recorder that forgets: nobody judges a server on a real port.
pub fn unheard() -> Recorder {
    struct Unheard;
    impl Sink for Unheard {
        fn record(&self, _: HostName, _: Kind, _: Op) {}

        fn true_time(&self, _: HostName, local: SteadyTime) -> SimTime {
            SimTime::from_nanos(local.as_nanos())
        }
    }
    Recorder::new(Rc::new(Unheard))
}

/// How long a listener waits after an error before it tries again.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

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
        TcpListener::bind((self.address, port)).await
    }

    /// Never fails: what a listening socket reports is about one connection (gone before it was
    /// accepted) or passes (no file descriptor left until another connection ends).
    async fn accept(
        &self,
        listener: &mut TcpListener,
    ) -> io::Result<(TcpStream, Option<HostName>)> {
        loop {
            let accepted = listener.accept().await;
            match accepted
                .and_then(|(stream, peer)| stream.set_nodelay(true).map(|()| (stream, peer)))
            {
                Ok((stream, peer)) => {
                    tracing::debug!(%peer, "accepted");
                    return Ok((stream, None));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted; trying again");
                    self.sleep(ACCEPT_AGAIN).await;
                }
            }
        }
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
