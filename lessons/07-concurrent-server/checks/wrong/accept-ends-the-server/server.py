# caught by 7/forced/accept-fails
# One accept that fails ends the program.
import os
import socket
import threading


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
while True:
    call, peer = server.accept()
    threading.Thread(target=serve, args=[call], daemon=True).start()
