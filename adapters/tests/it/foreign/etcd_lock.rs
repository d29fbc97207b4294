//! A lock on etcd-client under faults: tonic's tasks stand still in a pause, its channel connects anew after a
//! crash, and every run repeats.

use std::time::Duration;

use etcd_client::{Client, Compare, CompareOp, Error, PutOptions, Txn, TxnOp};
use libtest_mimic::{Failed, Trial};
use picklock::foreign::Foreign;
use picklock::pipeline::run_lock;
use picklock::prelude::*;
use picklock::property::Property;
use picklock::store::StoreKind;
use tonic::Code;

use super::Tested;
use super::etcd_client::{code, connect};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("foreign::etcd_lock::a_pause_that_outlives_the_lease_is_found", found),
        Trial::test("foreign::etcd_lock::with_fencing_it_is_safe_and_repeats", fenced),
    ]
}

fn property() -> Property<EtcdClientLock> {
    picklock::property::<EtcdClientLock>().engine(Engine::Turmoil).without_regressions()
}

fn found() -> Tested {
    let broken = property()
        .claims(&[Claim::ExclusiveBelief])
        .guarding(ResourceKind::Shop)
        .families(["process-pause"])
        .plans(30)
        .run()
        .err()
        .and_then(|broken| broken.claim())
        .ok_or("no pause did any harm")?;
    assert_eq!(broken.cause.to_string(), "process pause of a client");
    assert_eq!(broken.example.plan.world.faults.len(), 1);
    let again = run_lock::<EtcdClientLock>(&broken.example.plan, Engine::Turmoil)?;
    assert_eq!(again.history.digest, broken.example.history.digest);
    Ok(())
}

/// Some plans are run twice, and the test fails if one does not repeat.
fn fenced() -> Tested {
    let families =
        ["process-pause", "server-pause", "crash", "partition", "restart-kill", "slow-process"];
    let account = property().families(families).plans(60).run()?;
    assert!(account.families.iter().all(|family| family.struck > 0), "{:?}", account.families);
    Ok(())
}

/// A key under a lease of its own; the revision that created it is the fencing token.
struct EtcdClientLock;

impl Algorithm for EtcdClientLock {
    const NAME: &'static str = "etcd-client-lock";
    const ABOUT: &'static str = "a leased key by transaction, over etcd-client";
    const CLAIMS: &'static [Claim] = &[Claim::FenceMonotonic, Claim::ReleaseSafe];
    const STORE: StoreKind = StoreKind::Etcd;
    const FENCED: bool = true;

    fn recovery_bound(_: &LockParams) -> Option<Duration> {
        None
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Handle { context, client: None, lease: None }
    }
}

struct Handle<E> {
    context: LockContext<E>,
    client: Option<Client>,
    /// Of the key that it holds.
    lease: Option<i64>,
}

impl<E: Env> Handle<E> {
    /// One call, over a new connection after each error.
    async fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(&mut Client) -> Result<T, Error>,
    ) -> Result<T, LockError> {
        let LockContext { env, servers, params, .. } = &self.context;
        let client = &mut self.client;
        let calling = async {
            if client.is_none() {
                *client = Some(connect(&Foreign::new(env), &servers[0]).await?);
            }
            Ok::<T, Failed>(call(client.as_mut().expect("it was just set")).await?)
        };
        let answered = env.timeout(params.request_timeout(), calling).await;
        let answered = answered.map_err(|late| late.to_string());
        let result = answered.and_then(|result| result.map_err(|failed| format!("{failed:?}")));
        result.map_err(|error| {
            self.client = None;
            LockError::Indefinite(error)
        })
    }
}

impl<E: Env> Lock for Handle<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let ttl_s = self.context.params.ttl_ms.div_ceil(1000) as i64;
        let key = self.context.key.to_string();
        loop {
            let lease = self.call(async |client| client.lease_grant(ttl_s, None).await).await?.id();
            let put = TxnOp::put(&*key, "", Some(PutOptions::new().with_lease(lease)));
            let free = Compare::create_revision(&*key, CompareOp::Equal, 0);
            let create = Txn::new().when([free]).and_then([put]);
            let answer = self.call(async |client| client.txn(create).await).await?;
            if answer.succeeded() {
                self.lease = Some(lease);
                let token = answer.header().map(|header| header.revision() as u64);
                return Ok(Grant { token, ..Grant::default() });
            }
            self.call(async |client| client.lease_revoke(lease).await).await?;
            self.context.params.pause_before_retry(&self.context.env).await;
        }
    }

    async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
        Ok(true)
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        let Some(lease) = self.lease.take() else { return Ok(false) };
        self.call(async |client| match client.lease_revoke(lease).await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some(Code::NotFound) => Ok(false),
            Err(error) => Err(error),
        })
        .await
    }
}
