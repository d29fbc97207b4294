//! What a run costs on each store: the workload of record with one lock of each, side by side.
//!
//! `elem/s` is runs per second on one core, with the real wire protocols (RESP and Lua, gRPC over HTTP/2,
//! jute), real history and all checkers. The lease is 2 s, the shortest that all three give.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use picklock::engine::Engine;
use picklock::pipeline;
use picklock_benches::record_of;

fn stores(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stores");
    group.throughput(Throughput::Elements(1));
    group.sample_size(20);
    for lock in ["redis-token-cad", "etcd-mutex", "zk-curator-suspended"] {
        let mut seed = 0;
        group.bench_function(BenchmarkId::from_parameter(lock), |bencher| {
            bencher.iter(|| {
                seed += 1;
                pipeline::run(&record_of(lock, seed), Engine::Event).expect("it runs on any lock")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, stores);
criterion_main!(benches);
