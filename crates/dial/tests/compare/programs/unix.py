"""A talk through a path: calls, but no packets."""

import os
import socket
import sys

path = "talk.socket"
with socket.socket(socket.AF_UNIX) as own:
    if sys.argv[1] == "server":
        own.bind(path)
        own.listen()
        print("listening", flush=True)
        connection, _ = own.accept()
        with connection:
            connection.sendall(connection.recv(1024).upper())
            connection.recv(1024)
        os.unlink(path)
    else:
        own.connect(path)
        own.sendall(b"hello")
        own.recv(1024)
