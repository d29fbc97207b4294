//! Who may do what (`ZooKeeperServer.checkACL`, `PrepRequestProcessor.fixupACL`, `server/auth/`).
//!
//! The schemes that a server has without being told: `world`, `digest`, `ip`, and `auth` for whoever the
//! client has shown to be.

use std::net::Ipv4Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use sha1::{Digest, Sha1};

use super::code::Code;
use super::records::{Acl, Id};

pub(super) const READ: i32 = 1;
pub(super) const WRITE: i32 = 2;
pub(super) const CREATE: i32 = 4;
pub(super) const DELETE: i32 = 8;
pub(super) const ADMIN: i32 = 16;

/// Where all clients are: a model is not told.
const ADDRESS: &str = "127.0.0.1";

/// Who a client is before it has shown any credentials.
pub(super) fn nobody() -> Vec<Id> {
    vec![Id { scheme: "ip".into(), id: ADDRESS.into() }]
}

/// Who shows these credentials.
///
/// # Errors
/// If there is no such scheme.
pub(super) fn authenticate(scheme: &str, auth: Option<&Bytes>) -> Result<Id, Code> {
    match scheme {
        "ip" => Ok(Id { scheme: "ip".into(), id: ADDRESS.into() }),
        "digest" => {
            let credentials = auth.map_or("".into(), |bytes| String::from_utf8_lossy(bytes));
            Ok(Id { scheme: "digest".into(), id: digest(&credentials) })
        }
        _ => Err(Code::AuthFailed),
    }
}

/// `user:password` as access lists have it (`DigestAuthenticationProvider.generateDigest`).
fn digest(credentials: &str) -> String {
    let user = credentials.split(':').next().unwrap_or_default();
    format!("{user}:{}", BASE64.encode(Sha1::digest(credentials.as_bytes())))
}

/// The access list that is kept when a client who is `ids` gives `acl`.
///
/// # Errors
/// If it is empty, or an entry cannot be.
pub(super) fn fix_up(ids: &[Id], acl: &[Acl]) -> Result<Vec<Acl>, Code> {
    let mut fixed = Vec::new();
    let first = |(at, entry): &(usize, &Acl)| !acl[..*at].contains(entry);
    for (_, entry) in acl.iter().enumerate().filter(first) {
        let id = entry.id.id.as_str();
        match entry.id.scheme.as_str() {
            "auth" => {
                let shown = ids.iter().filter(|id| id.scheme == "digest");
                let before = fixed.len();
                fixed.extend(shown.map(|id| Acl { perms: entry.perms, id: id.clone() }));
                if fixed.len() == before {
                    return Err(Code::InvalidAcl);
                }
            }
            "world" if id == "anyone" => fixed.push(entry.clone()),
            "digest" if id.split(':').count() == 2 => fixed.push(entry.clone()),
            "ip" if network(id).is_some() => fixed.push(entry.clone()),
            _ => return Err(Code::InvalidAcl),
        }
    }
    if fixed.is_empty() { Err(Code::InvalidAcl) } else { Ok(fixed) }
}

/// Whether a client who is `ids` has any of `perms`.
///
/// # Errors
/// If not.
pub(super) fn check(ids: &[Id], acl: &[Acl], perms: i32) -> Result<(), Code> {
    let matches = |entry: &Acl| {
        let same_scheme = |id: &&Id| id.scheme == entry.id.scheme;
        entry.id.scheme == "world"
            || ids.iter().filter(same_scheme).any(|id| match entry.id.scheme.as_str() {
                "ip" => is_within(&id.id, &entry.id.id),
                _ => id.id == entry.id.id,
            })
    };
    let allowed =
        acl.is_empty() || acl.iter().any(|entry| entry.perms & perms != 0 && matches(entry));
    if allowed { Ok(()) } else { Err(Code::NoAuth) }
}

/// The list as it is shown to who may read but not administer: without the digests.
pub(super) fn mask(acl: &[Acl]) -> Vec<Acl> {
    let mut acl = acl.to_vec();
    for entry in acl.iter_mut().filter(|entry| entry.id.scheme == "digest") {
        let user = entry.id.id.split(':').next().unwrap_or_default();
        entry.id.id = format!("{user}:x");
    }
    acl
}

/// An IPv4 network such as `10.0.0.0/8`: its address, and how many bits of it count.
fn network(text: &str) -> Option<(u32, u32)> {
    let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
    let bits = bits.parse().ok().filter(|bits| *bits <= 32)?;
    Some((address.parse::<Ipv4Addr>().ok()?.into(), bits))
}

fn is_within(address: &str, within: &str) -> bool {
    let (Some((address, _)), Some((start, bits))) = (network(address), network(within)) else {
        return false;
    };
    bits == 0 || (address ^ start) >> (32 - bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of ZooKeeper's own documentation for its `addauth`.
    #[test]
    fn a_digest_is_base64_of_sha1() {
        assert_eq!(digest("super:admin"), "super:xQJmxLMiHGwaqBvst5y6rkB6HQs=");
    }

    #[test]
    fn auth_stands_for_who_the_client_is() {
        let mut ids = nobody();
        let auth = Acl { perms: 31, id: Id { scheme: "auth".into(), id: "".into() } };
        assert_eq!(fix_up(&ids, std::slice::from_ref(&auth)), Err(Code::InvalidAcl));
        ids.push(Id { scheme: "digest".into(), id: digest("u:p") });
        let fixed = fix_up(&ids, &[auth]).expect("a list");
        assert_eq!(fixed[0].id, ids[1]);
        assert_eq!(check(&ids, &fixed, WRITE), Ok(()));
        assert_eq!(check(&nobody(), &fixed, WRITE), Err(Code::NoAuth));
        assert_eq!(mask(&fixed)[0].id.id, "u:x");
    }

    #[test]
    fn lists_that_cannot_be_are_refused() {
        let with = |scheme: &str, id: &str| {
            vec![Acl { perms: 31, id: Id { scheme: scheme.into(), id: id.into() } }]
        };
        let bad =
            [("world", "me"), ("digest", "nocolon"), ("ip", "x"), ("ip", "1.2.3.4/33"), ("", "")];
        for (scheme, id) in bad {
            assert_eq!(
                fix_up(&nobody(), &with(scheme, id)),
                Err(Code::InvalidAcl),
                "{scheme} {id}"
            );
        }
        assert_eq!(fix_up(&nobody(), &[]), Err(Code::InvalidAcl));
        let near = fix_up(&nobody(), &with("ip", "127.0.0.0/8")).expect("a list");
        assert_eq!(check(&nobody(), &near, READ), Ok(()));
        let far = fix_up(&nobody(), &with("ip", "10.0.0.0/8")).expect("a list");
        assert_eq!(check(&nobody(), &far, READ), Err(Code::NoAuth));
    }
}
