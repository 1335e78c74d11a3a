# caught by 3/datagram/empty
# It is a loop for a stream, which ends at 0 bytes.
import os
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
print("bound to %s:%d" % server.getsockname(), flush=True)
data, peer = server.recvfrom(65535)
while data and data != b"bye":
    server.sendto(data, peer)
    data, peer = server.recvfrom(65535)
