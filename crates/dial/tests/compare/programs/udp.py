"""Datagrams there and back, and one to a port that nobody has."""

import socket
import sys

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
    if sys.argv[1] == "server":
        own.bind(("127.0.0.1", 8081))
        print("bound", flush=True)
        for _ in range(3):
            data, peer = own.recvfrom(1024)
            own.sendto(data.upper(), peer)
    else:
        for number in range(3):
            own.sendto(b"datagram %d" % number, ("127.0.0.1", 8081))
            own.recvfrom(1024)
        own.connect(("127.0.0.1", 9))
        own.send(b"to nobody")
        try:
            own.recv(1024)
        except ConnectionRefusedError:
            pass
