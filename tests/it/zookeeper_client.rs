//! The ZooKeeper client against the model: sessions, lost connections, watches, and Curator's layer.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use picklock::client::curator::Protection;
use picklock::client::zookeeper::{Mode, ZkError};
use picklock::lock::Renewal;
use picklock_models::zookeeper::Code;
use picklock_sim::env::Env;
use picklock_sim::fault::{Cut, Fault, Target, TimedFault, When};
use picklock_sim::host::HostName;
use picklock_sim::signal::Bell;

use crate::zookeeper_lab::{Desk, Scene, cut_off, lose_reply, play};

/// The texts of what was noted.
fn texts(notes: &[(u64, String)]) -> Vec<&str> {
    notes.iter().map(|(_, text)| &**text).collect()
}

/// When this was noted for the first time.
fn when(notes: &[(u64, String)], wanted: &str) -> u64 {
    let found = notes.iter().find(|(_, text)| text == wanted);
    found.unwrap_or_else(|| panic!("{wanted} is not among {notes:?}")).0
}

#[derive(Clone)]
struct Idle;

impl Scene for Idle {
    async fn play<E: Env>(self, desk: Desk<E>) {
        let pings = Rc::new(RefCell::new(Vec::new()));
        let told = Rc::clone(&pings);
        let zk = desk.session_with_pings(3000, move |ping| told.borrow_mut().push(ping));
        zk.create("/mine".into(), Mode::Ephemeral).await.expect("new");
        desk.sleep_until(20_500).await;
        let there = zk.exists("/mine", None).await.expect("connected").is_some();
        let pings = pings.take();
        let halves =
            [Renewal::Sent, Renewal::Done].map(|half| pings.iter().filter(|p| **p == half).count());
        desk.note(format!("{there} {halves:?} {}", zk.timeout_ms()));
    }
}

#[test]
fn an_idle_session_is_kept_alive_by_a_ping_every_third_of_its_timeout() {
    let notes = play(Idle, []);
    assert_eq!(texts(&notes), ["SyncConnected", "true [20, 20] 3000"]);
}

/// Notes what becomes of a session and of what is asked in it.
#[derive(Clone)]
struct Session {
    timeout_ms: u32,
}

impl Scene for Session {
    async fn play<E: Env>(self, desk: Desk<E>) {
        let zk = desk.session(self.timeout_ms);
        zk.create("/mine".into(), Mode::Ephemeral).await.expect("new");
        let session = zk.session();
        desk.sleep_until(30_000).await;
        let stat = zk.exists("/mine", None).await;
        let same = stat.map(|stat| stat.map(|stat| stat.ephemeral_owner == session.0));
        desk.note(format!("{same:?}"));
    }
}

#[test]
fn a_session_goes_on_over_the_next_connection() {
    let notes = play(Session { timeout_ms: 6000 }, [cut_off(1000, 500, Cut::Reset)]);
    let expected = ["SyncConnected", "Disconnected", "SyncConnected", "Ok(Some(true))"];
    assert_eq!(texts(&notes), expected);
    // The cut shows with the next ping, 2 s after the create.
    let (lost, back) = (notes[1].0, notes[2].0);
    assert!((1100..=2200).contains(&lost), "{notes:?}");
    // 1 s before the same server, up to 1 s by chance, and two round trips.
    assert!((1020..=2030).contains(&(back - lost)), "{notes:?}");
}

#[test]
fn a_silent_server_is_given_up_after_two_thirds_of_the_timeout() {
    let notes = play(Session { timeout_ms: 6000 }, [cut_off(1000, 20_000, Cut::Stall)]);
    // It heard the answer to its create, 4 s before.
    let lost = when(&notes, "Disconnected");
    assert!((4100..=4140).contains(&lost), "{notes:?}");
    // The server has ended the session long ago; the client hears it when it is back.
    assert!((21_000..=24_000).contains(&when(&notes, "Expired")), "{notes:?}");
    let last = notes.last().expect("there are notes");
    assert_eq!(last.1, "Err(SessionExpired { sent: false })");
}

/// Asks while its connection is lost.
#[derive(Clone)]
struct Lossy;

impl Scene for Lossy {
    async fn play<E: Env>(self, desk: Desk<E>) {
        let zk = desk.session(6000);
        zk.create("/a".into(), Mode::Persistent).await.expect("new");
        desk.sleep_until(1000).await;
        desk.note(format!("{:?}", zk.create("/b".into(), Mode::Persistent).await));
        // It was carried out all the same. This waits for the next connection.
        desk.note(format!("{:?}", zk.create("/b".into(), Mode::Persistent).await));
    }
}

#[test]
fn a_request_whose_answer_is_lost_may_have_happened() {
    let notes = play(Lossy, [lose_reply(1000)]);
    let expected = [
        "SyncConnected",
        "Disconnected",
        "Err(ConnectionLoss { sent: true })",
        "SyncConnected",
        "Err(Refused(NodeExists))",
    ];
    assert_eq!(texts(&notes), expected);
}

#[test]
fn what_was_never_sent_did_not_happen() {
    let refused = [lose_reply(1000), cut_off(1050, 4000, Cut::Reset)];
    let notes = play(Lossy, refused);
    assert!(texts(&notes).contains(&"Err(ConnectionLoss { sent: false })"), "{notes:?}");
    // Told of once, however many attempts fail.
    assert_eq!(texts(&notes).iter().filter(|text| **text == "Disconnected").count(), 1);
}

#[derive(Clone)]
struct Many;

impl Scene for Many {
    async fn play<E: Env>(self, desk: Desk<E>) {
        let zk = desk.session(6000);
        zk.create("/n".into(), Mode::Persistent).await.expect("new");
        let names = Rc::new(RefCell::new(Vec::new()));
        for _ in 0..10 {
            let (zk, names) = (zk.clone(), Rc::clone(&names));
            desk.env.spawn(async move {
                let node = zk.create("/n/".into(), Mode::EphemeralSequential).await.expect("new");
                names.borrow_mut().push(node.path);
            });
        }
        // One round trip for all of them, and no two of them mixed up.
        desk.sleep(11).await;
        let mut names = names.take();
        names.sort();
        names.dedup();
        desk.note(format!("{}", names.len()));
        // Who gives up leaves nothing that the next one could take for its own answer.
        let hasty =
            desk.env.timeout(Duration::from_millis(1), zk.create("/x".into(), Mode::Persistent));
        desk.note(format!("{}", hasty.await.is_err()));
        desk.note(format!("{:?}", zk.children("/n", None).await.map(|names| names.len())));
        desk.note(format!("{:?}", zk.create("/x".into(), Mode::Persistent).await));
    }
}

#[test]
fn requests_go_out_together_and_each_gets_its_own_answer() {
    let notes = play(Many, []);
    let expected = ["SyncConnected", "10", "true", "Ok(10)", "Err(Refused(NodeExists))"];
    assert_eq!(texts(&notes), expected);
}

#[derive(Clone)]
struct Leaver;

impl Scene for Leaver {
    async fn play<E: Env>(self, desk: Desk<E>) {
        let zk = desk.session(6000);
        zk.create("/mine".into(), Mode::Ephemeral).await.expect("new");
        zk.close().await;
        desk.note(format!("{} {:?}", zk.is_over(), zk.exists("/mine", None).await));
    }

    async fn play_other<E: Env>(self, desk: Desk<E>) {
        let zk = desk.session(6000);
        desk.sleep_until(100).await;
        desk.note(format!("{:?}", zk.exists("/mine", None).await));
    }
}

#[test]
fn a_session_that_is_closed_takes_its_nodes_with_it() {
    let notes = play(Leaver, []);
    assert!(texts(&notes).contains(&"true Err(SessionExpired { sent: false })"), "{notes:?}");
    assert_eq!(when(&notes, "Ok(None)"), 110, "{notes:?}");
    assert!(texts(&notes).contains(&"Closed"), "{notes:?}");
}

/// Watches a node while it is cut off, and another client changes it.
#[derive(Clone)]
struct Watcher {
    /// Whether the node is there at first.
    there: bool,
}

impl Scene for Watcher {
    async fn play<E: Env>(self, desk: Desk<E>) {
        let zk = desk.session(20_000);
        let bell = Bell::default();
        if self.there {
            zk.create("/node".into(), Mode::Persistent).await.expect("new");
        }
        zk.exists("/node", Some(&bell)).await.expect("connected");
        loop {
            bell.rung().await;
            desk.note("rung");
        }
    }

    async fn play_other<E: Env>(self, desk: Desk<E>) {
        let zk = desk.session(20_000);
        desk.sleep_until(2000).await;
        if !self.there {
            zk.create("/node".into(), Mode::Persistent).await.expect("new");
        }
        zk.delete("/node").await.expect("it is there");
        desk.sleep_until(10_000).await;
        zk.create("/node".into(), Mode::Persistent).await.expect("new");
    }
}

/// When the watcher was told something that is not the state of its session, which it is told at the same
/// moment. The other client's session is noted as well, at the beginning.
fn told_of_the_node(there: bool) -> Vec<u64> {
    let notes = play(Watcher { there }, [cut_off(1000, 2000, Cut::Reset)]);
    let states: Vec<u64> =
        notes.iter().filter(|(_, text)| text != "rung").map(|(ms, _)| *ms).collect();
    let rung = notes.iter().filter(|(ms, text)| text == "rung" && !states.contains(ms));
    rung.map(|(ms, _)| *ms).collect()
}

#[test]
fn a_deletion_that_was_missed_is_told_by_the_next_connection() {
    let told = told_of_the_node(true);
    // It was back some seconds after the cut, and the watch is used up then.
    assert!(matches!(told[..], [at] if (3000..=8000).contains(&at)), "{told:?}");
}

#[test]
fn what_came_and_went_meanwhile_is_missed_for_good() {
    let told = told_of_the_node(false);
    // The watch was set again: it goes off when the node comes the next time.
    assert!(matches!(told[..], [at] if (10_000..=10_100).contains(&at)), "{told:?}");
}

/// Notes the states that Curator tells, and a later request.
#[derive(Clone)]
struct States;

impl Scene for States {
    async fn play<E: Env>(self, desk: Desk<E>) {
        let curator = desk.curator(6000);
        curator
            .retrying(async |zk| zk.create("/mine".into(), Mode::Ephemeral).await)
            .await
            .expect("new");
        let session = curator.handle().session();
        desk.sleep_until(40_000).await;
        let stat = curator.retrying(async |zk| zk.exists("/mine", None).await).await;
        desk.note(format!(
            "{:?} {}",
            stat.map(|s| s.is_some()),
            curator.handle().session() == session
        ));
    }
}

#[test]
fn curator_tells_lost_one_timeout_after_suspended() {
    let notes = play(States, [cut_off(1000, 20_000, Cut::Stall)]);
    let expected = ["Connected", "Suspended", "Lost", "Reconnected", "Ok(false) false"];
    assert_eq!(texts(&notes), expected);
    let [suspended, lost, back] = ["Suspended", "Lost", "Reconnected"].map(|s| when(&notes, s));
    assert!((4100..=4140).contains(&suspended), "{notes:?}");
    assert_eq!(lost - suspended, 6000, "{notes:?}");
    assert!((21_000..=24_000).contains(&back), "{notes:?}");
}

#[test]
fn curator_keeps_its_session_over_a_short_cut() {
    let notes = play(States, [cut_off(1000, 1000, Cut::Reset)]);
    assert_eq!(texts(&notes), ["Connected", "Suspended", "Reconnected", "Ok(true) true"]);
}

/// `System.currentTimeMillis` decides.
#[test]
fn a_wall_clock_that_is_set_back_puts_lost_off() {
    let host = Target::Host(HostName::client(1));
    let back = TimedFault {
        when: When::AtMs(7000),
        lasting_ms: None,
        fault: Fault::WallStep { host, by_ms: -3000 },
    };
    let notes = play(States, [cut_off(1000, 20_000, Cut::Stall), back]);
    assert_eq!(when(&notes, "Lost") - when(&notes, "Suspended"), 9000, "{notes:?}");
}

/// Creates a node whose answer is lost.
#[derive(Clone)]
struct Protected;

impl Scene for Protected {
    async fn play<E: Env>(self, desk: Desk<E>) {
        let curator = desk.curator(6000);
        curator
            .retrying(async |zk| zk.create("/q".into(), Mode::Persistent).await)
            .await
            .expect("new");
        desk.sleep_until(1000).await;
        let own =
            curator.create_protected("/q", "lock-", Protection::OwnSession).await.expect("new");
        let names =
            curator.retrying(async |zk| zk.children("/q", None).await).await.expect("there");
        desk.note(format!("{}", names.len() == 1 && own.path.ends_with(&names[0])));
        desk.note(format!("{:?}", curator.delete_guaranteed(&own.path).await));
        desk.note(format!("{:?}", curator.delete_guaranteed(&own.path).await));
    }
}

#[test]
fn a_protected_create_knows_its_node_again() {
    let notes = play(Protected, [lose_reply(1000)]);
    let no_node = format!("Err({:?})", ZkError::Refused(Code::NoNode));
    let expected = ["Connected", "Suspended", "Reconnected", "true", "Ok(())", &no_node];
    assert_eq!(texts(&notes), expected);
}

/// Deletes a node while it is cut off.
#[derive(Clone)]
struct Deleter;

impl Scene for Deleter {
    async fn play<E: Env>(self, desk: Desk<E>) {
        let curator = desk.curator(20_000);
        curator
            .retrying(async |zk| zk.create("/q".into(), Mode::Persistent).await)
            .await
            .expect("new");
        desk.sleep_until(2000).await;
        let deleted = curator.delete_guaranteed("/q").await;
        desk.note(format!("{:?}", deleted.map_err(|error| error.was_sent())));
    }

    async fn play_other<E: Env>(self, desk: Desk<E>) {
        let zk = desk.session(6000);
        desk.sleep_until(55_000).await;
        desk.note(format!("{:?}", zk.exists("/q", None).await));
    }
}

#[test]
fn a_guaranteed_delete_is_carried_out_in_the_end() {
    let notes = play(Deleter, [cut_off(1000, 40_000, Cut::Reset)]);
    // The caller is told that it may have happened, and it happens when the connection is back.
    assert!(when(&notes, "Err(true)") < 41_000, "{notes:?}");
    assert!(when(&notes, "Ok(None)") > 55_000, "{notes:?}");
}
