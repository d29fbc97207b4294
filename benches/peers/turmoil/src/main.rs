//! The workload of record on turmoil 0.7.
//!
//! turmoil cannot draw latencies uniformly: its distribution is an exponential one, cut off at the
//! maximum. `LATENCY_CURVE` gives it the mean of the uniform one. All else is as it comes: ticks of
//! 1 ms, hosts in the order of their registration. Connecting takes one latency, as the answer to a
//! SYN takes none; clients connect twice in a run.

#[path = "../../toy.rs"]
mod toy;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::{Instant, sleep, timeout};
use turmoil::net::{TcpListener, TcpStream};

use toy::{Answer, Args, Counts, Redis, Shop};

/// Name and port.
type Address = (&'static str, u16);
const REDIS: Address = ("redis", 6379);
const SHOP: Address = ("shop", 80);

/// Rate of the exponential distribution with which a latency takes 5.5 ms in the mean, as a uniform
/// one of 1 to 10 ms does. turmoil cuts the distribution off at 1, spreads it over the 9 ms and drops
/// the fraction of a millisecond, so that is the sum of exp(-x k/9) over k from 1 to 9 being 4.5.
const LATENCY_CURVE: f64 = 1.388;

fn main() {
    toy::measure("turmoil", run);
}

/// One run of one seed.
fn run(args: &Args, seed: u64, counts: Counts) {
    let mut world = turmoil::Builder::new()
        .rng_seed(seed)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(10))
        .simulation_duration(toy::RUN + Duration::from_secs(1))
        .build();
    world.set_message_latency_curve(LATENCY_CURVE);
    let at_redis = counts.clone();
    world.host("redis", move || serve_redis(at_redis.clone()));
    let at_shop = counts.clone();
    world.host("shop", move || serve(SHOP, Rc::<RefCell<Shop>>::default(), at_shop.clone()));
    let think = args.think;
    for number in 1..=args.clients {
        let counts = counts.clone();
        // turmoil seeds its own choices only; what a program draws is the program's affair.
        let random = fastrand::Rng::with_seed(seed << 16 | u64::from(number));
        world.host(format!("client-{number}"), move || {
            Client::new(counts.clone(), random.clone()).work(think)
        });
    }
    while world.elapsed() < toy::RUN {
        world.step().expect("no host fails");
    }
}

async fn serve_redis(counts: Counts) -> turmoil::Result {
    let redis = Rc::<RefCell<Redis>>::default();
    let start = Instant::now();
    let timer = Rc::clone(&redis);
    tokio::task::spawn_local(async move {
        loop {
            sleep(toy::SERVER_TIMER).await;
            timer.borrow_mut().expire(start.elapsed());
        }
    });
    serve(REDIS, redis, counts).await
}

/// Answers everybody who connects.
async fn serve<S: Answer + 'static>(
    (_, port): Address,
    server: Rc<RefCell<S>>,
    counts: Counts,
) -> turmoil::Result {
    let start = Instant::now();
    let listener = TcpListener::bind(("0.0.0.0", port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let (server, counts) = (Rc::clone(&server), counts.clone());
        tokio::task::spawn_local(async move {
            let mut stream = BufReader::new(stream);
            let (mut request, mut reply) = (String::new(), String::new());
            while let Ok(1..) = stream.read_line(&mut request).await {
                server.borrow_mut().answer(&request, start.elapsed(), &mut reply);
                if send(&mut stream, &reply, &counts).await.is_err() {
                    return;
                }
                request.clear();
                reply.clear();
            }
        });
    }
}

/// One write, one message.
async fn send(stream: &mut BufReader<TcpStream>, line: &str, counts: &Counts) -> io::Result<()> {
    stream.write_all(line.as_bytes()).await?;
    counts.message();
    Ok(())
}

/// A connection to one server, opened with the first request and thrown away after any trouble.
struct Connection {
    address: Address,
    stream: Option<BufReader<TcpStream>>,
    counts: Counts,
}

impl Connection {
    fn new(address: Address, counts: &Counts) -> Self {
        Self { address, stream: None, counts: counts.clone() }
    }

    /// The reply, without its line's end.
    async fn ask(&mut self, request: &str) -> io::Result<String> {
        let reply = timeout(toy::REQUEST_LIMIT, self.exchange(request)).await;
        if !matches!(reply, Ok(Ok(_))) {
            self.stream = None;
        }
        reply?
    }

    async fn exchange(&mut self, request: &str) -> io::Result<String> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => self.stream.insert(BufReader::new(TcpStream::connect(self.address).await?)),
        };
        send(stream, request, &self.counts).await?;
        let mut reply = String::new();
        match stream.read_line(&mut reply).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => {
                reply.truncate(reply.trim_end().len());
                Ok(reply)
            }
        }
    }
}

/// A client of the lock and of the shop.
struct Client {
    redis: Connection,
    shop: Connection,
    counts: Counts,
    random: fastrand::Rng,
}

impl Client {
    fn new(counts: Counts, random: fastrand::Rng) -> Self {
        let [redis, shop] = [REDIS, SHOP].map(|address| Connection::new(address, &counts));
        Self { redis, shop, counts, random }
    }

    async fn work(mut self, think: Duration) -> turmoil::Result {
        loop {
            if let Ok(token) = self.acquire().await {
                // Whether the sale succeeds or not, the lock is given back.
                let _ = self.sell().await;
                let _ = self.redis.ask(&format!("CAD lock {token}\n")).await;
            }
            sleep(think).await;
        }
    }

    async fn acquire(&mut self) -> io::Result<String> {
        let random = &mut self.random;
        let token = format!("{:016x}{:016x}{:08x}", random.u64(..), random.u64(..), random.u32(..));
        let request = format!("SET lock {token} NX PX {}\n", toy::LEASE_MS);
        while self.redis.ask(&request).await? != "OK" {
            sleep(toy::RETRY).await;
        }
        self.counts.grant();
        Ok(token)
    }

    async fn sell(&mut self) -> io::Result<()> {
        let stock: i64 = self.shop.ask("READ\n").await?.parse().map_err(io::Error::other)?;
        sleep(toy::HOLD).await;
        self.shop.ask(&format!("WRITE {}\n", stock - 1)).await?;
        Ok(())
    }
}
