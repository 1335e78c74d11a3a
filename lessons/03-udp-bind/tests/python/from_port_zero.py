"""Sends one datagram whose sender has port 0, which no socket can be bound to."""

import socket
import struct
import sys

port = int(sys.argv[1])
message = b"no way back"
# Source port 0, destination port, length, and no checksum.
header = struct.pack("!HHHH", 0, port, 8 + len(message), 0)
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
sender.sendto(header + message, ("127.0.0.1", port))
sender.close()
