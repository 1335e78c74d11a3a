import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 7788))
s.settimeout(20)
try:
    while True:
        print(s.recvfrom(1024)[0].decode())
        s.settimeout(1)
except TimeoutError:
    pass
