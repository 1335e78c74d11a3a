# caught by 7/callers/hundred-silent
# Eight threads serve eight callers.
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor


def serve(call):
    with call:
        try:
            while data := call.recv(65536):
                call.sendall(data.upper())
        except OSError as error:
            print(error)


server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(512)
print("listening on %s:%d" % server.getsockname(), flush=True)
pool = ThreadPoolExecutor(8)
while True:
    try:
        call, peer = server.accept()
    except OSError as error:
        print(error)
        time.sleep(0.1)
        continue
    pool.submit(serve, call)
