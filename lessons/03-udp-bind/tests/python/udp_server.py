"""A UDP echo server as tutorials write it. Arguments: host, encoding."""

import socket
import sys

host, encoding = sys.argv[1], sys.argv[2]
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((host, 0))
print("bound to %s:%d" % server.getsockname(), flush=True)
while True:
    data, addr = server.recvfrom(1024)
    if data == b"bye":
        break
    print("received", data.decode(encoding), flush=True)
    server.sendto(data, addr)
server.close()
