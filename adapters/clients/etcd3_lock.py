"""python-etcd3 as an application uses it: keys, transactions, watches, leases, and its lock. What is expected
is what a real etcd 3.4.23 does.

It was written for older protobuf and tenacity, which requirements.txt has."""

import sys
import threading
import time

import etcd3
import grpc
from etcd3.exceptions import PreconditionFailedError, RevisionCompactedError

from lib.suite import eventually, in_threads, main, raises

HOST, PORT = sys.argv[1].split(",")[0].rsplit(":", 1)
OPENED = []


def connect():
    """A client; it is closed after the test."""
    OPENED.append(etcd3.client(host=HOST, port=int(PORT), timeout=20))
    return OPENED[-1]


def begin():
    """Closes what the last test opened, and deletes what it left."""
    while OPENED:
        OPENED.pop().close()
    connect().delete_prefix("/")


def grpc_error(code, work, *args, text="", **options):
    """`work` must fail with this code where python-etcd3 has no exception of its own."""
    error = raises(grpc.RpcError, work, *args, **options)
    assert error.code() == code and text in error.details(), f"{error.code()} {error.details()}"


def test_keys(_):
    etcd = connect()
    revision = etcd.put("/a", "one").header.revision
    value, meta = etcd.get("/a")
    assert value == b"one" and meta.key == b"/a"
    assert (meta.create_revision, meta.mod_revision, meta.version, meta.lease_id) == (revision, revision, 1, 0)
    assert etcd.put("/a", "two", prev_kv=True).prev_kv.value == b"one"
    assert etcd.get("/a")[1].version == 2
    assert etcd.get("/none") == (None, None)
    for name in "bcd":
        etcd.put(f"/p/{name}", name)
    found = [value for value, _ in etcd.get_prefix("/p/", sort_order="descend", sort_target="create")]
    assert found == [b"d", b"c", b"b"]
    assert [meta.key for _, meta in etcd.get_range("/p/b", "/p/d")] == [b"/p/b", b"/p/c"]
    assert etcd.put_if_not_exists("/p/b", "x") is False and etcd.put_if_not_exists("/p/e", "e") is True
    assert etcd.replace("/p/e", "e", "f") is True and etcd.replace("/p/e", "e", "g") is False
    assert etcd.delete("/p/e") is True and etcd.delete("/p/e") is False
    assert etcd.delete_prefix("/p/").deleted == 3


def test_transactions(_):
    etcd = connect()
    does = etcd.transactions
    done, answers = etcd.transaction(
        compare=[does.version("/t") == 0, does.create("/t") < 1],
        success=[does.put("/t", "first"), does.get("/t")],
        failure=[does.delete("/t")],
    )
    assert done and answers[1][0][0] == b"first"
    revision = etcd.get("/t")[1].mod_revision
    done, answers = etcd.transaction(
        compare=[does.value("/t") == "other"], success=[], failure=[does.get("/t"), does.put("/t", "second")])
    assert not done and answers[0][0][0] == b"first"
    done, _ = etcd.transaction(
        compare=[does.mod("/t") > revision, does.value("/t") != "first"],
        success=[does.txn(compare=[does.value("/t") == "second"], success=[does.delete("/t")], failure=[])],
        failure=[])
    assert done and etcd.get("/t") == (None, None)
    twice = [does.put("/t", "1"), does.put("/t", "2")]
    grpc_error(grpc.StatusCode.INVALID_ARGUMENT, etcd.transaction, [], twice, [],
               text="duplicate key given in txn request")


def test_watches(_):
    etcd, other = connect(), connect()
    events, cancel = etcd.watch_prefix("/w/")
    revision = other.put("/w/1", "a").header.revision
    other.put("/elsewhere", "x")
    other.put("/w/2", "b")
    other.delete("/w/1")
    seen = [(type(event).__name__, event.key, event.value) for _, event in zip(range(3), events)]
    assert seen == [("PutEvent", b"/w/1", b"a"), ("PutEvent", b"/w/2", b"b"), ("DeleteEvent", b"/w/1", b"")]
    cancel()
    events, cancel = etcd.watch("/w/1", start_revision=revision, prev_kv=True)
    put, deleted = next(events), next(events)
    assert put.value == b"a" and deleted.prev_value == b"a"
    cancel()
    told = []
    watch = etcd.add_watch_callback("/w/3", told.append)
    other.put("/w/3", "c")
    eventually(lambda: told)
    etcd.cancel_watch(watch)
    raises(etcd3.exceptions.WatchTimedOut, etcd.watch_once, "/w/3", timeout=0.3)
    assert len(told) == 1
    other.put("/w/1", "b")
    etcd.compact(etcd.get("/w/1")[1].mod_revision)
    events, cancel = etcd.watch("/w/1", start_revision=revision)
    lost = raises(RevisionCompactedError, next, events)
    assert lost.compacted_revision == etcd.get("/w/1")[1].mod_revision


def test_leases(_):
    etcd = connect()
    lease = etcd.lease(20)
    etcd.put("/l/1", "", lease)
    etcd.put("/l/2", "", lease)
    assert (lease.ttl, lease.granted_ttl, sorted(lease.keys)) == (20, 20, [b"/l/1", b"/l/2"])
    assert 18 <= lease.remaining_ttl <= 20
    assert [answer.TTL for answer in lease.refresh()] == [20]
    lease.revoke()
    assert list(etcd.get_prefix("/l/")) == [] and lease.remaining_ttl == -1
    assert [answer.TTL for answer in lease.refresh()] == [0]
    grpc_error(grpc.StatusCode.NOT_FOUND, lease.revoke, text="requested lease not found")
    grpc_error(grpc.StatusCode.NOT_FOUND, etcd.put, "/l", "", lease, text="requested lease not found")
    chosen = etcd.lease(20, lease_id=4711)
    assert chosen.id == 4711
    raises(PreconditionFailedError, etcd.lease, 20, lease_id=4711)
    chosen.revoke()
    assert etcd.lease(1).granted_ttl == 2


def test_a_lease_ends_unless_it_is_refreshed(_):
    etcd = connect()
    kept, left = etcd.lease(2), etcd.lease(2)
    etcd.put("/kept", "", kept)
    etcd.put("/left", "", left)
    begin_s = time.monotonic()
    while time.monotonic() - begin_s < 4:
        time.sleep(0.5)
        kept.refresh()
    assert etcd.get("/left") == (None, None) and etcd.get("/kept")[0] == b""
    kept.revoke()


def test_lock(_):
    etcd, other = connect(), connect()
    lock, second = etcd.lock("one", ttl=20), other.lock("one", ttl=20)
    raises(ValueError, lock.refresh)
    assert not lock.is_acquired()
    with lock:
        assert lock.is_acquired() and not second.is_acquired()
        assert etcd.get("/locks/one")[0] == lock.uuid
        assert second.acquire(timeout=0) is False
        begin_s = time.monotonic()
        assert second.acquire(timeout=1) is False
        assert 0.9 < time.monotonic() - begin_s < 3
        assert second.release() is False, "who does not hold it cannot release it"
        assert [answer.TTL for answer in lock.refresh()] == [20]
    assert not lock.is_acquired() and lock.release() is False
    assert second.acquire() is True and second.release() is True


def test_who_waits_is_woken_by_the_release(_):
    etcd, other = connect(), connect()
    lock, waiting = etcd.lock("one", ttl=20), other.lock("one", ttl=20)
    assert lock.acquire()
    timer = threading.Timer(1, lock.release)
    timer.start()
    begin_s = time.monotonic()
    assert waiting.acquire(timeout=15) is True
    assert 0.9 < time.monotonic() - begin_s < 5
    timer.join()


def test_a_lock_ends_with_its_lease(_):
    etcd, other = connect(), connect()
    lock, waiting = etcd.lock("one", ttl=2), other.lock("one", ttl=20)
    assert lock.acquire()
    begin_s = time.monotonic()
    assert waiting.acquire(timeout=15) is True
    assert 1.5 < time.monotonic() - begin_s < 4, "2 s, looked for every 0.5 s"
    assert not lock.is_acquired() and lock.release() is False and waiting.is_acquired()
    assert [answer.TTL for answer in lock.refresh()] == [0]


def test_a_lock_that_is_refreshed_stays(_):
    etcd, other = connect(), connect()
    lock, waiting = etcd.lock("one", ttl=2), other.lock("one", ttl=2)
    assert lock.acquire()
    for _ in range(8):
        time.sleep(0.5)
        lock.refresh()
    assert lock.is_acquired() and waiting.acquire(timeout=0) is False


def test_a_lock_counts_right_under_contention(_):
    connect().put("/n", "0")
    clients = [connect() for _ in range(5)]

    def work(number):
        etcd = clients[number]
        for _ in range(6):
            lock = etcd.lock("count", ttl=20)
            # It may miss a release between its transaction and its watch, so it does not wait for long.
            while not lock.acquire(timeout=0.5):
                pass
            value = int(etcd.get("/n")[0])
            etcd.put("/n", str(value + 1))
            lock.release()

    in_threads(len(clients), work)
    assert connect().get("/n")[0] == b"30"


def test_the_server(_):
    etcd = connect()
    assert [member.name for member in etcd.members] == ["default"]
    status = etcd.status()
    assert status.version == "3.4.23" and status.leader.name == "default" and status.raft_term == 2
    assert etcd.hash() > 0 and list(etcd.list_alarms()) == []


if __name__ == "__main__":
    main("python-etcd3", dict(globals()), empty=begin)
