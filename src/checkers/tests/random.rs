//! Random histories that a run could have: any order of moves, as long as each is possible.

use picklock_sim::history::{Kind, Op};
use picklock_sim::host::HostName;
use picklock_sim::time::SimTime;
use proptest::prelude::*;

use super::super::fixture::{Script, client};
use crate::terms::{Claim, History};

/// Well-formed histories of three clients, most of them gone wrong.
pub(super) fn histories() -> impl Strategy<Value = History> {
    let moves = prop::collection::vec((1..=3u16, 0..29u8, 0..250u64, 0..6i64), 1..120);
    (moves, 0..4i64, any::<bool>(), any::<bool>()).prop_map(|(moves, initial, is_sale, bound)| {
        let script = if is_sale { Script::sale(initial) } else { Script::counter() };
        let script = script.terms(|terms| {
            terms.claims.extend([Claim::FenceMonotonic, Claim::Reentrant]);
            terms.recovery_bound_ms = bound.then_some(1_500);
        });
        let mut play =
            Play { script, now_ms: 0, tokens: 0, clients: Default::default(), redis: true };
        for (number, choice, pause_ms, value) in moves {
            play.now_ms = (play.now_ms + pause_ms).min(10_000);
            play.script = play.script.at(play.now_ms);
            play.choose(number, choice, value);
        }
        play.script.done()
    })
}

/// What a client may do next follows from this.
#[derive(Clone, Copy, Default)]
struct Client {
    down: bool,
    paused: bool,
    asking: bool,
    granted: bool,
    /// It asks for the shared mode.
    shared: bool,
    /// It asks again, or gives one back.
    amid: Option<Op>,
    writing: Option<Op>,
}

struct Play {
    script: Script,
    now_ms: u64,
    tokens: u64,
    clients: [Client; 4],
    redis: bool,
}

impl Play {
    fn choose(&mut self, number: u16, choice: u8, value: i64) {
        let before = self.clients[usize::from(number)];
        let script = self.script.clone();
        let state = &mut self.clients[usize::from(number)];
        let host = client(number);
        let is_up = !before.down && !before.paused;
        let done = match choice {
            0..=3 if is_up && !before.asking => {
                (state.asking, state.shared) = (true, value == 5);
                script.invoke(number, if state.shared { Op::ACQUIRE_SHARED } else { Op::ACQUIRE })
            }
            0..=3 if is_up => {
                (state.asking, state.granted) = (false, true);
                // Tokens grow, except when they do not.
                self.tokens = (self.tokens + 1).saturating_sub(u64::from(value == 0));
                let until = (value > 3).then(|| SimTime::from_millis(self.now_ms + 300));
                let token = (value > 1).then_some(self.tokens);
                script.ok(number, Op::Acquire { token, until, shared: before.shared })
            }
            4 if is_up && before.asking => {
                state.asking = false;
                script.fail(number, Op::ACQUIRE)
            }
            5..=6 if is_up && before.granted => script.released(number),
            7 if is_up => script.told_lost(number),
            8 if is_up => script.renewed_until(number, self.now_ms + 300),
            9 if is_up => script.reads(number, value),
            10..=11 if is_up && before.writing.is_none() => {
                let op = if value == 5 { Op::SELL } else { Op::Write { value, token: None } };
                state.writing = Some(op);
                script.invoke(number, op)
            }
            10..=13 if is_up => match state.writing.take() {
                Some(op) => {
                    let kind = [Kind::Ok, Kind::Ok, Kind::Fail, Kind::Info][value as usize % 4];
                    script.event(host, kind, op)
                }
                None => script,
            },
            14..=15 => {
                let token = (value > 2).then_some(self.tokens.saturating_sub(value as u64 % 2));
                script.applied_with(number, value + 1, value, token, true)
            }
            16 => script.applied_with(number, value, value, None, false),
            17 if self.redis => script.locked(number),
            18 if self.redis => script.unlocked(number, 1 + value as u16 % 3),
            19 if self.redis && value < 3 => script.expired(number),
            19 if self.redis => script.stock(Some(number), value),
            20 => {
                self.redis = !self.redis;
                let life = if self.redis { Op::Booted } else { Op::Crashed };
                script.fact(HostName::REDIS, life)
            }
            21 if before.paused => {
                state.paused = false;
                script.resumed(host)
            }
            21 if is_up => {
                state.paused = true;
                script.paused(host)
            }
            22 if before.down => {
                *state = Client { paused: before.paused, ..Client::default() };
                script.booted(host)
            }
            22 => {
                *state = Client { down: true, paused: before.paused, ..Client::default() };
                script.crashed(host)
            }
            23 if self.redis => script.queued(number),
            24 if self.redis => script.unqueued(number),
            25 if self.redis => script.listed(number),
            26..=27 if is_up => match (state.amid.take(), before.granted) {
                (Some(op), _) => {
                    let kind = [Kind::Ok, Kind::Ok, Kind::Fail, Kind::Info][value as usize % 4];
                    script.event(host, kind, op)
                }
                (None, true) => {
                    let op = if choice == 26 { Op::Reenter } else { Op::Leave };
                    state.amid = Some(op);
                    script.invoke(number, op)
                }
                (None, false) => script,
            },
            _ => script,
        };
        self.script = done;
    }
}
