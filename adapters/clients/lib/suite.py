"""What the Python scripts share: every `test_` function is run on an emptied server with a time limit,
none stops the others, and the last line counts them. Plain asserts say what is wrong."""

import signal
import sys
import threading
import time
import traceback

import redis

LIMIT_S = 40


def address():
    """Host and port of the server under test: the script's first argument."""
    host, port = sys.argv[1].split(",")[0].rsplit(":", 1)
    return host, int(port)


def connect(**options):
    """A client of it. A call that is never answered fails after a while instead of hanging."""
    host, port = address()
    options.setdefault("socket_timeout", 20)
    return redis.Redis(host=host, port=port, **options)


def raises(kind, work, *args, text="", **options):
    """`work` must raise `kind`, with `text` in its message; gives the exception back."""
    try:
        work(*args, **options)
    except kind as error:
        assert text in str(error), f"{error!r} does not say {text!r}"
        return error
    raise AssertionError(f"{work} did not raise {kind}")


def eventually(condition, limit=5.0):
    """Waits until `condition()` holds; fails if it never does."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def in_threads(count, work):
    """Runs `work(number)` in so many threads; what one of them raises is raised here."""
    errors = []

    def guarded(number):
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(n,), daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
        assert not thread.is_alive(), "a thread never ended"
    if errors:
        raise errors[0]


def flush_redis():
    connect(protocol=2).flushall()


def main(client, tests, variants=({},), empty=flush_redis):
    """Runs all tests once with each variant of connection options, each on a server made `empty`."""
    passed = failed = 0

    def too_late(*_):
        raise TimeoutError(f"not done after {LIMIT_S} s")

    signal.signal(signal.SIGALRM, too_late)
    for options in variants:
        for name, test in tests.items():
            if not name.startswith("test_"):
                continue
            signal.alarm(LIMIT_S)
            try:
                empty()
                test(options)
                passed += 1
            except Exception:
                failed += 1
                print(f"FAIL {client}: {name} {options or ''}", traceback.format_exc(limit=-4), sep="\n")
            finally:
                signal.alarm(0)
    print(f"{client}: {passed} passed, {failed} failed", flush=True)
    sys.exit(0 if failed == 0 else 1)
