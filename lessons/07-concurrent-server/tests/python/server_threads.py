# A server with a thread per client. Usage: server_threads.py HOST PORT
import socket
import sys
import threading


def serve(call):
    while True:
        data = call.recv(1024)
        if not data:
            break
        call.sendall(data.upper())
    call.close()


phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
phone.bind((sys.argv[1], int(sys.argv[2])))
phone.listen(100)
print("listening on %s:%d" % phone.getsockname(), flush=True)
while True:
    call, caller = phone.accept()
    threading.Thread(target=serve, args=(call,), daemon=True).start()
