import socket
with socket.create_server(("127.0.0.1", 8081)) as listener:
    print("listening on 127.0.0.1:8081", flush=True)
    connection, _ = listener.accept()
    with connection:
        while data := connection.recv(100):
            connection.sendall(data.upper())
