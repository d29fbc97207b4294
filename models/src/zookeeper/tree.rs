//! The tree of nodes, and how transactions change it. No request ever gets here: whether something is
//! allowed was decided before (`prepare`), so the same transactions give the same tree anywhere.
//!
//! Rules from `server/DataTree.java` and `server/DataNode.java`.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::code::Code;
use super::path;
use super::records::{Acl, Stat, ZkSessionId, Zxid};
use super::transaction::{Action, Effect, Event, Owner, Transaction};

/// A node. Its version of the children counts creations only; `Tree::stat` makes of it what clients see.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) data: Option<Bytes>,
    pub(super) acl: Vec<Acl>,
    pub(super) children: BTreeSet<String>,
    pub(super) owner: Owner,
    pub(super) version: i32,
    pub(super) aversion: i32,
    /// How many children were ever created here: where sequence numbers come from.
    pub(super) creations: i32,
    pub(super) mtime_ms: i64,
    ctime_ms: i64,
    pub(super) czxid: Zxid,
    pub(super) mzxid: Zxid,
    pub(super) pzxid: Zxid,
}

/// All nodes, all sessions, and the last transaction that got here.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: BTreeMap<String, Node>,
    ephemerals: BTreeMap<ZkSessionId, BTreeSet<String>>,
    /// Containers and nodes with a time to live.
    swept: BTreeSet<String>,
    /// Sessions, with their timeouts in milliseconds.
    sessions: BTreeMap<ZkSessionId, i32>,
    last_zxid: Zxid,
}

impl Default for Tree {
    /// What a new server has.
    fn default() -> Self {
        let mut nodes = BTreeMap::new();
        let mut add = |path: &str, children: &[&str], acl, aversion| {
            let children = children.iter().map(|name| (*name).to_owned()).collect();
            let data = Some(Bytes::new());
            let node = Node { data, acl: vec![acl], children, aversion, ..Node::default() };
            nodes.insert(path.to_owned(), node);
        };
        add("/", &["zookeeper"], Acl::open(), 0);
        add("/zookeeper", &["config", "quota"], Acl::open(), 0);
        // Its list is set at the start, by way of an operation that counts (`addConfigNode`).
        add("/zookeeper/config", &[], Acl::world(1), -1);
        add("/zookeeper/quota", &[], Acl::open(), 0);
        Self {
            nodes,
            ephemerals: BTreeMap::new(),
            swept: BTreeSet::new(),
            sessions: BTreeMap::new(),
            last_zxid: Zxid(0),
        }
    }
}

impl Tree {
    /// Applies a transaction; what happened to nodes is added to `events`, in the order in which watchers
    /// are told.
    pub(super) fn apply(&mut self, transaction: Transaction, events: &mut Vec<Event>) -> Effect {
        let Transaction { zxid, session, time_ms, action } = transaction;
        self.last_zxid = self.last_zxid.max(zxid);
        self.act(Author { zxid, session, time_ms }, action, events)
    }

    fn act(&mut self, author: Author, action: Action, events: &mut Vec<Event>) -> Effect {
        let done = match action {
            Action::Create { path, data, acl, owner, parent_cversion } => {
                let node = Node { data, acl, owner, ..author.new_node() };
                self.create(path, node, parent_cversion, events)
            }
            Action::Delete { path } => self.delete(&path, author.zxid, events),
            Action::SetData { path, data, version } => {
                self.set_data(path, data, version, author, events)
            }
            Action::SetAcl { path, acl, version } => self.set_acl(&path, acl, version),
            Action::Check => Ok(Effect::Done),
            Action::CreateSession { timeout_ms } => {
                self.sessions.insert(author.session, timeout_ms);
                Ok(Effect::Done)
            }
            Action::CloseSession { paths } => {
                self.sessions.remove(&author.session);
                for path in paths {
                    // One that is gone already does not matter (`DataTree.deleteNodes`).
                    let _ = self.delete(&path, author.zxid, events);
                }
                self.ephemerals.remove(&author.session);
                Ok(Effect::Done)
            }
            Action::Multi(actions) => {
                let act = |action| self.act(author, action, events);
                Ok(Effect::Multi(actions.into_iter().map(act).collect()))
            }
            Action::Refuse(code) => Err(code),
        };
        done.unwrap_or_else(Effect::Refused)
    }

    fn create(
        &mut self,
        path: String,
        node: Node,
        parent_cversion: i32,
        events: &mut Vec<Event>,
    ) -> Result<Effect, Code> {
        let (parent_path, name) = path::split(&path)?;
        let parent = self.nodes.get_mut(parent_path).ok_or(Code::NoNode)?;
        if !parent.children.insert(name.to_owned()) {
            return Err(Code::NodeExists);
        }
        if parent_cversion > parent.creations {
            parent.creations = parent_cversion;
            parent.pzxid = node.czxid;
        }
        match node.owner {
            Owner::Nobody => {}
            Owner::Children | Owner::Ttl(_) => {
                self.swept.insert(path.clone());
            }
            Owner::Session(session) => {
                self.ephemerals.entry(session).or_default().insert(path.clone());
            }
        }
        let stat = node.stat();
        self.nodes.insert(path.clone(), node);
        events.push(Event::Created(path.clone()));
        Ok(Effect::Created(path, stat))
    }

    fn delete(&mut self, path: &str, zxid: Zxid, events: &mut Vec<Event>) -> Result<Effect, Code> {
        let (parent_path, name) = path::split(path)?;
        let parent = self.nodes.get_mut(parent_path).ok_or(Code::NoNode)?;
        parent.children.remove(name);
        parent.pzxid = parent.pzxid.max(zxid);
        let node = self.nodes.remove(path).ok_or(Code::NoNode)?;
        if let Owner::Session(session) = node.owner
            && let Some(paths) = self.ephemerals.get_mut(&session)
        {
            paths.remove(path);
        }
        self.swept.remove(path);
        events.push(Event::Deleted(path.to_owned(), node.acl));
        Ok(Effect::Done)
    }

    fn set_data(
        &mut self,
        path: String,
        data: Option<Bytes>,
        version: i32,
        author: Author,
        events: &mut Vec<Event>,
    ) -> Result<Effect, Code> {
        let node = self.nodes.get_mut(path::or_root(&path)).ok_or(Code::NoNode)?;
        node.data = data;
        node.version = version;
        node.mtime_ms = author.time_ms;
        node.mzxid = author.zxid;
        let stat = node.stat();
        events.push(Event::DataChanged(path));
        Ok(Effect::Changed(stat))
    }

    fn set_acl(&mut self, path: &str, acl: Vec<Acl>, version: i32) -> Result<Effect, Code> {
        let node = self.nodes.get_mut(path).ok_or(Code::NoNode)?;
        node.acl = acl;
        node.aversion = version;
        Ok(Effect::Changed(node.stat()))
    }
}

/// Reading.
impl Tree {
    /// The node at `path`.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn node(&self, path: &str) -> Result<&Node, Code> {
        self.nodes.get(path::or_root(path)).ok_or(Code::NoNode)
    }

    /// The last transaction that was applied.
    pub(super) fn last_zxid(&self) -> Zxid {
        self.last_zxid
    }

    /// The sessions that are alive, with their timeouts in milliseconds.
    pub(super) fn sessions(&self) -> impl Iterator<Item = (ZkSessionId, i32)> {
        self.sessions.iter().map(|(session, timeout_ms)| (*session, *timeout_ms))
    }

    /// The nodes that end with `session`, by their paths.
    pub(super) fn ephemerals(&self, session: ZkSessionId) -> impl Iterator<Item = &String> {
        self.ephemerals.get(&session).into_iter().flatten()
    }

    /// How many ephemeral nodes there are.
    pub(super) fn ephemerals_count(&self) -> usize {
        self.ephemerals.values().map(BTreeSet::len).sum()
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The bytes of all paths and data (`approximateDataSize`).
    pub(super) fn data_size(&self) -> usize {
        let size =
            |(path, node): (&String, &Node)| path.len() + node.data.as_ref().map_or(0, Bytes::len);
        self.nodes.iter().map(size).sum()
    }

    /// How many nodes there are below `path` (`getAllChildrenNumber`).
    pub(super) fn count_below(&self, path: &str) -> usize {
        if path == "/" {
            return self.nodes.len() - 1;
        }
        let prefix = format!("{path}/");
        let below = self.nodes.range(prefix.clone()..);
        below.take_while(|(path, _)| path.starts_with(&prefix)).count()
    }

    /// Whether there are nodes that the sweep may have to delete one day.
    pub(super) fn has_swept(&self) -> bool {
        !self.swept.is_empty()
    }

    /// The nodes that the sweep deletes now: containers that had children and have none any more, and
    /// those whose time to live is up (`server/ContainerManager.java` `getCandidates`).
    pub(super) fn overdue(&self, now_ms: i64) -> Vec<String> {
        let is_overdue = |path: &&String| {
            let Some(node) = self.nodes.get(*path) else { return false };
            let used_up = match node.owner {
                Owner::Ttl(ttl_ms) => ttl_ms != 0 && now_ms - node.mtime_ms > ttl_ms,
                _ => node.creations > 0,
            };
            node.children.is_empty() && used_up
        };
        self.swept.iter().filter(is_overdue).cloned().collect()
    }
}

impl Node {
    /// What clients see of it: changes of the children are creations and deletions
    /// (`DataNode.copyStat`).
    pub(super) fn stat(&self) -> Stat {
        let num_children = self.children.len() as i32;
        Stat {
            czxid: self.czxid,
            mzxid: self.mzxid,
            ctime_ms: self.ctime_ms,
            mtime_ms: self.mtime_ms,
            version: self.version,
            cversion: self.creations.wrapping_mul(2).wrapping_sub(num_children),
            aversion: self.aversion,
            ephemeral_owner: self.owner.number(),
            data_length: self.data.as_ref().map_or(0, Bytes::len) as i32,
            num_children,
            pzxid: self.pzxid,
        }
    }

    /// The names of its children.
    pub(super) fn names(&self) -> Vec<String> {
        self.children.iter().cloned().collect()
    }
}

/// Who does something, and when.
#[derive(Clone, Copy)]
struct Author {
    zxid: Zxid,
    session: ZkSessionId,
    time_ms: i64,
}

impl Author {
    fn new_node(self) -> Node {
        Node {
            ctime_ms: self.time_ms,
            mtime_ms: self.time_ms,
            czxid: self.zxid,
            mzxid: self.zxid,
            pzxid: self.zxid,
            ..Node::default()
        }
    }
}
