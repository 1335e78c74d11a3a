"""A client is killed while it sends more than fits."""

import os
import signal
import socket

listener = socket.create_server(("127.0.0.1", 0))
client_pid = os.fork()
if client_pid == 0:
    client = socket.create_connection(listener.getsockname())
    client.sendall(bytes(64 << 20))
    os._exit(0)
connection, _ = listener.accept()
connection.recv(1)
# It sends. As soon as it sleeps, it waits for room.
while True:
    with open(f"/proc/{client_pid}/stat", encoding="ascii") as stat:
        if stat.read().rpartition(")")[2].split()[0] == "S":
            break
os.kill(client_pid, signal.SIGKILL)
os.wait()
connection.close()
listener.close()
