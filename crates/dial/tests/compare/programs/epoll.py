"""A server that waits for all its sockets at once; it ends after three calls."""

import select
import socket

with socket.create_server(("127.0.0.1", 8081)) as listener:
    listener.setblocking(False)
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
    print("listening", flush=True)
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
