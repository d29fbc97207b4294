//! Property tests on the second engine, and locks that need it.

use picklock::engine::Engine;
use picklock::locks::RedisTokenCad;

#[cfg(not(feature = "turmoil"))]
#[test]
fn an_engine_that_was_not_built_is_asked_for_in_vain() {
    let broken = picklock::property::<RedisTokenCad>().engine(Engine::Turmoil).run().unwrap_err();
    assert!(broken.to_string().contains(r#"`features = ["turmoil"]`"#), "{broken}");
}

#[cfg(feature = "turmoil")]
mod turmoil {
    use std::time::Duration;

    use picklock::lock::{Algorithm, Grant, Lock, LockContext, LockError, LockParams};
    use picklock::property::Broken;
    use picklock::terms::Claim;
    use picklock_sim::env::Env;

    use super::*;

    #[test]
    fn it_finds_and_shrinks_the_pause_that_outlives_a_lease() {
        let failure = picklock::property::<RedisTokenCad>()
            .engine(Engine::Turmoil)
            .families(["process-pause"])
            .plans(50)
            .without_regressions()
            .run()
            .unwrap_err()
            .claim()
            .unwrap();
        assert_eq!(failure.cause.to_string(), "process pause of a client");
        assert_eq!(failure.example.plan.world.faults.len(), 1);
        assert_eq!(failure.example.plan.clients().count(), 2);
        assert_eq!(failure.example.history.header.engine, "turmoil");
    }

    #[test]
    fn what_it_cannot_express_is_refused_if_named_and_else_not_drawn() {
        let property = || {
            picklock::property::<RedisTokenCad>()
                .engine(Engine::Turmoil)
                .plans(0)
                .without_regressions()
        };
        let named = property().families(["crash", "late-grant"]).run().unwrap_err();
        assert!(matches!(named, Broken::CannotExpress { family: "late-grant", .. }), "{named}");
        let swept = property().sweep(|sweep| sweep.families = Some(vec!["packet-loss".to_owned()]));
        let swept = swept.run().unwrap_err();
        assert!(matches!(swept, Broken::CannotExpress { family: "packet-loss", .. }), "{swept}");

        let account = property().run().unwrap();
        let drawn: Vec<&str> = account.families.iter().map(|family| &*family.name).collect();
        assert!(drawn.contains(&"process-pause") && drawn.contains(&"partition"), "{drawn:?}");
        for family in ["one-way-partition", "packet-loss", "late-grant", "late-write", "lost-grant"]
        {
            assert!(!drawn.contains(&family), "{drawn:?}");
        }
    }

    /// A lock on somebody else's client crate, as far as it gets without tokio's runtime.
    struct Foreigner;

    impl Algorithm for Foreigner {
        const NAME: &'static str = "foreigner";
        const ABOUT: &'static str = "needs tokio";
        const CLAIMS: &'static [Claim] = &[];

        fn recovery_bound(_: &LockParams) -> Option<Duration> {
            None
        }

        fn client<E: Env>(context: LockContext<E>) -> impl Lock + 'static {
            Handle(context)
        }
    }

    struct Handle<E>(LockContext<E>);

    impl<E: Env> Lock for Handle<E> {
        async fn acquire(&mut self) -> Result<Grant, LockError> {
            let _ = picklock::foreign::Foreign::new(&self.0.env);
            self.0.params.pause_before_retry(&self.0.env).await;
            Ok(Grant::default())
        }

        async fn check(&mut self, _: &Grant) -> Result<bool, LockError> {
            Ok(true)
        }

        async fn release(&mut self, _: Grant) -> Result<bool, LockError> {
            Ok(true)
        }
    }

    #[test]
    fn a_foreign_client_on_the_event_engine_is_told_where_it_can_live() {
        let on = |engine| {
            let property =
                picklock::property::<Foreigner>().engine(engine).families(["process-pause"]);
            property.plans(20).without_regressions().run()
        };
        let error = on(Engine::Event).unwrap_err().to_string();
        assert!(error.contains(".engine(Engine::Turmoil)"), "{error}");
        assert!(on(Engine::Turmoil).is_ok());
    }
}
