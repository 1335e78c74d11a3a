import socket
s = socket.socket()
s.bind(("127.0.0.1", 8081))
s.listen(5)
c, _ = s.accept()
print("accepted")
d = c.recv(1024)
c.sendall(d.upper())
c.close()
