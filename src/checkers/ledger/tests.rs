//! Histories that `ledger` must accept, and histories that it must reject.

use super::super::fixture::{Script, ask, client, reason_of, story};
use super::*;

const NAME: &str = "ledger";

#[test]
fn sales_and_stock_add_up() {
    let history = Script::sale(3).at(10).writes(1, 3, 2).at(20).writes(2, 2, 1).done();
    assert_eq!(ask(NAME, &history), Verdict::Pass);
    let history = Script::sale(3).stock(None, 3).at(10).sells(1, 2).at(20).sells(2, 1).done();
    assert_eq!(ask(NAME, &history), Verdict::Pass);
}

#[test]
fn a_sale_that_is_overwritten_is_missing() {
    let history = Script::sale(3).at(10).writes(1, 3, 2).at(20).writes(2, 2, 2).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    The stock began with 3 and showed 2 in the end (at 0.020 s), so 1 should have been sold.
    No crash set it back: sellers overwrote each other's sales.
    Clients made 2 sales: 1 sale is missing in the ledger.
    ");
}

#[test]
fn a_decrement_sent_twice_takes_a_unit_without_a_sale() {
    let sell = Script::sale(3).at(10).invoke(1, Op::SELL).stock(Some(1), 2).stock(Some(1), 1);
    let history = sell.ok(1, Op::Sell { left: Some(1) }).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    The stock began with 3 and showed 1 in the end (at 0.010 s), so 2 should have been sold.
    Units left the stock without a sale.
    Clients made 1 sale at most: 1 unit is missing in the stock.
    ");
}

#[test]
fn unknown_sales_give_slack_downwards_only() {
    let script = |left| {
        let script = Script::sale(3).at(10).invoke(1, Op::SELL).at(20).crashed(client(1));
        script.at(30).invoke(2, Op::SELL).stock(None, left).ok(2, Op::SELL).done()
    };
    assert_eq!(ask(NAME, &script(2)), Verdict::Pass);
    assert_eq!(ask(NAME, &script(1)), Verdict::Pass);
    assert_eq!(ask(NAME, &script(3)).word(), "fail");
    assert_eq!(ask(NAME, &script(0)).word(), "fail");
}

#[test]
fn a_decrement_below_zero_that_was_refused_is_no_loss() {
    let script = Script::sale(1).at(10).sells(1, 0).at(20).invoke(2, Op::SELL).stock(Some(2), -1);
    assert_eq!(ask(NAME, &script.fail(2, Op::SELL).done()), Verdict::Pass);
}

fn crash_after_two_sales() -> Script {
    let script = Script::sale(5).stock(None, 5).at(10).sells(1, 4).at(20).sells(2, 3);
    script.at(30).crashed(HostName::REDIS)
}

#[test]
fn a_stock_set_back_by_a_crash_loses_sales() {
    let script = crash_after_two_sales().at(50).booted(HostName::REDIS);
    let whole = script.clone().stock_loaded(3).at(60).sells(1, 2).done();
    assert_eq!(ask(NAME, &whole), Verdict::Pass);
    let set_back = script.stock_loaded(4).at(60).sells(1, 3).done();
    insta::assert_snapshot!(story(NAME, &set_back), @r"
    The stock began with 5 and showed 3 in the end (at 0.060 s), so 2 should have been sold.
    After a crash redis came back at 0.050 s with 4 in stock instead of 3.
    Clients made 3 sales: 1 sale is missing in the ledger.
    ");
}

#[test]
fn a_stock_that_did_not_come_back_loses_all_sales() {
    let history = crash_after_two_sales().at(50).booted(HostName::REDIS).done();
    insta::assert_snapshot!(story(NAME, &history), @r"
    The stock began with 5; clients sold 2 units, the first at 0.010 s.
    Then redis crashed at 0.030 s and came back without the stock.
    The record of 2 sales is lost with it.
    ");
}

#[test]
fn a_store_that_stays_down_leaves_it_unknown() {
    let verdict = ask(NAME, &crash_after_two_sales().done());
    insta::assert_snapshot!(reason_of(&verdict), @r"
    redis crashed at 0.030 s with the stock and never came back to
    show it
    ");
}

#[test]
fn sales_that_nobody_recorded_cannot_be_judged() {
    let history = Script::sale(3).at(10).begins_write(1, 2).wrote(1, 2).done();
    assert_eq!(ask(NAME, &history).word(), "unknown");
    assert_eq!(ask(NAME, &Script::sale(3).done()), Verdict::Pass);
}
