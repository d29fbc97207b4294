//! The client of etcd against the model of etcd, in a simulated world with faults.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use picklock::client::etcd::{CallError, Client, Session, request, revision};
use picklock::lock::{LockError, Renewal};
use picklock_models::etcd::{Code, Config, Etcd};
use picklock_models::model::Crash;
use picklock_sim::env::Env;
use picklock_sim::fault::{Fault, Target};
use picklock_sim::host::HostName;

use crate::stage::{CLIENT, Play, cut, play};

const ETCD: Target = Target::Host(HostName::ETCD);
/// One call's time limit.
const LIMIT: Duration = Duration::from_millis(500);

/// What a client does, told in a few lines of what it saw.
trait Script: Copy + 'static {
    fn play<E: Env>(self, env: E, client: Client<E>) -> impl Future<Output = Vec<String>>;
}

/// A script with the client that it needs.
#[derive(Clone, Copy)]
struct WithClient<S>(S);

impl<S: Script> Play for WithClient<S> {
    async fn play<E: Env>(self, env: E) -> Vec<String> {
        let client = Client::new(env.clone(), "etcd:2379", LIMIT);
        self.0.play(env, client).await
    }
}

fn run(script: impl Script, fault: Option<(u64, u64, Fault)>) -> Vec<String> {
    play::<Etcd>((HostName::ETCD, 2379), &Config::default(), WithClient(script), fault)
}

const KEY: Bytes = Bytes::from_static(b"key");

fn word<A>(result: Result<A, CallError>) -> String {
    match result.map_err(LockError::from) {
        Ok(_) => "done".to_owned(),
        Err(LockError::Definite(_)) => "definite".to_owned(),
        Err(LockError::Indefinite(_)) => "indefinite".to_owned(),
    }
}

async fn version<E: Env>(client: &Client<E>) -> String {
    match client.range(&request::get(&KEY)).await {
        Ok(found) => format!("version {}", found.kvs.first().map_or(0, |kv| kv.version)),
        Err(error) => error.to_string(),
    }
}

#[derive(Clone, Copy)]
struct PutsAllAlong;

impl Script for PutsAllAlong {
    /// Three puts, in the first, second and third second.
    async fn play<E: Env>(self, env: E, client: Client<E>) -> Vec<String> {
        let mut seen = Vec::new();
        for _ in 0..3 {
            let begin = env.steady();
            seen.push(word(client.put(&request::put(&KEY, "", 0)).await));
            env.sleep(Duration::from_secs(1) - env.steady().since(begin)).await;
        }
        seen.push(version(&client).await);
        seen
    }
}

#[test]
fn an_answer_that_does_not_come_leaves_it_open_and_is_not_taken_for_the_next() {
    let seen = run(PutsAllAlong, Some((900, 800, cut(true, ETCD, CLIENT))));
    assert_eq!(seen, ["done", "indefinite", "done", "version 3"]);
}

#[test]
fn what_could_not_be_sent_did_not_happen() {
    let kill = Fault::Crash { host: ETCD, how: Crash::ProcessKill };
    let seen = run(PutsAllAlong, Some((900, 800, kill)));
    assert_eq!(seen, ["done", "definite", "done", "version 2"]);
}

#[derive(Clone, Copy)]
struct ReadsAtOnce;

impl Script for ReadsAtOnce {
    async fn play<E: Env>(self, env: E, client: Client<E>) -> Vec<String> {
        env.sleep(Duration::from_secs(1)).await;
        vec![version(&client).await]
    }
}

#[test]
fn a_read_that_finds_nobody_is_asked_again() {
    let kill = Fault::Crash { host: ETCD, how: Crash::ProcessKill };
    assert_eq!(run(ReadsAtOnce, Some((500, 800, kill))), ["version 0"]);
    assert_ne!(run(ReadsAtOnce, Some((500, 1500, kill))), ["version 0"], "within its time limit");
}

#[derive(Clone, Copy)]
struct KeepsASession;

async fn session_of<E: Env>(client: &Client<E>) -> (Session<E>, Rc<RefCell<Vec<Renewal>>>) {
    let told = Rc::<RefCell<Vec<Renewal>>>::default();
    let teller = Rc::clone(&told);
    let on_renewal = Rc::new(move |renewal| teller.borrow_mut().push(renewal));
    (client.session(2, on_renewal).await.expect("nothing is broken yet"), told)
}

impl Script for KeepsASession {
    /// Holds a session until it is over, but no longer than ten seconds.
    async fn play<E: Env>(self, env: E, client: Client<E>) -> Vec<String> {
        let begin = env.steady();
        let (session, told) = session_of(&client).await;
        let ended = env.timeout(Duration::from_secs(10), session.done().wait()).await.is_ok();
        let at_ms = env.steady().since(begin).as_millis() / 100 * 100;
        let done = told.borrow().iter().filter(|renewal| **renewal == Renewal::Done).count();
        let last = told.borrow().last().copied();
        let left = client.lease_time_to_live(session.lease()).await.map(|left| left.ttl);
        vec![
            format!("over: {ended}, at {at_ms} ms"),
            format!("{done} renewals, then {last:?}, left {left:?}"),
        ]
    }
}

#[test]
fn a_session_lives_as_long_as_its_client() {
    let seen = run(KeepsASession, None);
    // A third of two seconds after each answer, but looked at every half second: once a second.
    assert!(seen[0].starts_with("over: false, at 10000 ms"), "{seen:?}");
    assert!(seen[1].starts_with("10 renewals, then Some(Done), left Ok(1)"), "{seen:?}");
}

#[test]
fn a_session_that_is_not_answered_ends_a_lease_and_up_to_a_second_later() {
    let seen = run(KeepsASession, Some((3500, 20_000, cut(false, CLIENT, ETCD))));
    // The last answer came just after 3 s, so the time is up just after 5 s; the look-out comes every second.
    assert!(seen[0].starts_with("over: true, at 6000 ms"), "{seen:?}");
    assert!(seen[1].starts_with("4 renewals, then Some(Unknown)"), "{seen:?}");
}

#[test]
fn a_session_whose_lease_is_gone_ends_with_the_next_answer() {
    let seen = run(KeepsASession, Some((3500, 2600, Fault::Pause { host: ETCD })));
    assert!(seen[0].starts_with("over: true, at 6000 ms"), "{seen:?}");
    let seen = run(KeepsASession, Some((3500, 2400, Fault::Pause { host: ETCD })));
    assert!(seen[0].starts_with("over: true, at 5900 ms"), "{seen:?}");
    assert!(seen[1].ends_with("then Some(Refused), left Ok(-1)"), "{seen:?}");
}

#[derive(Clone, Copy)]
struct WaitsForAKey;

impl Script for WaitsForAKey {
    /// Waits for a key that goes with its lease, which was given back in the fifth second.
    async fn play<E: Env>(self, env: E, client: Client<E>) -> Vec<String> {
        let begin = env.steady();
        let (session, _) = session_of(&client).await;
        let put = client.put(&request::put(&KEY, "", session.lease())).await;
        let from = put.map_or(0, |put| revision(put.header));
        let (closer, sleeper) = (client.clone(), env.clone());
        env.spawn(async move {
            sleeper.sleep(Duration::from_secs(5)).await;
            let _ = closer.lease_revoke(session.lease()).await;
        });
        let waited = word(client.wait_delete(&KEY, from).await);
        let at_s = env.steady().since(begin).as_secs();
        let unknown =
            client.lease_revoke(7).await.err().is_some_and(|error| error.is(Code::NotFound));
        vec![format!("{waited} at {at_s} s, unknown lease: {unknown}")]
    }
}

#[test]
fn a_watch_goes_on_after_its_connection_broke() {
    assert_eq!(run(WaitsForAKey, None), ["done at 5 s, unknown lease: true"]);
    for how in [Crash::ProcessKill, Crash::PowerLoss] {
        let crash = Fault::Crash { host: ETCD, how };
        let seen = run(WaitsForAKey, Some((2000, 1000, crash)));
        assert_eq!(seen, ["done at 5 s, unknown lease: true"]);
    }
}
