import socket
s = socket.socket()
s.connect(("127.0.0.1", 8081))
s.sendall(b"hello")
print(s.recv(1024).decode())
s.recv(1024)
s.close()
