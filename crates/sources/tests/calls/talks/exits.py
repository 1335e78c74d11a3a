"""Both sides end without a close."""

import os
import socket

listener = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    client = socket.create_connection(listener.getsockname())
    client.sendall(b"last words")
    os._exit(3)
connection, _ = listener.accept()
while connection.recv(1024):
    pass
os._exit(0)
