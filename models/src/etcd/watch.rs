//! Watches: who hears of which changes (`server/etcdserver/api/v3rpc/watch.go`,
//! `server/mvcc/watchable_store.go`).
//!
//! A client opens a stream and creates any number of watchers on it. What a watcher has missed since
//! its start revision comes at once behind the response that created it; the real server needs up to
//! 100 ms for that.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;

use super::machine::inner_header;
use super::pb::etcdserverpb::watch_create_request::FilterType;
use super::pb::etcdserverpb::{WatchCreateRequest, WatchResponse};
use super::pb::mvccpb::Event;
use super::pb::mvccpb::event::EventType;
use super::span::Span;
use super::store::{Revision, Store};
use crate::time::SteadyTime;

/// Names a watcher on its stream. 0 is the first that a server chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatchId(pub i64);

/// What belongs to no watcher, or to one that could not be created.
const NOBODY: WatchId = WatchId(-1);
/// How often an idle watcher that asked for it is told how far the store is.
pub const PROGRESS_INTERVAL: Duration = Duration::from_secs(600);
/// A longer response is split, if the watcher allows it: a request's 1.5 MiB and 512 KiB more.
const FRAGMENT_BYTES: usize = 2 * 1024 * 1024;
/// How many revisions a watcher that catches up gets in one response (`watchBatchMaxRevs`).
const BATCH_REVISIONS: usize = 1000;

/// The watchers of one stream.
#[derive(Debug, Default)]
pub(super) struct WatchStream {
    watchers: BTreeMap<WatchId, Watcher>,
    next: i64,
    /// When the stream was opened: its ticker counts from there.
    opened: SteadyTime,
    /// How many progress intervals have passed since.
    intervals: u128,
}

#[derive(Debug)]
struct Watcher {
    span: Span,
    /// Nothing before it is told.
    start: Revision,
    puts: bool,
    deletes: bool,
    prev_kv: bool,
    fragment: bool,
    progress: bool,
    /// Whether it was told of events since the last interval: then it need not hear of progress.
    busy: bool,
}

impl WatchStream {
    pub(super) fn open(now: SteadyTime) -> Self {
        Self { opened: now, ..Self::default() }
    }

    /// A new watcher: the response that it was created comes first, then what it has missed.
    pub(super) fn create(
        &mut self,
        store: &Store,
        request: &WatchCreateRequest,
    ) -> Vec<WatchResponse> {
        let (id, mut watcher) = match self.admit(store, request) {
            Ok(new) => new,
            Err(reason) => {
                let refused = WatchResponse {
                    created: true,
                    canceled: true,
                    cancel_reason: reason.to_owned(),
                    ..response(store.revision(), NOBODY)
                };
                return vec![refused];
            }
        };
        let mut out = vec![WatchResponse { created: true, ..response(store.revision(), id) }];
        if watcher.start < store.compacted() {
            // The header of this one is empty but for who sends it.
            let compact_revision = store.compacted().0;
            let canceled = response(Revision(0), id);
            out.push(WatchResponse { canceled: true, compact_revision, ..canceled });
            // It hears nothing, but nobody else can have its id until it is canceled again (measured).
            (watcher.puts, watcher.deletes, watcher.progress) = (false, false, false);
            self.watchers.insert(id, watcher);
            return out;
        }
        out.extend(watcher.catch_up(store, id));
        self.watchers.insert(id, watcher);
        out
    }

    fn admit(
        &mut self,
        store: &Store,
        request: &WatchCreateRequest,
    ) -> Result<(WatchId, Watcher), &'static str> {
        // An empty key stands for the smallest one.
        let key =
            if request.key.is_empty() { Bytes::from_static(&[0]) } else { request.key.clone() };
        let span = Span::new(&key, &request.range_end);
        if span.is_empty() {
            return Err("mvcc: watcher range is empty");
        }
        let id = match request.watch_id {
            0 => self.free_id(),
            given if self.watchers.contains_key(&WatchId(given)) => {
                return Err("mvcc: duplicate watch ID provided on the WatchStream");
            }
            given => WatchId(given),
        };
        let start = match request.start_revision {
            0 => store.revision().next(),
            given => Revision(given),
        };
        let filtered = |filter| request.filters().any(|given| given == filter);
        let watcher = Watcher {
            span,
            start,
            puts: !filtered(FilterType::Noput),
            deletes: !filtered(FilterType::Nodelete),
            prev_kv: request.prev_kv,
            fragment: request.fragment,
            progress: request.progress_notify,
            busy: false,
        };
        Ok((id, watcher))
    }

    fn free_id(&mut self) -> WatchId {
        while self.watchers.contains_key(&WatchId(self.next)) {
            self.next += 1;
        }
        self.next += 1;
        WatchId(self.next - 1)
    }

    /// Ends a watcher; one that is not there is not worth a word.
    pub(super) fn cancel(&mut self, store: &Store, id: WatchId) -> Option<WatchResponse> {
        self.watchers.remove(&id)?;
        Some(WatchResponse { canceled: true, ..response(store.revision(), id) })
    }

    /// How far the store is, on request: for the stream, not for one of its watchers.
    pub(super) fn progress(store: &Store) -> WatchResponse {
        response(store.revision(), NOBODY)
    }

    /// Tells whoever watches what has just been committed.
    pub(super) fn notify(&mut self, store: &Store, events: &[Event]) -> Vec<WatchResponse> {
        let mut out = Vec::new();
        for (id, watcher) in &mut self.watchers {
            out.extend(watcher.tell(store, *id, events));
        }
        out
    }

    /// Whether a watcher wants to hear of progress now and then.
    pub(super) fn wants_progress(&self) -> bool {
        self.watchers.values().any(|watcher| watcher.progress)
    }

    /// At the end of each interval: those that were idle hear how far the store is.
    pub(super) fn tick(&mut self, store: &Store, now: SteadyTime) -> Vec<WatchResponse> {
        let intervals = now.since(self.opened).as_nanos() / PROGRESS_INTERVAL.as_nanos();
        if intervals == self.intervals {
            return Vec::new();
        }
        self.intervals = intervals;
        let mut out = Vec::new();
        for (id, watcher) in self.watchers.iter_mut().filter(|(_, watcher)| watcher.progress) {
            if !std::mem::take(&mut watcher.busy) {
                out.push(response(store.revision(), *id));
            }
        }
        out
    }
}

impl Watcher {
    /// What it has missed, a batch at a time.
    fn catch_up(&mut self, store: &Store, id: WatchId) -> Vec<WatchResponse> {
        let missed = store.events_since(self.start);
        let mut revisions: Vec<&[Event]> =
            missed.chunk_by(|a, b| revision(a) == revision(b)).collect();
        let mut out = Vec::new();
        while !revisions.is_empty() {
            let rest = revisions.split_off(revisions.len().min(BATCH_REVISIONS));
            out.extend(self.tell(store, id, &revisions.concat()));
            revisions = rest;
        }
        out
    }

    fn tell(&mut self, store: &Store, id: WatchId, events: &[Event]) -> Vec<WatchResponse> {
        let heard = events.iter().filter(|event| self.wants(event)).cloned();
        let events: Vec<Event> = heard.map(|event| self.complete(store, event)).collect();
        if events.is_empty() {
            return Vec::new();
        }
        self.busy = true;
        let whole = WatchResponse { events, ..response(store.revision(), id) };
        if self.fragment { fragments(whole) } else { vec![whole] }
    }

    fn wants(&self, event: &Event) -> bool {
        let kind = match event.r#type() {
            EventType::Put => self.puts,
            EventType::Delete => self.deletes,
        };
        let key = event.kv.as_ref().map_or(&[][..], |kv| &kv.key);
        kind && revision(event) >= self.start && self.span.contains(key)
    }

    /// With what was there before, if it wants that and it is not compacted. A key that was just created
    /// has nothing before, not even if the same transaction deleted it first (measured).
    fn complete(&self, store: &Store, mut event: Event) -> Event {
        let before = revision(&event).previous();
        if let (true, Some(kv)) = (self.prev_kv, &event.kv)
            && before >= store.compacted()
            && !(event.r#type() == EventType::Put && kv.create_revision == kv.mod_revision)
        {
            event.prev_kv = store.get(&kv.key, before).cloned();
        }
        event
    }
}

fn revision(event: &Event) -> Revision {
    Revision(event.kv.as_ref().map_or(0, |kv| kv.mod_revision))
}

fn response(revision: Revision, id: WatchId) -> WatchResponse {
    WatchResponse { header: inner_header(revision), watch_id: id.0, ..WatchResponse::default() }
}

/// Splits a response that is too long, at least one event to a part (`sendFragments`).
fn fragments(whole: WatchResponse) -> Vec<WatchResponse> {
    if whole.encoded_len() < FRAGMENT_BYTES || whole.events.len() < 2 {
        return vec![whole];
    }
    let empty = WatchResponse { events: Vec::new(), fragment: true, ..whole.clone() };
    let mut parts = vec![empty.clone()];
    let mut bytes = empty.encoded_len();
    for event in whole.events {
        let size = event.encoded_len() + prost::length_delimiter_len(event.encoded_len()) + 1;
        let full = parts.last().is_some_and(|part| !part.events.is_empty());
        if full && bytes + size >= FRAGMENT_BYTES {
            parts.push(empty.clone());
            bytes = empty.encoded_len();
        }
        bytes += size;
        if let Some(part) = parts.last_mut() {
            part.events.push(event);
        }
    }
    if let Some(last) = parts.last_mut() {
        last.fragment = false;
    }
    parts
}
