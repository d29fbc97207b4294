//! A shell between this process and a server, which outlives both just long enough to clean up.
//!
//! Its standard input is a pipe from here. As long as that is open, it obeys: `kill`, `start`. When it
//! closes, because the keeper is dropped or because this process ended in whatever way, the shell ends the
//! server and deletes its folder. It is in a process group of its own, so that Ctrl-C in a terminal, which
//! goes to a whole group, reaches neither it nor the server before this process has decided what to do.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Obeys, then cleans up. A paused server gets SIGCONT, or it could not end; one that does not end within
/// ten seconds is killed. The watch takes its `sleep` along: an orphan would be left for ten seconds.
const SCRIPT: &str = r#"
folder=$1; shift
start() { "$@" >> "$folder/log" 2>&1 < /dev/null & server=$!; echo "$server"; }
start "$@"
while read -r order; do
  case $order in
    kill) kill -KILL "$server"; wait "$server"; echo gone ;;
    start) start "$@" ;;
  esac
done 2> /dev/null
{
  kill -TERM "$server"; kill -CONT "$server"
  (trap 'kill $!; wait $!; exit' TERM; sleep 10 & wait $!; kill -KILL "$server") & watch=$!
  wait "$server"
  kill "$watch"; wait "$watch"
  rm -rf "$folder"
} 2> /dev/null
"#;

/// How much of a log an error shows.
const LOG_LINES: usize = 12;

/// The shell that looks after one server.
pub(crate) struct Keeper {
    shell: Child,
    /// `None` only while it is dropped.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
    server: u32,
}

impl Keeper {
    /// Starts `command` in `folder`, where its log goes too.
    pub(crate) fn start(
        command: &[String],
        environment: &[(&'static str, String)],
        folder: PathBuf,
    ) -> io::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "keeper"])
            .arg(&folder)
            .args(command)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = shell.stdin.take();
        let answers = BufReader::new(shell.stdout.take().expect("it was asked for"));
        let mut keeper = Self { shell, orders, answers, folder, server: 0 };
        keeper.server = keeper.hear_pid()?;
        Ok(keeper)
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> u32 {
        self.server
    }

    /// The server's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sends the server's process a signal.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        let pid = i32::try_from(self.server).ok().and_then(Pid::from_raw);
        Ok(kill_process(pid.ok_or(io::ErrorKind::NotFound)?, signal)?)
    }

    /// Kills the server and waits until it is gone.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.order("kill")?;
        self.hear().map(drop)
    }

    /// Starts the server again.
    pub(crate) fn start_again(&mut self) -> io::Result<()> {
        self.order("start")?;
        self.server = self.hear_pid()?;
        Ok(())
    }

    /// Whether the server's process is there and has not ended.
    pub(crate) fn is_alive(&self) -> bool {
        // The state stands behind the name, which is in brackets and may hold anything.
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.server)).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    }

    /// The last lines of the server's log.
    pub(crate) fn log(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    fn order(&mut self, order: &str) -> io::Result<()> {
        let orders = self.orders.as_mut().expect("open until it is dropped");
        writeln!(orders, "{order}")
    }

    fn hear(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim().to_owned()),
        }
    }

    fn hear_pid(&mut self) -> io::Result<u32> {
        self.hear()?.parse().map_err(io::Error::other)
    }
}

impl Drop for Keeper {
    /// Lets go and waits until everything is cleaned up.
    fn drop(&mut self) {
        self.orders = None;
        // If the shell itself is gone, there is nobody to wait for.
        let _ = self.shell.wait();
    }
}
