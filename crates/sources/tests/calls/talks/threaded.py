"""A server with a thread for each of its 20 clients."""

import socket
import threading

CLIENTS = 20


def serve(connection):
    with connection:
        while data := connection.recv(1024):
            connection.sendall(data.upper())


def talk(number, address):
    with socket.create_connection(address) as client:
        client.sendall(b"client %02d" % number)
        client.recv(1024)


with socket.create_server(("127.0.0.1", 0)) as listener:
    address = listener.getsockname()
    clients = [
        threading.Thread(target=talk, args=(number, address))
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    servers = []
    for _ in clients:
        connection, _ = listener.accept()
        servers.append(threading.Thread(target=serve, args=(connection,)))
        servers[-1].start()
    for thread in clients + servers:
        thread.join()
