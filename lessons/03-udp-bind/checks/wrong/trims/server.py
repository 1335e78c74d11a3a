# caught by 3/end/not-quite-bye
# The line end is taken off before the word is compared.
import os
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
print("bound to %s:%d" % server.getsockname(), flush=True)
while True:
    data, peer = server.recvfrom(65535)
    if data.strip() == b"bye":
        break
    server.sendto(data, peer)
