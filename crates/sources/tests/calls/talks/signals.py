"""A signal while a call waits: once the call fails, once it starts again."""

import os
import signal
import socket

signal.signal(signal.SIGUSR1, lambda *_: None)
left, right = socket.socketpair()
for restart in (False, True):
    signal.siginterrupt(signal.SIGUSR1, not restart)
    child = os.fork()
    if child == 0:
        right.recv(1)
        os._exit(0)
    while True:
        with open(f"/proc/{child}/stat", encoding="ascii") as stat:
            if stat.read().rpartition(")")[2].split()[0] == "S":
                break
    os.kill(child, signal.SIGUSR1)
    left.send(b"x")
    os.wait()
