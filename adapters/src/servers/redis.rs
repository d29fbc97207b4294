//! How a real Redis is started.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use picklock::store::StoreKind;
use picklock_models::redis::Persistence;

use super::{Launch, Running, ServerError, ask, on_path, start_on_free_ports, word_after};

/// How a server is set up.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What it keeps on disk.
    pub persistence: Persistence,
    /// Whose replica it is.
    pub replica_of: Option<SocketAddr>,
    /// Whether its wall clock can be set ([`set_wall_clock`]): it runs under `faketime`.
    pub own_wall_clock: bool,
}

/// One server in memory only.
///
/// # Errors
/// See [`ServerError`].
pub fn start() -> Result<Running, ServerError> {
    start_with(&Options::default())
}

/// One server set up like this.
///
/// # Errors
/// See [`ServerError`].
pub fn start_with(options: &Options) -> Result<Running, ServerError> {
    installed()?;
    let faketime = options.own_wall_clock.then(faketime_preload).transpose()?;
    start_on_free_ports(|[address], folder| launch(options, faketime.as_deref(), address, folder))
}

/// So many servers that know nothing of each other, as Redlock wants them.
///
/// # Errors
/// See [`ServerError`].
pub fn start_independent(count: usize, options: &Options) -> Result<Vec<Running>, ServerError> {
    (0..count).map(|_| start_with(options)).collect()
}

/// A primary and its replica, which has caught up.
///
/// # Errors
/// See [`ServerError`].
pub fn start_with_replica() -> Result<[Running; 2], ServerError> {
    let primary = start()?;
    let replica_of = Some(primary.address());
    let replica = start_with(&Options { replica_of, ..Options::default() })?;
    Ok([primary, replica])
}

/// Whether Redis is on this machine.
///
/// # Errors
/// [`ServerError::Missing`].
pub fn installed() -> Result<(), ServerError> {
    match on_path("redis-server") {
        true => Ok(()),
        false => Err(ServerError::Missing { what: "redis-server", package: "redis-server" }),
    }
}

fn launch(
    options: &Options,
    faketime: Option<&str>,
    address: SocketAddr,
    folder: PathBuf,
) -> Launch {
    let mut command: Vec<String> =
        ["redis-server", "--bind", "127.0.0.1", "--daemonize", "no", "--save", ""]
            .map(str::to_owned)
            .into();
    let mut set = |name: &str, value: String| command.extend([format!("--{name}"), value]);
    set("port", address.port().to_string());
    set("dir", folder.display().to_string());
    set("enable-debug-command", "local".to_owned());
    match options.persistence {
        Persistence::None => set("appendonly", "no".to_owned()),
        Persistence::AofEverysec => {
            set("appendonly", "yes".to_owned());
            set("appendfsync", "everysec".to_owned());
        }
        Persistence::AofAlways => {
            set("appendonly", "yes".to_owned());
            set("appendfsync", "always".to_owned());
        }
    }
    if let Some(primary) = options.replica_of {
        command.extend(["--replicaof".to_owned(), "127.0.0.1".to_owned()]);
        command.push(primary.port().to_string());
    }
    let environment = faketime.map(|preload| faketime_environment(preload, &folder));
    let ready = if options.replica_of.is_some() { caught_up } else { version };
    Launch {
        store: StoreKind::Redis,
        address,
        folder,
        command,
        environment: environment.into_iter().flatten().collect(),
        ready,
    }
}

/// Asks for the version, by an inline command.
fn version(address: SocketAddr) -> io::Result<String> {
    let answer = ask(address, b"INFO server\r\n", |answer| answer.contains("io_threads_active"))?;
    word_after(&answer, "redis_version:")
}

/// .. once the replica has its primary's data.
fn caught_up(address: SocketAddr) -> io::Result<String> {
    let replication =
        ask(address, b"INFO replication\r\n", |answer| answer.contains("repl_backlog_histlen"))?;
    if !replication.contains("master_link_status:up") {
        return Err(io::Error::other("its primary's data is not here yet"));
    }
    version(address)
}

/// The file in the server's folder that `faketime` reads before every look at the clock.
const WALL_CLOCK: &str = "wall-clock";

/// Sets the wall clock of a server that has its own, from now on: `offset_ms` beside the true time. Its
/// monotonic clock is left alone, as a step of a real machine's clock leaves it.
///
/// # Errors
/// If the file cannot be written.
pub fn set_wall_clock(server: &Running, offset_ms: i64) -> Result<(), ServerError> {
    // Moved into place, so that the server never reads half of it.
    let (new, file) = (server.folder().join("wall-clock.new"), server.folder().join(WALL_CLOCK));
    fs::write(&new, format!("{:+.3}\n", offset_ms as f64 / 1000.0))
        .and_then(|()| fs::rename(&new, &file))
        .map_err(ServerError::io("setting a server's wall clock"))
}

fn faketime_environment(preload: &str, folder: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("LD_PRELOAD", preload.to_owned()),
        ("FAKETIME_TIMESTAMP_FILE", folder.join(WALL_CLOCK).display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
    ]
}

/// What stands between a program and its clock, below wherever this machine's architecture has its
/// libraries. jemalloc, which Debian's Redis is linked with, reads the clock while it starts, and libfaketime
/// asks for memory while it starts: each waits for the other (libfaketime#130). glibc's own allocator, put
/// before both, ends that.
fn faketime_preload() -> Result<String, ServerError> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let found = folders.map(|folder| folder.path()).find_map(|folder| {
        let faketime = folder.join("faketime/libfaketimeMT.so.1");
        let malloc = folder.join("libc_malloc_debug.so.0");
        let both = faketime.is_file() && malloc.is_file();
        both.then(|| format!("{}:{}", malloc.display(), faketime.display()))
    });
    found.ok_or(ServerError::Missing { what: "faketime", package: "faketime" })
}
