"""Talks with itself in the way that the first argument names. What it gets is
checked here: it ends with 0 if all of it was right."""

import asyncio
import errno
import os
import select
import socket
import sys
import tempfile
import threading

DATA = bytes(range(256)) * 8


def pair():
    """Both ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        return one, listener.accept()[0]


def all_of(end):
    received = b""
    while piece := end.recv(1000):
        received += piece
    return received


def sent(end, data):
    """In a thread, so that there is somebody who receives."""

    def send():
        end.sendall(data)
        end.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    return sender


def loops(ends):
    sender = sent(ends[0], DATA)
    assert all_of(ends[1]) == DATA
    sender.join()


def receives_once():
    one, two = pair()
    one.sendall(b"hello")
    assert two.recv(1024) == b"hello"


def sends_once():
    one, _two = pair()
    assert one.send(b"hello") == 5


def peeks_and_waits_for_all():
    one, two = pair()
    one.sendall(b"hello")
    assert two.recv(5, socket.MSG_PEEK | socket.MSG_WAITALL) == b"hello"
    assert two.recv(1024, socket.MSG_PEEK) == b"hello"
    assert two.recv(5, socket.MSG_WAITALL) == b"hello"


def passes_descriptors():
    one, two = socket.socketpair()
    socket.send_fds(one, [b"hello"], [0])
    received, descriptors, _, _ = socket.recv_fds(two, 5, 1)
    assert (received, len(descriptors)) in [(b"hello", 1), (b"hel", 1)]


def datagrams():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.bind(("127.0.0.1", 0))
        assert end.sendto(b"hello", end.getsockname()) == 5
        assert end.recv(1024) == b"hello"
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    assert one.send(b"hello") == 5
    assert two.recv(1024) == b"hello"
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    assert os.write(one.fileno(), b"hello") == 5
    assert os.read(two.fileno(), 1024) == b"hello"


def files_and_pipes():
    # What is not on a socket, between things that are.
    one, two = pair()
    with tempfile.TemporaryFile() as file:
        assert os.write(file.fileno(), b"hello") == 5
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        assert os.read(file.fileno(), 1024) == b"hello"
    read, write = os.pipe()
    assert os.write(write, b"hello") == 5
    assert os.read(read, 1024) == b"hello"
    loops((one, two))


def threads():
    talks = [threading.Thread(target=loops, args=(pair(),)) for _ in range(10)]
    for talk in talks:
        talk.start()
    for talk in talks:
        talk.join()
    loops(pair())


def forks():
    one, two = pair()
    child = os.fork()
    if child == 0:
        two.close()
        one.sendall(DATA)
        os._exit(0)
    one.close()
    assert all_of(two) == DATA
    assert os.waitpid(child, 0)[1] == 0


def vectors():
    one, two = pair()
    buffers = bytearray(2), bytearray(3), bytearray(4)
    for send, receive in [
        (lambda data: os.writev(one.fileno(), data), lambda: os.readv(two.fileno(), buffers)),
        (one.sendmsg, lambda: two.recvmsg_into(buffers)[0]),
    ]:
        count = send([b"ab", b"cde", b"fghi"])
        assert receive() == count
        assert b"".join(buffers)[:count] == b"abcdefghi"[:count]


def resets():
    """The second receive of each connection fails, and no other."""
    for _ in range(2):
        one, two = pair()
        one.sendall(b"abc")
        told = []
        for _ in range(3):
            try:
                told.append(two.recv(1))
            except ConnectionResetError:
                told.append("reset")
        assert told == [b"a", "reset", b"b"], told


def stays_reset():
    one, two = pair()
    one.sendall(b"abc")
    assert two.recv(1) == b"a"
    for _ in range(2):
        try:
            two.recv(1)
        except ConnectionResetError:
            continue
        raise AssertionError("it was received")


def accepts_after_failures():
    """The first two calls fail; who has called waits all the same."""
    told = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as caller:
            caller.sendall(b"hello")
            select.select([listener], [], [])
            listener.setblocking(False)
            for _ in range(3):
                try:
                    listener.accept()[0].close()
                    told.append("accepted")
                except OSError as error:
                    told.append(errno.errorcode[error.errno])
    assert told == ["EMFILE", "ECONNABORTED", "accepted"], told


def would_wait():
    """Nothing is there at first, so that does not count."""
    one, two = pair()
    two.setblocking(False)
    for _ in range(3):
        try:
            two.recv(1)
            raise AssertionError("nothing was sent")
        except BlockingIOError:
            pass
    one.sendall(b"ab")
    select.select([two], [], [])
    assert two.recv(1) == b"a"
    try:
        two.recv(1)
        raise AssertionError("the second one fails")
    except ConnectionResetError:
        pass


def waits():
    """Python begins again by itself."""
    one, two = pair()
    one.sendall(b"ab")
    poll = select.poll()
    poll.register(two, select.POLLIN)
    assert len(poll.poll()) == 1
    assert select.select([two], [], [])[0] == [two]
    epoll = select.epoll()
    epoll.register(two, select.EPOLLIN)
    assert len(epoll.poll()) == 1
    assert two.recv(2) == b"ab"


def edges():
    """A short read says that all was read, so the next event will tell of more."""
    one, two = pair()
    two.setblocking(False)
    epoll = select.epoll()
    epoll.register(two, select.EPOLLIN | select.EPOLLET)
    one.sendall(DATA)
    received = b""
    while len(received) < len(DATA):
        assert epoll.poll(10), "no event: something was left"
        piece = None
        while piece is None or len(piece) == 1000:
            piece = two.recv(1000)
            received += piece
    assert received == DATA


async def served():
    """An echo over a loop of events, in several pieces at once."""

    async def echo(reader, writer):
        writer.writelines([await reader.read(), b"!", b"?"])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(DATA)
        writer.write_eof()
        assert await reader.read() == DATA + b"!?"
        writer.close()


TALKS = {
    "loops": lambda: loops(pair()),
    "loops on unix": lambda: loops(socket.socketpair()),
    "receives once": receives_once,
    "sends once": sends_once,
    "peeks and waits for all": peeks_and_waits_for_all,
    "passes descriptors": passes_descriptors,
    "datagrams": datagrams,
    "files and pipes": files_and_pipes,
    "threads": threads,
    "forks": forks,
    "vectors": vectors,
    "resets": resets,
    "stays reset": stays_reset,
    "accepts after failures": accepts_after_failures,
    "would wait": would_wait,
    "waits": waits,
    "edges": edges,
    "events": lambda: asyncio.run(served()),
}

TALKS[sys.argv[1]]()
