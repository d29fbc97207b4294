//! Parts that are put together are the whole, and nothing else can be put together.

use super::*;
use crate::engine::Engine;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::search::sweep::Question;
use crate::search::sweep::partial::Subject;
use crate::search::sweep::tests::{question, run};

fn begun(question: &Question, shard: Shard) -> Partial {
    Partial::new(question, Subject::of(question, "s1-gc-pause", Engine::Event), shard)
}

fn collected(question: &Question, shard: Shard) -> Partial {
    let mut account = begun(question, shard);
    account.go_on(question, &run, |_| true).unwrap();
    account
}

fn json(account: &Partial) -> String {
    serde_json::to_string(account).unwrap()
}

fn shards(of: u32) -> Vec<Shard> {
    format!("1/{of}").parse::<Shard>().unwrap().all().collect()
}

/// As it comes out of files, in an order that no file system promises.
fn parts(accounts: impl DoubleEndedIterator<Item = Partial>) -> Vec<(PathBuf, Partial)> {
    let read = |account| serde_json::from_str(&json(&account)).unwrap();
    let named = |account: Partial| (PathBuf::from(account.shard.to_string()), read(account));
    accounts.rev().map(named).collect()
}

#[test]
fn shards_come_to_what_one_process_finds() {
    let question = question(&["redis-token-cad", "redis-lua-decr"], 7..31);
    let whole = collected(&question, Shard::WHOLE);
    assert!(whole.failures() > 2 && whole.broken() > 2);
    for of in [1, 2, 3, 5] {
        let accounts = shards(of).into_iter().map(|shard| collected(&question, shard));
        let merged = merge(parts(accounts)).unwrap().unwrap();
        assert_eq!(json(&merged), json(&whole), "{of} shards");
    }
    assert!(merge(Vec::new()).unwrap().is_none());
}

#[test]
fn an_account_goes_on_where_it_stopped() {
    let question = question(&["redis-token-cad"], 0..40);
    let whole = json(&collected(&question, Shard::WHOLE));
    let mut account = begun(&question, Shard::WHOLE);
    let mut times = 0;
    while !account.is_complete() {
        let stop = account.plans() + 7;
        account.go_on(&question, &run, |account| account.plans() < stop).unwrap();
        account = serde_json::from_str(&json(&account)).unwrap();
        times += 1;
    }
    assert_eq!((json(&account), times), (whole, 6));
}

#[test]
fn what_stops_at_the_first_failure_does_not_go_on_after_it() {
    let mut question = question(&["redis-token-cad"], 0..1000);
    question.stop_at_first = true;
    let mut account = collected(&question, Shard::WHOLE);
    assert!(account.is_complete() && account.plans() < 1000);
    let plans = account.plans();
    account.go_on(&question, &run, |_| true).unwrap();
    assert_eq!(account.plans(), plans);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let asked = question(&["redis-lua-decr"], 0..6);
    let part = |shard: &str| collected(&asked, shard.parse().unwrap());
    let refused =
        |accounts: Vec<Partial>| merge(parts(accounts.into_iter())).unwrap_err().to_string();
    insta::assert_snapshot!(refused(vec![part("1/3"), part("3/3")]), @"there is a shard missing: 2/3 (seeds 2..4)");
    insta::assert_snapshot!(refused(vec![part("2/3")]), @"there are shards missing: 1/3 (seeds 0..2), 3/3 (seeds 4..6)");
    insta::assert_snapshot!(refused(vec![part("1/2"), part("2/2"), part("2/2")]), @"shard 2/2 is there twice: 2/2 and 2/2");
    insta::assert_snapshot!(refused(vec![part("1/2"), part("3/3")]), @"1/2 and 3/3 are no parts of one sweep: one is of 2 shards, the other of 3");

    let begun = begun(&asked, "2/2".parse().unwrap());
    insta::assert_snapshot!(refused(vec![part("1/2"), begun]), @"2/2: shard 2/2 has not come to its end: it lacks the seeds 3..6");

    let other = |asked: &Question| collected(asked, "2/2".parse().unwrap());
    let longer = other(&question(&["redis-lua-decr"], 0..8));
    insta::assert_snapshot!(refused(vec![part("1/2"), longer]), @"1/2 and 2/2 are no parts of one sweep: seeds 0..8 there, 0..6 here");
    let of_others = other(&question(&["redis-get-then-decr"], 0..6));
    insta::assert_snapshot!(refused(vec![part("1/2"), of_others]), @"1/2 and 2/2 are no parts of one sweep: contenders redis-get-then-decr there, redis-lua-decr here");
}

/// Every seed is a failure here, and costs nothing: what a run leaves in the account would show.
#[test]
fn an_account_does_not_grow_with_the_number_of_seeds() {
    let question = question(&["redis-token-cad"], 0..5000);
    let broken = |seed| {
        let outcome = run(&question.spaces[0].1.draw(picklock_sim::seed::Seed(seed)).plan).unwrap();
        (outcome.broken().count() > 1).then_some(outcome)
    };
    let failing: Outcome = (0..).find_map(broken).unwrap();
    let always = |_: &Plan| Ok(failing.clone());
    let mut first = None;
    let mut account = begun(&question, Shard::WHOLE);
    let go_on = |account: &Partial| {
        first.get_or_insert_with(|| json(account).len());
        true
    };
    account.go_on(&question, &always, go_on).unwrap();
    assert_eq!(account.broken(), 5000);
    let first = first.unwrap();
    let grown = json(&account).len() - first;
    assert!(grown < 200, "from {first} bytes by {grown}, which is more than longer numbers take");
}
