"""python-redis-lock: a lock whose waiters sleep in BLPOP until the holder's release script pushes a
signal; with expiry, renewal in a thread, identities, and the ways to reset."""

import multiprocessing
import time

import redis_lock
from redis_lock import AlreadyAcquired, InvalidTimeout, NotAcquired, NotExpirable, TimeoutNotUsable, TimeoutTooLarge

from lib.suite import connect, eventually, in_threads, main, raises


def test_acquire_and_release(options):
    r = connect(**options)
    lock = redis_lock.Lock(r, "n", expire=10)
    assert lock.acquire() is True and lock.locked()
    assert r.get("lock:n") == lock.get_owner_id().encode() == lock.id.encode()
    assert 9 <= r.ttl("lock:n") <= 10
    lock.release()
    assert not r.exists("lock:n") and not lock.locked()
    assert r.llen("lock-signal:n") == 1 and 0 < r.pttl("lock-signal:n") <= 1000
    eventually(lambda: not r.exists("lock-signal:n"), 3)


def test_mistakes(options):
    r = connect(**options)
    lock = redis_lock.Lock(r, "n", expire=10)
    raises(NotAcquired, lock.release)
    raises(NotAcquired, lock.extend)
    assert lock.acquire()
    raises(AlreadyAcquired, lock.acquire)
    raises(TimeoutNotUsable, redis_lock.Lock(r, "m").acquire, blocking=False, timeout=1)
    raises(InvalidTimeout, redis_lock.Lock(r, "m").acquire, timeout=-1)
    raises(TimeoutTooLarge, redis_lock.Lock(r, "m", expire=1).acquire, timeout=2)
    lock.release()


def test_an_identity_of_ones_own(options):
    r = connect(**options)
    lock = redis_lock.Lock(r, "n", expire=10, id="worker 1")
    assert lock.acquire() and r.get("lock:n") == b"worker 1"
    same = redis_lock.Lock(r, "n", expire=10, id="worker 1")
    raises(AlreadyAcquired, same.acquire)
    other = redis_lock.Lock(r, "n", expire=10, id="worker 2")
    assert other.get_owner_id() == "worker 1" and other.acquire(blocking=False) is False
    raises(NotAcquired, other.release)
    same.release()
    assert not r.exists("lock:n")


def test_taken_over_after_it_expired(options):
    r = connect(**options)
    late, next_one = redis_lock.Lock(r, "n", expire=1), redis_lock.Lock(r, "n", expire=10)
    assert late.acquire()
    begin = time.monotonic()
    assert next_one.acquire(timeout=5)
    assert 0.5 < time.monotonic() - begin < 5.5
    raises(NotAcquired, late.release)
    raises(NotAcquired, late.extend, expire=5)
    assert next_one.locked() and r.get("lock:n") == next_one.id.encode()
    next_one.release()


def test_a_wait_runs_out(options):
    r = connect(**options)
    assert redis_lock.Lock(r, "n", expire=30).acquire()
    begin = time.monotonic()
    assert redis_lock.Lock(r, "n", expire=30).acquire(timeout=1) is False
    assert 0.9 < time.monotonic() - begin < 2.5


def test_a_waiter_is_woken_by_the_release(options):
    r = connect(**options)
    holder = redis_lock.Lock(r, "n", expire=30)
    assert holder.acquire()
    woken = []

    def wait_or_release(number):
        if number == 0:
            lock = redis_lock.Lock(connect(**options), "n", expire=30)
            assert lock.acquire(timeout=20)
            woken.append(time.monotonic())
            lock.release()
        else:
            eventually(lambda: r.info("clients")["blocked_clients"] == 1)
            released.append(time.monotonic())
            holder.release()

    released = []
    in_threads(2, wait_or_release)
    assert woken[0] - released[0] < 1, "by the signal, not by the end of a wait"


def test_extend(options):
    r = connect(**options)
    lock = redis_lock.Lock(r, "n", expire=5)
    assert lock.acquire()
    lock.extend(expire=100)
    assert 98 <= r.ttl("lock:n") <= 100
    lock.extend()
    assert 3 <= r.ttl("lock:n") <= 5
    lock.release()
    forever = redis_lock.Lock(r, "forever")
    assert forever.acquire() and r.ttl("lock:forever") == -1
    raises(NotExpirable, forever.extend, expire=5)
    raises(TypeError, forever.extend)
    forever.release()


def test_auto_renewal(options):
    r = connect(**options)
    with redis_lock.Lock(r, "n", expire=1, auto_renewal=True) as lock:
        time.sleep(1.8)
        assert r.get("lock:n") == lock.id.encode(), "renewed past its first second"
    assert not r.exists("lock:n")
    time.sleep(0.8)
    assert not r.exists("lock:n"), "and renewed no more"


def test_context_manager(options):
    r = connect(**options)
    with redis_lock.Lock(r, "n", expire=10, blocking=False):
        busy = redis_lock.Lock(r, "n", expire=10)
        assert busy.acquire(blocking=False) is False
    assert not r.exists("lock:n")


def test_reset(options):
    r = connect(**options)
    one, two = redis_lock.Lock(r, "one", expire=30), redis_lock.Lock(r, "two", expire=30)
    assert one.acquire() and two.acquire()
    one.reset()
    assert not r.exists("lock:one") and r.exists("lock:two")
    raises(NotAcquired, one.release)
    redis_lock.reset_all(r)
    assert not r.exists("lock:two") and r.keys("lock:*") == []
    assert redis_lock.Lock(r, "two", expire=30).acquire(blocking=False)


def count(options, rounds):
    r = connect(**options)
    for _ in range(rounds):
        with redis_lock.Lock(r, "n", expire=30):
            value = int(r.get("count") or 0)
            time.sleep(0.0005)
            r.set("count", value + 1)


def test_threads_count_under_the_lock(options):
    in_threads(6, lambda _: count(options, 8))
    assert int(connect(**options).get("count")) == 48


def test_processes_count_under_the_lock(options):
    processes = [multiprocessing.Process(target=count, args=(options, 8)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0] * 4
    assert int(connect(**options).get("count")) == 32


if __name__ == "__main__":
    main("python-redis-lock", dict(globals()), [{"protocol": 2}, {"protocol": 3}])
