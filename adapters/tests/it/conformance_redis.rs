//! The differential suite on Redis: the model passes, and a model with a bug does not.
//!
//! The bugs stand between the model and the world; each is one that somebody could write.

use std::borrow::Cow;
use std::time::Duration;

use libtest_mimic::Trial;
use picklock::store::StoreKind;
use picklock_adapters::conformance::redis::Resp;
use picklock_models::model::{Outbox, SessionId};
use picklock_models::redis::{Redis, Reply, Request};
use picklock_models::time::HostTime;
use picklock_models::transcript::{Caller, Tamper};

use crate::conformance::{agrees, is_found};
use crate::with_servers;

pub(crate) fn trials() -> Vec<Trial> {
    let redis = &[StoreKind::Redis];
    let planted = |name, tamper: fn() -> Box<dyn Tamper<Redis>>| {
        with_servers(name, redis, move || is_found::<Resp>(tamper))
    };
    vec![
        with_servers("conformance::redis_agrees", redis, agrees::<Resp>),
        planted("conformance::redis_expiry_that_fires_early", || Box::new(EarlyTimer)),
        planted("conformance::redis_remaining_time_off", || Box::new(LongerTimes::default())),
        planted("conformance::redis_wrong_error_text", || Box::new(OtherWords)),
        planted("conformance::redis_lost_message", || Box::new(NoMessages)),
        planted("conformance::redis_reply_before_message", || Box::new(MessagesLast)),
        planted("conformance::redis_set_without_nx", || Box::new(AlwaysSets)),
    ]
}

/// The timer removes keys 300 ms before their time.
struct EarlyTimer;

impl Tamper<Redis> for EarlyTimer {
    fn time(&mut self, caller: Caller, mut now: HostTime) -> HostTime {
        if caller == Caller::Timer {
            let early = now.wall.as_unix_nanos() + Duration::from_millis(300).as_nanos() as u64;
            now.wall = picklock_models::time::WallTime::from_unix_nanos(early);
        }
        now
    }
}

/// PTTL says 100 ms too many.
#[derive(Default)]
struct LongerTimes {
    asked: bool,
}

impl Tamper<Redis> for LongerTimes {
    fn request(&mut self, _: SessionId, request: &mut Request) {
        self.asked = request.get(0).is_some_and(|name| name.eq_ignore_ascii_case(b"PTTL"));
    }

    fn outbox(&mut self, out: &mut Outbox<Reply>) {
        for (_, reply) in out.replies.iter_mut().filter(|_| self.asked) {
            if let Reply::Integer(left_ms @ 1..) = reply {
                *left_ms += 100;
            }
        }
    }
}

/// An error text of another version.
struct OtherWords;

impl Tamper<Redis> for OtherWords {
    fn outbox(&mut self, out: &mut Outbox<Reply>) {
        for (_, reply) in &mut out.replies {
            if let Reply::Error(text) = reply
                && text.starts_with("WRONGTYPE")
            {
                *text = Cow::Borrowed("WRONGTYPE Operation against a key of the wrong type");
            }
        }
    }
}

fn is_message(reply: &Reply) -> bool {
    let (Reply::Array(parts) | Reply::Push(parts)) = reply else { return false };
    matches!(parts.first(), Some(Reply::Bulk(kind)) if kind.as_ref() == b"message")
}

/// Published messages do not arrive.
struct NoMessages;

impl Tamper<Redis> for NoMessages {
    fn outbox(&mut self, out: &mut Outbox<Reply>) {
        out.replies.retain(|(_, reply)| !is_message(reply));
    }
}

/// Messages come after the replies of the request that caused them.
struct MessagesLast;

impl Tamper<Redis> for MessagesLast {
    fn outbox(&mut self, out: &mut Outbox<Reply>) {
        out.replies.sort_by_key(|(_, reply)| is_message(reply));
    }
}

/// SET NX sets in any case.
struct AlwaysSets;

impl Tamper<Redis> for AlwaysSets {
    fn request(&mut self, _: SessionId, request: &mut Request) {
        if request.get(0).is_some_and(|name| name.eq_ignore_ascii_case(b"SET")) {
            *request = Request::new(request.iter().filter(|word| *word != b"NX"));
        }
    }
}
