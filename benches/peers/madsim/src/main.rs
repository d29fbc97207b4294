//! The workload of record on madsim 0.2.
//!
//! madsim's network is already what the workload asks for: by default each message takes a time
//! drawn uniformly from 1 to 10 ms, and messages of one connection keep their order. Connecting takes
//! one delay on each side instead of a round trip; clients connect twice in a run.

#[path = "../../toy.rs"]
mod toy;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use madsim::net::{TcpListener, TcpStream};
use madsim::rand::random;
use madsim::runtime::Runtime;
use madsim::time::{Instant, sleep, timeout};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use toy::{Answer, Args, Counts, Redis, Shop};

const REDIS: &str = "10.0.0.1:6379";
const SHOP: &str = "10.0.0.2:80";

fn main() {
    toy::measure("madsim", run);
}

/// One run of one seed.
fn run(args: &Args, seed: u64, counts: Counts) {
    let world = Runtime::with_seed_and_config(seed, madsim::Config::default());
    let node = |name: &str, ip: &str| {
        world.create_node().name(name).ip(ip.parse().expect("an address")).build()
    };
    node("redis", "10.0.0.1").spawn(serve_redis(counts.clone()));
    node("shop", "10.0.0.2").spawn(serve(SHOP, Arc::<Mutex<Shop>>::default(), counts.clone()));
    for number in 1..=args.clients {
        let [high, low] = number.to_be_bytes();
        let client = Client::new(counts.clone());
        node(&format!("client {number}"), &format!("10.1.{high}.{low}"))
            .spawn(client.work(args.think));
    }
    world.block_on(async { sleep(toy::RUN).await });
}

async fn serve_redis(counts: Counts) {
    let redis = Arc::<Mutex<Redis>>::default();
    let start = Instant::now();
    let timer = Arc::clone(&redis);
    madsim::task::spawn(async move {
        loop {
            sleep(toy::SERVER_TIMER).await;
            timer.lock().expect("nobody panics").expire(start.elapsed());
        }
    });
    serve(REDIS, redis, counts).await;
}

/// Answers everybody who connects.
async fn serve<S: Answer + Send + 'static>(address: &str, server: Arc<Mutex<S>>, counts: Counts) {
    let start = Instant::now();
    let listener = TcpListener::bind(address).await.expect("a free port");
    loop {
        let (stream, _) = listener.accept().await.expect("the listener lives");
        let (server, counts) = (Arc::clone(&server), counts.clone());
        madsim::task::spawn(async move {
            let mut stream = BufReader::new(stream);
            let (mut request, mut reply) = (String::new(), String::new());
            while let Ok(1..) = stream.read_line(&mut request).await {
                server.lock().expect("nobody panics").answer(&request, start.elapsed(), &mut reply);
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
    // madsim sends when it is told to.
    stream.flush().await
}

/// A connection to one server, opened with the first request and thrown away after any trouble.
struct Connection {
    address: &'static str,
    stream: Option<BufReader<TcpStream>>,
    counts: Counts,
}

impl Connection {
    fn new(address: &'static str, counts: &Counts) -> Self {
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
}

impl Client {
    fn new(counts: Counts) -> Self {
        let [redis, shop] = [REDIS, SHOP].map(|address| Connection::new(address, &counts));
        Self { redis, shop, counts }
    }

    async fn work(mut self, think: Duration) {
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
        let token =
            format!("{:016x}{:016x}{:08x}", random::<u64>(), random::<u64>(), random::<u32>());
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
