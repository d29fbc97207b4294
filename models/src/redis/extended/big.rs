//! Whole numbers of any size, as few operations of them as reading and printing needs.

use std::cmp::Ordering;

/// 32 bits each, the lowest first, none of them zero at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Big(Vec<u32>);

/// What is below the bits that were asked for, compared with half of their last place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Less,
    Half,
    More,
}

impl From<u64> for Big {
    fn from(number: u64) -> Self {
        let mut big = Self(vec![number as u32, (number >> 32) as u32]);
        big.trim();
        big
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let by_length = self.0.len().cmp(&other.0.len());
        Some(by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev())))
    }
}

impl Big {
    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bits it takes.
    pub(super) fn bits(&self) -> usize {
        let top = self.0.last().map_or(0, |top| top.leading_zeros() as usize);
        self.0.len() * 32 - top
    }

    fn bit(&self, index: usize) -> bool {
        self.0.get(index / 32).is_some_and(|word| word >> (index % 32) & 1 == 1)
    }

    pub(super) fn times_plus(&mut self, factor: u32, plus: u32) {
        let mut carry = u64::from(plus);
        for word in &mut self.0 {
            let product = u64::from(*word) * u64::from(factor) + carry;
            *word = product as u32;
            carry = product >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    pub(super) fn times_power_of_ten(&mut self, power: usize) {
        for _ in 0..power {
            self.times_plus(10, 0);
        }
    }

    pub(super) fn shift_up(&mut self, bits: usize) {
        if self.is_zero() {
            return;
        }
        if !bits.is_multiple_of(32) {
            self.times_plus(1 << (bits % 32), 0);
        }
        self.0.splice(0..0, std::iter::repeat_n(0, bits / 32));
    }

    pub(super) fn add(&mut self, other: &Big) {
        let mut carry = 0;
        for index in 0..self.0.len().max(other.0.len()) {
            if index == self.0.len() {
                self.0.push(0);
            }
            let sum = u64::from(self.0[index]) + u64::from(other.word(index)) + carry;
            self.0[index] = sum as u32;
            carry = sum >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// Takes away what is not larger.
    pub(super) fn subtract(&mut self, other: &Big) {
        let mut borrow = 0;
        for index in 0..self.0.len() {
            let difference = i64::from(self.0[index]) - i64::from(other.word(index)) - borrow;
            self.0[index] = difference as u32;
            borrow = i64::from(difference < 0);
        }
        self.trim();
    }

    fn word(&self, index: usize) -> u32 {
        self.0.get(index).copied().unwrap_or(0)
    }

    /// The quotient, and whether nothing is left over; one bit after the other.
    pub(super) fn divided_by(mut self, divisor: &Big) -> (Big, bool) {
        let mut quotient = Big::from(0);
        let steps = (self.bits() + 1).saturating_sub(divisor.bits());
        for step in (0..steps).rev() {
            let mut part = divisor.clone();
            part.shift_up(step);
            let fits = self >= part;
            if fits {
                self.subtract(&part);
            }
            quotient.times_plus(2, u32::from(fits));
        }
        (quotient, self.is_zero())
    }

    /// The `count` highest bits, moved up if there are fewer, and what is below them.
    pub(super) fn top(&self, count: usize) -> (u64, Rest) {
        let bits = self.bits();
        let mut top = 0;
        for index in (bits.saturating_sub(count)..bits).rev() {
            top = top << 1 | u64::from(self.bit(index));
        }
        if bits <= count {
            return (top << (count - bits), Rest::Less);
        }
        let below = bits - count;
        let lower = (0..below - 1).any(|index| self.bit(index));
        let rest = match (self.bit(below - 1), lower) {
            (false, _) => Rest::Less,
            (true, false) => Rest::Half,
            (true, true) => Rest::More,
        };
        (top, rest)
    }

    /// The decimal digits.
    pub(super) fn decimal(mut self) -> String {
        const BILLION: u64 = 1_000_000_000;
        let mut groups = Vec::new();
        while !self.is_zero() {
            let mut rest = 0;
            for word in self.0.iter_mut().rev() {
                let number = rest << 32 | u64::from(*word);
                *word = (number / BILLION) as u32;
                rest = number % BILLION;
            }
            groups.push(rest);
            self.trim();
        }
        let mut text = groups.pop().unwrap_or(0).to_string();
        for group in groups.into_iter().rev() {
            text.push_str(&format!("{group:09}"));
        }
        text
    }
}
