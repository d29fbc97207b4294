//! Cleans an etcd up between two conversations: no keys, no leases.

use std::io;
use std::net::SocketAddr;

use picklock_models::etcd::pb::etcdserverpb::{
    DeleteRangeRequest, LeaseLeasesRequest, LeaseRevokeRequest, PutRequest,
};
use picklock_models::etcd::rpc::{Request, Response};
use picklock_models::etcd::{Reply, StreamId};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::wire::Wire;

/// A client of its own, whose calls are numbered.
pub(super) struct Janitor {
    wire: Wire,
    outbox: UnboundedReceiver<(u64, Reply)>,
    calls: u32,
}

impl Janitor {
    pub(super) async fn enter(address: SocketAddr) -> io::Result<Self> {
        let (inbox, outbox) = unbounded_channel();
        Ok(Self { wire: Wire::open(address, 0, inbox).await?, outbox, calls: 0 })
    }

    /// The revision at which the next conversation begins. It is a new one: only so can the conversation
    /// begin with a compaction.
    pub(super) async fn clean(mut self) -> io::Result<i64> {
        if let Response::LeaseLeases(all) =
            self.ask(Request::LeaseLeases(LeaseLeasesRequest {})).await?
        {
            for lease in all.leases {
                let revoke = LeaseRevokeRequest { id: lease.id };
                // One that has just ended is as good.
                let _ = self.ask(Request::LeaseRevoke(revoke)).await;
            }
        }
        let put = PutRequest { key: "janitor".into(), ..PutRequest::default() };
        self.ask(Request::Put(put)).await?;
        let (key, range_end) = ([0][..].into(), [0][..].into());
        let all = DeleteRangeRequest { key, range_end, prev_kv: false };
        match self.ask(Request::DeleteRange(all)).await? {
            Response::DeleteRange(deleted) => {
                Ok(deleted.header.map_or(0, |header| header.revision))
            }
            other => Err(io::Error::other(format!("a deletion is answered by {other:?}"))),
        }
    }

    async fn ask(&mut self, request: Request) -> io::Result<Response> {
        self.calls += 1;
        self.wire.send(StreamId(self.calls), &request).await?;
        let mut answer = None;
        while let Some((_, reply)) = self.outbox.recv().await {
            match reply {
                Reply::Message(_, response) => answer = Some(response),
                Reply::End(_, status) => {
                    return answer.ok_or_else(|| io::Error::other(status.message.into_owned()));
                }
            }
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}
