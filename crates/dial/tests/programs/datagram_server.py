import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 7788))
d, a = s.recvfrom(1024)
s.sendto(d, a)
