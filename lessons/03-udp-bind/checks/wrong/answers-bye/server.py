# caught by 3/end/bye
# It answers first, and compares then.
import os
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
print("bound to %s:%d" % server.getsockname(), flush=True)
while True:
    data, peer = server.recvfrom(65535)
    server.sendto(data, peer)
    if data == b"bye":
        break
