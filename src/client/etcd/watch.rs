//! Waiting for a key to be deleted, as the lock recipes do it (`client/v3/concurrency/key.go`
//! `waitDelete` over `client/v3/watch.go`).

use std::time::Duration;

use bytes::Bytes;
use picklock_models::etcd::pb::etcdserverpb::watch_request::RequestUnion;
use picklock_models::etcd::pb::etcdserverpb::{WatchCreateRequest, WatchRequest, WatchResponse};
use picklock_models::etcd::pb::mvccpb::event::EventType;
use picklock_models::etcd::rpc::Method;
use picklock_models::etcd::{Code, Status};
use picklock_sim::env::Env;

use super::call::{Kind, Told, decode};
use super::{CallError, Client, revision};

/// The pause before a watch that broke is opened again begins here, grows by a quarter each time ..
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// .. and is never longer than this (`watch.go` `backoffIfUnavailable`).
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

impl<E: Env> Client<E> {
    /// Waits until `key` is deleted at revision `from` or later. A watch that breaks goes on where it was:
    /// nothing is missed.
    ///
    /// # Errors
    /// The server has said why it cannot tell.
    pub async fn wait_delete(&self, key: &Bytes, mut from: i64) -> Result<(), CallError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.watch(key, &mut from).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_final() => return Err(error),
                Err(error) => tracing::debug!(%error, "a watch broke"),
            }
            pause = (pause + pause / 4).min(LONGEST_PAUSE);
            self.env.sleep(pause).await;
        }
    }

    /// Watches on one call; `from` is moved behind all that was told.
    async fn watch(&self, key: &Bytes, from: &mut i64) -> Result<(), CallError> {
        let (mut requests, mut answers) = self.channel.open(Method::Watch, Kind::Stream).await?;
        let create = WatchCreateRequest {
            key: key.clone(),
            start_revision: *from,
            ..WatchCreateRequest::default()
        };
        let create = RequestUnion::CreateRequest(create);
        requests.send(&WatchRequest { request_union: Some(create) })?;
        loop {
            let told: WatchResponse = match answers.next().await? {
                Told::Message(bytes) => decode(bytes)?,
                Told::End(status) if status.code == Code::Ok => {
                    return Err(CallError::Unanswered("the watch ended".to_owned()));
                }
                Told::End(status) => return Err(CallError::Refused(status)),
            };
            if told.events.iter().any(|event| event.r#type() == EventType::Delete) {
                return Ok(());
            }
            if told.canceled {
                return Err(CallError::Refused(cancellation(&told)));
            }
            *from = next_revision(&told, *from);
        }
    }
}

/// Where a watch goes on if it breaks now.
fn next_revision(told: &WatchResponse, from: i64) -> i64 {
    let last = told.events.last().and_then(|event| event.kv.as_ref());
    match last {
        Some(kv) => kv.mod_revision + 1,
        None if told.created && from != 0 => from,
        None => revision(told.header) + 1,
    }
}

/// Why the server gave a watch up: what it wanted is compacted away, or what it says.
fn cancellation(told: &WatchResponse) -> Status {
    let text = match told.compact_revision {
        0 => told.cancel_reason.as_str(),
        _ => "etcdserver: mvcc: required revision has been compacted",
    };
    Status::new(Code::OutOfRange, text)
}

#[cfg(test)]
mod tests {
    use picklock_models::etcd::pb::etcdserverpb::ResponseHeader;
    use picklock_models::etcd::pb::mvccpb::{Event, KeyValue};

    use super::*;

    #[test]
    fn a_watch_goes_on_behind_what_it_was_told() {
        let header = Some(ResponseHeader { revision: 9, ..ResponseHeader::default() });
        let created = WatchResponse { header, created: true, ..WatchResponse::default() };
        assert_eq!(next_revision(&created, 7), 7, "what it missed is still to come");
        assert_eq!(next_revision(&created, 0), 10, "it began with the present");
        let kv = KeyValue { mod_revision: 8, ..KeyValue::default() };
        let events = vec![Event { kv: Some(kv), ..Event::default() }];
        let put = WatchResponse { header, events, ..WatchResponse::default() };
        assert_eq!(next_revision(&put, 7), 9);
        let progress = WatchResponse { header, ..WatchResponse::default() };
        assert_eq!(next_revision(&progress, 7), 10);
    }
}
