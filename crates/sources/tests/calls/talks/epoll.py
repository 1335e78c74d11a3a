"""A server that waits for all its sockets at once."""

import os
import select
import socket

with socket.create_server(("127.0.0.1", 0)) as listener:
    address = listener.getsockname()
    if os.fork() == 0:
        listener.close()
        for number in range(3):
            with socket.create_connection(address) as client:
                client.sendall(b"client %d" % number)
                client.recv(1024)
                client.shutdown(socket.SHUT_WR)
                client.recv(1024)
        os._exit(0)
    listener.setblocking(False)
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
    connections = {}
    served = 0
    while served < 3:
        for descriptor, _ in epoll.poll():
            if descriptor == listener.fileno():
                connection, _ = listener.accept()
                connection.setblocking(False)
                connections[connection.fileno()] = connection
                epoll.register(connection, select.EPOLLIN)
                continue
            data = connections[descriptor].recv(1024)
            if data:
                connections[descriptor].sendall(data)
                continue
            epoll.unregister(descriptor)
            connections.pop(descriptor).close()
            served += 1
    os.wait()
