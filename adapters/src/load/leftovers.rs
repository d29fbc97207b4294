//! What a server, or this process, leaves behind: read from `/proc`, so on Linux only.
//!
//! Others use this machine too, so a thing counts only if it can be told to be ours: a server's process, its
//! relatives (they work in its folder), the ports it listened on, its folder and files named after its
//! process; and of this process its descriptors, threads and children.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::servers::Running;

/// What could be left of a server.
#[derive(Clone, Debug)]
pub struct Footprint {
    pid: u32,
    folder: PathBuf,
    ports: BTreeSet<u16>,
}

impl Footprint {
    /// Of a server that runs.
    ///
    /// # Errors
    /// If `/proc` cannot be read.
    pub fn of(server: &Running) -> io::Result<Self> {
        let (pid, folder) = (server.pid(), server.folder().to_owned());
        let sockets: BTreeSet<u64> =
            descriptors(pid)?.values().filter_map(|it| inode(it)).collect();
        let own = |(_, inode): &(u16, u64)| sockets.contains(inode);
        let ports = listening()?.into_iter().filter(own).map(|(port, _)| port).collect();
        Ok(Self { pid, folder, ports })
    }

    /// What is still there of it, in words.
    ///
    /// # Errors
    /// If `/proc` cannot be read.
    pub fn left(&self) -> io::Result<Vec<String>> {
        let mut left = Vec::new();
        for process in processes()? {
            if process == self.pid || works_in(process, &self.folder) {
                left.push(format!("process {process} ({})", command(process)));
            }
        }
        for port in listening()?.into_iter().map(|(port, _)| port).collect::<BTreeSet<_>>() {
            if self.ports.contains(&port) {
                left.push(format!("port {port}, on which somebody listens"));
            }
        }
        if self.folder.exists() {
            left.push(format!("the folder {}", self.folder.display()));
        }
        left.extend(self.named_after()?.iter().map(|file| format!("the file {}", file.display())));
        Ok(left)
    }

    /// Files of temporary folders with the process in their name, as a Java machine has one.
    fn named_after(&self) -> io::Result<Vec<PathBuf>> {
        let pid = self.pid.to_string();
        let names_it = |path: &Path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.split(|c: char| !c.is_ascii_digit()).any(|number| number == pid)
        };
        let mut named = Vec::new();
        for entry in fs::read_dir(std::env::temp_dir())? {
            let path = entry?.path();
            // Not every folder there is ours to read.
            let inside = fs::read_dir(&path).into_iter().flatten().flatten();
            named.extend(inside.map(|entry| entry.path()).filter(|path| names_it(path)));
            named.extend(Some(path).filter(|path| names_it(path)));
        }
        Ok(named)
    }
}

/// What this process has open.
#[derive(Clone, Debug)]
pub struct Own {
    descriptors: BTreeMap<u32, String>,
    threads: usize,
    children: BTreeSet<u32>,
}

impl Own {
    /// What it has now.
    ///
    /// # Errors
    /// If `/proc` cannot be read.
    pub fn look() -> io::Result<Self> {
        let pid = std::process::id();
        let threads = fs::read_dir("/proc/self/task")?.count();
        let children = processes()?.into_iter().filter(|process| parent(*process) == Some(pid));
        Ok(Self { descriptors: descriptors(pid)?, threads, children: children.collect() })
    }

    /// What has been added since, in words.
    ///
    /// # Errors
    /// If `/proc` cannot be read.
    pub fn added(&self) -> io::Result<Vec<String>> {
        let now = Self::look()?;
        let mut added = Vec::new();
        for (number, target) in &now.descriptors {
            if self.descriptors.get(number) != Some(target) {
                added.push(format!("descriptor {number} of this process ({target})"));
            }
        }
        if now.threads > self.threads {
            added.push(format!("{} threads of this process", now.threads - self.threads));
        }
        for child in now.children.difference(&self.children) {
            added.push(format!("process {child} ({}), a child of this one", command(*child)));
        }
        Ok(added)
    }
}

fn processes() -> io::Result<Vec<u32>> {
    let mut processes = Vec::new();
    for entry in fs::read_dir("/proc")? {
        processes.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    processes.sort_unstable();
    Ok(processes)
}

/// A process's descriptors, but for the one that is open while they are read.
fn descriptors(process: u32) -> io::Result<BTreeMap<u32, String>> {
    let folder = PathBuf::from(format!("/proc/{process}/fd"));
    let mut descriptors = BTreeMap::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        let target = fs::read_link(&path).map(|target| target.display().to_string());
        if let (Some(number), Ok(target)) = (number, target)
            && Path::new(&target) != folder
        {
            descriptors.insert(number, target);
        }
    }
    Ok(descriptors)
}

/// Ports on which somebody on this machine listens, each with the number of its socket.
fn listening() -> io::Result<Vec<(u16, u64)>> {
    let mut table = fs::read_to_string("/proc/net/tcp")?;
    // A machine without IPv6 has no such file.
    table.push_str(&fs::read_to_string("/proc/net/tcp6").unwrap_or_default());
    Ok(table.lines().filter_map(listener).collect())
}

/// `sl local_address rem_address st .. inode`; 0A is LISTEN (`include/net/tcp_states.h`).
fn listener(line: &str) -> Option<(u16, u64)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (_, port) = words.get(1)?.rsplit_once(':')?;
    let listens = *words.get(3)? == "0A";
    listens.then_some((u16::from_str_radix(port, 16).ok()?, words.get(9)?.parse().ok()?))
}

/// `socket:[4711]`.
fn inode(target: &str) -> Option<u64> {
    target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// The system says of a folder that was deleted meanwhile that it was.
fn works_in(process: u32, folder: &Path) -> bool {
    let works = fs::read_link(format!("/proc/{process}/cwd")).unwrap_or_default();
    let works = works.display().to_string();
    Path::new(works.trim_end_matches(" (deleted)")).starts_with(folder)
}

fn parent(process: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// How a process was started; of one that has ended, and waits for its parent to hear so, only the name.
fn command(process: u32) -> String {
    let read = |file| fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
    let words = Some(read("cmdline")).filter(|words| !words.is_empty());
    let words = words.unwrap_or_else(|| read("comm"));
    let words = String::from_utf8_lossy(&words).replace('\0', " ");
    words.trim_end().chars().take(80).collect()
}
