# One datagram and its answer. Usage: client_udp.py HOST PORT
import socket
import sys

phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
phone.sendto(b"hello", (sys.argv[1], int(sys.argv[2])))
answer, server = phone.recvfrom(1024)
print(answer.decode())
