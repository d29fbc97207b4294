//! Creating a node of one's own although the answer may be lost (`CreateBuilderImpl.java`,
//! `ProtectedMode.java`).
//!
//! The node's name begins with a random id. If the answer to the create is lost, the parent's children are
//! looked through for that id before it is created again: a second node would stand behind the first one
//! for ever, with nobody to delete it.

use picklock_models::zookeeper::Code;
use picklock_models::zookeeper::records::ZkSessionId;
use picklock_sim::env::Env;

use super::Curator;
use crate::client::zookeeper::{Created, Mode, ZkError, ZkHandle};

/// Whose node may be adopted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// One of the session in which the attempt began; an older session's is deleted. Since 4.2.
    OwnSession,
    /// Any with the right id, even if it will end with an older session (CURATOR-498; before 4.2).
    AnySession,
}

impl<E: Env> Curator<E> {
    /// Creates an ephemeral sequential node `<parent>/_c_<id>-<name><number>`, and its parents, if they
    /// are not there, as containers.
    ///
    /// # Errors
    /// See [`ZkError`]. If the connection stayed away, the node may have been created: it is looked for and
    /// deleted in the background.
    pub async fn create_protected(
        &self,
        parent: &str,
        name: &str,
        protection: Protection,
    ) -> Result<Created, ZkError> {
        let prefix = format!("_c_{}-", uuid(self.inner.env.random(), self.inner.env.random()));
        let path = format!("{parent}/{prefix}{name}");
        let mut first = true;
        let mut session = ZkSessionId(0);
        let created = self
            .retrying(async |zk| {
                if session.0 == 0 {
                    session = zk.session();
                }
                if !std::mem::replace(&mut first, false) {
                    let found = find(zk, parent, &prefix).await?;
                    let moved = protection == Protection::OwnSession && session != zk.session();
                    match found {
                        Some(found) if moved => self.delete_in_background(found.path),
                        Some(found) => return Ok(found),
                        None => {}
                    }
                    session = zk.session();
                }
                create_with_parents(zk, &path, parent).await
            })
            .await;
        if let Err(ZkError::ConnectionLoss { .. }) = created {
            self.find_and_delete_in_background(parent.to_owned(), prefix);
        }
        created
    }
}

/// The random UUID of these bits, as `java.util.UUID.randomUUID` makes and writes it.
fn uuid(high: u64, low: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    )
}

/// The child whose name begins like this. (Curator learns its path and no more; what else there is to know
/// is asked for here because grants tell it.)
pub(super) async fn find(
    zk: &ZkHandle,
    parent: &str,
    prefix: &str,
) -> Result<Option<Created>, ZkError> {
    let names = match zk.children(parent, None).await {
        Err(ZkError::NO_NODE) => return Ok(None),
        names => names?,
    };
    let Some(name) = names.into_iter().find(|name| name.starts_with(prefix)) else {
        return Ok(None);
    };
    let path = format!("{parent}/{name}");
    let stat = zk.exists(&path, None).await?;
    Ok(stat.map(|stat| Created { path, stat }))
}

async fn create_with_parents(zk: &ZkHandle, path: &str, parent: &str) -> Result<Created, ZkError> {
    match zk.create(path.to_owned(), Mode::EphemeralSequential).await {
        Err(ZkError::NO_NODE) => {}
        created => return created,
    }
    make_parents(zk, parent).await?;
    zk.create(path.to_owned(), Mode::EphemeralSequential).await
}

/// `ZKPaths.mkdirs`: from the root down, each if it is not there.
async fn make_parents(zk: &ZkHandle, path: &str) -> Result<(), ZkError> {
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
    for end in ends {
        let path = &path[..end];
        if zk.exists(path, None).await?.is_some() {
            continue;
        }
        match zk.create(path.to_owned(), Mode::Container).await {
            Ok(_) | Err(ZkError::Refused(Code::NodeExists)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_version_4() {
        assert_eq!(uuid(0, 0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u64::MAX, u64::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
