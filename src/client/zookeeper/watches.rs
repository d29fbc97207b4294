//! The watches that a client has set, so that events find who waits for them and that a new connection
//! can set them again (`ZKWatchManager.java`).
//!
//! A watch is a bell: it is rung when the node changes, and also whenever the session's state does,
//! because a Java watcher is called for that, too, without being used up.

use picklock_models::zookeeper::records::{EventKind, SetWatches, WatcherEvent, Zxid};
use picklock_models::zookeeper::{Answer, Code, Operation};
use picklock_sim::signal::Bell;

use super::ZkError;

/// What kind of read has left a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    /// A node's data, where the node was there.
    Data,
    /// A node that was not there.
    Absence,
    /// A node's children.
    Children,
}

/// All watches of a client. A client has a handful at most, so they are looked through.
#[derive(Default)]
pub(super) struct Watches {
    all: Vec<Watch>,
}

struct Watch {
    what: Watched,
    path: String,
    bell: Bell,
}

impl Watches {
    /// From now on this one counts.
    pub(super) fn add(&mut self, what: Watched, path: String, bell: Bell) {
        self.all.push(Watch { what, path, bell });
    }

    /// Something happened to a node: who waits for it is told, once.
    pub(super) fn go_off(&mut self, event: &WatcherEvent) {
        let concerns = |watch: &Watch| watch.path == event.path && watch.what.hears(event.kind);
        self.all.retain(|watch| {
            let goes_off = concerns(watch);
            if goes_off {
                watch.bell.ring();
            }
            !goes_off
        });
    }

    /// The session's state changed: everybody is told, and all watches stay.
    pub(super) fn ring_all(&self) {
        self.all.iter().for_each(|watch| watch.bell.ring());
    }

    /// What a new connection of the session has to ask for; nothing if there are no watches. (The real
    /// client spreads more than 128 KiB of paths over several requests.)
    pub(super) fn again(&self, relative_zxid: Zxid) -> Option<SetWatches> {
        let paths = |what| {
            let its = self.all.iter().filter(|watch| watch.what == what);
            let mut paths: Vec<String> = its.map(|watch| watch.path.clone()).collect();
            paths.sort_unstable();
            paths.dedup();
            paths
        };
        let request = || SetWatches {
            relative_zxid,
            data: paths(Watched::Data),
            exist: paths(Watched::Absence),
            child: paths(Watched::Children),
        };
        (!self.all.is_empty()).then(request)
    }
}

impl Watched {
    /// The watch that a request has left, now that its answer is known, and where
    /// (`ZooKeeper.WatchRegistration`).
    pub(super) fn left_by(
        operation: Operation,
        answer: &Result<Answer, ZkError>,
    ) -> Option<(Watched, String)> {
        match (operation, answer) {
            (Operation::Exists(read), Ok(_)) => Some((Watched::Data, read.path)),
            (Operation::Exists(read), Err(ZkError::Refused(Code::NoNode))) => {
                Some((Watched::Absence, read.path))
            }
            (Operation::GetData(read), Ok(_)) => Some((Watched::Data, read.path)),
            (Operation::GetChildren2(read), Ok(_)) => Some((Watched::Children, read.path)),
            _ => None,
        }
    }

    /// Whether an event of this kind is for such a watch.
    fn hears(self, kind: i32) -> bool {
        const CREATED: i32 = EventKind::Created as i32;
        const DELETED: i32 = EventKind::Deleted as i32;
        const DATA_CHANGED: i32 = EventKind::DataChanged as i32;
        const CHILDREN_CHANGED: i32 = EventKind::ChildrenChanged as i32;
        match kind {
            CREATED | DATA_CHANGED => self != Watched::Children,
            CHILDREN_CHANGED => self == Watched::Children,
            DELETED => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use picklock_sim::env::{Either, race};

    use super::*;

    /// Whether it was rung; hears it.
    fn rung(bell: &Bell) -> bool {
        let heard = race(bell.rung(), std::future::ready(()));
        let mut heard = std::pin::pin!(heard);
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        match heard.as_mut().poll(&mut cx) {
            std::task::Poll::Ready(Either::Left(())) => true,
            std::task::Poll::Ready(Either::Right(())) => false,
            std::task::Poll::Pending => unreachable!("the second is always ready"),
        }
    }

    fn set(watches: &mut Watches, what: Watched, path: &str) -> Bell {
        let bell = Bell::default();
        watches.add(what, path.to_owned(), bell.clone());
        bell
    }

    #[test]
    fn a_watch_goes_off_once_and_for_its_node_only() {
        let mut watches = Watches::default();
        let (mine, other) =
            (set(&mut watches, Watched::Data, "/a"), set(&mut watches, Watched::Data, "/b"));
        watches.go_off(&WatcherEvent::new(EventKind::Deleted, "/a"));
        assert_eq!((rung(&mine), rung(&other)), (true, false));
        watches.go_off(&WatcherEvent::new(EventKind::Deleted, "/a"));
        assert!(!rung(&mine));
    }

    #[test]
    fn children_and_data_are_watched_apart() {
        let mut watches = Watches::default();
        let data = set(&mut watches, Watched::Data, "/a");
        let children = set(&mut watches, Watched::Children, "/a");
        watches.go_off(&WatcherEvent::new(EventKind::ChildrenChanged, "/a"));
        assert_eq!((rung(&data), rung(&children)), (false, true));
        watches.go_off(&WatcherEvent::new(EventKind::DataChanged, "/a"));
        assert!(rung(&data));
        let children = set(&mut watches, Watched::Children, "/a");
        watches.go_off(&WatcherEvent::new(EventKind::Deleted, "/a"));
        assert!(rung(&children), "a node that is gone has no children");
    }

    #[test]
    fn a_change_of_the_session_is_told_to_all_and_uses_nothing_up() {
        let mut watches = Watches::default();
        let bell = set(&mut watches, Watched::Absence, "/a");
        watches.ring_all();
        assert!(rung(&bell));
        watches.go_off(&WatcherEvent::new(EventKind::Created, "/a"));
        assert!(rung(&bell));
        watches.ring_all();
        assert!(!rung(&bell), "it has gone off");
    }

    #[test]
    fn a_new_connection_asks_for_each_path_once() {
        let mut watches = Watches::default();
        assert_eq!(watches.again(Zxid(7)), None);
        set(&mut watches, Watched::Data, "/b");
        set(&mut watches, Watched::Data, "/a");
        set(&mut watches, Watched::Data, "/b");
        set(&mut watches, Watched::Absence, "/c");
        let expected = SetWatches {
            relative_zxid: Zxid(7),
            data: vec!["/a".into(), "/b".into()],
            exist: vec!["/c".into()],
            child: vec![],
        };
        assert_eq!(watches.again(Zxid(7)), Some(expected));
    }
}
