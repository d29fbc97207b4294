//! ZooKeeper behind the front end.

use std::io;
use std::rc::Rc;

use ::bytes::BytesMut;
use picklock_models::model::{Change, SessionId};
use picklock_models::time::HostTime;
use picklock_models::zookeeper::jute::MAX_FRAME;
use picklock_models::zookeeper::{Config, Disk, Reply, Request, ZooKeeper};

use super::bytes::ByteStore;
use super::line::ByteLine;
use super::{Front, Store};
use crate::env::Env;

impl Store for ZooKeeper {
    type Config = Config;
    type Line = ByteLine;

    fn boot(config: Config, disk: Disk, now: HostTime) -> Self {
        ZooKeeper::boot(config, disk, now)
    }

    fn loaded(&self, _: HostTime) -> Vec<Change> {
        ZooKeeper::loaded(self)
    }

    async fn talk<E: Env>(
        front: &Front<Self, E>,
        mut stream: E::Stream,
        session: SessionId,
        line: Rc<ByteLine>,
    ) -> io::Result<()> {
        front.talk_bytes(&mut stream, session, &line).await
    }
}

impl ByteStore for ZooKeeper {
    const INPUT_LIMIT: u64 = MAX_FRAME as u64;

    /// To what cannot be read the real server says nothing: it closes the connection.
    fn decode(&self, session: SessionId, input: &mut BytesMut) -> Result<Option<Request>, Reply> {
        ZooKeeper::decode(self, session, input).map_err(|_| Reply::Text(String::new()))
    }

    fn encode(reply: &Reply, output: &mut BytesMut) {
        reply.encode(output);
    }

    /// The real server knows no limit. No answer is as long; events that nobody reads may become so.
    fn output_limit(&self, _: SessionId) -> u64 {
        64 * 1024 * 1024
    }
}
