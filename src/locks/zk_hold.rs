//! What the ZooKeeper locks have in common: what a holder is told while it holds, a session of the plain
//! library, and how long things take at the longest.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use picklock_models::zookeeper::records::Stat;
use picklock_sim::env::Env;
use picklock_sim::signal::Signal;

use crate::client::zookeeper::{SessionEvent, Setup, ZkError, ZkHandle};
use crate::lock::{Grant, LockContext, LockError, LockParams, OwnRecord, Renewal};
use crate::store::StoreKind;

/// What is told of a session while a grant is held: the loss of the lock to the worker, pings to the
/// history. A ping is what prolongs the session of an idle holder.
pub(super) struct Holding {
    on_renewal: Rc<dyn Fn(Renewal)>,
    lost: RefCell<Option<Signal>>,
    /// A ping was told of, and what became of it was not.
    pinged: Cell<bool>,
}

impl Holding {
    /// Nothing is held yet.
    pub(super) fn new(on_renewal: Rc<dyn Fn(Renewal)>) -> Rc<Self> {
        Rc::new(Self { on_renewal, lost: RefCell::default(), pinged: Cell::new(false) })
    }

    /// The node at `path` makes its client the holder.
    pub(super) fn begin(&self, path: &str, stat: &Stat) -> Grant {
        let record = Some(OwnRecord { key: Rc::from(path), created: stat.czxid.0 });
        let grant = Grant { record, ..Grant::default() };
        *self.lost.borrow_mut() = Some(grant.lost.clone());
        grant
    }

    /// The holder is told that it has lost the lock.
    pub(super) fn lose(&self) {
        if let Some(lost) = self.lost.take() {
            lost.set();
        }
    }

    /// Nothing is held any more.
    pub(super) fn end(&self) {
        self.lost.take();
        self.settle(Renewal::Unknown);
    }

    /// A ping was sent, or this became of it. While one is on its way, another one is no news.
    pub(super) fn ping(&self, renewal: Renewal) {
        if renewal != Renewal::Sent {
            self.settle(renewal);
        } else if self.lost.borrow().is_some() && !self.pinged.replace(true) {
            (self.on_renewal)(Renewal::Sent);
        }
    }

    fn settle(&self, renewal: Renewal) {
        if self.pinged.take() {
            (self.on_renewal)(renewal);
        }
    }
}

/// A client of the plain library: one session after the other.
pub(super) struct Sessions<E: Env> {
    pub(super) context: LockContext<E>,
    pub(super) holding: Rc<Holding>,
    handle: ZkHandle,
}

impl<E: Env> Sessions<E> {
    pub(super) fn new(context: LockContext<E>) -> Self {
        let holding = Holding::new(Rc::clone(&context.on_renewal));
        let handle = begin_session(&context, &holding);
        Self { context, holding, handle }
    }

    /// The present session. When one is over, the library tells its watcher so, and a program begins
    /// another one.
    pub(super) fn present(&mut self) -> ZkHandle {
        if self.handle.is_over() {
            self.handle = begin_session(&self.context, &self.holding);
        }
        self.handle.clone()
    }

    /// The session that there was last, over or not.
    pub(super) fn last(&self) -> &ZkHandle {
        &self.handle
    }

    /// Whether the node that made this client the holder is there, and still its own.
    pub(super) async fn holds(&self, grant: &Grant) -> Result<bool, LockError> {
        let Some(record) = grant.record.as_ref().filter(|_| !grant.lost.is_set()) else {
            return Ok(false);
        };
        Ok(is_own(&self.handle, &record.key).await?)
    }
}

fn begin_session<E: Env>(context: &LockContext<E>, holding: &Rc<Holding>) -> ZkHandle {
    let (holder, pinging) = (Rc::clone(holding), Rc::clone(holding));
    let setup = Setup {
        address: Rc::from(&*context.servers[0]),
        timeout_ms: timeout_ms(&context.params),
        // A lost connection is none of this library's business: it may come back in time.
        on_event: Rc::new(move |event| {
            if event == SessionEvent::Expired {
                holder.lose();
            }
        }),
        on_ping: Rc::new(move |renewal| pinging.ping(renewal)),
    };
    ZkHandle::start(&context.env, setup)
}

/// Whether the node is there and ends with this very session.
pub(super) async fn is_own(zk: &ZkHandle, path: &str) -> Result<bool, ZkError> {
    let stat = zk.exists(path, None).await?;
    Ok(stat.is_some_and(|stat| stat.ephemeral_owner == zk.session().0))
}

/// The session timeout to ask for, in milliseconds.
pub(super) fn timeout_ms(params: &LockParams) -> u32 {
    u32::try_from(params.ttl_ms).unwrap_or(u32::MAX)
}

/// How long after a heal a client has its connection again at the latest: it may have to see one attempt
/// fail that it had begun before, which takes the whole timeout for the socket and then the whole timeout for
/// the handshake; and there are the pauses of the library, 0.1 s after closing, 1 s before the same server
/// and less than 1 s by chance.
fn longest_way_back(params: &LockParams) -> Duration {
    2 * StoreKind::ZooKeeper.lease(params) + Duration::from_millis(100 + 1000 + 1000)
}

/// The bound of a lock of the plain library: somebody has come back and has made its next attempt. What the
/// dead have left is gone by then: their sessions end after one timeout from the last word that the server
/// heard of them, or from its own restart, and up to the end of the tick (`ExpiryQueue`); a tick is less than
/// those pauses.
pub(super) fn plain_bound(params: &LockParams) -> Duration {
    longest_way_back(params) + params.longest_retry()
}
