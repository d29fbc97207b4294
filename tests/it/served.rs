//! `picklock serve` as a process: started on a free port, spoken to over real sockets, ended with its
//! test. Plain blocking sockets of std: what is on the other side is under test, not this.
#![expect(clippy::disallowed_methods, reason = "a real server needs real time")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Long enough for anything that must come; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct Served {
    child: Child,
    pub(crate) ready_line: String,
    pub(crate) port: u16,
}

impl Served {
    /// A model of Redis on a free port.
    pub(crate) fn redis() -> Self {
        Self::redis_with(&[])
    }

    /// .. with more arguments.
    pub(crate) fn redis_with(args: &[&str]) -> Self {
        Self::store("redis", args)
    }

    /// A model of etcd on a free port.
    pub(crate) fn etcd() -> Self {
        Self::store("etcd", &[])
    }

    /// A model of ZooKeeper on a free port.
    pub(crate) fn zookeeper() -> Self {
        Self::store("zookeeper", &[])
    }

    fn store(store: &str, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_picklock"));
        Self::start(command.args(["serve", store, "--listen", "127.0.0.1:0"]).args(args))
    }

    /// Whatever `command` starts, once it says that it is ready.
    pub(crate) fn start(command: &mut Command) -> Self {
        picklock_sim::real::allow_many_connections();
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the binary was just built");
        let mut ready_line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut ready_line).expect("a line");
        let port = ready_line.trim_end().rsplit(':').next().and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| {
            let mut said = String::new();
            let _ = child.stderr.take().expect("a pipe").read_to_string(&mut said);
            panic!("not ready: {ready_line:?} {said}")
        });
        Self { child, ready_line, port }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        stream
    }

    /// Sends a signal by its name and waits for the end.
    pub(crate) fn stop(mut self, signal: &str) -> (ExitStatus, String) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status().expect("kill");
        assert!(sent.success());
        let status = self.child.wait().expect("a child");
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut said).expect("text");
        (status, said)
    }

    /// What it holds of the machine's memory, in MiB; `None` where that cannot be read.
    pub(crate) fn resident_mib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? / 1024)
    }

    /// Fails if a bystander is not served, or not soon.
    pub(crate) fn serves_others(&self, soon: Duration) {
        let begin = Instant::now();
        assert_eq!(ask(&mut self.connect(), "PING\r\n"), "+PONG\r\n");
        let took = begin.elapsed();
        assert!(took < soon, "a bystander waited {took:?}");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request and reads one line of the reply.
pub(crate) fn ask(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).expect("it reads");
    read_line(stream)
}

/// The next line of what the server sends.
pub(crate) fn read_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the rest of a line");
        line.push(byte[0]);
    }
    String::from_utf8_lossy(&line).into_owned()
}

/// A request in RESP.
pub(crate) fn request(args: &[&str]) -> String {
    let mut text = format!("*{}\r\n", args.len());
    for arg in args {
        text += &format!("${}\r\n{arg}\r\n", arg.len());
    }
    text
}
