//! Redisson's client and locks, where a scenario's verdict would not show it: what is sent again, who hears what,
//! and when.

use std::rc::Rc;
use std::time::Duration;

use picklock::client::redisson::{Redisson, Resend};
use picklock::engine::Engine;
use picklock::lock::{LockContext, LockError, LockParams};
use picklock::outcome::Outcome;
use picklock::pipeline;
use picklock::plan::Plan;
use picklock::scenario;
use picklock_models::model::{ChangeKind, Crash};
use picklock_models::redis::{Config, Redis, Reply};
use picklock_models::time::SteadyTime;
use picklock_sim::env::Env;
use picklock_sim::fault::{EventTrigger, Fault, Target, TimedFault, When};
use picklock_sim::history::{Event, Kind, Op, OpName, RecordName};
use picklock_sim::host::HostName;
use picklock_sim::seed::Seed;

use crate::stage::{self, CLIENT, Play, cut};
use crate::support::top;

const REDIS: Target = Target::Host(HostName::REDIS);

/// What a client does, told in a few words of what it saw.
trait Script: Copy + 'static {
    fn play<E: Env>(self, env: E, client: Redisson<E>) -> impl Future<Output = Vec<String>>;
}

/// A script with the client that it needs.
#[derive(Clone, Copy)]
struct WithClient<S>(S);

impl<S: Script> Play for WithClient<S> {
    async fn play<E: Env>(self, env: E) -> Vec<String> {
        let client = Redisson::new(&LockContext {
            env: env.clone(),
            servers: Rc::from(["redis:6379".to_owned()]),
            key: Rc::from("lock"),
            fence_key: Rc::from("fence"),
            params: LockParams::default(),
            on_renewal: Rc::new(|_| {}),
        });
        self.0.play(env, client).await
    }
}

fn play(script: impl Script, fault: Option<(u64, u64, Fault)>) -> Vec<String> {
    let redis = (HostName::REDIS, 6379);
    stage::play::<Redis>(redis, &Config::default(), WithClient(script), fault)
}

fn word(result: Result<Reply, LockError>) -> String {
    match result {
        Ok(Reply::Integer(number)) => number.to_string(),
        Ok(reply) => format!("{reply:?}"),
        Err(LockError::Definite(_)) => "definite".to_owned(),
        Err(LockError::Indefinite(_)) => "indefinite".to_owned(),
    }
}

async fn sleep_until<E: Env>(env: &E, then: SteadyTime) {
    env.sleep(then.since(env.steady())).await;
}

#[derive(Clone, Copy)]
struct Counts(Resend);

impl Script for Counts {
    /// Counts up in the first and in the second second, and says how long the second time took, in tenths of one.
    async fn play<E: Env>(self, env: E, client: Redisson<E>) -> Vec<String> {
        let start = env.steady();
        let mut seen = vec![word(client.call(self.0, &[b"INCR", b"n"]).await)];
        sleep_until(&env, start + Duration::from_secs(1)).await;
        let begin = env.steady();
        seen.push(word(client.call(self.0, &[b"INCR", b"n"]).await));
        seen.push(format!("{} tenths", env.steady().since(begin).as_millis() / 100));
        env.sleep(Duration::from_secs(10)).await;
        seen.push(word(client.call(self.0, &[b"GET", b"n"]).await));
        seen
    }
}

#[test]
fn a_command_without_an_answer_is_sent_again_or_not() {
    let deaf = Some((900, 600, cut(true, REDIS, CLIENT)));
    // Half a second for the answer, a sixth to a third of one for the pause; counted twice, or once.
    let [first, second, took, last] = &play(Counts(Resend::Allowed), deaf)[..] else {
        panic!("four words")
    };
    assert_eq!([first.as_str(), second, last], ["1", "3", "Bulk(b\"3\")"]);
    assert!(["6 tenths", "7 tenths", "8 tenths"].contains(&took.as_str()), "{took}");
    assert_eq!(play(Counts(Resend::Never), deaf), ["1", "indefinite", "5 tenths", "Bulk(b\"2\")"]);
}

#[test]
fn what_could_not_be_sent_is_tried_again_by_all() {
    let kill = Fault::Crash { host: REDIS, how: Crash::ProcessKill };
    for resend in [Resend::Allowed, Resend::Never] {
        // Down before the first command: nothing is connected yet.
        let seen = play(Counts(resend), Some((0, 600, kill)));
        assert_eq!([&seen[0], &seen[1]], ["1", "2"], "{resend:?}");
    }
    let for_long = Some((0, 20_000, kill));
    assert_eq!(play(Counts(Resend::Never), for_long)[0], "definite");
}

#[test]
fn a_refusal_after_an_attempt_in_doubt_proves_nothing() {
    let broken = Some((0, 900, Fault::Reset { from: REDIS, to: CLIENT }));
    let seen = play(Asks, broken);
    assert_eq!(seen, ["indefinite", "definite"]);
}

#[derive(Clone, Copy)]
struct Asks;

impl Script for Asks {
    /// Sends twice what the server refuses.
    async fn play<E: Env>(self, _: E, client: Redisson<E>) -> Vec<String> {
        let mut seen = Vec::new();
        for _ in 0..2 {
            seen.push(word(client.call(Resend::Allowed, &[b"INCR"]).await));
        }
        seen
    }
}

#[derive(Clone, Copy)]
struct Listens;

impl Script for Listens {
    /// Hears what is published in the first second, and in the fourth; not what is after it has stopped listening.
    async fn play<E: Env>(self, env: E, client: Redisson<E>) -> Vec<String> {
        let (start, mut seen) = (env.steady(), Vec::new());
        let subscription = match client.subscribe("news").await {
            Ok(subscription) => subscription,
            Err(error) => return vec![error.to_string()],
        };
        for second in [1, 4] {
            sleep_until(&env, start + Duration::from_secs(second)).await;
            let told = client.call(Resend::Allowed, &[b"PUBLISH", b"news", b"0"]).await;
            seen.push(word(told));
            let heard = env.timeout(Duration::from_millis(100), subscription.message()).await;
            seen.push(if heard.is_ok() { "heard" } else { "nothing" }.to_owned());
        }
        drop(subscription);
        env.sleep(Duration::from_millis(100)).await;
        seen.push(word(client.call(Resend::Allowed, &[b"PUBLISH", b"news", b"0"]).await));
        seen
    }
}

#[test]
fn a_subscription_survives_its_connection() {
    let calm = ["1", "heard", "1", "heard", "0"];
    assert_eq!(play(Listens, None), calm);
    let kill = Fault::Crash { host: REDIS, how: Crash::ProcessKill };
    assert_eq!(play(Listens, Some((1500, 300, kill))), calm);
    // One that dies without a word is found out by a probe, ten time limits after it was last heard of: too late.
    let unplugged = Fault::Crash { host: REDIS, how: Crash::PowerLoss };
    let seen = play(Listens, Some((1500, 300, unplugged)));
    assert_eq!(seen.last().map(String::as_str), Some("0"));
}

#[test]
fn a_subscription_that_nobody_confirms_ends() {
    let deaf = Some((0, 20_000, cut(true, REDIS, CLIENT)));
    let seen = play(Listens, deaf);
    assert_eq!(seen, ["certainly did not happen: redis:6379: subscription timed out"]);
}

/// Those that are told when the lock is free.
const WAITING: [&str; 4] = ["redisson-rlock", "redisson-fenced", "redisson-fair", "redisson-rw"];

/// A run of a lock, changed in some way.
fn run(contender: &str, change: impl FnOnce(&mut Plan)) -> Outcome {
    let scenario = scenario::load(&top().join("scenarios/smoke/no-faults.toml"));
    let scenario = scenario.unwrap_or_else(|error| panic!("{error:?}"));
    let mut plan = scenario.plan(contender.parse().expect("a contender"), Seed(1));
    change(&mut plan);
    pipeline::run(&plan, Engine::Event).expect("a world that runs")
}

fn is_grant(event: &Event) -> bool {
    event.kind == Kind::Ok && matches!(event.op, Op::Acquire { .. })
}

fn freed(event: &Event) -> bool {
    matches!(event.op, Op::Record { record: RecordName::Lock, change: ChangeKind::Deleted, .. })
}

#[test]
fn who_waits_is_told_and_does_not_poll() {
    for lock in WAITING {
        // Whoever would poll would be seen by this pause.
        let outcome = run(lock, |plan| plan.lock.retry_ms = 3000);
        assert_eq!(outcome.violations().count(), 0, "{lock}");
        let mut last = None;
        let mut grants = 0;
        for event in &outcome.history.events {
            if freed(event) {
                last = Some(event.at);
            } else if is_grant(event) {
                grants += 1;
                let waited = last.map_or(Duration::ZERO, |last| event.at.since(last));
                // The news, and one question with its answer, or a round of thinking; or a waiter that has just
                // come, subscribes, and asks.
                assert!(waited <= Duration::from_millis(110), "{lock}: {waited:?}");
            }
        }
        assert!(grants > 100, "{lock}: {grants} grants");
    }
}

#[test]
fn a_dead_holder_keeps_the_lock_for_the_rest_of_its_lease() {
    for lock in WAITING {
        let crash = Fault::Crash { host: Target::Holder, how: Crash::ProcessKill };
        let trigger = EventTrigger {
            op: OpName::Acquire,
            kind: Kind::Ok,
            process: None,
            nth: 1,
            after_ms: 0,
        };
        let dies = TimedFault { when: When::Event(trigger), lasting_ms: None, fault: crash };
        let outcome = run(lock, |plan| plan.world.faults = vec![dies]);
        let events = &outcome.history.events;
        let dead = events.iter().find(|event| event.op == Op::Crashed).expect("it dies");
        let next = events.iter().find(|event| is_grant(event) && event.at > dead.at);
        let waited_ms = next.expect("another").at.since(dead.at).as_millis();
        // A lease of a second from the grant at the server, and the way there and back.
        assert!((970..=1060).contains(&waited_ms), "{lock}: {waited_ms} ms");
        assert_eq!(outcome.violations().count(), 0, "{lock}");
    }
}

#[test]
fn a_long_hold_is_prolonged_every_third_of_the_lease() {
    for lock in WAITING {
        let outcome = run(lock, |plan| plan.workload.hold_ms = 2500);
        assert_eq!(outcome.violations().count(), 0, "{lock}");
        let first = outcome.history.events.iter().position(is_grant).expect("a grant");
        let until = outcome.history.events.iter().position(freed).expect("a release");
        let renewed = outcome.history.events[first..until].iter();
        let renewals = renewed.filter(|event| event.kind == Kind::Ok && event.op == Op::RENEW);
        assert_eq!(renewals.count(), 7, "{lock}");
    }
}
