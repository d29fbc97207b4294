//! Requests that change no tree: reads, and the setting of watches (`server/FinalRequestProcessor.java`).

use super::acl;
use super::answer::{Answer, ClientInfo};
use super::code::Code;
use super::operation::Operation;
use super::records::{EventKind, Id, SetWatches, SetWatches2, WatchKind, WatchedPath};
use super::records::{ZkSessionId, Zxid};
use super::tree::{Node, Tree};
use super::watches::{Mode, Watches, Which};
use crate::model::SessionId;

/// Who reads what.
pub(super) struct Reader<'a> {
    pub(super) tree: &'a Tree,
    pub(super) watches: &'a mut Watches,
    /// The connection, to which watches belong.
    pub(super) connection: SessionId,
    /// Its session.
    pub(super) session: ZkSessionId,
    /// Who that is.
    pub(super) ids: &'a [Id],
    /// What the client is told at once, before the answer.
    pub(super) events: Vec<(EventKind, String)>,
}

impl<'a> Reader<'a> {
    /// The answer.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn answer(&mut self, operation: Operation) -> Result<Answer, Code> {
        match operation {
            Operation::Ping(()) => Ok(Answer::Done),
            Operation::Sync(request) => Ok(Answer::Path(Some(request.path))),
            Operation::Exists(request) => self.exists(&request),
            Operation::GetData(request) => self.get_data(&request),
            Operation::GetChildren(request) => {
                self.children(&request).map(|node| Answer::Names(node.names()))
            }
            Operation::GetChildren2(request) => {
                self.children(&request).map(|node| Answer::Children(node.names(), node.stat()))
            }
            Operation::GetAcl(request) => self.get_acl(&request.path),
            Operation::GetAllChildrenNumber(request) => {
                self.readable(&request.path)?;
                Ok(Answer::Number(self.tree.count_below(&request.path) as i32))
            }
            Operation::GetEphemerals(prefix) => Ok(Answer::Names(self.ephemerals(prefix))),
            Operation::MultiRead(operations) => {
                let results = operations.0.into_iter();
                Ok(Answer::Multi(results.map(|read| (read.opcode(), self.answer(read))).collect()))
            }
            Operation::SetWatches(request) => Ok(self.set_watches(&request)),
            Operation::SetWatches2(request) => Ok(self.set_watches2(&request)),
            Operation::AddWatch(request) => self.add_watch(&request),
            Operation::CheckWatches(request) => {
                let which = which(request.kind)?;
                // It looks for a parent until there is no slash left (`PathParentIterator`, measured).
                if !matches!(request.path.bytes().next(), None | Some(b'/')) {
                    return Err(Code::MarshallingError);
                }
                found(self.watches.contain(&request.path, which))
            }
            Operation::RemoveWatches(request) => {
                let which = which(request.kind)?;
                found(self.watches.remove(&request.path, self.connection, which))
            }
            Operation::WhoAmI(()) => Ok(Answer::Clients(self.ids.iter().map(info).collect())),
            _ => Err(Code::MarshallingError),
        }
    }

    fn exists(&mut self, request: &WatchedPath) -> Result<Answer, Code> {
        if request.path.contains('\0') {
            return Err(Code::BadArguments);
        }
        // The watch stays also where there is no node: it waits for one.
        if request.watch {
            self.watches.data.add(&request.path, self.connection, Mode::Once);
        }
        self.tree.node(&request.path).map(|node| Answer::Stat(node.stat()))
    }

    fn get_data(&mut self, request: &WatchedPath) -> Result<Answer, Code> {
        let node = self.readable(&request.path)?;
        if request.watch {
            self.watches.data.add(&request.path, self.connection, Mode::Once);
        }
        Ok(Answer::Data(node.data.clone(), node.stat()))
    }

    fn children(&mut self, request: &WatchedPath) -> Result<&'a Node, Code> {
        let node = self.readable(&request.path)?;
        if request.watch {
            self.watches.child.add(&request.path, self.connection, Mode::Once);
        }
        Ok(node)
    }

    /// Who may administer the list sees the digests in it, too.
    fn get_acl(&self, path: &str) -> Result<Answer, Code> {
        let node = self.tree.node(path)?;
        acl::check(self.ids, &node.acl, acl::READ | acl::ADMIN)?;
        let list = match acl::check(self.ids, &node.acl, acl::ADMIN) {
            Ok(()) => node.acl.clone(),
            Err(_) => acl::mask(&node.acl),
        };
        Ok(Answer::Acl(list, node.stat()))
    }

    fn ephemerals(&self, prefix: Option<String>) -> Vec<String> {
        let prefix = prefix.unwrap_or_default();
        let all = matches!(prefix.trim(), "" | "/");
        let paths = self.tree.ephemerals(self.session);
        paths.filter(|path| all || path.starts_with(&prefix)).cloned().collect()
    }

    /// What the client has missed since it was last connected it is told now; for the rest the watches
    /// are set again (`DataTree.setWatches`). Something that came and went in between is missed.
    fn set_watches(&mut self, request: &SetWatches) -> Answer {
        let SetWatches { relative_zxid: since, data, exist, child } = request;
        let missed = |node: Option<&Node>, changed_at: fn(&Node) -> Zxid, kind| match node {
            None => Some(EventKind::Deleted),
            Some(node) => (changed_at(node) > *since).then_some(kind),
        };
        for path in data {
            let missed = missed(self.at(path), |node| node.mzxid, EventKind::DataChanged);
            self.tell_or_watch(path, missed, |watches| &mut watches.data);
        }
        for path in exist {
            let missed = self.at(path).map(|_| EventKind::Created);
            self.tell_or_watch(path, missed, |watches| &mut watches.data);
        }
        for path in child {
            let missed = missed(self.at(path), |node| node.pzxid, EventKind::ChildrenChanged);
            self.tell_or_watch(path, missed, |watches| &mut watches.child);
        }
        Answer::Done
    }

    fn set_watches2(&mut self, request: &SetWatches2) -> Answer {
        self.set_watches(&request.once);
        for path in &request.persistent {
            self.watches.add_both(path, self.connection, Mode::Persistent);
        }
        for path in &request.recursive {
            self.watches.add_both(path, self.connection, Mode::Recursive);
        }
        Answer::Done
    }

    fn tell_or_watch(
        &mut self,
        path: &str,
        missed: Option<EventKind>,
        table: fn(&mut Watches) -> &mut super::watches::Table,
    ) {
        match missed {
            Some(kind) => self.events.push((kind, path.to_owned())),
            None => table(self.watches).add(path, self.connection, Mode::Once),
        }
    }

    fn add_watch(&mut self, request: &WatchKind) -> Result<Answer, Code> {
        let mode = match request.kind {
            0 => Mode::Persistent,
            1 => Mode::Recursive,
            _ => return Err(Code::MarshallingError),
        };
        self.watches.add_both(&request.path, self.connection, mode);
        Ok(Answer::Number(0))
    }

    fn at(&self, path: &str) -> Option<&'a Node> {
        self.tree.node(path).ok()
    }

    /// The node at `path`, if it may be read.
    fn readable(&self, path: &str) -> Result<&'a Node, Code> {
        let node = self.tree.node(path)?;
        acl::check(self.ids, &node.acl, acl::READ)?;
        Ok(node)
    }
}

fn which(kind: i32) -> Result<Which, Code> {
    match kind {
        1 => Ok(Which::Children),
        2 => Ok(Which::Data),
        3 => Ok(Which::Any),
        _ => Err(Code::MarshallingError),
    }
}

fn found(found: bool) -> Result<Answer, Code> {
    if found { Ok(Answer::Done) } else { Err(Code::NoWatcher) }
}

/// A password is not shown, not even as a digest (`AuthenticationProvider.getUserName`).
fn info(id: &Id) -> ClientInfo {
    let user = match id.scheme.as_str() {
        "digest" => id.id.split(':').next().unwrap_or_default(),
        _ => id.id.as_str(),
    };
    ClientInfo { scheme: id.scheme.clone(), user: user.to_owned() }
}
