"""A server as tutorials write it: a loop of callers around a loop of messages."""
import socket

phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.bind(("127.0.0.1", 0))
phone.listen(5)
print("listening on %s:%d" % phone.getsockname(), flush=True)
while True:
    connection, caller = phone.accept()
    while True:
        try:
            data = connection.recv(1024)
            if not data:
                print("end", flush=True)
                break
            connection.send(data.upper())
        except ConnectionResetError:
            print("reset", flush=True)
            break
    connection.close()
