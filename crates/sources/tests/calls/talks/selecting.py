"""poll and select, with a time limit and without."""

import select
import socket

left, right = socket.socketpair()
with left, right:
    select.select([left], [], [], 0)
    right.send(b"x")
    select.select([left], [right], [], None)
    poll = select.poll()
    poll.register(left, select.POLLIN)
    poll.poll()
    left.recv(1)
    poll.poll(1)
    left.settimeout(0.01)
    try:
        left.recv(1)
    except TimeoutError:
        pass
