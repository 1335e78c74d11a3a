import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for word in (b"one", b"two", b"three"):
    s.sendto(word, ("server", 7788))
