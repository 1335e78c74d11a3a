# It thinks before each answer, and prints much.
import os
import socket
import time

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
print("bound to %s:%d" % server.getsockname(), flush=True)
while True:
    data, peer = server.recvfrom(65535)
    if data == b"bye":
        break
    for number in range(50):
        print("thinking", number)
    time.sleep(0.005)
    server.sendto(data, peer)
