"""A server that makes calls in one thread while another waits in accept."""

import socket
import threading


def others():
    for _ in range(20):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            other.getsockname()
    print("listening", flush=True)


with socket.create_server(("127.0.0.1", 8081)) as listener:
    thread = threading.Thread(target=others)
    thread.start()
    connection, _ = listener.accept()
    with connection:
        while data := connection.recv(1024):
            connection.sendall(data)
    thread.join()
