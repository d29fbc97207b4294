//! Deleting a node for certain (`DeleteBuilderImpl.java`, `FailedDeleteManager.java`,
//! `FindAndDeleteProtectedNodeInBackground.java`).

use picklock_sim::env::Env;

use super::Curator;
use super::create::find;
use crate::client::zookeeper::ZkError;

impl<E: Env> Curator<E> {
    /// Deletes a node. If the connection stays away for too long, the caller is told, and the node is
    /// deleted in the background (`guaranteed`).
    ///
    /// # Errors
    /// See [`ZkError`]; [`ZkError::NO_NODE`] if it is not there. What is left to the background may happen.
    pub async fn delete_guaranteed(&self, path: &str) -> Result<(), ZkError> {
        match self.retrying(async |zk| zk.delete(path).await).await {
            Err(error) if error.is_retryable() => {
                self.delete_in_background(path.to_owned());
                Err(error.sent_before())
            }
            deleted => deleted,
        }
    }

    /// Deletes a node as soon as that is possible.
    pub(super) fn delete_in_background(&self, path: String) {
        let curator = self.clone();
        self.inner.env.spawn(async move {
            curator.persist(async || curator.handle().delete(&path).await).await;
        });
    }

    /// Deletes the child whose name begins like this, if there is one.
    pub(super) fn find_and_delete_in_background(&self, parent: String, prefix: String) {
        let curator = self.clone();
        self.inner.env.spawn(async move {
            curator
                .persist(async || {
                    let found = find(&curator.handle(), &parent, &prefix).await?;
                    if let Some(found) = found {
                        curator.delete_in_background(found.path);
                    }
                    Ok(())
                })
                .await;
        });
    }

    /// Makes attempts until one fails for another reason than that there is no connection or no session. The
    /// policy gives up after some of them; then the same begins anew (`FailedOperationManager`).
    async fn persist(&self, mut attempt: impl AsyncFnMut() -> Result<(), ZkError>) {
        let mut retries = 0;
        loop {
            self.until_connected().await;
            match attempt().await {
                Err(error) if error.is_retryable() => {}
                _ => return,
            }
            retries = if self.allow_retry(retries).await { retries + 1 } else { 0 };
        }
    }
}
