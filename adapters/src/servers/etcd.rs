//! How a real etcd is started: one member, or a cluster.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use picklock::store::StoreKind;

use super::{
    Launch, Running, ServerError, ask, free_addresses, new_folder, on_path, run_together,
    start_on_free_ports, word_after,
};

/// One member.
///
/// # Errors
/// See [`ServerError`].
pub fn start() -> Result<Running, ServerError> {
    installed()?;
    start_on_free_ports(|[client, peer], folder| launch("n1", client, &[("n1", peer)], folder))
}

/// A cluster of three.
///
/// # Errors
/// See [`ServerError`].
pub fn start_cluster() -> Result<Vec<Running>, ServerError> {
    installed()?;
    let [a, b, c, pa, pb, pc] = free_addresses()?;
    let peers = [("n1", pa), ("n2", pb), ("n3", pc)];
    let mut launches = Vec::new();
    for ((name, _), client) in peers.iter().zip([a, b, c]) {
        launches.push(launch(name, client, &peers, new_folder()?));
    }
    run_together(launches)
}

/// Whether etcd is on this machine.
///
/// # Errors
/// [`ServerError::Missing`].
pub fn installed() -> Result<(), ServerError> {
    match on_path("etcd") {
        true => Ok(()),
        false => Err(ServerError::Missing { what: "etcd", package: "etcd-server" }),
    }
}

fn launch(name: &str, client: SocketAddr, peers: &[(&str, SocketAddr)], folder: PathBuf) -> Launch {
    let (_, peer) = peers.iter().find(|(member, _)| *member == name).expect("one of them");
    let cluster: Vec<String> =
        peers.iter().map(|(member, peer)| format!("{member}=http://{peer}")).collect();
    let urls = [
        ("--listen-client-urls", client),
        ("--advertise-client-urls", client),
        ("--listen-peer-urls", *peer),
        ("--initial-advertise-peer-urls", *peer),
    ];
    let mut command = vec!["etcd".to_owned(), "--name".to_owned(), name.to_owned()];
    command.extend(["--data-dir".to_owned(), folder.join("data").display().to_string()]);
    command.extend(
        urls.into_iter().flat_map(|(name, url)| [name.to_owned(), format!("http://{url}")]),
    );
    command.extend(["--initial-cluster".to_owned(), cluster.join(",")]);
    command.extend(["--initial-cluster-state", "new", "--logger=zap"].map(str::to_owned));
    Launch {
        store: StoreKind::Etcd,
        address: client,
        folder,
        command,
        environment: Vec::new(),
        ready: version,
    }
}

/// Asks for the version over HTTP once it is healthy, which needs a leader.
fn version(address: SocketAddr) -> io::Result<String> {
    let get = |path| {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        ask(address, request.as_bytes(), |_| false)
    };
    if !get("/health")?.contains("\"health\":\"true\"") {
        return Err(io::Error::other("it has no leader yet"));
    }
    word_after(&get("/version")?, "\"etcdserver\":\"")
}
