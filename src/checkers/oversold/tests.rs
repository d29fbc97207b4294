//! Histories that `oversold` must accept, and histories that it must reject.

use super::super::fixture::{Script, ask, client, story, violation};
use super::*;
use picklock_sim::history::Op;

const NAME: &str = "oversold";

#[test]
fn a_unit_sold_twice_is_one_too_many() {
    let history =
        Script::sale(2).at(10).writes(1, 2, 1).at(20).writes(2, 1, 1).at(30).writes(1, 1, 0).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    There were 2 units to sell, and 3 were sold: 1 too many.
    Client 1 sold a unit at 0.010 s and client 2 sold the same unit at 0.020 s: both left 1 in stock.
    The first sale too many was client 1's at 0.030 s, number 3 of 2.
    ");
    assert_eq!(violation(NAME, &history).times, 1);
}

#[test]
fn the_last_unit_may_be_sold() {
    let history = Script::sale(2).at(10).writes(1, 2, 1).at(20).writes(2, 1, 0).done();
    assert_eq!(ask(NAME, &history), Verdict::Pass);
}

#[test]
fn an_unknown_sale_counts_only_if_it_was_accepted() {
    let unknown = Op::Write { value: 0, token: None };
    let script = Script::sale(1).at(10).begins_write(1, 0).at(20).lost_reply(1, unknown).at(30);
    assert_eq!(ask(NAME, &script.clone().writes(2, 1, 0).done()), Verdict::Pass);
    let proven = script.writes(2, 1, 0).at(40).applied(1, 0, 0).done();
    assert_eq!(ask(NAME, &proven).word(), "fail");
    let died = Script::sale(1).at(10).begins_write(1, 0).crashed(client(1)).applied(1, 1, 0);
    assert_eq!(ask(NAME, &died.at(30).writes(2, 0, 0).done()).word(), "fail");
}

#[test]
fn a_request_sent_twice_sells_once() {
    let history =
        Script::sale(1).at(10).begins_write(1, 0).applied(1, 1, 0).applied(1, 0, 0).wrote(1, 0);
    assert_eq!(ask(NAME, &history.done()), Verdict::Pass);
}

#[test]
fn a_sale_accepted_of_nobody_knows_which_write_counts() {
    let history = Script::sale(1).at(10).writes(1, 1, 0).at(20).applied(2, 0, -1).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    There was 1 unit to sell, and 2 were sold: 1 too many.
    No unit was sold twice, but sales went on until -1 were left.
    The first sale too many was client 2's at 0.020 s, number 2 of 1.
    ");
}

#[test]
fn decrements_at_the_store_count_when_acknowledged() {
    let script = Script::sale(1).at(10).sells(1, 0).at(20);
    let refused = script.clone().invoke(2, Op::SELL).stock(Some(2), -1).fail(2, Op::SELL).done();
    assert_eq!(ask(NAME, &refused), Verdict::Pass);
    assert_eq!(ask(NAME, &script.sells(2, -1).done()).word(), "fail");
}

#[test]
fn a_counter_sells_nothing() {
    assert_eq!(ask(NAME, &Script::counter().at(10).writes(1, 0, 1).done()), Verdict::Pass);
}

#[test]
fn a_stock_set_back_sells_units_twice() {
    let script = Script::sale(2).stock(None, 2).at(10).sells(1, 1).at(20).sells(2, 0);
    let history = script.at(30).stock(None, 1).at(40).sells(1, 0).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    There were 2 units to sell, and 3 were sold: 1 too many.
    Client 2 sold a unit at 0.020 s and client 1 sold the same unit at 0.040 s: both left 0 in stock.
    The first sale too many was client 1's at 0.040 s, number 3 of 2.
    ");
}
