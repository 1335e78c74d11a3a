"""AF_UNIX: a path, an abstract name, a pair, and a passed descriptor."""

import os
import socket
import tempfile

with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    for address in ["path", "\0" + os.environ["TALK"]]:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen()
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(address)
                connection, _ = listener.accept()
                with connection:
                    client.sendall(b"hello")
                    connection.recv(1024)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
    one.bind("\0" + os.environ["TALK"])
    one.sendto(b"to myself", one.getsockname())
    one.recvfrom(1024)
left, right = socket.socketpair()
with left, right:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as passed:
        socket.send_fds(left, [b"here"], [passed.fileno()])
    _, descriptors, _, _ = socket.recv_fds(right, 1024, 1)
    with socket.socket(fileno=descriptors[0]) as got:
        got.bind(("127.0.0.1", 0))
