//! Redis behind the front end.

use std::io;
use std::rc::Rc;

use ::bytes::BytesMut;
use picklock_models::model::{Change, SessionId};
use picklock_models::redis::{Config, Disk, Redis, Reply, Request, resp};
use picklock_models::time::HostTime;

use super::bytes::ByteStore;
use super::line::ByteLine;
use super::{Front, Store};
use crate::env::Env;

impl Store for Redis {
    type Config = Config;
    type Line = ByteLine;

    fn boot(config: Config, disk: Disk, now: HostTime) -> Self {
        Redis::boot(config, disk, now)
    }

    fn loaded(&self, now: HostTime) -> Vec<Change> {
        Redis::loaded(self, now)
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

impl ByteStore for Redis {
    const INPUT_LIMIT: u64 = resp::MAX_REQUEST as u64;

    fn decode(&self, session: SessionId, input: &mut BytesMut) -> Result<Option<Request>, Reply> {
        Redis::decode(self, session, input).map_err(|error| error.reply())
    }

    fn output_limit(&self, session: SessionId) -> u64 {
        Redis::output_limit(self, session)
    }

    fn encode(reply: &Reply, output: &mut BytesMut) {
        resp::encode_reply(reply, output);
    }
}
