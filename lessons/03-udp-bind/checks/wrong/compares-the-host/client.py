# caught by 3/client/same-host-other-port
# It looks at the host and not at the port.
import os
import socket
import sys
import time

SERVER = (os.environ["HOST"], int(os.environ["PORT"]))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for line in sys.stdin.buffer:
    message = line.rstrip(b"\r\n")
    end = time.monotonic() + 2
    client.sendto(message, SERVER)
    while message != b"bye":
        left = end - time.monotonic()
        if left <= 0:
            sys.exit("no answer after 2 s")
        client.settimeout(left)
        try:
            data, peer = client.recvfrom(65535)
        except TimeoutError:
            continue
        if peer[0] == SERVER[0]:
            print(len(data), "bytes:", data[:100])
            break
