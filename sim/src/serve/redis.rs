//! Redis behind the front end.

use bytes::BytesMut;
use picklock_models::model::Change;
use picklock_models::redis::{Config, Disk, Redis, Reply, Request, resp};
use picklock_models::time::HostTime;

use super::Store;

impl Store for Redis {
    type Config = Config;

    fn boot(config: Config, disk: Disk, now: HostTime) -> Self {
        Redis::boot(config, disk, now)
    }

    fn loaded(&self, now: HostTime) -> Vec<Change> {
        Redis::loaded(self, now)
    }

    fn decode(input: &mut BytesMut) -> Result<Option<Request>, Reply> {
        resp::decode_request(input).map_err(|error| error.reply())
    }

    fn encode(reply: &Reply, output: &mut BytesMut) {
        resp::encode_reply(reply, output);
    }
}
