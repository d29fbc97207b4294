// node-redlock 5 over ioredis: on one server, and by quorum over three of them, also when one or two of
// them cannot be reached.
"use strict";
const assert = require("node:assert/strict");
const { default: Redlock, ExecutionError, ResourceLockedError } = require("redlock");
const { connect, main, servers, sleep } = require("./lib/suite");

/** Nothing listens there. */
const DEAD = { host: "127.0.0.1", port: 1 };
const AT_ONCE = { retryCount: 0 };
const PATIENT = { retryCount: 1000, retryDelay: 15, retryJitter: 10 };

function over(list, settings = {}) {
  const dead = { maxRetriesPerRequest: 0, enableOfflineQueue: false, retryStrategy: () => 50 };
  return new Redlock(list.map((server) => connect(server === DEAD ? dead : {}, server)), settings);
}

/** Fails with the error for "no quorum", and every server that answered says "locked". */
async function lockedOut(work, votesAgainst) {
  const error = await work.then(() => null, (error) => error);
  assert.ok(error instanceof ExecutionError, `${error}`);
  assert.match(error.message, /unable to achieve a quorum/);
  const stats = await error.attempts[0];
  const locked = [...stats.votesAgainst.values()].filter((reason) => reason instanceof ResourceLockedError);
  assert.equal(locked.length, votesAgainst);
}

/**
 * Several clients add to a number, which is read and written separately, under the lock. redlock 5 keeps
 * what it got of a quorum while it tries again, so three clients with one server each wait for each
 * other until their leases end: short leases, and patience for many of them.
 */
async function contend(list, clients, rounds) {
  const store = connect();
  await Promise.all([...Array(clients)].map(async () => {
    const redlock = over(list, PATIENT);
    for (let round = 0; round < rounds; round += 1) {
      const lock = await redlock.acquire(["counter-lock"], 1000);
      const value = Number(await store.get("counter"));
      await sleep(1);
      await store.set("counter", value + 1);
      await lock.release();
    }
  }));
  assert.equal(Number(await store.get("counter")), clients * rounds);
}

const tests = {
  async "acquire, extend, release"(list) {
    const r = connect();
    const redlock = over(list);
    let lock = await redlock.acquire(["a", "b"], 5000);
    await sleep(20); // it is granted at a quorum: the third server's vote may still be on its way
    assert.equal(await r.get("a"), lock.value);
    assert.equal(await r.get("b"), lock.value);
    assert.ok((await r.pttl("a")) > 4000);
    lock = await lock.extend(20000);
    await sleep(20);
    assert.ok((await r.pttl("a")) > 15000);
    assert.ok(lock.expiration > Date.now() + 15000);
    await lock.release();
    await sleep(20);
    assert.equal(await r.exists("a", "b"), 0);
  },

  async "a second client is locked out"(list) {
    const [first, second] = [over(list), over(list, AT_ONCE)];
    const lock = await first.acquire(["a"], 5000);
    await sleep(20);
    await lockedOut(second.acquire(["a"], 5000), list.length);
    await lockedOut(second.acquire(["free", "a"], 5000), list.length);
    await sleep(20);
    assert.equal(await connect().exists("free"), 0, "all or nothing");
    await lock.release();
    await sleep(20);
    await (await second.acquire(["a"], 5000)).release();
  },

  async "waits until it is free"(list) {
    const [first, second] = [over(list), over(list, PATIENT)];
    await first.acquire(["a"], 300);
    const begin = Date.now();
    const lock = await second.acquire(["a"], 5000);
    assert.ok(Date.now() - begin > 200 && Date.now() - begin < 2000);
    await lock.release();
  },

  async "what expired is neither extended nor released"(list) {
    const redlock = over(list, AT_ONCE);
    const late = await redlock.acquire(["a"], 100);
    await sleep(200);
    await assert.rejects(late.extend(1000), /Cannot extend an already-expired lock/);
    const next = await redlock.acquire(["a"], 5000);
    late.expiration = Date.now() + 1000;
    await lockedOut(late.extend(1000), list.length);
    await lockedOut(late.release(), list.length);
    assert.equal(await connect().get("a"), next.value);
    await next.release();
  },

  async "using() extends while the work lasts"(list) {
    const redlock = over(list, { automaticExtensionThreshold: 400 });
    const r = connect();
    const result = await redlock.using(["a"], 800, async (signal) => {
      for (let n = 0; n < 12; n += 1) {
        await sleep(100);
        assert.equal(signal.aborted, false);
        assert.equal(await r.exists("a"), 1, "held past its first lease");
      }
      return "done";
    });
    assert.equal(result, "done");
    await sleep(20);
    assert.equal(await r.exists("a"), 0);
  },

  async "using() tells when the lock is lost"(list) {
    const redlock = over(list, { ...AT_ONCE, automaticExtensionThreshold: 150 });
    const work = redlock.using(["a"], 400, async (signal) => {
      for (const server of list.filter((server) => server !== DEAD)) await connect({}, server).set("a", "stolen");
      for (let n = 0; n < 20 && !signal.aborted; n += 1) await sleep(50);
      assert.equal(signal.aborted, true);
      assert.ok(signal.error instanceof Error);
    });
    await assert.rejects(work, ExecutionError); // the release: it is not ours any more
    assert.equal(await connect().get("a"), "stolen");
  },

  async "scripts are sent again after a flush"(list) {
    const redlock = over(list, AT_ONCE);
    const lock = await redlock.acquire(["a"], 5000);
    for (const server of list.filter((server) => server !== DEAD)) await connect({}, server).script("FLUSH");
    await lock.release();
    await sleep(20);
    assert.equal(await connect().exists("a"), 0);
  },

  async "a counter under the lock"(list) {
    await contend(list, 5, 5);
  },
};

const one = servers.slice(0, 1);
const each = (list, name) =>
  Object.fromEntries(Object.entries(tests).map(([what, test]) => [`${what} (${name})`, () => test(list)]));

assert.equal(servers.length, 3, "three servers are needed");
main("redlock", {
  ...each(one, "one server"),
  ...each(servers, "three servers"),

  async "two of three are a quorum"() {
    const list = [servers[0], DEAD, servers[1]];
    await sleep(100);
    const redlock = over(list, { retryCount: 5, retryDelay: 50 });
    const lock = await redlock.acquire(["a"], 5000);
    await lockedOut(over(list, AT_ONCE).acquire(["a"], 5000), 2);
    await (await lock.extend(6000)).release();
    await contend(list, 3, 4);
  },

  async "one of three is none"() {
    await assert.rejects(over([servers[0], DEAD, DEAD], AT_ONCE).acquire(["a"], 5000), ExecutionError);
    await sleep(20);
    assert.equal(await connect().exists("a"), 0, "the one that had granted it was told to forget it");
  },

  async "one server that forgets does not break it"() {
    const lock = await over(servers).acquire(["a"], 5000);
    await sleep(20);
    await connect({}, servers[2]).flushall();
    await lockedOut(over(servers, AT_ONCE).acquire(["a"], 5000), 2);
    await (await lock.extend(5000)).release();
  },
});
