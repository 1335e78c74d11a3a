"""TCP and UDP over IPv6."""

import socket

with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
    with socket.socket(socket.AF_INET6) as client:
        client.connect(listener.getsockname())
        connection, _ = listener.accept()
        with connection:
            client.sendall(b"hello")
            connection.recv(1024)
            client.shutdown(socket.SHUT_WR)
            connection.recv(1024)
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
    one.bind(("::1", 0))
    one.sendto(b"to myself", one.getsockname())
    one.recvfrom(1024)
