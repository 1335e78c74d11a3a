"""Calls 127.0.0.1:8081 or another host, in turn or all at once."""

import socket
import sys
import threading

_, host, calls, how = sys.argv


def call(number):
    with socket.create_connection((host, 8081)) as connection:
        connection.sendall(b"call %02d" % number)
        connection.recv(1024)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1024)


callers = [threading.Thread(target=call, args=(number,)) for number in range(int(calls))]
for caller in callers:
    caller.start()
    if how == "in-turn":
        caller.join()
for caller in callers:
    caller.join()
