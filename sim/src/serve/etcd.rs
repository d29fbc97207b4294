//! etcd behind the front end.

use std::io;
use std::rc::Rc;

use picklock_models::etcd::{Config, Disk, Etcd};
use picklock_models::model::{Change, SessionId};
use picklock_models::time::HostTime;

use super::grpc::{self, Calls};
use super::{Front, Store};
use crate::env::Env;

impl Store for Etcd {
    type Config = Config;
    type Line = Calls;

    fn boot(config: Config, disk: Disk, now: HostTime) -> Self {
        Etcd::boot(config, disk, now)
    }

    fn loaded(&self, _: HostTime) -> Vec<Change> {
        Etcd::loaded(self)
    }

    async fn talk<E: Env>(
        front: &Front<Self, E>,
        stream: E::Stream,
        session: SessionId,
        calls: Rc<Calls>,
    ) -> io::Result<()> {
        grpc::talk(front, stream, session, calls).await
    }
}
