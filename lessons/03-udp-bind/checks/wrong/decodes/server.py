# caught by 3/datagram/no-text
# Not all bytes are text.
import os
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
print("bound to %s:%d" % server.getsockname(), flush=True)
while True:
    data, peer = server.recvfrom(65535)
    if data == b"bye":
        break
    print(data.decode())
    server.sendto(data, peer)
