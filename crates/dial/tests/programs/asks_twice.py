import socket
s = socket.create_connection(("127.0.0.1", 8081))
for word in (b"one", b"two"):
    s.sendall(word)
    print(s.recv(1024).decode())
s.close()
