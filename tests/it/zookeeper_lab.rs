//! A world with one ZooKeeper server and two clients that do what a test tells them, and what they noted.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use picklock::client::curator::{Curator, CuratorSetup};
use picklock::client::zookeeper::{Setup, ZkHandle};
use picklock_models::model::Crash;
use picklock_models::time::SteadyTime;
use picklock_models::zookeeper::{Config, ZooKeeper};
use picklock_sim::cast::{Cast, Program};
use picklock_sim::env::Env;
use picklock_sim::event;
use picklock_sim::fault::{Cut, Fault, Target, TimedFault, When};
use picklock_sim::host::{HostName, Role};
use picklock_sim::plan::{HostPlan, Latency, WorldPlan};
use picklock_sim::recorder::Recorder;
use picklock_sim::seed::Seed;
use picklock_sim::serve::Server;

/// What the two clients do.
pub(crate) trait Scene: Clone + 'static {
    /// The one that the test is about.
    async fn play<E: Env>(self, desk: Desk<E>);

    /// The other one: nothing, if a test does not say.
    async fn play_other<E: Env>(self, desk: Desk<E>) {
        let _ = desk;
    }
}

/// What a client has at hand.
pub(crate) struct Desk<E> {
    pub(crate) env: E,
    began: SteadyTime,
    notes: Notes,
}

/// What was noted, and when, in milliseconds since the client's start.
type Notes = Rc<RefCell<Vec<(u64, String)>>>;

impl<E: Env> Desk<E> {
    pub(crate) fn note(&self, text: impl Into<String>) {
        let ms = self.env.steady().since(self.began).as_millis() as u64;
        self.notes.borrow_mut().push((ms, text.into()));
    }

    /// A closure that notes what it is told.
    fn noting<T: std::fmt::Debug + 'static>(&self) -> impl Fn(T) + 'static {
        let (env, began, notes) = (self.env.clone(), self.began, Rc::clone(&self.notes));
        move |told| {
            Desk { env: env.clone(), began, notes: Rc::clone(&notes) }.note(format!("{told:?}"))
        }
    }

    /// Begins a session; what becomes of it is noted, pings are not.
    pub(crate) fn session(&self, timeout_ms: u32) -> ZkHandle {
        self.session_with_pings(timeout_ms, |_| {})
    }

    pub(crate) fn session_with_pings(
        &self,
        timeout_ms: u32,
        on_ping: impl Fn(picklock::lock::Renewal) + 'static,
    ) -> ZkHandle {
        let setup = Setup {
            address: Rc::from("zookeeper:2181"),
            timeout_ms,
            on_event: Rc::new(self.noting()),
            on_ping: Rc::new(on_ping),
        };
        ZkHandle::start(&self.env, setup)
    }

    /// Begins a client of Curator's; its states are noted.
    pub(crate) fn curator(&self, timeout_ms: u32) -> Curator<E> {
        let setup = CuratorSetup {
            address: Rc::from("zookeeper:2181"),
            timeout_ms,
            on_state: Box::new(self.noting()),
            on_ping: Rc::new(|_| {}),
        };
        Curator::start(&self.env, setup)
    }

    pub(crate) async fn sleep(&self, ms: u64) {
        self.env.sleep(Duration::from_millis(ms)).await;
    }

    /// Sleeps until so many milliseconds after the start.
    pub(crate) async fn sleep_until(&self, ms: u64) {
        let since = self.env.steady().since(self.began);
        self.env.sleep(Duration::from_millis(ms).saturating_sub(since)).await;
    }
}

struct Lab<S> {
    server: Rc<Server<ZooKeeper>>,
    scene: S,
    notes: Notes,
}

impl<S: Scene> Cast for Lab<S> {
    fn boot<E: Env>(&self, host: HostName, env: E, recorder: Recorder) -> Program {
        let (server, scene) = (Rc::clone(&self.server), self.scene.clone());
        let began = env.steady();
        let desk = Desk { env: env.clone(), began, notes: Rc::clone(&self.notes) };
        Box::pin(async move {
            match (host.role, host.number) {
                (Role::Client, 1) => scene.play(desk).await,
                (Role::Client, _) => scene.play_other(desk).await,
                _ => server.serve(env, recorder, 2181).await.expect("the port is free"),
            }
        })
    }

    fn crashed(&self, host: HostName, how: Crash) {
        if host.is_store() {
            self.server.crashed(how);
        }
    }
}

/// Runs a scene for a minute, in a network where a message takes 5 ms and with ticks of a second. What was
/// noted, in order.
pub(crate) fn play(
    scene: impl Scene,
    faults: impl IntoIterator<Item = TimedFault>,
) -> Vec<(u64, String)> {
    let host = |name| HostPlan { name, wall_offset_ms: 0, rate_ppm: 0 };
    let plan = WorldPlan {
        seed: Seed(1),
        hosts: [HostName::ZOOKEEPER, HostName::client(1), HostName::client(2)].map(host).to_vec(),
        latency: Latency { min_us: 5000, max_us: 5000 },
        faults: faults.into_iter().collect(),
        heal_at_ms: 60_000,
        end_at_ms: 60_000,
    };
    let config = Config { tick_ms: 1000, ..Config::default() };
    let server = Rc::new(Server::new(HostName::ZOOKEEPER, config, Vec::new()));
    let notes = Notes::default();
    let lab = Lab { server, scene, notes: Rc::clone(&notes) };
    event::run(&plan, &lab).unwrap_or_else(|error| panic!("{error}"));
    notes.take()
}

/// Client 1 and the server are cut off from each other.
pub(crate) fn cut_off(at_ms: u64, lasting_ms: u64, cut: Cut) -> TimedFault {
    let (from, to) = (Target::Host(HostName::client(1)), Target::Host(HostName::ZOOKEEPER));
    let fault = Fault::Partition { from, to, one_way: false, cut };
    TimedFault { when: When::AtMs(at_ms), lasting_ms: Some(lasting_ms), fault }
}

/// The next bytes that the server sends to client 1 are lost, and the connection with them.
pub(crate) fn lose_reply(at_ms: u64) -> TimedFault {
    let (from, to) = (Target::Host(HostName::ZOOKEEPER), Target::Host(HostName::client(1)));
    TimedFault { when: When::AtMs(at_ms), lasting_ms: None, fault: Fault::Reset { from, to } }
}
