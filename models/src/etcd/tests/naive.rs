//! The store against the simplest thing that could be right: a list of all states there ever were.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u8),
    Delete(u8, u8),
    Compact(i64),
    Read(u8, u8, i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..5u8, any::<u8>()).prop_map(|(key, value)| Step::Put(key, value)),
        2 => (0..5u8, 0..6u8).prop_map(|(key, end)| Step::Delete(key, end)),
        1 => (0..20i64).prop_map(Step::Compact),
        3 => (0..5u8, 0..6u8, 0..25i64).prop_map(|(key, end, at)| Step::Read(key, end, at)),
    ]
}

/// Keys are one byte from `a` on; they map to value, create revision and version.
type State = BTreeMap<u8, (u8, i64, i64)>;

/// The state at each revision; revision 1 is at 0.
struct Naive {
    states: Vec<State>,
    compacted: i64,
}

impl Naive {
    fn now(&self) -> i64 {
        self.states.len() as i64
    }

    fn last(&self) -> State {
        self.states.last().expect("there is always one").clone()
    }

    fn put(&mut self, key: u8, value: u8) {
        let mut state = self.last();
        let (_, created, version) = state.get(&key).copied().unwrap_or((0, self.now() + 1, 0));
        state.insert(key, (value, created, version + 1));
        self.states.push(state);
    }

    fn delete(&mut self, key: u8, end: u8) -> i64 {
        let mut state = self.last();
        let before = state.len();
        state.retain(|found, _| *found < key || *found >= end);
        let deleted = before - state.len();
        if deleted > 0 {
            self.states.push(state);
        }
        deleted as i64
    }

    fn read(&self, key: u8, end: u8, at: i64) -> Result<Vec<(u8, i64, i64)>, Status> {
        let at = if at == 0 { self.now() } else { at };
        if at > self.now() {
            return Err(Status::FUTURE_REVISION);
        }
        if at < self.compacted {
            return Err(Status::COMPACTED);
        }
        let state = &self.states[at as usize - 1];
        let within = state.iter().filter(|(found, _)| (key..end.max(key)).contains(*found));
        Ok(within.map(|(_, kept)| *kept).collect())
    }
}

fn letter(key: u8) -> Bytes {
    Bytes::from(vec![b'a' + key])
}

proptest! {
    #[test]
    fn the_store_agrees_with_a_list_of_states(steps in prop::collection::vec(step(), 1..40)) {
        let mut server = Server::start();
        let mut naive = Naive { states: vec![State::new()], compacted: -1 };
        for step in steps {
            match step {
                Step::Put(key, value) => {
                    let value_text = Bytes::from(vec![value]);
                    let request =
                        PutRequest { key: letter(key), value: value_text, ..Default::default() };
                    server.call(Request::Put(request)).unwrap();
                    naive.put(key, value);
                }
                Step::Delete(key, end) => {
                    let (key_text, range_end) = (letter(key), letter(end));
                    let request =
                        DeleteRangeRequest { key: key_text, range_end, prev_kv: false };
                    let Ok(Response::DeleteRange(response)) =
                        server.call(Request::DeleteRange(request))
                    else {
                        panic!("a deletion")
                    };
                    prop_assert_eq!(response.deleted, naive.delete(key, end));
                }
                Step::Compact(at) => {
                    let expected = at > naive.compacted && at <= naive.now();
                    prop_assert_eq!(server.compact(at).is_ok(), expected);
                    if expected {
                        naive.compacted = at;
                    }
                }
                Step::Read(key, end, at) => {
                    let (key_text, range_end) = (letter(key), letter(end));
                    let request = RangeRequest {
                        key: key_text,
                        range_end,
                        revision: at,
                        ..Default::default()
                    };
                    let found = server.range(request).map(|found| {
                        let kvs = found.kvs.into_iter();
                        kvs.map(|kv| (kv.value[0], kv.create_revision, kv.version)).collect()
                    });
                    prop_assert_eq!(found, naive.read(key, end, at));
                }
            }
            prop_assert_eq!(server.etcd.machine().revision().0, naive.now());
        }
    }
}
