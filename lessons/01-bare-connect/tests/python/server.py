# The server of lesson 1 in Python. Usage: server.py HOST PORT
import socket
import sys

phone = socket.socket()
phone.bind((sys.argv[1], int(sys.argv[2])))
phone.listen(5)
print("listening on %s:%d" % phone.getsockname(), flush=True)
call, caller = phone.accept()
call.send(call.recv(1024).upper())
call.close()
phone.close()
