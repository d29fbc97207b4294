//! Why a request to ZooKeeper failed, and the one question that matters: can it have happened?

use picklock_models::zookeeper::Code;

use crate::lock::LockError;

/// A request that did not succeed (`KeeperException.java`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZkError {
    /// The server refused it.
    #[error("refused with {0:?}")]
    Refused(Code),
    /// The connection was lost before the answer came.
    #[error("connection lost")]
    ConnectionLoss {
        /// Whether it had left: then it may have happened.
        sent: bool,
    },
    /// The session is over.
    #[error("session expired")]
    SessionExpired {
        /// As for a lost connection.
        sent: bool,
    },
    /// The server answered something else.
    #[error("unexpected answer {0}")]
    Unexpected(String),
}

impl ZkError {
    /// The node does not exist.
    pub const NO_NODE: ZkError = ZkError::Refused(Code::NoNode);

    /// Whether the same request may go through later: over another connection, or in another session
    /// (Curator's `RetryPolicy.allowRetry(Throwable)`).
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::ConnectionLoss { .. } | Self::SessionExpired { .. })
    }

    /// Whether it may have left: then it may have happened.
    pub fn was_sent(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::ConnectionLoss { sent } | Self::SessionExpired { sent } => *sent,
            Self::Unexpected(_) => true,
        }
    }

    /// The same error of a request that was sent before.
    #[must_use]
    pub fn sent_before(self) -> Self {
        match self {
            Self::ConnectionLoss { .. } => Self::ConnectionLoss { sent: true },
            Self::SessionExpired { .. } => Self::SessionExpired { sent: true },
            refused => refused,
        }
    }
}

impl From<ZkError> for LockError {
    fn from(error: ZkError) -> Self {
        let text = error.to_string();
        if error.was_sent() { LockError::Indefinite(text) } else { LockError::Definite(text) }
    }
}

/// A server says by a code of its own that a session is over.
impl From<Code> for ZkError {
    fn from(code: Code) -> Self {
        match code {
            Code::SessionExpired => ZkError::SessionExpired { sent: false },
            code => ZkError::Refused(code),
        }
    }
}
