//! What a message costs with 5, 20 and 100 hosts: it must not grow with hosts or open connections.
//!
//! `elem/s` is network messages per second on one core, with real RESP, history, digest and all
//! checkers. The workload is the one of record with more clients, each with its two connections: most
//! of what they then do is to ask for a lock that another one holds.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use picklock::engine::Engine;
use picklock::pipeline;
use picklock_benches::record_with;

fn hosts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hosts");
    group.sample_size(20);
    for hosts in [5, 20, 100] {
        // One seed each: another one would have other messages, and the rate is per message.
        let plan = record_with(hosts, 1);
        let run = || pipeline::run(&plan, Engine::Event).expect("the workload of record runs");
        group.throughput(Throughput::Elements(run().messages));
        group.bench_function(BenchmarkId::from_parameter(hosts), |bencher| bencher.iter(run));
    }
    group.finish();
}

criterion_group!(benches, hosts);
criterion_main!(benches);
