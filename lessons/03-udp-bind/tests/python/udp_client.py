"""A UDP client as tutorials write it. Arguments: host, port, encoding, messages."""

import socket
import sys

host, port, encoding = sys.argv[1], int(sys.argv[2]), sys.argv[3]
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(10)
for message in sys.argv[4:]:
    client.sendto(message.encode(encoding), (host, port))
    if message == "bye":
        break
    data, addr = client.recvfrom(1024)
    print("received", data.decode(encoding), "from", "%s:%d" % addr, flush=True)
client.close()
