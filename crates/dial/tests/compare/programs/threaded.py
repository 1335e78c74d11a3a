"""A server with a thread for each call; it ends after so many."""

import socket
import sys
import threading

_, host, calls = sys.argv


def serve(connection):
    with connection:
        while data := connection.recv(1024):
            connection.sendall(data.upper())


family = socket.AF_INET6 if ":" in host else socket.AF_INET
with socket.create_server((host, 8081), family=family, backlog=64) as listener:
    print("listening", flush=True)
    threads = []
    for _ in range(int(calls)):
        connection, _ = listener.accept()
        threads.append(threading.Thread(target=serve, args=(connection,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
