//! A host's view of a real run: real sockets, real clocks, the same programs.
//!
//! It differs from `RealEnv` in what a plan needs: hosts have names, which lead through the stage's proxies;
//! steps are told to the stage if a fault waits for one; the steady clock is the run's, so that deadlines of
//! different processes can be compared.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use picklock_models::time::{SteadyTime, WallTime};
use picklock_sim::env::Env;
use picklock_sim::fault::StepKind;
use picklock_sim::host::HostName;
use picklock_sim::real::RealEnv;
use picklock_sim::seed::Seed;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::clock::RunClock;
use super::control::{Line, Message};

/// What a program of a real run knows of the outside.
#[derive(Clone)]
pub(super) struct StageEnv {
    real: RealEnv,
    clock: RunClock,
    /// Where a proxy listens for each host that this one may want to reach.
    reach: Rc<BTreeMap<HostName, u16>>,
    line: Rc<Line>,
    steps: Steps,
}

/// Tells the stage of steps, if the plan waits for any of this host's.
#[derive(Clone)]
struct Steps(Option<Rc<Line>>);

impl Steps {
    fn take(&self, kind: StepKind) {
        if let Some(line) = &self.0 {
            line.say(Message::Step(kind));
        }
    }
}

impl StageEnv {
    pub(super) fn new(
        seed: Seed,
        clock: RunClock,
        reach: BTreeMap<HostName, u16>,
        line: Rc<Line>,
        tells_steps: bool,
    ) -> Self {
        let steps = Steps(tells_steps.then(|| Rc::clone(&line)));
        Self { real: RealEnv::new(seed), clock, reach: Rc::new(reach), line, steps }
    }

    fn stream(&self, inner: TcpStream) -> Stream {
        Stream { inner, steps: self.steps.clone() }
    }
}

impl Env for StageEnv {
    type Stream = Stream;
    type Listener = TcpListener;

    /// The port of an address is the one that the host would have in a simulation; here its name decides.
    async fn connect(&self, address: &str) -> io::Result<Stream> {
        let host = address.rsplit_once(':').and_then(|(host, _)| host.parse::<HostName>().ok());
        let port = host.and_then(|host| self.reach.get(&host).copied());
        let port = port.ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, format!("nothing leads to {address}"))
        })?;
        self.steps.take(StepKind::Connect);
        Ok(self.stream(self.real.connect(&format!("127.0.0.1:{port}")).await?))
    }

    /// On any free port, which the stage is told.
    async fn listen(&self, _: u16) -> io::Result<TcpListener> {
        let listener = self.real.listen(0).await?;
        self.line.say(Message::Listens { port: listener.local_addr()?.port() });
        Ok(listener)
    }

    /// The stage's proxy says first whose connection this is: one line with the host's name.
    async fn accept(&self, listener: &mut TcpListener) -> io::Result<(Stream, Option<HostName>)> {
        loop {
            let (mut stream, _) = self.real.accept(listener).await?;
            let mut name = Vec::new();
            while let Ok(byte) = stream.read_u8().await {
                if byte == b'\n' {
                    let name = String::from_utf8_lossy(&name);
                    return Ok((self.stream(stream), name.parse().ok()));
                }
                name.push(byte);
            }
            tracing::debug!("a connection ended before it said whose it is");
        }
    }

    fn steady(&self) -> SteadyTime {
        SteadyTime::from_nanos(self.clock.now().as_nanos())
    }

    fn wall(&self) -> WallTime {
        self.real.wall()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + 'static {
        let (sleep, steps) = (self.real.sleep(duration), self.steps.clone());
        async move {
            sleep.await;
            steps.take(StepKind::Timer);
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.real.spawn(task);
    }

    fn random(&self) -> u64 {
        self.real.random()
    }
}

/// A connection whose reads and writes are steps.
pub(super) struct Stream {
    inner: TcpStream,
    steps: Steps,
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // It is a step only once there is something to take.
        if this.steps.0.is_some() && this.inner.poll_read_ready(cx)?.is_ready() {
            this.steps.take(StepKind::Receive);
        }
        Pin::new(&mut this.inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.steps.take(StepKind::Send);
        Pin::new(&mut this.inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
