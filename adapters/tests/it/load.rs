//! Load on each real server, for a moment; and that what is left would be noticed.

use std::process::Command;

use libtest_mimic::{Failed, Trial};
use picklock::store::StoreKind;
use picklock_adapters::load::leftovers::{Footprint, Own};
use picklock_adapters::servers;

use crate::with_servers;

type Tested = Result<(), Failed>;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        with_servers("load::redis", &[StoreKind::Redis], || load("redis")),
        with_servers("load::etcd", &[StoreKind::Etcd], || load("etcd")),
        with_servers("load::zookeeper", &[StoreKind::ZooKeeper], || load("zookeeper")),
        with_servers("load::a_server_that_runs_is_noticed", &servers::STORES, running_server),
        Trial::test("load::an_open_file_and_a_child_are_noticed", own),
    ]
}

/// In a process of its own: other tests open files in this one.
fn load(store: &str) -> Tested {
    let output = Command::new(env!("CARGO_BIN_EXE_picklock-adapters"))
        .args(["load", "--clients", "16", "--seconds", "2", store])
        .output()?;
    let (told, error) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{told}{error}");
    assert!(told.contains("16 clients for 2 s") && told.contains(" 0 errors, 0 at once"), "{told}");
    assert!(told.contains("left: no process, no port, no file, no descriptor"), "{told}");
    Ok(())
}

fn running_server() -> Tested {
    for store in servers::STORES {
        let server = servers::start(store)?;
        let footprint = Footprint::of(&server)?;
        let left = footprint.left()?.join("\n");
        let (port, folder) = (server.address().port(), server.folder().display().to_string());
        assert!(left.contains(&format!("process {} ", server.pid())), "{left}");
        assert!(left.contains(&format!("port {port},")), "{left}");
        assert!(left.contains(&format!("the folder {folder}")), "{left}");
        drop(server);
        assert_eq!(footprint.left()?, Vec::<String>::new());
    }
    Ok(())
}

fn own() -> Tested {
    let before = Own::look()?;
    let file = tempfile::NamedTempFile::new()?;
    let mut child = Command::new("cat").stdin(std::process::Stdio::piped()).spawn()?;
    let added = before.added()?.join("\n");
    drop(child.stdin.take());
    child.wait()?;
    assert!(added.contains(&file.path().display().to_string()), "{added}");
    assert!(added.contains(&format!("process {} (", child.id())), "{added}");
    Ok(())
}
