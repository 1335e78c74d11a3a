import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"post", ("127.0.0.1", 7788))
print(s.recvfrom(1024)[0].decode())
