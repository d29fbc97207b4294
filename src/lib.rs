//! picklock tries every way into a distributed lock: real lock code against simulated servers, under
//! seeded faults, judged, and replayed byte for byte.
//!
//! In reading order:
//! - [`pipeline`]: the spine, Plan -> History -> Judgements -> Outcome, in one screen;
//! - [`scenario`] and [`plan`]: a question, and one run written down completely; [`families`] draws
//!   its faults; [`engine`] chooses its world;
//! - [`lock`] and [`locks`]: what a lock is, and the algorithms; [`client`] is their connection;
//! - [`resource`]: what locks guard; [`contender`]: a lock with its resource; [`workload`]: what a
//!   client does with both; [`cast`]: who plays which host;
//! - [`terms`], [`checkers`], [`verdict`], [`outcome`]: what was promised, the judges, their answers;
//! - [`search`]: many plans, what a failure needs, the smallest plan; [`facts`]: what runs reached;
//! - [`mod@compare`], [`counterfactual`], [`exhibit`]: matrices, what-ifs, what is put on show;
//! - [`report`], [`cli`]: reports, the command line; [`golden`] (digests on record) and [`agreement`] (two
//!   engines, one verdict) are what `verify` compares; [`files`] are written whole or not at all.
//!
//! For a lock of your own: [`mod@property`] tests it in ten lines, [`prelude`] is what they use; `foreign`
//! (with the feature `turmoil`) is for one that is written on a client crate of somebody else's.
//!
//! The world itself (hosts, clocks, links, faults, history) is the crate `picklock-sim`, the servers
//! are the crate `picklock-models`. `docs/ARCHITECTURE.md` has the map and the invariants.

pub mod agreement;
pub mod cast;
pub mod catalogue;
pub mod checkers;
pub mod cli;
pub mod client;
pub mod compare;
pub mod contender;
pub mod costs;
pub mod counterfactual;
pub mod engine;
pub mod exhibit;
pub mod exit_code;
pub mod facts;
pub mod families;
pub mod files;
pub mod golden;
pub mod group;
pub mod lock;
pub mod locks;
mod logging;
pub mod outcome;
pub mod pipeline;
pub mod plan;
pub mod prelude;
pub mod property;
pub mod report;
pub mod resource;
pub mod scenario;
pub mod search;
pub mod store;
pub mod terms;
pub mod verdict;
pub mod workload;

pub use property::property;

#[cfg(feature = "turmoil")]
pub use picklock_sim::foreign;

/// The examples of the document about CI compile.
#[cfg(doctest)]
#[doc = include_str!("../docs/ci/README.md")]
struct CiDocument;
