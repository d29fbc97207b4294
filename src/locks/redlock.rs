//! What the Redlock family has in common: several servers that know nothing of each other, asked all at
//! once, and their votes.
//!
//! Each server gets the same record; whoever has it on more than half of them holds the lock. The members of the
//! family differ in what they do around that: when they stop waiting for votes, whether they look at the
//! clock afterwards, and when they give back what they got in vain. So asking is here and the rest is theirs.
//!
//! Each server has one connection, and requests to it wait their turn. One that is given up, by its time limit or
//! because enough votes are in, leaves its connection behind; the server may still carry it out.
//!
//! Source: redis-doc `distributed-locks.md` and the libraries that the locks' own files name.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use picklock_models::redis::Reply;
use picklock_models::time::SteadyTime;
use picklock_sim::env::{Env, Together};
use picklock_sim::signal::Signal;
use tokio::sync::Mutex;

use super::hold::{COMPARE_AND_DELETE, draw_token, yes_or_no};
use super::renewal::{self, Renewing};
use crate::client::{Client, Script, unexpected};
use crate::lock::{Grant, LockContext, LockError, LockParams, Renewal};

/// The usual allowance for clocks of other rates: one percent of the lease ([`LockParams::drift_ppm`] says
/// otherwise). node-redlock, redsync and rslock have it as their default; the documentation names no number.
const DEFAULT_DRIFT_PPM: u32 = 10_000;

/// What most of the family add to that for the precision of Redis' expiry.
pub(super) const EXPIRY_PRECISION: Duration = Duration::from_millis(2);

/// What one server says to whether it did what it was asked.
pub(super) type Vote = Result<bool, LockError>;

/// The servers of one lock, as one client sees them; clones share its connections.
#[derive(Clone)]
pub(super) struct Nodes<E: Env> {
    pub(super) context: LockContext<E>,
    nodes: Vec<Node<E>>,
    /// The value that the present attempts store.
    token: Rc<str>,
}

impl<E: Env> Nodes<E> {
    pub(super) fn new(context: LockContext<E>) -> Self {
        let mut nodes = Self { nodes: Vec::new(), token: Rc::from(""), context };
        nodes.reconnect();
        nodes
    }

    /// Further connections to the same servers, for the same token, as a task of its own has them.
    pub(super) fn again(&self) -> Self {
        let mut nodes = Self::new(self.context.clone());
        nodes.use_token(&self.token);
        nodes
    }

    /// Leaves all connections and whatever is still under way on them.
    pub(super) fn reconnect(&mut self) {
        let connect = |address: &String| Node::new(&self.context, address, &self.token);
        self.nodes = self.context.servers.iter().map(connect).collect();
    }

    /// A new random value for the attempts that follow.
    pub(super) fn draw_token(&mut self) {
        let mut token = String::new();
        draw_token(&self.context.env, &mut token);
        self.use_token(&Rc::from(token));
    }

    fn use_token(&mut self, token: &Rc<str>) {
        self.token = Rc::clone(token);
        for node in &mut self.nodes {
            node.token = Rc::clone(token);
        }
    }

    /// Asks every server at once, each for at most `limit`, until `enough` says that the votes so far will do or
    /// all are in. Dropping the second value gives up those that are not.
    pub(super) async fn ask<F: Future<Output = Vote> + 'static>(
        &self,
        limit: Duration,
        ask: impl Fn(Node<E>) -> F,
        enough: impl Fn(&Votes) -> bool,
    ) -> (Votes, Together<'static, Vote>) {
        let votes = self.nodes.iter().map(|node| {
            let (env, vote) = (self.context.env.clone(), ask(node.clone()));
            async move {
                let no_answer = |elapsed| Err(LockError::Indefinite(format!("{elapsed}")));
                env.timeout(limit, vote).await.unwrap_or_else(no_answer)
            }
        });
        let mut voting = Together::new(votes);
        let mut votes = Votes::of(self.nodes.len());
        while !enough(&votes) {
            let Some((_, vote)) = voting.next().await else { break };
            votes.count(&vote);
        }
        (votes, voting)
    }

    /// As [`Nodes::ask`], until all votes are in.
    pub(super) async fn ask_all<F: Future<Output = Vote> + 'static>(
        &self,
        limit: Duration,
        ask: impl Fn(Node<E>) -> F,
    ) -> Votes {
        self.ask(limit, ask, |_| false).await.0
    }

    /// The answer to a release, of every server: whether more than half of them still had the record.
    pub(super) async fn release(&self, limit: Duration) -> Result<bool, LockError> {
        self.ask_all(limit, Node::release).await.carried()
    }

    /// Starts a task that prolongs a lease just granted on more than half of the servers, every third of it and at
    /// most so many times, by `script`; it sets the grant's `lost` when it cannot. The grant has no deadline of its
    /// own then. The task has connections of its own, so that a release need not wait for it.
    pub(super) fn keep_extending(
        &self,
        granted: Grant,
        script: &'static Script,
        lease: Duration,
        at_most: Option<u32>,
    ) -> (Grant, Extending) {
        let nodes = self.again();
        let env = self.context.env.clone();
        let params = self.context.params;
        let limit = params.request_timeout();
        let until = Rc::new(Cell::new(granted.deadline.expect("what several granted has an end")));
        let every = params.renew_every_ms.map_or(params.ttl() / 3, Duration::from_millis);
        let rules = Renewing { every, lease, at_most, until: Rc::clone(&until) };
        let extend = async move || {
            let end = env.steady() + lease;
            match nodes.ask_all(limit, |node| node.run(script)).await.carried() {
                Ok(true) if env.steady() < end => Renewal::Done,
                Ok(false) => Renewal::Refused,
                // Prolonged, and over before it was known.
                Ok(true) | Err(_) => Renewal::Unknown,
            }
        };
        let grant = Grant { deadline: None, ..granted };
        let stop = renewal::keep(&self.context, rules, grant.lost.clone(), extend);
        (grant, Extending { until, stop })
    }
}

/// A grant that a task prolongs.
pub(super) struct Extending {
    /// Until when it is surely held.
    pub(super) until: Rc<Cell<SteadyTime>>,
    /// Ends the task.
    pub(super) stop: Signal,
}

/// One server of several, asked about the lock's record.
#[derive(Clone)]
pub(super) struct Node<E: Env> {
    client: Rc<Mutex<Client<E>>>,
    key: Rc<str>,
    token: Rc<str>,
    ttl_ms: Rc<str>,
}

impl<E: Env> Node<E> {
    fn new(context: &LockContext<E>, address: &str, token: &Rc<str>) -> Self {
        let time_limit = context.params.request_timeout();
        let client = Client::new(context.env.clone(), address, time_limit);
        Self {
            client: Rc::new(Mutex::new(client)),
            key: Rc::clone(&context.key),
            token: Rc::clone(token),
            ttl_ms: Rc::from(context.params.ttl_ms.to_string()),
        }
    }

    /// `SET key token NX PX ttl`; whether it was set.
    pub(super) async fn take(self) -> Vote {
        let (key, token) = (self.key.as_bytes(), self.token.as_bytes());
        let set: [&[u8]; 6] = [b"SET", key, token, b"NX", b"PX", self.ttl_ms.as_bytes()];
        match self.client.lock().await.call(&set).await? {
            Reply::Simple(_) => Ok(true),
            Reply::Null => Ok(false),
            reply => Err(unexpected(&reply)),
        }
    }

    /// Deletes the record if it holds the token; whether it did.
    pub(super) async fn release(self) -> Vote {
        self.run(&COMPARE_AND_DELETE).await
    }

    /// Whether the record holds the token.
    pub(super) async fn has(self) -> Vote {
        match self.client.lock().await.call(&[b"GET", self.key.as_bytes()]).await? {
            Reply::Bulk(stored) => Ok(stored == self.token.as_bytes()),
            Reply::Null => Ok(false),
            reply => Err(unexpected(&reply)),
        }
    }

    /// Runs a script on the key with the token and the lease in milliseconds; whether it answers more than 0.
    pub(super) async fn run(self, script: &'static Script) -> Vote {
        let args = [self.token.as_bytes(), self.ttl_ms.as_bytes()];
        yes_or_no(self.client.lock().await.eval(script, &[&self.key], &args).await?)
    }
}

/// What the servers said so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Votes {
    nodes: usize,
    /// Did it.
    yes: usize,
    /// Answered that they did not.
    no: usize,
    /// Certainly did not, but not by their own decision.
    failed: usize,
    /// May have done it.
    unknown: usize,
}

impl Votes {
    fn of(nodes: usize) -> Self {
        Self { nodes, yes: 0, no: 0, failed: 0, unknown: 0 }
    }

    fn count(&mut self, vote: &Vote) {
        match vote {
            Ok(true) => self.yes += 1,
            Ok(false) => self.no += 1,
            Err(LockError::Definite(_)) => self.failed += 1,
            Err(LockError::Indefinite(_)) => self.unknown += 1,
        }
    }

    /// More than half.
    fn quorum(&self) -> usize {
        self.nodes / 2 + 1
    }

    /// Whether more than half did it.
    pub(super) fn is_for(&self) -> bool {
        self.yes >= self.quorum()
    }

    /// Whether more than half refused, which has nothing to do with how many can be reached.
    pub(super) fn is_refused(&self) -> bool {
        self.no >= self.quorum()
    }

    /// Whether more than half did not do it as far as the caller knows, for whatever reason.
    pub(super) fn is_against(&self) -> bool {
        self.no + self.failed + self.unknown >= self.quorum()
    }

    /// Whether more than half did it, as one answer.
    pub(super) fn carried(&self) -> Result<bool, LockError> {
        match self.is_for() {
            true => Ok(true),
            false if self.yes + self.unknown < self.quorum() => Ok(false),
            false => Err(LockError::Indefinite(self.to_string())),
        }
    }

    /// The error of an attempt to get the lock that ended with these votes. Who was not answered may have left
    /// a record behind.
    pub(super) fn not_granted(&self) -> LockError {
        match self.unknown {
            0 => LockError::Definite(self.to_string()),
            _ => LockError::Indefinite(self.to_string()),
        }
    }
}

impl std::fmt::Display for Votes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { nodes, yes, no, .. } = self;
        write!(f, "{yes} of {nodes} servers for, {no} against")
    }
}

/// What clocks that run at another rate may take off a lease.
pub(super) fn drift(params: &LockParams) -> Duration {
    let ppm = params.drift_ppm.unwrap_or(DEFAULT_DRIFT_PPM);
    Duration::from_nanos(params.ttl_ms.saturating_mul(u64::from(ppm)))
}

/// A lease without what must be taken off it: so long after it was asked for it is surely over on no server.
pub(super) fn sure_lease(params: &LockParams, off: Duration) -> Duration {
    params.ttl().saturating_sub(off)
}

/// A grant that its holder stops believing in then.
pub(super) fn until(deadline: SteadyTime) -> Grant {
    Grant { deadline: Some(deadline), ..Grant::default() }
}

/// How often in a row contenders may split the votes among them, so that nobody has more than half. The network
/// decides anew each time; four contenders rarely need three rounds.
const SPLIT_ROUNDS: u32 = 10;

/// The bound of a lock whose loser gives back at once what it got in vain. After the heal: what was stranded
/// lives for a lease, and a millisecond more by Redis' comparison; an attempt that began before it takes all
/// its time; then contenders may split the votes for some rounds, each an attempt with its release (two
/// answers of `attempt` at most) and the longest pause. It presupposes servers that answer within `attempt`: on a
/// network that is slower than this limit nobody ever gets the lock, fault or no fault.
pub(super) fn split_bound(params: &LockParams, attempt: Duration) -> Duration {
    let round = 2 * attempt + params.longest_retry();
    params.ttl() + Duration::from_millis(1) + round * (1 + SPLIT_ROUNDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn votes(answers: &[Vote]) -> Votes {
        let mut votes = Votes::of(5);
        answers.iter().for_each(|answer| votes.count(answer));
        votes
    }

    fn maybe() -> Vote {
        Err(LockError::Indefinite(String::new()))
    }

    fn refused_connection() -> Vote {
        Err(LockError::Definite(String::new()))
    }

    #[test]
    fn three_of_five_decide() {
        assert!(!votes(&[Ok(true), Ok(true)]).is_for());
        assert!(votes(&[Ok(true), Ok(false), Ok(true), maybe(), Ok(true)]).is_for());
        assert!(votes(&[Ok(false), maybe(), refused_connection()]).is_against());
        assert!(!votes(&[Ok(false), maybe(), refused_connection()]).is_refused());
        assert!(votes(&[Ok(false), Ok(true), Ok(false), Ok(false)]).is_refused());
    }

    #[test]
    fn an_answer_that_may_still_be_a_yes_leaves_it_open() {
        let two = [Ok(true), Ok(true), Ok(false), Ok(false)];
        assert_eq!(votes(&two).carried(), Ok(false));
        assert!(matches!(votes(&two).not_granted(), LockError::Definite(_)));
        let open = [Ok(true), Ok(true), Ok(false), Ok(false), maybe()];
        assert!(matches!(votes(&open).carried(), Err(LockError::Indefinite(_))));
        assert!(matches!(votes(&open).not_granted(), LockError::Indefinite(_)));
        let closed = [Ok(true), Ok(true), Ok(false), Ok(false), refused_connection()];
        assert_eq!(votes(&closed).carried(), Ok(false));
    }

    #[test]
    fn one_percent_of_a_second_is_ten_milliseconds() {
        let params = LockParams { ttl_ms: 1000, ..LockParams::default() };
        assert_eq!(drift(&params), Duration::from_millis(10));
        let off = drift(&params) + EXPIRY_PRECISION;
        assert_eq!(sure_lease(&params, off), Duration::from_millis(988));
        let short = LockParams { ttl_ms: 1, drift_ppm: Some(0), ..params };
        assert_eq!(sure_lease(&short, EXPIRY_PRECISION), Duration::ZERO);
    }
}
