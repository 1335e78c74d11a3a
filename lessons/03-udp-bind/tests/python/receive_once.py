"""Binds, receives one datagram, and shows it. Argument: encoding."""

import socket
import sys

udp_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp_socket.bind(("", 0))
print("bound to %s:%d" % udp_socket.getsockname(), flush=True)
recv_data = udp_socket.recvfrom(1024)
print(recv_data[0].decode(sys.argv[1]), flush=True)
udp_socket.close()
