//! The requests that locks make, each as one call.

use bytes::Bytes;
use picklock_models::zookeeper::records::{
    Acl, CreateRequest, SetDataRequest, Stat, VersionedPath, WatchedPath,
};
use picklock_models::zookeeper::{Answer, Code, Operation, Writes};
use picklock_sim::signal::Bell;

use super::{Created, ZkError, ZkHandle};

/// What becomes of a new node (`CreateMode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It stays.
    Persistent,
    /// It goes with its session.
    Ephemeral,
    /// The same, and its path gets a sequence number.
    EphemeralSequential,
    /// It goes some time after its last child has gone.
    Container,
}

/// Any version will do.
const ANY_VERSION: i32 = -1;

impl ZkHandle {
    /// Creates a node without data, which everybody may use.
    ///
    /// # Errors
    /// See [`ZkError`]; [`Code::NodeExists`] if it is there, [`Code::NoNode`] if its parent is not.
    pub async fn create(&self, path: String, mode: Mode) -> Result<Created, ZkError> {
        let (data, acl) = (Some(Bytes::new()), vec![Acl::open()]);
        let request = |flags| CreateRequest { path, data, acl, flags };
        // `create2`, as all of Curator's creates and those of the plain library with a stat.
        let operation = match mode {
            Mode::Persistent => Operation::Create2(request(0)),
            Mode::Ephemeral => Operation::Create2(request(1)),
            Mode::EphemeralSequential => Operation::Create2(request(3)),
            Mode::Container => Operation::CreateContainer(request(4)),
        };
        match self.call(operation).await? {
            Answer::Created(path, stat) => Ok(Created { path, stat }),
            answer => Err(unexpected(&answer)),
        }
    }

    /// Deletes a node, whatever its version.
    ///
    /// # Errors
    /// See [`ZkError`]; [`ZkError::NO_NODE`] if it is not there.
    pub async fn delete(&self, path: &str) -> Result<(), ZkError> {
        let request = VersionedPath { path: path.to_owned(), version: ANY_VERSION };
        self.call(Operation::Delete(request)).await.map(|_| ())
    }

    /// What is known of a node, if it is there. With a bell: rings it when that changes.
    ///
    /// # Errors
    /// See [`ZkError`].
    pub async fn exists(&self, path: &str, watch: Option<&Bell>) -> Result<Option<Stat>, ZkError> {
        match self.ask(Operation::Exists(watched(path, watch)), watch.cloned()).await {
            Ok(Answer::Stat(stat)) => Ok(Some(stat)),
            Ok(answer) => Err(unexpected(&answer)),
            Err(ZkError::Refused(Code::NoNode)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A node's data. With a bell: rings it when the data changes or the node goes; not if it is not there.
    ///
    /// # Errors
    /// See [`ZkError`].
    pub async fn data(&self, path: &str, watch: Option<&Bell>) -> Result<Bytes, ZkError> {
        match self.ask(Operation::GetData(watched(path, watch)), watch.cloned()).await? {
            Answer::Data(data, _) => Ok(data.unwrap_or_default()),
            answer => Err(unexpected(&answer)),
        }
    }

    /// The names of a node's children. With a bell: rings it when one comes or goes.
    ///
    /// # Errors
    /// See [`ZkError`].
    pub async fn children(&self, path: &str, watch: Option<&Bell>) -> Result<Vec<String>, ZkError> {
        match self.ask(Operation::GetChildren2(watched(path, watch)), watch.cloned()).await? {
            Answer::Children(names, _) => Ok(names),
            answer => Err(unexpected(&answer)),
        }
    }

    /// Sets a node's data if another node is still there in its first version: both or nothing.
    ///
    /// # Errors
    /// See [`ZkError`]; the code of the operation that failed.
    pub async fn set_data_if_there(
        &self,
        path: &str,
        data: Bytes,
        there: &str,
    ) -> Result<(), ZkError> {
        let check = VersionedPath { path: there.to_owned(), version: 0 };
        let set = SetDataRequest { path: path.to_owned(), data: Some(data), version: ANY_VERSION };
        let both = Writes(vec![Operation::Check(check), Operation::SetData(set)]);
        match self.call(Operation::Multi(both)).await? {
            Answer::Multi(results) => {
                let failed = |result: Result<Answer, Code>| result.err().filter(|c| *c != Code::Ok);
                match results.into_iter().find_map(|(_, result)| failed(result)) {
                    Some(code) => Err(ZkError::Refused(code)),
                    None => Ok(()),
                }
            }
            answer => Err(unexpected(&answer)),
        }
    }
}

fn watched(path: &str, watch: Option<&Bell>) -> WatchedPath {
    WatchedPath { path: path.to_owned(), watch: watch.is_some() }
}

fn unexpected(answer: &Answer) -> ZkError {
    ZkError::Unexpected(format!("{answer:?}"))
}
