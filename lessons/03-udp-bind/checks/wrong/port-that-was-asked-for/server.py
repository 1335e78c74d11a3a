# caught by 3/start/port-zero
# The port that was asked for is not always the one that it got.
import os
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
print("bound to %s:%d" % (os.environ["HOST"], int(os.environ["PORT"])), flush=True)
while True:
    data, peer = server.recvfrom(65535)
    if data == b"bye":
        break
    server.sendto(data, peer)
