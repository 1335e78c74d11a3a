# caught by 3/client/many-strangers
# Each datagram of a stranger makes the wait longer.
import os
import socket
import sys

SERVER = (os.environ["HOST"], int(os.environ["PORT"]))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for line in sys.stdin.buffer:
    message = line.rstrip(b"\r\n")
    client.sendto(message, SERVER)
    while message != b"bye":
        client.settimeout(2)
        try:
            data, peer = client.recvfrom(65535)
        except TimeoutError:
            sys.exit("no answer after 2 s")
        if peer == SERVER:
            print(len(data), "bytes:", data[:100])
            break
