//! A transcript is the same with the model's own answers in it.

use super::replay;
use crate::transcript::Faithful;

/// What is asked, and what a server that is right says to it.
const LOCK: &str = r#"= etcd 3.4.23
> 1 LeaseGrant{ttl=2 id=7}
< 1 LeaseGrant{header={revision=1} id=7 ttl=2}
< 1 ok
> 2 Txn{compare=[{target=create key="lock" create_revision=0}] success=[Put{key="lock" value="me" lease=7}] failure=[Range{key="lock"}]}
< 2 Txn{header={revision=2} succeeded=true responses=[Put{header={revision=2 nobody=true}}]}
< 2 ok
> 3 Watch{create={key="lock" start_revision=2 filters=[noput] prev_kv=true}}
< 3 Watch{header={revision=2} created=true}
2> 1 LeaseKeepAlive{id=8}
2< 1 LeaseKeepAlive{header={revision=2} id=8}
2> 1 end
2< 1 ok
2> 2 Lock{name="queue"}
2< 2 Lock{header={revision=3} key="queue/{L1}"}
2< 2 ok
2> 3 LeaseTimeToLive{id=L1 keys=true}
2< 3 LeaseTimeToLive{header={revision=3} id=L1 ttl=~60 granted_ttl=60 keys=["queue/{L1}"]}
2< 3 ok
@ 3000
< 3 Watch{header={revision=4} events=[DELETE{kv={key="lock" mod_revision=4} prev_kv={key="lock" create_revision=2 mod_revision=2 version=1 value="me" lease=7}}]}
> 3 gone
2> 4 Unlock{}
2< 4 Error{code=Unknown message="etcdserver: key is not provided"}
2-
"#;

#[test]
fn a_lock_that_ends_with_its_lease() {
    let without: String =
        LOCK.lines().filter(|line| !line.contains('<')).map(|line| format!("{line}\n")).collect();
    assert_eq!(replay(&without, &mut Faithful).unwrap(), LOCK);
}

#[test]
fn what_makes_no_sense_is_said_where() {
    let error = |text| replay(text, &mut Faithful).unwrap_err().to_string();
    assert_eq!(error("@ 1\n> Put{}"), "line 2: no call is named: > Put{}");
    assert_eq!(error("> 1 Nosuch{}"), "line 1: there is no call Nosuch: > 1 Nosuch{}");
    assert_eq!(error("> 1 Put{k=1}"), "line 1: there is no field k here: Put{k=1}: > 1 Put{k=1}");
}
