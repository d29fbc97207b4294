//! Runs per second of the workload of record on both engines, with real RESP, real history and all
//! checkers: `elem/s` is runs per second on one core.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use picklock::engine::Engine;
use picklock::pipeline;
use picklock_benches::record;

fn workload_of_record(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record");
    group.throughput(Throughput::Elements(1));
    // A turmoil run takes a large part of a second: ten samples are what one is ready to wait for.
    group.sample_size(10);
    for engine in [Engine::Event, Engine::Turmoil] {
        // Another seed each time: one lucky plan is no benchmark.
        let mut seed = 0;
        group.bench_function(engine.name(), |bencher| {
            bencher.iter(|| {
                seed += 1;
                pipeline::run(&record(seed), engine).expect("the workload of record runs")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, workload_of_record);
criterion_main!(benches);
