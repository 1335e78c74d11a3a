# caught by 3/client/answer
# The line end is a part of its message.
import os
import socket
import sys
import time

SERVER = (os.environ["HOST"], int(os.environ["PORT"]))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for line in sys.stdin.buffer:
    message = line
    end = time.monotonic() + 2
    client.sendto(message, SERVER)
    while message.strip() != b"bye":
        left = end - time.monotonic()
        if left <= 0:
            sys.exit("no answer after 2 s")
        client.settimeout(left)
        try:
            data, peer = client.recvfrom(65535)
        except TimeoutError:
            continue
        if peer == SERVER:
            print(len(data), "bytes:", data[:100])
            break
