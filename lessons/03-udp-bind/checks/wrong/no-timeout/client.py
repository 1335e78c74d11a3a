# caught by 3/client/no-answer
# A datagram can be lost, and it waits for ever.
import os
import socket
import sys

SERVER = (os.environ["HOST"], int(os.environ["PORT"]))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for line in sys.stdin.buffer:
    message = line.rstrip(b"\r\n")
    client.sendto(message, SERVER)
    while message != b"bye":
        data, peer = client.recvfrom(65535)
        if peer == SERVER:
            print(len(data), "bytes:", data[:100])
            break
