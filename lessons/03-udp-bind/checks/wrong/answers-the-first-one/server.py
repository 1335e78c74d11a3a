# caught by 3/clients/in-turns
# It keeps the address of the first client.
import os
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
print("bound to %s:%d" % server.getsockname(), flush=True)
first = None
while True:
    data, peer = server.recvfrom(65535)
    first = first or peer
    if data == b"bye":
        break
    server.sendto(data, first)
