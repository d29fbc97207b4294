//! From a request that writes to a transaction: everything that depends on who asks, and on what the tree
//! will look like by then, is decided here (`server/PrepRequestProcessor.java`).
//!
//! A leader prepares requests while earlier ones are still on their way through the quorum. So it looks
//! at the tree through [`Pending`]: what the transactions will have made of it that are not applied yet.
//! A single server applies each at once; there only the operations within one transaction need it.

use std::collections::BTreeMap;

use super::acl;
use super::code::Code;
use super::operation::Operation;
use super::path;
use super::records::{Acl, CreateRequest, Id, SetAclRequest, SetDataRequest, VersionedPath};
use super::records::{ZkSessionId, Zxid};
use super::transaction::{Action, MAX_TTL_MS, Owner};
use super::tree::Tree;

/// What transactions that are not applied yet will have made of nodes; `None`: deleted.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    records: BTreeMap<String, (Zxid, Option<Outlook>)>,
}

/// What will be known of a node (`ZooKeeperServer.ChangeRecord`).
#[derive(Clone, Debug)]
struct Outlook {
    version: i32,
    aversion: i32,
    creations: i32,
    children: usize,
    owner: Owner,
    acl: Vec<Acl>,
}

/// One request on its way to become a transaction.
pub(super) struct Preparation<'a> {
    /// The tree as it is.
    pub(super) tree: &'a Tree,
    /// What is on its way there.
    pub(super) pending: &'a mut Pending,
    /// The number that the transaction will have.
    pub(super) zxid: Zxid,
    /// Whose request it is.
    pub(super) session: ZkSessionId,
    /// Who that is.
    pub(super) ids: &'a [Id],
    /// Whether nodes may have a time to live (`extendedTypesEnabled`).
    pub(super) extended_types: bool,
}

impl Pending {
    /// Everything up to this transaction was applied.
    pub(super) fn settle(&mut self, zxid: Zxid) {
        self.records.retain(|_, (since, _)| *since > zxid);
    }
}

impl Preparation<'_> {
    /// What the transaction does. One that is refused is a transaction too.
    pub(super) fn prepare(&mut self, operation: Operation) -> Action {
        match operation {
            Operation::Multi(operations) => self.prepare_all(operations.0),
            Operation::CloseSession(()) => self.close_session(),
            operation => self.prepare_one(operation).unwrap_or_else(Action::Refuse),
        }
    }

    /// All or none. After the one that failed nothing is tried; before it nothing is left
    /// (`pRequestHelper`, and `DataTree.processTxn` for the codes).
    fn prepare_all(&mut self, operations: Vec<Operation>) -> Action {
        let before = self.pending.clone();
        let count = operations.len();
        let mut actions = Vec::with_capacity(count);
        for operation in operations {
            match self.prepare_one(operation) {
                Ok(action) => actions.push(action),
                Err(code) => {
                    *self.pending = before;
                    let failed = actions.len();
                    let codes = (0..count).map(|at| match at.cmp(&failed) {
                        std::cmp::Ordering::Less => Code::Ok,
                        std::cmp::Ordering::Equal => code,
                        std::cmp::Ordering::Greater => Code::RuntimeInconsistency,
                    });
                    return Action::Multi(codes.map(Action::Refuse).collect());
                }
            }
        }
        Action::Multi(actions)
    }

    fn prepare_one(&mut self, operation: Operation) -> Result<Action, Code> {
        match operation {
            Operation::Create(request) | Operation::Create2(request) => {
                let owner = self.owner(request.flags, -1)?;
                // Only createContainer makes a container, whatever the flags say.
                let owner = if owner == Owner::Children { Owner::Nobody } else { owner };
                self.create(request, owner)
            }
            Operation::CreateContainer(request) => {
                self.owner(request.flags, -1)?;
                self.create(request, Owner::Children)
            }
            Operation::CreateTtl(request) => {
                let owner = self.owner(request.flags, request.ttl_ms)?;
                let super::records::CreateTtlRequest { path, data, acl, flags, .. } = request;
                self.create(CreateRequest { path, data, acl, flags }, owner)
            }
            Operation::Delete(request) => self.delete(request),
            Operation::SetData(request) => self.set_data(request),
            Operation::SetAcl(request) => self.set_acl(request),
            Operation::Check(request) => self.check(request),
            Operation::Reconfig(_) => Err(Code::ReconfigDisabled),
            // A client's request for it has its header where the path is expected.
            Operation::DeleteContainer(()) => Err(Code::BadArguments),
            _ => Err(Code::MarshallingError),
        }
    }

    /// What a new node's life will hang on (`CreateMode.fromFlag`, `EphemeralType.validateTTL`).
    fn owner(&self, flags: i32, ttl_ms: i64) -> Result<Owner, Code> {
        match flags {
            5 | 6 if !self.extended_types => Err(Code::Unimplemented),
            5 | 6 if (1..=MAX_TTL_MS).contains(&ttl_ms) => Ok(Owner::Ttl(ttl_ms)),
            0..=4 if ttl_ms < 0 => Ok(match flags {
                1 | 3 => Owner::Session(self.session),
                4 => Owner::Children,
                _ => Owner::Nobody,
            }),
            _ => Err(Code::BadArguments),
        }
    }

    fn create(&mut self, request: CreateRequest, owner: Owner) -> Result<Action, Code> {
        let CreateRequest { mut path, data, acl, flags } = request;
        let parent_path = path::split(&path)?.0.to_owned();
        let acl = acl::fix_up(self.ids, &acl)?;
        let mut parent = self.look(&parent_path)?;
        acl::check(self.ids, &parent.acl, acl::CREATE)?;
        if matches!(flags, 2 | 3 | 6) {
            path = format!("{path}{:010}", parent.creations);
        }
        path::validate(&path)?;
        if self.look(&path).is_ok() {
            return Err(Code::NodeExists);
        }
        if matches!(parent.owner, Owner::Session(_)) {
            return Err(Code::NoChildrenForEphemerals);
        }
        parent.creations = parent.creations.wrapping_add(1);
        parent.children += 1;
        let parent_cversion = parent.creations;
        self.expect(&parent_path, Some(parent));
        let node =
            Outlook { version: 0, aversion: 0, creations: 0, children: 0, owner, acl: acl.clone() };
        self.expect(&path, Some(node));
        Ok(Action::Create { path, data, acl, owner, parent_cversion })
    }

    fn delete(&mut self, request: VersionedPath) -> Result<Action, Code> {
        let VersionedPath { path, version } = request;
        let (parent_path, _) = path::split(&path)?;
        if path::is_special(&path) {
            return Err(Code::BadArguments);
        }
        let mut parent = self.look(parent_path)?;
        acl::check(self.ids, &parent.acl, acl::DELETE)?;
        let node = self.look(&path)?;
        next_version(node.version, version)?;
        if node.children > 0 {
            return Err(Code::NotEmpty);
        }
        parent.children = parent.children.saturating_sub(1);
        self.expect(parent_path, Some(parent));
        self.expect(&path, None);
        Ok(Action::Delete { path })
    }

    /// Deletes a container or a node whose time to live is up, unless it has children again.
    pub(super) fn sweep(&mut self, path: String) -> Action {
        let swept = path::split(&path).and_then(|(parent, _)| {
            if self.look(&path)?.children > 0 {
                return Err(Code::NotEmpty);
            }
            Ok((parent, self.look(parent)?))
        });
        match swept {
            Err(code) => Action::Refuse(code),
            Ok((parent_path, mut parent)) => {
                parent.children = parent.children.saturating_sub(1);
                self.expect(parent_path, Some(parent));
                self.expect(&path, None);
                Action::Delete { path }
            }
        }
    }

    fn set_data(&mut self, request: SetDataRequest) -> Result<Action, Code> {
        let SetDataRequest { path, data, version } = request;
        path::validate(&path)?;
        let mut node = self.look(&path)?;
        acl::check(self.ids, &node.acl, acl::WRITE)?;
        let version = next_version(node.version, version)?;
        node.version = version;
        self.expect(&path, Some(node));
        Ok(Action::SetData { path, data, version })
    }

    fn set_acl(&mut self, request: SetAclRequest) -> Result<Action, Code> {
        let SetAclRequest { path, acl, version } = request;
        path::validate(&path)?;
        let acl = acl::fix_up(self.ids, &acl)?;
        let mut node = self.look(&path)?;
        acl::check(self.ids, &node.acl, acl::ADMIN)?;
        let version = next_version(node.aversion, version)?;
        node.aversion = version;
        node.acl.clone_from(&acl);
        self.expect(&path, Some(node));
        Ok(Action::SetAcl { path, acl, version })
    }

    fn check(&self, request: VersionedPath) -> Result<Action, Code> {
        path::validate(&request.path)?;
        let node = self.look(&request.path)?;
        acl::check(self.ids, &node.acl, acl::READ)?;
        next_version(node.version, request.version)?;
        Ok(Action::Check)
    }

    /// The end of a session takes its ephemeral nodes along, also those that are still on their way.
    fn close_session(&mut self) -> Action {
        let mut paths: Vec<String> = self.tree.ephemerals(self.session).cloned().collect();
        for (path, (_, outlook)) in &self.pending.records {
            let known = paths.iter().position(|known| known == path);
            match (outlook, known) {
                (None, Some(at)) => drop(paths.remove(at)),
                (Some(node), None) if node.owner == Owner::Session(self.session) => {
                    paths.push(path.clone());
                }
                _ => {}
            }
        }
        for path in &paths {
            self.expect(path, None);
        }
        Action::CloseSession { paths }
    }

    /// What will be at `path`.
    fn look(&self, path: &str) -> Result<Outlook, Code> {
        let path = path::or_root(path);
        if let Some((_, outlook)) = self.pending.records.get(path) {
            return outlook.clone().ok_or(Code::NoNode);
        }
        let node = self.tree.node(path)?;
        Ok(Outlook {
            version: node.version,
            aversion: node.aversion,
            creations: node.creations,
            children: node.children.len(),
            owner: node.owner,
            acl: node.acl.clone(),
        })
    }

    fn expect(&mut self, path: &str, outlook: Option<Outlook>) {
        self.pending.records.insert(path::or_root(path).to_owned(), (self.zxid, outlook));
    }
}

/// The version after `current`, if that is the `expected` one; -1 expects any (`checkAndIncVersion`).
fn next_version(current: i32, expected: i32) -> Result<i32, Code> {
    let right = expected == -1 || expected == current;
    if right { Ok(current.wrapping_add(1)) } else { Err(Code::BadVersion) }
}
