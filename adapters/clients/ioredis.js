// ioredis as an application uses it: pipelines, transactions, subscribers, scripts as commands.
"use strict";
const assert = require("node:assert/strict");
const { connect, event, eventually, main, sleep } = require("./lib/suite");

main("ioredis", {
  async "is ready after INFO says that nothing is loading"() {
    const r = connect();
    await event(r, "ready");
    assert.equal(r.status, "ready");
    assert.equal(await r.ping(), "PONG");
    assert.match(await r.info("server"), /redis_version:7\.0\.15/);
  },

  async "strings, counters, expiry"() {
    const r = connect();
    assert.equal(await r.set("k", "v"), "OK");
    assert.equal(await r.get("k"), "v");
    assert.equal(await r.get("nothing"), null);
    assert.equal(await r.set("k", "w", "PX", 100, "NX"), null);
    assert.equal(await r.set("lock", "w", "PX", 100, "NX"), "OK");
    assert.ok((await r.pttl("lock")) > 0);
    await sleep(150);
    assert.equal(await r.get("lock"), null);
    assert.deepEqual(await r.mget("k", "nothing"), ["v", null]);
    assert.equal(await r.incrby("n", 5), 5);
    assert.deepEqual(await r.getBuffer("k"), Buffer.from("v"));
    const bytes = Buffer.from([0, 13, 10, 255]);
    await r.set("bytes", bytes);
    assert.deepEqual(await r.getBuffer("bytes"), bytes);
  },

  async "hashes, lists, sets, sorted sets"() {
    const r = connect();
    assert.equal(await r.hset("h", { a: 1, b: 2 }), 2);
    assert.deepEqual(await r.hgetall("h"), { a: "1", b: "2" });
    assert.equal(await r.rpush("l", "a", "b"), 2);
    assert.deepEqual(await r.lrange("l", 0, -1), ["a", "b"]);
    assert.equal(await r.sadd("s", "x", "x", "y"), 2);
    assert.deepEqual((await r.smembers("s")).sort(), ["x", "y"]);
    assert.equal(await r.zadd("z", 2, "two", 1, "one"), 2);
    assert.deepEqual(await r.zrange("z", 0, -1, "WITHSCORES"), ["one", "1", "two", "2"]);
  },

  async "errors are errors"() {
    const r = connect();
    await r.rpush("l", "a");
    await assert.rejects(r.get("l"), /^ReplyError: WRONGTYPE Operation against a key/);
    await assert.rejects(r.call("NOSUCH", "a"), /ERR unknown command 'NOSUCH', with args beginning with: 'a' /);
    await assert.rejects(r.evalsha("f".repeat(40), 0), /NOSCRIPT No matching script/);
    assert.equal(await r.ping(), "PONG");
  },

  async "a pipeline of a thousand"() {
    const pipeline = connect().pipeline();
    for (let n = 0; n < 1000; n += 1) pipeline.incr("n");
    const results = await pipeline.exec();
    assert.deepEqual(results.map(([error, value]) => error ?? value), [...Array(1000).keys()].map((n) => n + 1));
  },

  async "calls at once become one pipeline"() {
    const r = connect({ enableAutoPipelining: true });
    const results = await Promise.all([...Array(200).keys()].map((n) => r.set(`k${n}`, n).then(() => r.get(`k${n}`))));
    assert.deepEqual(results, [...Array(200).keys()].map(String));
  },

  async "a transaction"() {
    const r = connect();
    const results = await r.multi().set("k", 1).incr("k").lrange("nothing", 0, -1).get("nothing").exec();
    assert.deepEqual(results, [[null, "OK"], [null, 2], [null, []], [null, null]]);
    const mixed = await r.multi().set("s", "x").incr("s").get("s").exec();
    assert.match(String(mixed[1][0]), /not an integer/);
    assert.equal(mixed[2][1], "x");
    await assert.rejects(r.multi().set("k").exec(), /EXECABORT Transaction discarded/);
    await r.multi({ pipeline: false });
    assert.equal(await r.set("k", 9), "QUEUED");
    assert.deepEqual(await r.exec(), [[null, "OK"]]);
  },

  async "WATCH notices another client"() {
    const [r, other] = [connect(), connect()];
    await r.watch("k");
    await other.set("k", "theirs");
    assert.equal(await r.multi().set("k", "mine").exec(), null);
    assert.equal(await r.get("k"), "theirs");
  },

  async "a subscriber"() {
    const [subscriber, r] = [connect(), connect()];
    assert.equal(await subscriber.subscribe("news", "weather"), 2);
    assert.equal(await subscriber.psubscribe("p*"), 3);
    const message = event(subscriber, "message");
    assert.equal(await r.publish("news", "flash"), 1);
    assert.deepEqual(await message, ["news", "flash"]);
    const pattern = event(subscriber, "pmessage");
    assert.equal(await r.publish("parade", "now"), 1);
    assert.deepEqual(await pattern, ["p*", "parade", "now"]);
    await assert.rejects(subscriber.get("k"), /subscriber mode/);
    assert.equal(await subscriber.unsubscribe("news", "weather"), 1);
    assert.equal(await subscriber.punsubscribe(), 0);
    assert.equal(await r.publish("news", "nobody"), 0);
    assert.equal(await subscriber.get("k"), null);
  },

  async "a script as a command"() {
    const r = connect();
    r.defineCommand("addTwice", { numberOfKeys: 1, lua: "return redis.call('incrby', KEYS[1], ARGV[1] * 2)" });
    assert.equal(await r.addTwice("n", 3), 6);
    await r.script("FLUSH");
    assert.equal(await r.addTwice("n", 1), 8);
    assert.deepEqual(await r.pipeline().addTwice("n", 1).get("n").exec(), [[null, 10], [null, "10"]]);
  },

  async "a blocking pop"() {
    const [waiter, r] = [connect(), connect()];
    assert.equal(await waiter.blpop("q", 1), null);
    const popped = waiter.blpop("p", "q", 10);
    await eventually(async () => /blocked_clients:1/.test(await r.info("clients")));
    await r.rpush("q", "job");
    assert.deepEqual(await popped, ["q", "job"]);
  },

  async "SCAN meets every key once"() {
    const r = connect();
    await r.mset(Object.fromEntries([...Array(300).keys()].map((n) => [`scan:${n}`, n])));
    await r.set("other", 1);
    const found = [];
    for await (const keys of r.scanStream({ match: "scan:*", count: 20 })) found.push(...keys);
    assert.equal(found.length, 300);
    assert.equal(new Set(found).size, 300);
  },

  async "databases and names"() {
    const [zero, two] = [connect({ connectionName: "zero" }), connect({ db: 2 })];
    await two.set("k", "in two");
    assert.equal(await zero.get("k"), null);
    assert.equal(await two.get("k"), "in two");
    assert.equal(await zero.client("GETNAME"), "zero");
  },

  async "a client that is killed comes back"() {
    const [victim, r] = [connect({ retryStrategy: () => 20 }), connect()];
    const id = await victim.client("ID");
    const closed = event(victim, "close");
    assert.equal(await r.client("KILL", "ID", id), 1);
    await closed;
    assert.equal(await victim.ping(), "PONG");
    assert.notEqual(await victim.client("ID"), id);
    assert.equal(await victim.quit(), "OK");
  },
});
