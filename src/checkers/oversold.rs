//! `oversold`: not more is sold than there was (level L2).
//!
//! The damage of the flash-sale stories: a stock of 100 of which 200 are sold. What counts as a sale
//! is said at [`sales`]: acknowledged, or accepted by the resource though the seller never knew.

use super::evidence::{in_order, sentence};
use super::intervals::Sale;
use super::{Case, Checker};
use crate::terms::{Claim, History};
use crate::verdict::{Verdict, Violation};

/// See the module.
pub(super) struct Oversold;

impl Checker for Oversold {
    fn name(&self) -> &'static str {
        "oversold"
    }

    fn claim(&self) -> Claim {
        Claim::NoOversell
    }

    fn check(&self, history: &Case<'_>) -> Verdict {
        let (_, sales) = history.operations_and_sales();
        let stock = usize::try_from(history.header.initial).unwrap_or(0);
        match sales.get(stock) {
            None => Verdict::Pass,
            Some(too_many) => Verdict::Fail(violation(history, sales, stock, too_many)),
        }
    }
}

fn violation(history: &History, sales: &[Sale], stock: usize, too_many: &Sale) -> Violation {
    let excess = sales.len() - stock;
    let mut witnesses = vec![too_many.event];
    let twice = sold_twice(&sales[..=stock]);
    let how = match twice {
        Some((first, second)) => {
            witnesses.extend([first.event, second.event]);
            let left = second.left.unwrap_or_default();
            format!(
                "{} sold a unit at {} and {} sold the same unit at {}: both left {left} in stock.",
                sentence(first.client),
                first.at,
                second.client,
                second.at
            )
        }
        None => match too_many.left {
            Some(left) => {
                format!("No unit was sold twice, but sales went on until {left} were left.")
            }
            None => "No two sales are known to have left the same number in stock.".to_owned(),
        },
    };
    let story = [
        format!(
            "There {} to sell, and {}: {} too many.",
            if stock == 1 { "was 1 unit".to_owned() } else { format!("were {stock} units") },
            if sales.len() == 1 {
                "1 was sold".to_owned()
            } else {
                format!("{} were sold", sales.len())
            },
            excess
        ),
        how,
        format!(
            "The first sale too many was {}'s at {}, number {} of {stock}.",
            too_many.client,
            too_many.at,
            stock + 1
        ),
    ];
    Violation {
        at: too_many.at,
        times: u32::try_from(excess).unwrap_or(u32::MAX),
        lasted_ms: None,
        witnesses: in_order(history, witnesses),
        story,
    }
}

/// The first two sales that left the same number, so that both sold the same unit.
fn sold_twice(sales: &[Sale]) -> Option<(&Sale, &Sale)> {
    let mut by_left = std::collections::BTreeMap::new();
    sales.iter().find_map(|sale| {
        let earlier = by_left.insert(sale.left?, sale)?;
        Some((earlier, sale))
    })
}

#[cfg(test)]
mod tests;
