"""redis-py's own Lock: acquire, wait, extend, reacquire, release, and who is refused; with each
protocol. It sends SET NX PX, polls, and changes its lock by scripts known by their SHA-1."""

import time

from redis.exceptions import LockError, LockNotOwnedError

from lib.suite import connect, eventually, in_threads, main, raises


def test_acquire_and_release(options):
    r = connect(**options)
    lock = r.lock("l", timeout=10)
    assert lock.acquire(blocking=False) is True
    assert lock.locked() and lock.owned()
    token = r.get("l")
    assert token in (lock.local.token, lock.local.token.decode())
    assert 9000 < r.pttl("l") <= 10000
    lock.release()
    assert r.get("l") is None and not lock.locked() and not lock.owned()


def test_without_timeout_it_stays(options):
    r = connect(**options)
    lock = r.lock("l")
    assert lock.acquire() and r.ttl("l") == -1
    raises(LockError, lock.extend, 1, text="Cannot extend a lock with no timeout")
    lock.release()


def test_held_by_another(options):
    first, second = (connect(**options).lock("l", timeout=10) for _ in range(2))
    assert first.acquire(blocking=False)
    assert second.acquire(blocking=False) is False
    assert second.locked() and not second.owned()
    first.release()
    assert second.acquire(blocking=False)
    second.release()


def test_blocking_timeout(options):
    r = connect(**options)
    assert r.lock("l", timeout=10).acquire()
    begin = time.monotonic()
    assert r.lock("l", blocking_timeout=0.3, sleep=0.02).acquire() is False
    assert 0.2 < time.monotonic() - begin < 2
    with_text = r.lock("l", blocking_timeout=0.05)
    raises(LockError, with_text.__enter__, text="Unable to acquire lock within the time specified")


def test_waits_until_released(options):
    def hold_or_wait(number):
        lock = connect(**options).lock("l", timeout=10, sleep=0.01)
        if number == 0:
            assert lock.acquire()
            r.set("held", 1)
            time.sleep(0.3)
            lock.release()
        else:
            eventually(lambda: r.exists("held"))
            begin = time.monotonic()
            assert lock.acquire(blocking_timeout=5)
            assert time.monotonic() - begin > 0.2
            lock.release()

    r = connect(**options)
    in_threads(2, hold_or_wait)
    assert not r.exists("l")


def test_context_manager(options):
    r = connect(**options)
    with r.lock("l", timeout=10, blocking_timeout=1) as lock:
        assert r.exists("l") and lock.owned()
    assert not r.exists("l")


def test_extend(options):
    r = connect(**options)
    lock = r.lock("l", timeout=10)
    assert lock.acquire()
    assert lock.extend(10) is True and 18000 < r.pttl("l") <= 20000
    assert lock.extend(5, replace_ttl=True) is True and 4000 < r.pttl("l") <= 5000
    assert lock.extend(0.5) and 4400 < r.pttl("l") <= 5500
    lock.release()


def test_reacquire(options):
    r = connect(**options)
    lock = r.lock("l", timeout=10)
    assert lock.acquire()
    r.pexpire("l", 3000)
    assert lock.reacquire() is True and 9000 < r.pttl("l") <= 10000
    lock.release()


def test_expired(options):
    r = connect(**options)
    lock = r.lock("l", timeout=0.1)
    assert lock.acquire()
    time.sleep(0.2)
    assert not lock.owned() and not lock.locked()
    raises(LockNotOwnedError, lock.extend, 10)
    raises(LockNotOwnedError, lock.reacquire)
    raises(LockNotOwnedError, lock.release, text="Cannot release a lock that's no longer owned")


def test_taken_by_another_after_it_expired(options):
    r = connect(**options)
    late, next_one = r.lock("l", timeout=0.1), r.lock("l", timeout=10)
    assert late.acquire() and next_one.acquire(blocking_timeout=2)
    raises(LockNotOwnedError, late.extend, 10)
    raises(LockNotOwnedError, late.release)
    assert next_one.owned(), "the late holder has changed nothing"
    next_one.release()


def test_never_acquired(options):
    lock = connect(**options).lock("l", timeout=10)
    raises(LockError, lock.release, text="not owned or is already unlocked")
    raises(LockError, lock.extend, 1, text="Cannot extend an unlocked lock")
    raises(LockError, lock.reacquire, text="Cannot reacquire an unlocked lock")
    assert not lock.owned()


def test_a_token_of_ones_own(options):
    r = connect(**options)
    lock = r.lock("l", timeout=10)
    assert lock.acquire(token="mine") and r.get("l") in (b"mine", "mine")
    r.set("l", "stolen")
    raises(LockNotOwnedError, lock.release)
    assert r.get("l") in (b"stolen", "stolen")


def test_thread_local_tokens(options):
    r = connect(**options)
    private = r.lock("private", timeout=10)
    shared = r.lock("shared", timeout=10, thread_local=False)
    assert private.acquire() and shared.acquire()

    def elsewhere(_):
        assert private.acquire(blocking=False) is False
        raises((LockError, AttributeError), private.release)  # 8.1: this thread never had a token
        assert shared.owned()
        shared.release()

    in_threads(1, elsewhere)
    assert private.owned() and not shared.owned()
    private.release()


def test_scripts_are_sent_again_after_a_flush(options):
    r = connect(**options)
    lock = r.lock("l", timeout=10)
    assert lock.acquire()
    r.script_flush()
    assert lock.extend(1) is True
    r.script_flush()
    lock.release()
    assert not r.exists("l")


def test_a_counter_under_the_lock(options):
    def count(_):
        r = connect(**options)
        for _ in range(10):
            with r.lock("l", timeout=30, sleep=0.002):
                value = int(r.get("n") or 0)
                time.sleep(0.0005)
                r.set("n", value + 1)

    in_threads(8, count)
    assert int(connect(**options).get("n")) == 80


if __name__ == "__main__":
    main("redis-py Lock", dict(globals()), [{"protocol": 2}, {"protocol": 3}, {"protocol": 3, "decode_responses": True}])
