"""Both sides leave it to the kernel to close what they have."""

import os
import socket
import sys

own = socket.socket()
if sys.argv[1] == "server":
    own.bind(("127.0.0.1", 8081))
    own.listen()
    print("listening", flush=True)
    connection, _ = own.accept()
    connection.recv(1024)
    connection.recv(1024)
    os._exit(0)
own.connect(("127.0.0.1", 8081))
own.sendall(b"hello")
os._exit(7)
