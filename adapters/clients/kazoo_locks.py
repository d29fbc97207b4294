"""kazoo as an application uses it: nodes, watches, transactions, its lock recipes, and sessions that are
lost and found again. What is expected is what a real ZooKeeper 3.8.0 does."""

import sys
import threading
import time

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import (
    BadVersionError,
    InvalidACLError,
    LockTimeout,
    NoAuthError,
    NoChildrenForEphemeralsError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
    RolledBackError,
    RuntimeInconsistency,
)
from kazoo.protocol.states import EventType
from kazoo.security import make_acl, make_digest_acl

from lib.suite import eventually, in_threads, main, raises

ADDRESS = sys.argv[1].split(",")[0]
OPENED = []


def connect(**options):
    """A client that is connected; it is closed after the test."""
    client = KazooClient(hosts=ADDRESS, timeout=options.pop("timeout", 10.0), **options)
    OPENED.append(client)
    client.start(timeout=20)
    return client


def begin():
    """Closes what the last test opened, and empties the server."""
    while OPENED:
        client = OPENED.pop()
        client.stop()
        client.close()
    cleaner = connect()
    for name in cleaner.get_children("/"):
        if name != "zookeeper":
            cleaner.delete("/" + name, recursive=True)


def drop(client):
    """Cuts the connection as a broken network does; kazoo connects again by itself."""
    lost = threading.Event()
    client.add_listener(lambda state: lost.set() if state == KazooState.SUSPENDED else None)
    client._connection._socket.shutdown(2)
    assert lost.wait(10), "the broken connection was not noticed"


def test_nodes(_):
    zk = connect()
    assert zk.create("/a", b"one") == "/a"
    data, stat = zk.get("/a")
    assert data == b"one" and stat.version == 0 and stat.dataLength == 3 and stat.numChildren == 0
    assert abs(stat.ctime / 1000 - time.time()) < 5 and stat.czxid == stat.mzxid == stat.pzxid
    stat = zk.set("/a", b"two", version=0)
    assert stat.version == 1 and stat.mzxid > stat.czxid
    raises(BadVersionError, zk.set, "/a", b"x", version=0)
    raises(NodeExistsError, zk.create, "/a", b"")
    raises(NoNodeError, zk.create, "/no/b", b"")
    raises(NoNodeError, zk.get, "/no")
    assert zk.exists("/no") is None
    path, stat = zk.create("/a/b", b"", include_data=True)
    assert path == "/a/b" and stat.version == 0
    children, stat = zk.get_children("/a", include_data=True)
    assert children == ["b"] and stat.cversion == 1
    raises(NotEmptyError, zk.delete, "/a")
    raises(BadVersionError, zk.delete, "/a/b", version=7)
    zk.delete("/a", recursive=True)
    assert zk.exists("/a") is None and zk.sync("/") == "/"
    zk.create("/deep/er/still", makepath=True)
    assert zk.get_children("/deep") == ["er"]


def test_ephemeral_and_sequence(_):
    zk, other = connect(), connect()
    assert zk.create("/q") == "/q"
    assert zk.create("/q/n-", ephemeral=True, sequence=True) == "/q/n-0000000000"
    assert zk.create("/q/n-", sequence=True) == "/q/n-0000000001"
    owner = other.exists("/q/n-0000000000").ephemeralOwner
    assert owner == zk.client_id[0]
    raises(NoChildrenForEphemeralsError, other.create, "/q/n-0000000000/x")
    zk.stop()
    assert other.get_children("/q") == ["n-0000000001"]


def test_watches(_):
    zk, other = connect(), connect()
    events = []
    zk.create("/w", b"0")
    zk.get("/w", watch=events.append)
    zk.get_children("/w", watch=events.append)
    assert zk.exists("/later", watch=events.append) is None
    other.set("/w", b"1")
    eventually(lambda: len(events) == 1)
    other.set("/w", b"2")
    other.create("/w/c")
    eventually(lambda: len(events) == 2)
    other.create("/later")
    eventually(lambda: len(events) == 3)
    assert [(event.type, event.path) for event in events] == [
        (EventType.CHANGED, "/w"), (EventType.CHILD, "/w"), (EventType.CREATED, "/later"),
    ]
    seen = []
    zk.DataWatch("/w", lambda data, stat: seen.append(data))
    children = []
    zk.ChildrenWatch("/w", lambda names: children.append(sorted(names)))
    other.set("/w", b"3")
    other.create("/w/d")
    eventually(lambda: seen == [b"2", b"3"] and children == [["c"], ["c", "d"]])


def test_transactions(_):
    zk = connect()
    with_all = zk.transaction()
    with_all.create("/t", b"x")
    with_all.set_data("/t", b"y")
    with_all.check("/t", 1)
    with_all.create("/t/n-", sequence=True)
    with_all.delete("/t/n-0000000000")
    results = with_all.commit()
    assert results[0] == "/t" and results[1].version == 1 and results[2:] == [True, "/t/n-0000000000", True]
    failing = zk.transaction()
    failing.create("/u")
    failing.check("/t", 9)
    failing.create("/v")
    kinds = [type(result) for result in failing.commit()]
    assert kinds == [RolledBackError, BadVersionError, RuntimeInconsistency]
    assert zk.exists("/u") is None and zk.exists("/v") is None


def test_access_lists(_):
    zk, other = connect(), connect()
    zk.add_auth("digest", "me:secret")
    zk.create("/mine", b"x", acl=[make_digest_acl("me", "secret", all=True)])
    raises(NoAuthError, other.get, "/mine")
    assert zk.get("/mine")[0] == b"x"
    zk.set_acls("/mine", [make_acl("world", "anyone", read=True), make_digest_acl("me", "secret", all=True)])
    assert other.get("/mine")[0] == b"x"
    raises(NoAuthError, other.set, "/mine", b"y")
    acls, stat = other.get_acls("/mine")
    assert len(acls) == 2 and stat.aversion == 1
    raises(InvalidACLError, other.create, "/bad", acl=[make_acl("auth", "", all=True)])


def test_the_server_says_how_it_is(_):
    zk = connect()
    assert zk.command(b"ruok") == "imok"
    assert zk.server_version() == (3, 8, 0)
    assert "Mode: standalone" in zk.command(b"srvr")
    assert "zk_znode_count" in zk.command(b"mntr")
    assert "tickTime=2000" in zk.command(b"conf")


def test_lock(_):
    zk, other = connect(), connect()
    lock = zk.Lock("/lock", "me")
    with lock:
        assert lock.is_acquired and other.Lock("/lock").contenders() == ["me"]
        second = other.Lock("/lock", "you")
        assert second.acquire(blocking=False) is False
        raises(LockTimeout, second.acquire, timeout=0.3)
        assert other.Lock("/lock").contenders() == ["me"]
    assert second.acquire(timeout=5)
    second.release()


def test_a_lock_counts_right_under_contention(_):
    connect().create("/n", b"0")

    def work(_):
        zk = connect()
        for _ in range(10):
            with zk.Lock("/lock"):
                value = int(zk.get("/n")[0])
                zk.set("/n", str(value + 1).encode())

    in_threads(6, work)
    assert connect().get("/n")[0] == b"60"


def test_locks_are_handed_over_in_order(_):
    clients = [connect() for _ in range(4)]
    first = clients[0].Lock("/lock")
    first.acquire()
    order, threads = [], []

    def work(number):
        with clients[number].Lock("/lock", str(number)):
            order.append(number)

    for number in (1, 2, 3):
        threads.append(threading.Thread(target=work, args=(number,), daemon=True))
        threads[-1].start()
        eventually(lambda: len(first.contenders()) == number + 1)
    first.release()
    for thread in threads:
        thread.join(20)
    assert order == [1, 2, 3]


def test_read_and_write_locks(_):
    one, two = connect(), connect()
    reading, also = one.ReadLock("/rw"), two.ReadLock("/rw")
    assert reading.acquire(timeout=5) and also.acquire(timeout=5)
    writing = two.WriteLock("/rw")
    assert writing.acquire(blocking=False) is False
    reading.release()
    also.release()
    assert writing.acquire(timeout=5)
    assert one.ReadLock("/rw").acquire(blocking=False) is False
    writing.release()


def test_semaphore(_):
    clients = [connect() for _ in range(3)]
    semaphores = [client.Semaphore("/sem", max_leases=2) for client in clients]
    assert semaphores[0].acquire(timeout=5) and semaphores[1].acquire(timeout=5)
    assert semaphores[2].acquire(blocking=False) is False
    semaphores[0].release()
    assert semaphores[2].acquire(timeout=5)


def test_election(_):
    one, two = connect(), connect()
    led, done = [], threading.Event()

    def lead(name):
        led.append(name)
        done.wait(20)

    first = threading.Thread(target=one.Election("/el", "one").run, args=(lead, "one"), daemon=True)
    first.start()
    eventually(lambda: led == ["one"])
    second = threading.Thread(target=two.Election("/el", "two").run, args=(lead, "two"), daemon=True)
    second.start()
    eventually(lambda: two.Election("/el").contenders() == ["one", "two"])
    assert led == ["one"]
    done.set()
    first.join(20)
    second.join(20)
    assert led == ["one", "two"]


def test_a_session_goes_on_over_another_connection(_):
    zk, other = connect(), connect()
    session = zk.client_id
    zk.create("/e", ephemeral=True)
    events = []
    zk.exists("/e", watch=events.append)
    drop(zk)
    eventually(lambda: zk.connected, limit=20)
    assert zk.retry(zk.exists, "/e").ephemeralOwner == session[0] and zk.client_id == session
    stolen = connect(client_id=session)
    assert stolen.client_id == session and stolen.exists("/e")


def test_a_session_ends_when_its_time_is_up(_):
    other = connect()
    zk = KazooClient(hosts=ADDRESS, timeout=4.0)
    zk.start(timeout=20)
    lock = zk.Lock("/lock")
    lock.acquire()
    session = zk.client_id
    waiting = other.Lock("/lock")
    zk._connection._socket.shutdown(2)
    zk._stopped.set()
    begin = time.monotonic()
    assert waiting.acquire(timeout=20)
    assert 2.5 < time.monotonic() - begin < 7.5, "a timeout of 4 s and up to a tick of 2 s"
    late = KazooClient(hosts=ADDRESS, timeout=4.0, client_id=session)
    OPENED.append(late)
    late.start(timeout=20)
    assert late.client_id != session, "the old session is gone; kazoo begins a new one"


if __name__ == "__main__":
    main("kazoo", dict(globals()), empty=begin)
