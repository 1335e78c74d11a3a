"""Datagrams between two sockets; one is connected."""

import socket

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("127.0.0.1", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"first", server.getsockname())
        data, address = server.recvfrom(1024)
        server.sendto(data + b" answered", address)
        client.connect(server.getsockname())
        client.recv(4)
        client.send(b"")
        server.recvfrom(1024)
        client.sendmsg([b"in two ", b"parts"])
        server.recvmsg(1024)
        server.setblocking(False)
        try:
            server.recvfrom(1024)
        except BlockingIOError:
            pass
