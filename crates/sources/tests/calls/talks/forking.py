"""A server with a process for each of its clients."""

import os
import socket

CLIENTS = 5

listener = socket.create_server(("127.0.0.1", 0))
for number in range(CLIENTS):
    if os.fork() == 0:
        address = listener.getsockname()
        listener.close()
        client = socket.create_connection(address)
        client.sendall(b"client %d" % number)
        client.recv(1024)
        client.close()
        os._exit(0)
for _ in range(CLIENTS):
    connection, _ = listener.accept()
    if os.fork() == 0:
        listener.close()
        data = connection.recv(1024)
        connection.sendall(data * 2)
        connection.shutdown(socket.SHUT_WR)
        os._exit(0)
    connection.close()
for _ in range(2 * CLIENTS):
    os.wait()
