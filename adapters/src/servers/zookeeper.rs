//! How a real ZooKeeper is started: one server, or an ensemble.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use picklock::store::{StoreKind, TICK_MS};

use super::{
    Launch, Running, ServerError, ask, free_addresses, new_folder, on_path, run_together,
    start_on_free_ports, word_after,
};

/// Where Debian's packages put what the server is made of.
const CLASS_PATH: [&str; 4] = [
    "/etc/zookeeper/conf",
    "/usr/share/java/zookeeper.jar",
    "/usr/share/java/slf4j-log4j12.jar",
    "/usr/share/java/log4j-1.2.jar",
];

/// One server, with the tick of picklock's runs.
///
/// # Errors
/// See [`ServerError`].
pub fn start() -> Result<Running, ServerError> {
    start_with_tick(TICK_MS)
}

/// One server with this `tickTime` in milliseconds: sessions last 2 to 20 of them.
///
/// # Errors
/// See [`ServerError`].
pub fn start_with_tick(tick_ms: u32) -> Result<Running, ServerError> {
    installed()?;
    start_on_free_ports(|[client], folder| launch(client, folder, tick_ms, &[]))
}

/// An ensemble of three.
///
/// # Errors
/// See [`ServerError`].
pub fn start_ensemble() -> Result<Vec<Running>, ServerError> {
    installed()?;
    let [a, b, c, pa, pb, pc, ea, eb, ec] = free_addresses()?;
    let members: Vec<String> = [(pa, ea), (pb, eb), (pc, ec)]
        .iter()
        .zip(1..)
        .map(|((peer, election), id)| {
            format!("server.{id}=127.0.0.1:{}:{}", peer.port(), election.port())
        })
        .collect();
    let mut launches = Vec::new();
    for (client, id) in [a, b, c].into_iter().zip(1..) {
        let folder = new_folder()?;
        let written = fs::create_dir_all(folder.join("data"))
            .and_then(|()| fs::write(folder.join("data/myid"), format!("{id}\n")));
        written.map_err(ServerError::io("writing ZooKeeper's myid"))?;
        launches.push(launch(client, folder, TICK_MS, &members));
    }
    run_together(launches)
}

/// Whether ZooKeeper and a Java to run it are on this machine.
///
/// # Errors
/// [`ServerError::Missing`].
pub fn installed() -> Result<(), ServerError> {
    if !Path::new("/usr/share/java/zookeeper.jar").is_file() {
        return Err(ServerError::Missing { what: "ZooKeeper", package: "zookeeper" });
    }
    match on_path("java") {
        true => Ok(()),
        false => Err(ServerError::Missing { what: "java", package: "default-jre-headless" }),
    }
}

fn launch(client: SocketAddr, folder: PathBuf, tick_ms: u32, members: &[String]) -> Launch {
    let configuration = configuration(client, &folder, tick_ms, members);
    // The shell writes the file, so that a launch is a value and nothing happens before it runs.
    let script = "printf %s \"$1\" > zoo.cfg; shift; exec \"$@\"";
    let mut command = ["sh", "-c", script, "zookeeper"].map(str::to_owned).to_vec();
    command.push(configuration);
    command.extend(["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp"].map(str::to_owned));
    command.push(CLASS_PATH.join(":"));
    command.push(format!("-Dzookeeper.log.dir={}", folder.display()));
    command.push("-Dzookeeper.root.logger=INFO,CONSOLE".to_owned());
    command.push("org.apache.zookeeper.server.quorum.QuorumPeerMain".to_owned());
    command.push("zoo.cfg".to_owned());
    Launch {
        store: StoreKind::ZooKeeper,
        address: client,
        folder,
        command,
        environment: Vec::new(),
        ready: version,
    }
}

fn configuration(client: SocketAddr, folder: &Path, tick_ms: u32, members: &[String]) -> String {
    format!(
        "tickTime={tick_ms}\ndataDir={}\nclientPort={}\nclientPortAddress={}\n\
         admin.enableServer=false\n4lw.commands.whitelist=*\nmaxClientCnxns=0\n\
         initLimit=10\nsyncLimit=5\nextendedTypesEnabled=true\n{}\n",
        folder.join("data").display(),
        client.port(),
        client.ip(),
        members.join("\n"),
    )
}

/// Asks for the version by `srvr`. (It answers `ruok` before it serves.)
fn version(address: SocketAddr) -> io::Result<String> {
    let answer = ask(address, b"srvr", |_| false)?;
    if !answer.contains("Mode:") {
        return Err(io::Error::other("it does not serve yet"));
    }
    word_after(&answer, "Zookeeper version: ")
}
