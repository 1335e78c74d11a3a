import socket
with socket.create_connection(("127.0.0.1", 8081)) as connection:
    connection.sendall(b"hello")
    print("answer", connection.recv(100).decode(), flush=True)
