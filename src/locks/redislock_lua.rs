//! R11: Go's `bsm/redislock`: one script that takes the record, or takes it again if it is the caller's own.
//!
//! Its client sends a request again that got no answer (`go-redis`: three times, with pauses of 8 to 512 ms
//! that double). A plain `SET NX` would then be refused because of the caller's own record; this script
//! compares the token at the value's beginning and overwrites. What still fails after that ends the attempt;
//! only a lock that another holds is asked for again, for as long as a lease by default.
//!
//! Source: `redislock.go` (`Obtain`, `randomToken`), `obtain.lua`, `release.lua`; go-redis `options.go`,
//! `internal/internal.go` (`RetryBackoff`). The scripts here are written anew for one key, with the same effect.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use picklock_models::redis::Reply;
use picklock_sim::env::Env;

use super::hold::{COMPARE_AND_DELETE, OneServer, yes_or_no};
use crate::client::Script;
use crate::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
use crate::terms::Claim;

/// How often go-redis sends a request again that failed ([`LockParams::retries`] says otherwise).
const DEFAULT_RETRIES: u32 = 3;

/// The shortest and the longest pause before that.
const BACKOFF_MS: (u64, u64) = (8, 512);

/// Takes the key for the value if it is free or its first ARGV[2] bytes are the value's.
static OBTAIN: Script = Script::new(
    "local mine=string.sub(ARGV[1],1,tonumber(ARGV[2])) \
     if redis.call('msetnx',KEYS[1],ARGV[1])==0 then \
     if redis.call('getrange',KEYS[1],0,ARGV[2]-1)~=mine then return 0 end \
     redis.call('mset',KEYS[1],ARGV[1]) end \
     redis.call('pexpire',KEYS[1],ARGV[3]) return 1",
);

/// R11.
pub struct RedislockLua;

impl Algorithm for RedislockLua {
    const NAME: &'static str = "redislock-lua";
    const ABOUT: &'static str = "R11: bsm/redislock, whose request may be sent again";
    const CLAIMS: &'static [Claim] =
        &[Claim::ExclusiveBelief, Claim::ReleaseSafe, Claim::Recovers];

    fn recovery_bound(params: &LockParams) -> Option<Duration> {
        // A request that nobody answered before the heal may be one of several, with the longest pause after it.
        Some(params.polled_ttl_bound() + Duration::from_millis(BACKOFF_MS.1))
    }

    fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
        Client { server: OneServer::new(context), token: String::new() }
    }
}

struct Client<E: Env> {
    server: OneServer<E>,
    token: String,
}

impl<E: Env> Client<E> {
    /// 16 random bytes in URL-safe base64.
    fn draw_token(&mut self) {
        let env = &self.server.context.env;
        let bytes = [env.random(), env.random()].map(u64::to_be_bytes);
        self.token = URL_SAFE_NO_PAD.encode(bytes.as_flattened());
    }

    /// Runs a script; again and again if there is no answer.
    async fn run(&mut self, script: &Script, args: &[&[u8]]) -> Result<bool, LockError> {
        let OneServer { context, client, .. } = &mut self.server;
        let retries = context.params.retries.unwrap_or(DEFAULT_RETRIES);
        let mut retry = 0;
        loop {
            let reply: Result<Reply, _> = client.eval(script, &[&context.key], args).await;
            if reply.is_ok() || retry == retries {
                return reply.and_then(yes_or_no);
            }
            let pause_ms = backoff_ms(retry, context.env.random());
            context.env.sleep(Duration::from_millis(pause_ms)).await;
            retry += 1;
        }
    }
}

/// Between the shortest pause, doubled for each retry there was, and twice that; never above the longest.
fn backoff_ms(retry: u32, random: u64) -> u64 {
    let (shortest, longest) = BACKOFF_MS;
    let least = shortest.checked_shl(retry).unwrap_or(longest).min(longest);
    (least + random % least).min(longest)
}

impl<E: Env> Lock for Client<E> {
    async fn acquire(&mut self) -> Result<Grant, LockError> {
        let env = self.server.context.env.clone();
        let until = env.steady() + self.server.context.params.ttl();
        self.draw_token();
        let (token, ttl_ms) = (self.token.clone(), self.server.ttl_ms.clone());
        let token_bytes = token.len().to_string();
        let args = [token.as_bytes(), token_bytes.as_bytes(), ttl_ms.as_bytes()];
        while env.steady() < until {
            if self.run(&OBTAIN, &args).await? {
                return Ok(Grant::default());
            }
            self.server.pause_before_retry().await;
        }
        Err(LockError::Definite("not obtained for as long as a lease".to_owned()))
    }

    async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
        let token = self.token.clone();
        self.server.holds(token.as_bytes()).await
    }

    async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
        let token = self.token.clone();
        self.run(&COMPARE_AND_DELETE, &[token.as_bytes()]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let least = [0, 1, 2, 6, 7, 40, 90].map(|retry| backoff_ms(retry, 0));
        assert_eq!(least, [8, 16, 32, 512, 512, 512, 512]);
        assert_eq!(backoff_ms(0, 7), 15);
        assert_eq!(backoff_ms(6, u64::MAX), 512);
    }
}
