//! Who is subscribed to what, and how a message gets there (`src/pubsub.c`).
//!
//! The sessions of a channel are served in the order in which they subscribed; patterns, and the
//! channels in a listing, go by name, where the real server follows its hash table.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::keyspace::Touch;
use super::notify::Letters;
use super::{Core, Reply, glob, number};
use crate::model::SessionId;

/// One of the three kinds of subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Channel,
    Pattern,
    Shard,
}

/// The subscribers of each channel or pattern of one kind.
pub(super) type Subscribers = BTreeMap<Bytes, Vec<SessionId>>;

/// All subscriptions of a server.
#[derive(Default)]
pub(super) struct Channels {
    pub(super) exact: Subscribers,
    pub(super) patterns: Subscribers,
    pub(super) shard: Subscribers,
}

impl Channels {
    fn of(&mut self, kind: Kind) -> &mut Subscribers {
        match kind {
            Kind::Channel => &mut self.exact,
            Kind::Pattern => &mut self.patterns,
            Kind::Shard => &mut self.shard,
        }
    }
}

impl Core {
    /// Subscribes and says so; a second time changes nothing and says so again.
    pub(super) fn subscribe(&mut self, session: SessionId, kind: Kind, name: &[u8]) {
        let name = Bytes::copy_from_slice(name);
        if self.subscriptions(session, kind).insert(name.clone()) {
            self.channels.of(kind).entry(name.clone()).or_default().push(session);
        }
        let word = match kind {
            Kind::Channel => "subscribe",
            Kind::Pattern => "psubscribe",
            Kind::Shard => "ssubscribe",
        };
        self.confirm(session, kind, word, Reply::Bulk(name));
    }

    /// Ends one subscription, or says that there is none (`None`).
    pub(super) fn unsubscribe(&mut self, session: SessionId, kind: Kind, name: Option<&[u8]>) {
        if let Some(name) = name {
            self.leave_channel(session, kind, name);
        }
        let word = match kind {
            Kind::Channel => "unsubscribe",
            Kind::Pattern => "punsubscribe",
            Kind::Shard => "sunsubscribe",
        };
        self.confirm(session, kind, word, name.map_or(Reply::Null, Reply::copied));
    }

    fn leave_channel(&mut self, session: SessionId, kind: Kind, name: &[u8]) {
        self.subscriptions(session, kind).remove(name);
        let channels = self.channels.of(kind);
        if let Some(subscribers) = channels.get_mut(name) {
            subscribers.retain(|subscriber| *subscriber != session);
            if subscribers.is_empty() {
                channels.remove(name);
            }
        }
    }

    /// All that `session` is subscribed to in one way.
    pub(super) fn subscriptions(
        &mut self,
        session: SessionId,
        kind: Kind,
    ) -> &mut std::collections::BTreeSet<Bytes> {
        let state = self.session(session);
        match kind {
            Kind::Channel => &mut state.channels,
            Kind::Pattern => &mut state.patterns,
            Kind::Shard => &mut state.shard_channels,
        }
    }

    /// Ends every subscription without a word, as when the connection ends.
    pub(super) fn unsubscribe_silently(&mut self, session: SessionId) {
        for kind in [Kind::Channel, Kind::Pattern, Kind::Shard] {
            for name in std::mem::take(self.subscriptions(session, kind)) {
                self.leave_channel(session, kind, &name);
            }
        }
    }

    fn confirm(&mut self, session: SessionId, kind: Kind, word: &'static str, name: Reply) {
        let state = self.session(session);
        let count = match kind {
            Kind::Shard => state.shard_channels.len(),
            _ => state.channels.len() + state.patterns.len(),
        };
        let count = Reply::Integer(count as i64);
        self.push(session, vec![Reply::text(word), name, count]);
    }

    /// Sends `message` to whoever listens; how many that were.
    pub(super) fn publish(&mut self, channel: &Bytes, message: &Bytes) -> usize {
        let mut count = 0;
        for session in self.channels.exact.get(channel).cloned().unwrap_or_default() {
            let words = [Reply::text("message"), bulk(channel), bulk(message)];
            self.push(session, words.into());
            count += 1;
        }
        let matching = |(pattern, _): &(&Bytes, _)| glob::matches(pattern, channel);
        let matched: Vec<(Bytes, Vec<SessionId>)> = (self.channels.patterns.iter())
            .filter(matching)
            .map(|(pattern, sessions)| (pattern.clone(), sessions.clone()))
            .collect();
        for (pattern, sessions) in matched {
            for session in sessions {
                let words = [Reply::text("pmessage"), bulk(&pattern), bulk(channel), bulk(message)];
                self.push(session, words.into());
                count += 1;
            }
        }
        count
    }

    /// SPUBLISH: shard channels have subscribers of their own.
    pub(super) fn publish_to_shard(&mut self, channel: &Bytes, message: &Bytes) -> usize {
        let sessions = self.channels.shard.get(channel).cloned().unwrap_or_default();
        for session in &sessions {
            let words = [Reply::text("smessage"), bulk(channel), bulk(message)];
            self.push(*session, words.into());
        }
        sessions.len()
    }

    /// `src/notify.c` `notifyKeyspaceEvent`: first to the key's channel, then to the event's.
    pub(super) fn notify_listeners(&mut self, touch: &Touch) {
        let letters = self.notify;
        if !Letters::of(touch.event.class).is_some_and(|class| letters.has(class)) {
            return;
        }
        let database = number::format(touch.database as i64);
        let event = Bytes::from_static(touch.event.name.as_bytes());
        let named =
            |start: &[u8], name: &[u8]| Bytes::from([start, &database[..], b"__:", name].concat());
        if letters.has(Letters::KEYSPACE) {
            self.publish(&named(b"__keyspace@", &touch.key), &event);
        }
        if letters.has(Letters::KEYEVENT) {
            self.publish(&named(b"__keyevent@", &event), &touch.key);
        }
    }
}

fn bulk(bytes: &Bytes) -> Reply {
    Reply::Bulk(bytes.clone())
}
