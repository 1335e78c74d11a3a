import socket
for _ in range(200):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"post", ("127.0.0.1", 7788))
