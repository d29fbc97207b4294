//! Transactions: all or nothing, one number for all, and what is said of each operation.

use super::*;

fn results(answer: Result<Answer, Code>) -> Vec<Result<Answer, i32>> {
    let Ok(Answer::Multi(results)) = answer else { panic!("{answer:?}") };
    results.into_iter().map(|(_, result)| result.map_err(Code::number)).collect()
}

#[test]
fn operations_see_what_earlier_ones_did() {
    let mut server = Server::start();
    server.client(1);
    let all = vec![
        Operation::Create(creation("/a", 0)),
        Operation::Create(creation("/a/n-", 2)),
        Operation::SetData(setting("/a", 0)),
        Operation::Check(versioned("/a", 1)),
        Operation::Delete(versioned("/a/n-0000000000", 0)),
    ];
    let answer = results(server.call(1, Operation::Multi(Writes(all))));
    assert_eq!(answer[0], Ok(Answer::Path(Some("/a".into()))));
    assert_eq!(answer[1], Ok(Answer::Path(Some("/a/n-0000000000".into()))));
    assert!(matches!(answer[2], Ok(Answer::Stat(stat)) if stat.version == 1));
    assert_eq!(answer[3..], [Ok(Answer::Done), Ok(Answer::Done)]);
    let stat = server.stat(1, "/a");
    assert_eq!((stat.czxid, stat.mzxid, stat.pzxid), (Zxid(2), Zxid(2), Zxid(2)));
}

/// Before the one that failed 0, after it -2; nothing is left, no watch goes off, one number is taken.
#[test]
fn one_that_fails_undoes_them_all() {
    let mut server = Server::start();
    server.client(1);
    server.call(1, Operation::Exists(looked_at("/a", true))).expect_err("not there");
    let before = server.zookeeper.tree.last_zxid();
    let all = vec![
        Operation::Create2(creation("/a", 0)),
        Operation::Check(versioned("/a", 9)),
        Operation::Create(creation("/b", 0)),
    ];
    let answer = server.call(1, Operation::Multi(Writes(all)));
    assert_eq!(results(answer), [Err(0), Err(-103), Err(-2)]);
    assert!(server.events().is_empty());
    assert_eq!(server.zookeeper.tree.last_zxid(), Zxid(before.0 + 1));
    // Also not the count of creations, of which sequence numbers are made.
    assert_eq!(server.create(1, "/n-", 2), path_of("/n-0000000000"));
}

#[test]
fn reads_fail_one_by_one() {
    let mut server = Server::start();
    server.client(1);
    let reads = Reads(vec![
        Operation::GetChildren(looked_at("/", false)),
        Operation::GetData(looked_at("/no", false)),
    ]);
    let answer = results(server.call(1, Operation::MultiRead(reads)));
    assert_eq!(answer, [Ok(Answer::Names(vec!["zookeeper".into()])), Err(-101)]);
}

/// Measured: the flags say what is created, and the answer says no more than that.
#[test]
fn in_a_transaction_the_flags_say_what_is_created() {
    let mut server = Server::start();
    server.client(1);
    let parts = vec![
        Operation::Create2(creation("/a", 0)),
        Operation::CreateContainer(creation("/b", 0)),
        Operation::Create(creation("/c", 4)),
    ];
    let Ok(Answer::Multi(results)) = server.call(1, Operation::Multi(Writes(parts))) else {
        panic!("it is carried out")
    };
    let path = |path| (opcode::CREATE, path_of(path));
    assert_eq!(results[..2], [path("/a"), path("/b")]);
    assert!(matches!(&results[2], (opcode::CREATE2, Ok(Answer::Created(..)))));
}
