//! A transcript is the same with the model's own answers in it.

use super::replay;
use crate::transcript::Faithful;

/// What is asked, and what a server that is right says to it.
const LOCK: &str = r#"= zookeeper 3.8.0
! tickTime 200
> Connect{timeout_ms=600}
< Connected{timeout_ms=600 session=s1 password=p1}
> Create{path="/lock-" data="" acl=["31 world:anyone"] flags=3}
< Answer{xid=1 zxid=2 is=Path{path="/lock-0000000000"}}
2> Connect{timeout_ms=4000}
2< Connected{timeout_ms=4000 session=s2 password=p2}
2> Exists{path="/lock-0000000000" watch=true}
2< Answer{xid=1 zxid=3 is=Stat{czxid=2 mzxid=2 ctime_ms=~0 mtime_ms=~0 ephemeral_owner=s1 pzxid=2}}
@ 900
x
2< Event{is=Deleted path="/lock-0000000000"}
3> Connect{timeout_ms=600 session=s1 password=p1}
3< Connected{password="\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"}
3x
2> Unreadable{opcode=1}
2< Answer{xid=2 zxid=5 error=MarshallingError}
"#;

#[test]
fn a_lock_that_ends_with_its_session() {
    let is_asked = |line: &&str| !line.contains('<') && !line.ends_with('x');
    let without: String = LOCK.lines().filter(is_asked).map(|line| format!("{line}\n")).collect();

    assert_eq!(replay(&without, &mut Faithful).unwrap(), LOCK);
}

#[test]
fn what_makes_no_sense_is_said_where() {
    let error = |text| replay(text, &mut Faithful).unwrap_err().to_string();
    assert_eq!(error("! nosuch 1"), "line 1: no such setting: ! nosuch 1");
    let asked = "> Connect{session=s1}";
    assert_eq!(error(asked), format!("line 1: no session s1 so far: {asked}"));
}
