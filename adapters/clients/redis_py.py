"""redis-py as an application uses it, over RESP2 and RESP3, with bytes and with decoded strings."""

import time

import redis

from lib.suite import connect, eventually, in_threads, main, raises


def text(options, value):
    """As this variant's client gives strings back."""
    return value if options.get("decode_responses") else value.encode()


def test_strings(options):
    r = connect(**options)
    assert r.ping() is True
    assert r.set("k", "v") is True
    assert r.get("k") == text(options, "v")
    assert r.get("nothing") is None
    assert r.set("k", "w", nx=True) is None
    assert r.set("k", "w", xx=True, get=True) == text(options, "v")
    assert r.set("k", b"\x00\r\n\xc3\xa4") is True and r.strlen("k") == 5
    assert r.append("k", "x") == 6
    assert r.mset({"a": 1, "b": 2}) is True
    assert r.mget("a", "b", "c") == [text(options, "1"), text(options, "2"), None]
    assert (r.incr("a"), r.incrby("a", 10), r.decr("a", 5)) == (2, 12, 7)
    assert r.incrbyfloat("a", 0.5) == 7.5
    assert r.exists("a", "b", "c") == 2 and r.delete("a", "b", "c") == 2
    assert r.getdel("k") is not None and r.exists("k") == 0


def test_large_values_come_back_whole(options):
    r = connect(**options)
    value = "0123456789abcdef" * 65536
    assert r.set("large", value) is True
    assert r.get("large") == text(options, value)


def test_expiry(options):
    r = connect(**options)
    r.set("k", "v", px=500)
    assert 0 < r.pttl("k") <= 500
    assert r.get("k") is not None
    time.sleep(0.6)
    assert r.get("k") is None and r.ttl("k") == -2
    r.set("k", "v", ex=100)
    assert 99 <= r.ttl("k") <= 100 and r.persist("k") and r.ttl("k") == -1
    assert r.expire("k", 10, nx=True) and not r.expire("k", 10, nx=True)
    assert r.set("k", "w", keepttl=True) and r.ttl("k") > 0
    assert r.pexpireat("k", int(time.time() * 1000) - 1) and r.exists("k") == 0


def test_time_is_real(options):
    seconds, micros = connect(**options).time()
    assert abs(seconds + micros / 1e6 - time.time()) < 2


def test_hashes(options):
    r = connect(**options)
    assert r.hset("h", mapping={"a": 1, "b": 2}) == 2
    assert r.hget("h", "a") == text(options, "1")
    assert r.hgetall("h") == {text(options, "a"): text(options, "1"), text(options, "b"): text(options, "2")}
    assert r.hincrby("h", "a", 5) == 6 and r.hdel("h", "b") == 1 and r.hlen("h") == 1


def test_lists(options):
    r = connect(**options)
    assert r.rpush("l", "a", "b", "a") == 3 and r.lpush("l", "z") == 4
    assert r.lrange("l", 0, -1) == [text(options, c) for c in "zaba"]
    assert r.lrem("l", 1, "a") == 1 and r.llen("l") == 3
    assert r.lpop("l") == text(options, "z") and r.rpop("l") == text(options, "a")
    assert r.lpop("nothing") is None


def test_sets(options):
    r = connect(**options)
    assert r.sadd("s", "x", "y", "x") == 2 and r.scard("s") == 2
    assert r.sismember("s", "x") == 1 and r.smembers("s") == {text(options, "x"), text(options, "y")}


def test_sorted_sets(options):
    r = connect(**options)
    assert r.zadd("z", {"one": 1, "two": 2.5}) == 2 and r.zcard("z") == 2
    assert r.zscore("z", "two") == 2.5
    pairs = r.zrange("z", 0, -1, withscores=True)
    assert [tuple(pair) for pair in pairs] == [(text(options, "one"), 1.0), (text(options, "two"), 2.5)]
    assert r.zremrangebyscore("z", "-inf", 2) == 1 and r.zcard("z") == 1


def test_scan_meets_every_key_once(options):
    r = connect(**options)
    r.mset({f"scan:{n}": n for n in range(300)})
    r.set("other", 1)
    found = list(r.scan_iter(match="scan:*", count=20))
    assert len(found) == len(set(found)) == 300
    assert len(r.keys("*")) == r.dbsize() == 301


def test_errors(options):
    r = connect(**options)
    r.rpush("l", "a")
    wrong = raises(redis.ResponseError, r.get, "l")
    assert str(wrong) == "WRONGTYPE Operation against a key holding the wrong kind of value"
    raises(redis.ResponseError, r.execute_command, "NOSUCH", text="unknown command 'NOSUCH'")
    raises(redis.ResponseError, r.execute_command, "GET", text="wrong number of arguments for 'get' command")
    raises(redis.ResponseError, r.incr, "l", text="WRONGTYPE")
    raises(redis.exceptions.NoScriptError, r.evalsha, "f" * 40, 0)
    raises(redis.ResponseError, r.eval, "return redis.error_reply('MINE no')", 0, text="MINE no")


def test_pipeline_in_one_round(options):
    r = connect(**options)
    pipe = r.pipeline(transaction=False)
    for n in range(1000):
        pipe.incr("n")
    assert pipe.execute() == list(range(1, 1001))
    pipe = r.pipeline(transaction=False).set("s", "x").incr("s").get("s")
    results = pipe.execute(raise_on_error=False)
    assert results[0] is True and isinstance(results[1], redis.ResponseError)
    assert results[2] == text(options, "x")


def test_transaction(options):
    r = connect(**options)
    pipe = r.pipeline().set("a", 1).incr("a").lrange("nothing", 0, -1).get("nothing").hgetall("nothing")
    assert pipe.execute() == [True, 2, [], None, {}]
    pipe = r.pipeline().set("a", "x").incr("a").set("b", 1)
    raises(redis.ResponseError, pipe.execute, text="not an integer")
    assert r.get("b") == text(options, "1"), "a command that fails does not undo the others"


def test_watch_notices_another_client(options):
    r, other = connect(**options), connect(**options)
    r.set("n", 1)
    with r.pipeline() as pipe:
        pipe.watch("n")
        assert pipe.get("n") == text(options, "1")
        other.set("n", 5)
        pipe.multi()
        pipe.set("n", 2)
        raises(redis.WatchError, pipe.execute)
        pipe.watch("n")
        pipe.unwatch()
        other.set("n", 6)
        pipe.set("m", 1)
        assert pipe.execute() == [True]
    assert r.get("n") == text(options, "6")


def test_watch_makes_increments_exact(options):
    def increment(_):
        r = connect(**options)
        for _ in range(20):
            r.transaction(lambda pipe: (n := int(pipe.get("n") or 0), pipe.multi(), pipe.set("n", n + 1)), "n")

    in_threads(5, increment)
    assert connect(**options).get("n") == text(options, "100")


def test_pubsub(options):
    r = connect(**options)
    with r.pubsub() as pubsub:
        pubsub.subscribe("news")
        pubsub.psubscribe("p*")
        kinds = [pubsub.get_message(timeout=5)["type"] for _ in range(2)]
        assert kinds == ["subscribe", "psubscribe"]
        assert r.publish("news", "flash") == 1 and r.publish("parade", "now") == 1
        first, second = pubsub.get_message(timeout=5), pubsub.get_message(timeout=5)
        assert (first["type"], first["channel"], first["data"]) == (
            "message", text(options, "news"), text(options, "flash"))
        assert (second["type"], second["pattern"], second["data"]) == (
            "pmessage", text(options, "p*"), text(options, "now"))
        assert r.pubsub_numsub("news")[0][1] == 1 and r.pubsub_numpat() == 1
        if options != {"protocol": 3, "decode_responses": True}:  # redis-py 8.1 takes that pong apart
            pubsub.ping()
            assert pubsub.get_message(timeout=5)["type"] == "pong"
        pubsub.unsubscribe()
        assert pubsub.get_message(timeout=5)["type"] == "unsubscribe"
        assert pubsub.get_message(timeout=0.05) is None
    eventually(lambda: r.publish("parade", "over") == 0)


def test_blocking_pop(options):
    r = connect(**options)
    begin = time.monotonic()
    assert r.blpop("q", timeout=1) is None
    assert 0.9 < time.monotonic() - begin < 3

    def push_later(number):
        if number == 0:
            got = connect(**options).blpop(["p", "q"], timeout=10)
            assert tuple(got) == (text(options, "q"), text(options, "job"))
        else:
            eventually(lambda: r.info("clients")["blocked_clients"] == 1)
            r.rpush("q", "job")

    in_threads(2, push_later)
    assert r.exists("q") == 0


def test_blocked_in_order_of_arrival(options):
    r, order = connect(**options), []

    def wait(number):
        eventually(lambda: r.info("clients")["blocked_clients"] == number)
        order.append((number, connect(**options).brpop("q", timeout=10)[1]))

    def feed(number):
        eventually(lambda: r.info("clients")["blocked_clients"] == 3)
        r.rpush("q", "first")
        r.rpush("q", "second")
        r.rpush("q", "third")

    in_threads(4, lambda number: feed(number) if number == 3 else wait(number))
    assert sorted(order) == [(n, text(options, w)) for n, w in enumerate(["first", "second", "third"])]


def test_scripts(options):
    r = connect(**options)
    double = r.register_script("return redis.call('incrby', KEYS[1], ARGV[1] * 2)")
    assert double(keys=["n"], args=[4]) == 8
    r.script_flush()
    assert double(keys=["n"], args=[1]) == 10, "loaded again by itself"
    assert r.script_exists(double.sha, "0" * 40) == [True, False]
    assert r.eval("return {1, 'a', false, {2}}", 0) == [1, text(options, "a"), None, [2]]


def test_the_connection_itself(options):
    r = connect(client_name="tester", **options)
    assert r.client_getname() in ("tester", b"tester")
    me = r.client_id()
    assert str(r.client_info()["id"]) == str(me)
    victim = connect(**options)
    victim_id = victim.client_id()
    assert str(victim_id) in [one["id"] for one in r.client_list()]
    assert r.client_kill_filter(_id=victim_id) == 1
    assert victim_id not in [int(one["id"]) for one in r.client_list()]
    assert victim.ping(), "it connects again"
    assert r.wait(0, 10) == 0
    assert r.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert r.info("server")["redis_version"] == "7.0.15"


def test_databases(options):
    zero, one = connect(**options), connect(db=1, **options)
    one.set("k", "in one")
    assert zero.get("k") is None and one.get("k") == text(options, "in one")
    assert zero.dbsize() == 0 and one.dbsize() == 1
    one.flushdb()


if __name__ == "__main__":
    main("redis-py", dict(globals()), [
        {"protocol": protocol, "decode_responses": decode} for protocol in (2, 3) for decode in (False, True)
    ])
